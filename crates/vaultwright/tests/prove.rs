//! Specs that are right are proven, and each spec that is wrong in one thing is refuted at the step that shows it.
#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::{path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;
use vault_testbed::ground::{FarSide, far::Installation, images, servers};

/// What a run of `prove` leaves.
struct Proof {
    code: Option<i32>,
    said: String,
    report: Value,
    junit: String,
    /// What it has added to the summary of a GitHub job.
    summary: String,
}

/// What the steps of a job before it have said.
const BEFORE: &str = "Of a step before.\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Proven,
    Refuted,
}

/// `None`, told on the standard output, where no server can be had.
fn prove(spec: &str, arguments: &[&str], expected: Expected) -> Option<Proof> {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED {spec}: there is no Vault server; `cargo xtask servers` builds one");
        return None;
    }
    let folder = TempDir::new().unwrap();
    let (json, junit) = (folder.path().join("proof.json"), folder.path().join("proof.xml"));
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, BEFORE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command.args(["prove", spec, "--concurrency", "2"]).args(arguments);
    if !arguments.contains(&"--on") {
        command.args(["--on", "process"]);
    }
    command.arg("--json").arg(&json).arg("--junit").arg(&junit);
    command.env("GITHUB_STEP_SUMMARY", &summary);
    if expected == Expected::Refuted {
        // In CI all that fails would be tried again.
        command.env_remove("CI");
    }
    let output = command.output().unwrap();
    let code = output.status.code();
    // Warnings first, as a terminal would show them: the counts are the last line.
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = text(output.stderr) + &text(output.stdout);
    let report = std::fs::read_to_string(&json).unwrap_or_else(|err| panic!("{err}\n{said}"));
    let report = serde_json::from_str(&report).unwrap();
    let mut schema = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    let schema = schema.args(["schema", "report"]).output().unwrap();
    let schema = serde_json::from_slice(&schema.stdout).unwrap();
    let problems = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = problems.iter_errors(&report).map(|it| it.to_string()).collect();
    assert_eq!(problems, [""; 0], "the report is not as its schema says");
    let junit = std::fs::read_to_string(&junit).unwrap();
    assert!(junit.contains("<testsuite "));
    let summary = std::fs::read_to_string(&summary).unwrap();
    let summary = summary.strip_prefix(BEFORE).unwrap_or_else(|| panic!("{summary}")).to_owned();
    Some(Proof { code, said, report, junit, summary })
}

#[track_caller]
fn is_proven(spec: &str, arguments: &[&str]) -> Option<Proof> {
    let proof = prove(spec, arguments, Expected::Proven)?;
    assert_eq!(proof.code, Some(0), "{}", proof.said);
    assert_eq!(proof.report["failed"], 0);
    assert!(proof.report["passed"].as_u64().unwrap() > 0);
    let counts = proof.said.trim_end().lines().next_back().unwrap();
    assert!(counts.ends_with("0 failed, 0 skipped"), "{}", proof.said);
    let heading = format!("## ✅ Proof of {}: {counts}\n", proof.report["spec"].as_str().unwrap());
    assert!(proof.summary.starts_with(&heading), "{}", proof.summary);
    Some(proof)
}

#[track_caller]
fn scenario<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut scenarios = report["scenarios"].as_array().unwrap().iter();
    scenarios.find(|it| it["scenario"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// What becomes of the one login of a scenario, in JSON and in JUnit: such as `issued`, `renewed`, …, each once and
/// where it is first.
#[track_caller]
fn lives(proof: &Proof, name: &str, wanted: &[&str]) {
    let turns = scenario(&proof.report, name)["turns"].as_array().unwrap();
    let of = |it: &Value| it["of"].as_str().unwrap().to_owned();
    let one: Vec<&Value> = turns.iter().filter(|it| of(it) == of(&turns[0])).collect();
    let at = |it: &Value| it["at_seconds"].as_f64().unwrap();
    assert!(one.is_sorted_by_key(|it| at(it)) && at(one[0]) > 0.0, "{one:#?}");
    let what = |it: &Value| it["what"].as_str().unwrap().to_owned();
    let mut words: Vec<String> = Vec::new();
    for word in one.iter().map(|it| what(it)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    assert_eq!(words, wanted, "{name}: {one:#?}");
    for begins in one.iter().filter(|it| ["issued", "renewed"].contains(&&*what(it))) {
        assert!(begins["lasts_seconds"].as_u64().unwrap() > 0, "{begins}");
    }
    let lasts = |it: &Value| it["lasts_seconds"].as_u64().map(|it| format!(" for {it} s"));
    let line = |it: &Value| {
        format!("{:.2} s {} {}{}", at(it), of(it), what(it), lasts(it).unwrap_or_default())
    };
    let lines: Vec<String> = turns.iter().map(line).collect();
    let case = proof.junit.split_once(&format!("<testcase name=\"{name}\"")).unwrap().1;
    let case = case.split_once("</testcase>").unwrap().0;
    assert!(case.contains(&lines.join("\n")), "{lines:#?} are not in\n{case}");
}

/// Such as `MongoDB 8.2.1`: what stood beside Vault as `name`, in all that a person reads of the proof.
#[track_caller]
fn stood_beside(proof: &Proof, name: &str, title: &str) {
    let scenarios = proof.report["scenarios"].as_array().unwrap().iter();
    let told = scenarios.flat_map(|it| it["evidence"].as_array().unwrap());
    let mut told = told.filter_map(|it| it.as_str()?.strip_prefix(&format!("{name}: ")));
    let which = told.find(|it| it.starts_with(&format!("{title} ")));
    let which = which.unwrap_or_else(|| panic!("no {title} in {}", proof.report));
    let version = which.strip_prefix(title).unwrap().trim();
    assert!(version.contains('.') && !version.contains(|it: char| it.is_alphabetic()), "{which}");
    let line = format!("beside Vault: {which}");
    assert!(proof.said.lines().any(|it| it == line), "{}", proof.said);
    assert!(proof.summary.contains(&line), "{}", proof.summary);
    assert!(proof.junit.contains(&format!("{name}: {which}")), "{}", proof.junit);
}

/// Its evidence has these: of which server, by whom, how it begins and what the answer has in it.
#[track_caller]
fn is_proven_by_asking(spec: &str, wanted: &[[&str; 4]]) {
    let Some(Proof { report, .. }) = is_proven(spec, &[]) else { return };
    let steps = report["scenarios"].as_array().unwrap().iter();
    let steps = steps.flat_map(|it| it["steps"].as_array().unwrap());
    let asked: Vec<&Value> = steps.flat_map(|it| it["asked"].as_array().unwrap()).collect();
    for [server, login, begins, answer] in wanted {
        let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let is_it = |it: &&&Value| {
            text(it, "server") == *server
                && text(it, "login").contains(login)
                && text(it, "statement").starts_with(begins)
                && text(it, "answer").contains(answer)
        };
        let found = asked.iter().find(is_it);
        assert!(found.is_some(), "nobody asked {server}: {begins} → {answer}\n{asked:#?}");
    }
}

/// Wrong at `step` with `evidence`, of what matches `only`; and the scenario that says so passes in the environment
/// `repaired`.
#[track_caller]
fn is_refuted(name: &str, only: &str, step: &str, evidence: &str) {
    let spec = format!("fixtures/refuted/{name}");
    let Some(proof) = prove(&spec, &["--only", only], Expected::Refuted) else { return };
    assert_eq!(proof.code, Some(1), "{}", proof.said);
    let scenarios = proof.report["scenarios"].as_array().unwrap();
    let is_it = |scenario: &&Value| {
        let steps = scenario["steps"].as_array().unwrap();
        let failed = steps.iter().find(|it| it["failed"] == true);
        failed.is_some_and(|it| it["text"].as_str().unwrap().contains(step))
            && scenario["reason"].as_str().unwrap().contains(evidence)
    };
    let took = |it: &&Value| it["seconds"].as_f64().map(f64::to_bits);
    let refuted = scenarios.iter().filter(is_it).min_by_key(took);
    let refuted = refuted.unwrap_or_else(|| panic!("{}", proof.said));
    assert!(proof.said.contains(evidence), "{}", proof.said);
    let name = format!("^{}$", regex::escape(refuted["scenario"].as_str().unwrap()));
    is_proven(&spec, &["--only", only, "--env", "repaired", "--name", &name]);
}

#[track_caller]
fn is_proven_in_containers(spec: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Err(missing) = runtime.block_on(images::check()) {
        return println!("SKIPPED {spec} in containers: {missing}");
    }
    is_proven(spec, &["--on", "docker"]);
}

#[test]
fn what_is_signed_is_proven_in_containers() {
    is_proven_in_containers("fixtures/proven/issuers");
}

#[test]
fn what_python_packages_stand_in_for_is_proven_in_containers() {
    is_proven_in_containers("fixtures/proven/aws");
    is_proven_in_containers("fixtures/proven/mongodb");
}

#[test]
fn people_are_proven_in_containers() {
    is_proven_in_containers("fixtures/proven/identity");
    is_proven_in_containers("fixtures/proven/ldap");
    is_proven_in_containers("fixtures/proven/oidc");
}

#[test]
fn every_kind_that_has_a_proof_is_proven() {
    is_proven("fixtures/proven/everything", &[]);
}

#[test]
fn logins_of_mariadb_are_proven() {
    is_proven("fixtures/proven/mariadb", &[]);
}

#[test]
fn logins_of_a_server_like_mongodb_are_proven() {
    let Some(proof) = is_proven("fixtures/proven/mongodb", &[]) else { return };
    let stand_in = FarSide::named("mongodb").unwrap();
    let original = stand_in.original().unwrap();
    let title = match Installation::all(original).is_empty() {
        true => "SecantusDB (compatible with MongoDB)",
        false => "MongoDB",
    };
    stood_beside(&proof, "demo", title);
}

#[test]
fn keys_of_moto_are_proven() {
    let Some(proof) = is_proven("fixtures/proven/aws", &[]) else { return };
    stood_beside(&proof, "cloud", "moto, which enforces IAM, with sessions that end");
}

#[test]
fn logins_of_redis_are_proven() {
    is_proven("fixtures/proven/redis", &[]);
}

#[test]
fn logins_of_a_directory_are_proven() {
    is_proven("fixtures/proven/openldap", &[]);
}

#[test]
fn logins_by_a_directory_are_proven() {
    is_proven("fixtures/proven/ldap", &[]);
}

#[test]
fn users_of_a_broker_are_proven() {
    let look_up = |answer| ["RabbitMQ", "testbed", "GET /api/users/", answer];
    let by_amqp = |words, answer| ["RabbitMQ", "token-", words, answer];
    is_proven_by_asking(
        "fixtures/proven/rabbitmq",
        &[
            look_up("found"),
            look_up("not found"),
            by_amqp("log in", "done"),
            by_amqp("log in", "login refused with 403 ACCESS_REFUSED"),
            by_amqp("connect to /", "refused with 530 NOT_ALLOWED"),
            by_amqp("publish orders.new to amq.topic", "done"),
            by_amqp("publish payments.new to amq.topic", "refused with 403 ACCESS_REFUSED"),
            by_amqp("consume from ledger", "refused with 403 ACCESS_REFUSED"),
        ],
    );
}

#[test]
fn what_is_signed_is_proven_by_those_who_take_it() {
    is_proven_by_asking(
        "fixtures/proven/issuers",
        &[
            ["Vault", "an ACME client", "POST pki/", "201 Created"],
            [
                "Vault",
                "an ACME client",
                "POST pki/",
                "urn:ietf:params:acme:error:rejectedIdentifier",
            ],
            ["Vault", "OpenSSL", "openssl ocsp ", "exit status: 0: certificate.pem: revoked"],
            ["nginx", "vault", "PUT /certificates/", "done"],
            ["nginx", "rustls", "TLS handshake with ", "taken"],
            ["nginx", "OpenSSL", "openssl s_client ", "exit status: 0"],
            [
                "nginx",
                "rustls",
                "TLS handshake with ",
                "refused: invalid peer certificate: UnknownIssuer",
            ],
            ["OpenSSH", "", "ssh ", "exit status: 0: let-in"],
            ["OpenSSH", "", "ssh ", "exit status: 255: "],
        ],
    );
}

#[test]
fn who_is_who_is_proven() {
    is_proven("fixtures/proven/identity", &[]);
}

#[test]
fn vault_is_proven_as_a_provider_of_oidc() {
    is_proven("fixtures/proven/oidc", &[]);
}

#[test]
fn logins_of_service_accounts_are_proven() {
    let made = "POST /api/v1/namespaces/";
    is_proven_by_asking(
        "fixtures/proven/kubernetes",
        &[
            ["Kubernetes", "testbed", made, "201 Created"],
            ["Kubernetes", "testbed", "DELETE /api/v1/namespaces/", "200 OK"],
        ],
    );
}

#[test]
fn a_spec_is_proven_on_a_vault_that_another_vault_unseals() {
    is_proven("fixtures/proven/sealed", &[]);
}

/// The pages of the five systems prove them as they are.
#[test]
fn rotation_loop_is_proven_in_seconds() {
    let Some(proof) = is_proven("specs/rotation-loop", &["--env", "short"]) else { return };
    let lives = |scenario: &str, wanted: &[&str]| {
        lives(&proof, &scenario.replace("CREDS", "database/creds/postgresql-role"), wanted);
    };
    let renewed = "A lease of CREDS is renewed, and never beyond its maximum";
    lives(renewed, &["issued", "renewed", "used"]);
    let lives_on = "A login of CREDS that is renewed lives on, up to its maximum";
    lives(lives_on, &["issued", "renewed", "used", "refused"]);
    lives("A revoked login of CREDS is gone", &["issued", "used", "revoked", "refused"]);
    lives(
        "A login of CREDS that nobody renews ends with its lease",
        &["issued", "used", "refused"],
    );
}

/// On raft, by TLS, under its audit device, and from a network that its AppRoles are bound to.
#[test]
fn airflow_hub_is_proven_in_production() {
    let Some(Proof { report, .. }) = is_proven("specs/airflow-hub", &["--env", "production"])
    else {
        return;
    };
    let unproven = report["not_proven"].as_array().unwrap().iter();
    let unproven: Vec<&str> = unproven.map(|it| it["reason"].as_str().unwrap()).collect();
    assert!(unproven.iter().all(|it| it.ends_with("its end is not waited for")), "{unproven:#?}");
    let passed = report["scenarios"].as_array().unwrap().iter();
    let passed: Vec<&str> = passed.map(|it| it["scenario"].as_str().unwrap()).collect();
    let logins =
        ["airflow", "ci", "project-analytics", "project-market-analysis", "project-trading"];
    let login =
        |it: &str| format!("Whoever logs in by auth/approle/role/{it} gets the token that it says");
    let device = "sys/audit/hub has every request, and no secret in clear".to_owned();
    for wanted in logins.map(login).into_iter().chain([device]) {
        assert!(passed.contains(&&*wanted), "{wanted} is not among {passed:#?}");
    }
}

#[test]
fn a_login_without_a_password_is_refuted() {
    is_refuted("no-password", "database/roles/*", "the login works in its database", "28P01");
}

#[test]
fn a_missing_grant_is_refuted() {
    is_refuted("missing-grant", "database/creds/*", "the login can", "42501 permission denied");
}

#[test]
fn a_missing_grant_in_mariadb_is_refuted() {
    let evidence = "1142 SELECT command denied";
    is_refuted("mariadb-missing-grant", "database/creds/*", "the login can", evidence);
}

#[test]
fn a_missing_role_in_mongodb_is_refuted() {
    let evidence = "13 Unauthorized";
    is_refuted("mongodb-missing-role", "database/creds/*", "the login can", evidence);
}

#[test]
fn a_role_in_mongodb_that_is_too_wide_is_refuted() {
    let evidence = "works as v-token-reader";
    is_refuted("mongodb-too-wide", "database/creds/*", "the login cannot", evidence);
}

#[test]
fn a_user_of_mongodb_that_revocation_does_not_find_is_refuted() {
    let step = "is refused by its database";
    is_refuted("mongodb-login-stays", "database/roles/*", step, "still works");
}

#[test]
fn keys_of_aws_that_may_too_much_are_refuted() {
    let evidence = "`s3 PUT /elsewhere` works as AKIA";
    is_refuted("aws-too-wide", "aws/creds/*", "the login cannot", evidence);
}

#[test]
fn keys_of_aws_that_may_too_little_are_refuted() {
    is_refuted("aws-missing-action", "aws/creds/*", "the login can", "refused with AccessDenied");
}

#[test]
fn keys_of_the_wrong_role_are_refuted() {
    let evidence = "`s3 PUT /elsewhere` works as ASIA";
    is_refuted("aws-wrong-role", "aws/creds/*", "the login cannot", evidence);
}

#[test]
fn a_federation_token_that_may_too_much_is_refuted() {
    let evidence = "`s3 PUT /elsewhere` works as ASIA";
    is_refuted("aws-federation-too-wide", "aws/creds/*", "the login cannot", evidence);
}

#[test]
fn borrowed_keys_whose_own_policy_takes_too_much_are_refuted() {
    let evidence = "refused with AccessDenied";
    is_refuted("aws-session-too-narrow", "aws/creds/*", "the login can", evidence);
}

#[test]
fn keys_of_aws_that_the_mount_ends_early_are_refuted() {
    let evidence = "the lease lasts 60 s, not 120 s";
    is_refuted("aws-lease-capped", "aws/roles/*", "the login's lease lasts", evidence);
}

#[test]
fn a_rule_of_redis_that_is_too_wide_is_refuted() {
    let evidence = "`SET orders:1 screw` works as V_";
    is_refuted("redis-too-wide", "database/creds/*", "the login cannot", evidence);
}

#[test]
fn a_grant_that_is_too_wide_is_refuted() {
    is_refuted("grant-too-wide", "database/creds/*", "the login cannot", "works as v-");
}

#[test]
fn an_end_that_is_not_renewed_is_refuted() {
    is_refuted(
        "end-not-renewed",
        "database/roles/*",
        "the database keeps the login as long as its lease",
        "VALID UNTIL was not renewed",
    );
}

#[test]
fn a_life_that_the_mount_caps_is_refuted() {
    let evidence = "the lease lasts 60 s, not 120 s";
    is_refuted("capped-by-mount", "database/roles/*", "the login's lease lasts", evidence);
}

#[test]
fn a_login_that_outlives_its_revocation_is_refuted() {
    is_refuted("login-stays", "database/roles/*", "is refused by its database", "still works");
}

#[test]
fn a_root_password_that_stays_is_refuted() {
    is_refuted("root-not-rotated", "database/config/*", "is refused", "still works");
}

#[test]
fn a_static_role_of_no_login_is_refuted() {
    is_refuted("no-such-login", "database/static-roles/*", "could be made", "reportin");
}

#[test]
fn an_entry_of_a_directory_that_stays_is_refuted() {
    is_refuted("ldap-entry-stays", "directory/role/*", "is refused by its database", "still works");
}

#[test]
fn a_static_role_of_no_entry_is_refuted() {
    let step = "could be made";
    is_refuted("ldap-no-such-entry", "directory/static-role/*", step, "No Such Object");
}

#[test]
fn logins_of_a_directory_that_write_are_refuted() {
    let evidence = "sn Brown` works as v_";
    is_refuted("ldap-writes-all", "directory/creds/*", "the login cannot", evidence);
}

#[test]
fn a_library_whose_passwords_vault_may_not_set_is_refuted() {
    let evidence = "Insufficient Access Rights";
    is_refuted("ldap-library-no-right", "directory/library/*", "could be made", evidence);
}

#[test]
fn a_group_whose_members_are_not_found_is_refuted() {
    let (step, evidence) = ("its token has the policies", "it has the policies default");
    is_refuted("ldap-login-no-group", "auth/people/groups/*", step, evidence);
}

#[test]
fn a_policy_of_a_directory_s_group_that_is_too_wide_is_refuted() {
    let evidence = "auth/people/users/ann may update kv/data/pages";
    is_refuted("ldap-login-too-wide", "auth/people/users/*", "may not", evidence);
}

#[test]
fn a_user_whom_the_method_does_not_find_is_refuted() {
    let evidence =
        "0 entries of the directory below ou=contractors,dc=example,dc=com are (uid=ann)";
    is_refuted("ldap-login-elsewhere", "auth/people/users/*", "someone logs in by", evidence);
}

#[test]
fn users_of_a_broker_who_read_too_much_are_refuted() {
    let evidence = "ledger/get";
    is_refuted("rabbitmq-too-wide", "broker/creds/*", "the login cannot", evidence);
}

#[test]
fn users_whom_the_management_api_alone_lets_in_are_refuted() {
    let evidence = "access to vhost 'orders' refused for user";
    is_refuted("rabbitmq-management-only", "broker/creds/*", "the login can", evidence);
}

#[test]
fn users_who_publish_anywhere_by_amqp_are_refuted() {
    let evidence = "`publish ledger to amq.direct in orders` works";
    is_refuted("rabbitmq-writes-all", "broker/creds/*", "the login cannot", evidence);
}

#[test]
fn users_of_another_virtual_host_are_refuted() {
    let evidence = "not authorised to access virtual host";
    is_refuted("rabbitmq-no-vhost", "broker/creds/*", "the login can", evidence);
}

#[test]
fn a_policy_that_is_wider_than_its_claims_is_refuted() {
    let evidence = "may read secret/data/blue-archive: read; 404";
    is_refuted("policy-too-wide", "auth/people/*", "may not", evidence);
}

#[test]
fn an_entity_of_another_team_is_refuted() {
    let evidence = "may not read secret/data/blue/plan";
    is_refuted("entity-of-another-team", "auth/people/*", "may", evidence);
}

#[test]
fn an_audit_log_in_clear_is_refuted() {
    let evidence = "the audited secret";
    is_refuted("audit-log-raw", "sys/audit/*", "has no secret in clear", evidence);
}

#[test]
fn an_audit_log_that_shows_passwords_is_refuted() {
    let evidence = "the log shows a secret variable of the spec";
    is_refuted("audit-shows-passwords", "sys/audit/*", "has no secret in clear", evidence);
}

#[test]
fn an_algorithm_that_the_provider_does_not_sign_by_is_refuted() {
    let evidence = "unexpected signature algorithm";
    is_refuted("oidc-other-algorithm", "auth/sso/*", "someone logs in by", evidence);
}

#[test]
fn a_client_with_the_secret_of_another_is_refuted() {
    is_refuted("oidc-other-client", "auth/sso/*", "someone logs in by", "invalid_client");
}

#[test]
fn a_key_that_signs_for_others_is_refuted() {
    let step = "somebody gets an identity token by";
    is_refuted("oidc-key-for-another", "identity/oidc/role/*", step, "does not list the client ID");
}

#[test]
fn keys_that_are_good_from_the_wrong_network_are_refuted() {
    let evidence = "Permission denied";
    is_refuted("ssh-wrong-network", "ssh/roles/*", "lets the key in", evidence);
}

#[test]
fn keys_for_everybody_are_refuted() {
    let step = "signs no key that is for nobody in particular";
    is_refuted("ssh-for-everybody", "ssh/roles/*", step, "it is allowed");
}

#[test]
fn certificates_for_any_name_are_refuted() {
    let evidence = "it issues a certificate for other.example.net";
    is_refuted("pki-any-name", "pki/roles/*", "issues nothing for", evidence);
}

#[test]
fn certificates_that_would_outlive_their_root_are_refuted() {
    let evidence = "beyond the expiration of the CA";
    is_refuted("pki-outlives-root", "pki/roles/*", "issues a certificate for", evidence);
}

#[test]
fn acme_without_its_headers_is_refuted() {
    let step = "a certificate for \"vaultwright-proof.shop.example.com\" is ordered";
    is_refuted("acme-headers-hidden", "pki/config/acme", step, "nonce");
}

#[test]
fn acme_for_any_name_is_refuted() {
    let evidence = "it issues a certificate for other.example.net";
    is_refuted("acme-any-name", "pki/config/acme", "nothing is ordered for", evidence);
}

#[test]
fn a_claim_that_every_jwt_has_is_refuted() {
    let evidence = "/project another: it is let in";
    is_refuted("jwt-any-claim", "auth/jobs/*", "one claim that it is bound to", evidence);
}

#[test]
fn a_certificate_of_any_name_is_refuted() {
    let step = "lets in no certificate of another name";
    is_refuted("cert-any-name", "auth/machines/*", step, "it is allowed");
}

#[test]
fn a_role_of_another_account_than_the_pods_is_refuted() {
    let evidence = "service account name not authorized";
    is_refuted("kubernetes-other-account", "auth/kubernetes/*", "lets in the account", evidence);
}

#[test]
fn a_role_of_another_namespace_than_the_pods_is_refuted() {
    let evidence = "namespace not authorized";
    is_refuted("kubernetes-other-namespace", "auth/kubernetes/*", "lets in the account", evidence);
}

#[test]
fn a_role_of_any_namespace_is_refuted() {
    let evidence = "elsewhere/app: it is let in";
    is_refuted("kubernetes-any-namespace", "auth/kubernetes/*", "keeps out the account", evidence);
}

#[test]
fn a_role_for_another_audience_than_the_pods_is_refuted() {
    let evidence = "audience claim does not match";
    is_refuted("kubernetes-other-audience", "auth/kubernetes/*", "lets in the account", evidence);
}

#[test]
fn a_method_that_may_have_nothing_reviewed_is_refuted() {
    is_refuted("kubernetes-no-reviewer", "auth/kubernetes/*", "someone logs in by", "403");
}

#[test]
fn a_quota_of_what_is_exempt_is_refuted() {
    let evidence = "11 requests within";
    is_refuted("quota-exempt", "sys/quotas/*", "refuses the next", evidence);
}

/// Every scenario of the spec's proof is skipped on `ground` with `reason`, and all reports say so.
#[track_caller]
fn is_skipped(spec: &str, ground: &str, environment: &[(&str, &Path)], reason: &str) {
    let Ok(Some(server)) = servers::find() else {
        println!("SKIPPED {spec} without what it needs: there is no Vault server");
        return;
    };
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command.args(["prove", spec, "--on", ground]).env("VAULTWRIGHT_SERVER", server.path);
    command.envs(environment.iter().copied());
    for option in ["html", "junit", "json", "markdown"] {
        command.arg(format!("--{option}")).arg(at(option));
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Nothing is refuted, and nothing shown.
    assert_eq!(output.status.code(), Some(1), "{said}");
    let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    let report: Value = serde_json::from_str(&read("json")).unwrap();
    let scenarios = report["scenarios"].as_array().unwrap();
    let count = scenarios.len();
    assert!(count > 1, "{report}");
    for scenario in scenarios {
        let why = scenario["reason"].as_str().unwrap();
        assert!(scenario["verdict"] == "skipped" && why.contains(reason), "{scenario}");
    }
    assert!(said.ends_with(&format!("\n0 passed, 0 failed, {count} skipped\n")), "{said}");
    let lines = said.lines().filter(|it| it.starts_with("SKIPPED ") && it.contains(reason));
    assert_eq!(lines.count(), count, "{said}");
    let told = |text: String, mark: &str| {
        let told = text.split(mark).skip(1).filter(|it| it.contains(reason)).count();
        assert_eq!(told, count, "{text}");
    };
    told(read("junit"), "<skipped message=");
    told(read("html"), "<pre class=\"reason skipped\">");
    told(read("markdown"), "\n| aws |");
}

#[test]
fn without_an_engine_what_needs_containers_is_skipped_with_that_reason() {
    let empty = TempDir::new().unwrap();
    let nobody = empty.path().join("docker.sock");
    let nobody = format!("unix://{}", nobody.display());
    let hidden = [("DOCKER_HOST", Path::new(&nobody))];
    is_skipped("fixtures/proven/aws", "docker", &hidden, "a container engine");
}

#[test]
fn a_summary_that_cannot_be_written_fails_a_run_of_which_all_else_is_told() {
    let folder = TempDir::new().unwrap();
    let feature = folder.path().join("nothing.feature");
    let text = "Feature: Nothing\n  Scenario: It starts nothing\n    \
                Given the secret variable token is \"0123456789abcdef\"\n";
    std::fs::write(&feature, text).unwrap();
    let run = |summary: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
        command.arg("test").arg(&feature).args(["--on", "process"]);
        let output = command.env("GITHUB_STEP_SUMMARY", summary).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run(folder.path());
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.ends_with("\n1 passed, 0 failed, 0 skipped\n"), "{out}");
    assert!(err.contains(&format!("cannot write {}", folder.path().display())), "{err}");

    let summary = folder.path().join("summary.md");
    for times in 1..=2 {
        assert_eq!(run(&summary).0, Some(0));
        let text = std::fs::read_to_string(&summary).unwrap();
        let heading = "## ✅ vaultwright test: 1 passed, 0 failed, 0 skipped\n";
        assert_eq!(text.matches(heading).count(), times, "{text}");
    }
}

/// They run as they are, from the folder in which they were made.
#[test]
fn emitted_features_are_run_by_test() {
    let folder = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(arguments);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let emitted = folder.path().to_str().unwrap();
    let everything = "fixtures/proven/everything";
    let (code, said) = run(&["prove", everything, "--only", "kv/*", "--emit", emitted]);
    assert_eq!(code, Some(0), "{said}");
    assert!(folder.path().join("kv_data.feature").is_file());
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED the run of the features: there is no Vault server");
        return;
    }
    let (code, said) = run(&["test", emitted, "--on", "process"]);
    assert_eq!(code, Some(0), "{said}");
}
