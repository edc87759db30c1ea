//! Specs that are right.

use serde_json::Value;
use vault_testbed::ground::{FarSide, far::Installation, images};

use super::run::{Proof, is_proven};

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

/// As much of it as shows that its servers work by the network there; whole proofs are on processes.
#[track_caller]
fn is_proven_in_containers(spec: &str, only: &[&str]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Err(missing) = runtime.block_on(images::check()) {
        return println!("SKIPPED {spec} in containers: {missing}");
    }
    let only = only.iter().flat_map(|it| ["--only", it]);
    is_proven(spec, &["--on", "docker"].into_iter().chain(only).collect::<Vec<&str>>());
}

#[test]
fn what_is_signed_is_proven_in_containers() {
    is_proven_in_containers("fixtures/proven/issuers", &["pki/*", "ssh/*", "auth/machines/*"]);
}

#[test]
fn what_python_packages_stand_in_for_is_proven_in_containers() {
    is_proven_in_containers("fixtures/proven/aws", &["aws/roles/lister", "aws/creds/*"]);
    is_proven_in_containers("fixtures/proven/mongodb", &["database/*roles/*"]);
}

#[test]
fn people_are_proven_in_containers() {
    is_proven_in_containers("fixtures/proven/identity", &["identity/group/*"]);
    is_proven_in_containers("fixtures/proven/ldap", &["auth/people/config"]);
    is_proven_in_containers("fixtures/proven/oidc", &["auth/*", "identity/*"]);
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
