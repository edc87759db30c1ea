//! Specs that are wrong in one thing, each with the step and the evidence that show it.
//!
//! Those that need the same servers run together: a suite's servers serve one scenario after the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use vault_testbed::{ground::servers, suite};

use super::run::report;
use crate::{program, root};

/// Of what matches `only` in `fixtures/refuted/SPEC`, the step fails with the evidence; where the environment `repaired`
/// puts the one thing right, it holds.
struct Wrong {
    what: &'static str,
    spec: &'static str,
    only: &'static str,
    step: &'static str,
    evidence: &'static str,
}

const fn wrong(
    what: &'static str,
    spec: &'static str,
    only: &'static str,
    step: &'static str,
    evidence: &'static str,
) -> Wrong {
    Wrong { what, spec, only, step, evidence }
}

static POSTGRES: &[Wrong] = &[
    wrong(
        "a login without a password",
        "no-password",
        "database/roles/*",
        "the login works in its database",
        "28P01",
    ),
    wrong(
        "a missing grant",
        "missing-grant",
        "database/creds/*",
        "the login can",
        "42501 permission denied",
    ),
    wrong(
        "a grant that is too wide",
        "grant-too-wide",
        "database/creds/*",
        "the login cannot",
        "works as v-",
    ),
    wrong(
        "an end that is not renewed",
        "end-not-renewed",
        "database/roles/*",
        "the database keeps the login as long as its lease",
        "VALID UNTIL was not renewed",
    ),
    wrong(
        "a life that the mount caps",
        "capped-by-mount",
        "database/roles/*",
        "the login's lease lasts",
        "the lease lasts 60 s, not 120 s",
    ),
    wrong(
        "a login that outlives its revocation",
        "login-stays",
        "database/roles/*",
        "is refused by its database",
        "still works",
    ),
    wrong(
        "a root password that stays",
        "root-not-rotated",
        "database/config/*",
        "is refused",
        "still works",
    ),
    wrong(
        "a static role of no login",
        "no-such-login",
        "database/static-roles/*",
        "could be made",
        "reportin",
    ),
];

static MARIADB_AND_REDIS: &[Wrong] = &[
    wrong(
        "a missing grant in MariaDB",
        "mariadb-missing-grant",
        "database/creds/*",
        "the login can",
        "1142 SELECT command denied",
    ),
    wrong(
        "a rule of Redis that is too wide",
        "redis-too-wide",
        "database/creds/*",
        "the login cannot",
        "`SET orders:1 screw` works as V_",
    ),
];

static MONGODB: &[Wrong] = &[
    wrong(
        "a missing role in MongoDB",
        "mongodb-missing-role",
        "database/creds/*",
        "the login can",
        "13 Unauthorized",
    ),
    wrong(
        "a role in MongoDB that is too wide",
        "mongodb-too-wide",
        "database/creds/*",
        "the login cannot",
        "works as v-token-reader",
    ),
    wrong(
        "a user of MongoDB that revocation does not find",
        "mongodb-login-stays",
        "database/roles/*",
        "is refused by its database",
        "still works",
    ),
];

static AWS: &[Wrong] = &[
    wrong(
        "keys of AWS that may too much",
        "aws-too-wide",
        "aws/creds/*",
        "the login cannot",
        "`s3 PUT /elsewhere` works as AKIA",
    ),
    wrong(
        "keys of AWS that may too little",
        "aws-missing-action",
        "aws/creds/*",
        "the login can",
        "refused with AccessDenied",
    ),
    wrong(
        "keys of the wrong role",
        "aws-wrong-role",
        "aws/creds/*",
        "the login cannot",
        "`s3 PUT /elsewhere` works as ASIA",
    ),
    wrong(
        "a federation token that may too much",
        "aws-federation-too-wide",
        "aws/creds/*",
        "the login cannot",
        "`s3 PUT /elsewhere` works as ASIA",
    ),
    wrong(
        "borrowed keys whose own policy takes too much",
        "aws-session-too-narrow",
        "aws/creds/*",
        "the login can",
        "refused with AccessDenied",
    ),
    wrong(
        "keys of AWS that the mount ends early",
        "aws-lease-capped",
        "aws/roles/*",
        "the login's lease lasts",
        "the lease lasts 60 s, not 120 s",
    ),
];

static DIRECTORY: &[Wrong] = &[
    wrong(
        "an entry of a directory that stays",
        "ldap-entry-stays",
        "directory/role/*",
        "is refused by its database",
        "still works",
    ),
    wrong(
        "a static role of no entry",
        "ldap-no-such-entry",
        "directory/static-role/*",
        "could be made",
        "No Such Object",
    ),
    wrong(
        "logins of a directory that write",
        "ldap-writes-all",
        "directory/creds/*",
        "the login cannot",
        "sn Brown` works as v_",
    ),
    wrong(
        "a library whose passwords Vault may not set",
        "ldap-library-no-right",
        "directory/library/*",
        "could be made",
        "Insufficient Access Rights",
    ),
    wrong(
        "a group whose members are not found",
        "ldap-login-no-group",
        "auth/people/groups/*",
        "its token has the policies",
        "it has the policies default",
    ),
    wrong(
        "a policy of a directory's group that is too wide",
        "ldap-login-too-wide",
        "auth/people/users/*",
        "may not",
        "auth/people/users/ann may update kv/data/pages",
    ),
    wrong(
        "a user whom the method does not find",
        "ldap-login-elsewhere",
        "auth/people/users/*",
        "someone logs in by",
        "0 entries of the directory below ou=contractors,dc=example,dc=com are (uid=ann)",
    ),
];

static BROKER: &[Wrong] = &[
    wrong(
        "users of a broker who read too much",
        "rabbitmq-too-wide",
        "broker/creds/*",
        "the login cannot",
        "ledger/get",
    ),
    wrong(
        "users whom the management API alone lets in",
        "rabbitmq-management-only",
        "broker/creds/*",
        "the login can",
        "access to vhost 'orders' refused for user",
    ),
    wrong(
        "users who publish anywhere by AMQP",
        "rabbitmq-writes-all",
        "broker/creds/*",
        "the login cannot",
        "`publish ledger to amq.direct in orders` works",
    ),
    wrong(
        "users of another virtual host",
        "rabbitmq-no-vhost",
        "broker/creds/*",
        "the login can",
        "not authorised to access virtual host",
    ),
];

static VAULT: &[Wrong] = &[
    wrong(
        "a policy that is wider than its claims",
        "policy-too-wide",
        "auth/people/*",
        "may not",
        "may read secret/data/blue-archive: read; 404",
    ),
    wrong(
        "an entity of another team",
        "entity-of-another-team",
        "auth/people/*",
        "may",
        "may not read secret/data/blue/plan",
    ),
    wrong(
        "an audit log in clear",
        "audit-log-raw",
        "sys/audit/*",
        "has no secret in clear",
        "the audited secret",
    ),
    wrong(
        "an audit log that shows passwords",
        "audit-shows-passwords",
        "sys/audit/*",
        "has no secret in clear",
        "the log shows a secret variable of the spec",
    ),
    wrong(
        "an algorithm that the provider does not sign by",
        "oidc-other-algorithm",
        "auth/sso/*",
        "someone logs in by",
        "unexpected signature algorithm",
    ),
    wrong(
        "a client with the secret of another",
        "oidc-other-client",
        "auth/sso/*",
        "someone logs in by",
        "invalid_client",
    ),
    wrong(
        "a key that signs for others",
        "oidc-key-for-another",
        "identity/oidc/role/*",
        "somebody gets an identity token by",
        "does not list the client ID",
    ),
    wrong(
        "a claim that every JWT has",
        "jwt-any-claim",
        "auth/jobs/*",
        "one claim that it is bound to",
        "/project another: it is let in",
    ),
    wrong(
        "a quota of what is exempt",
        "quota-exempt",
        "sys/quotas/*",
        "refuses the next",
        "11 requests within",
    ),
];

static SIGNED: &[Wrong] = &[
    wrong(
        "keys that are good from the wrong network",
        "ssh-wrong-network",
        "ssh/roles/*",
        "lets the key in",
        "Permission denied",
    ),
    wrong(
        "keys for everybody",
        "ssh-for-everybody",
        "ssh/roles/*",
        "signs no key that is for nobody in particular",
        "it is allowed",
    ),
    wrong(
        "certificates for any name",
        "pki-any-name",
        "pki/roles/*",
        "issues nothing for",
        "it issues a certificate for other.example.net",
    ),
    wrong(
        "certificates that would outlive their root",
        "pki-outlives-root",
        "pki/roles/*",
        "issues a certificate for",
        "beyond the expiration of the CA",
    ),
    wrong(
        "ACME without its headers",
        "acme-headers-hidden",
        "pki/config/acme",
        "a certificate for \"vaultwright-proof.shop.example.com\" is ordered",
        "nonce",
    ),
    wrong(
        "ACME for any name",
        "acme-any-name",
        "pki/config/acme",
        "nothing is ordered for",
        "it issues a certificate for other.example.net",
    ),
    wrong(
        "a certificate of any name",
        "cert-any-name",
        "auth/machines/*",
        "lets in no certificate of another name",
        "it is allowed",
    ),
];

static CLUSTER: &[Wrong] = &[
    wrong(
        "a role of another account than the pods",
        "kubernetes-other-account",
        "auth/kubernetes/*",
        "lets in the account",
        "service account name not authorized",
    ),
    wrong(
        "a role of another namespace than the pods",
        "kubernetes-other-namespace",
        "auth/kubernetes/*",
        "lets in the account",
        "namespace not authorized",
    ),
    wrong(
        "a role of any namespace",
        "kubernetes-any-namespace",
        "auth/kubernetes/*",
        "keeps out the account",
        "elsewhere/app: it is let in",
    ),
    wrong(
        "a role for another audience than the pods",
        "kubernetes-other-audience",
        "auth/kubernetes/*",
        "lets in the account",
        "audience claim does not match",
    ),
    wrong(
        "a method that may have nothing reviewed",
        "kubernetes-no-reviewer",
        "auth/kubernetes/*",
        "someone logs in by",
        "403",
    ),
];

static ALL: &[&[Wrong]] =
    &[POSTGRES, MARIADB_AND_REDIS, MONGODB, AWS, DIRECTORY, BROKER, VAULT, SIGNED, CLUSTER];

#[test]
fn what_is_wrong_with_logins_of_postgres_is_refuted() {
    are_refuted(POSTGRES);
}

#[test]
fn what_is_wrong_with_logins_of_mariadb_and_redis_is_refuted() {
    are_refuted(MARIADB_AND_REDIS);
}

#[test]
fn what_is_wrong_with_logins_of_mongodb_is_refuted() {
    are_refuted(MONGODB);
}

#[test]
fn what_is_wrong_with_keys_of_aws_is_refuted() {
    are_refuted(AWS);
}

#[test]
fn what_is_wrong_with_a_directory_and_its_people_is_refuted() {
    are_refuted(DIRECTORY);
}

#[test]
fn what_is_wrong_with_users_of_a_broker_is_refuted() {
    are_refuted(BROKER);
}

#[test]
fn what_is_wrong_with_vault_alone_is_refuted() {
    are_refuted(VAULT);
}

#[test]
fn what_is_wrong_with_certificates_and_keys_is_refuted() {
    are_refuted(SIGNED);
}

#[test]
fn what_is_wrong_with_logins_of_service_accounts_is_refuted() {
    are_refuted(CLUSTER);
}

#[test]
fn every_wrong_spec_is_tried() {
    let folders = fs::read_dir(root().join("fixtures/refuted")).unwrap().flatten();
    let there: BTreeSet<String> = folders.map(|it| it.file_name().into_string().unwrap()).collect();
    let tried: BTreeSet<String> = ALL.iter().copied().flatten().map(|it| it.spec.into()).collect();
    assert_eq!(there, tried);
}

#[track_caller]
fn are_refuted(all: &[Wrong]) {
    if !matches!(servers::find(), Ok(Some(_))) {
        return println!("SKIPPED: there is no Vault server; `cargo xtask servers` builds one");
    }
    let [broken, repaired] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let mut scenarios = Vec::new();
    for wrong in all {
        let emitted = emit(wrong, &[], broken.path());
        emit(wrong, &["--env", "repaired"], repaired.path());
        scenarios.push(with_step(wrong, &emitted));
    }
    let names: Vec<String> = scenarios.iter().map(|it| regex::escape(it)).collect();
    let names = format!("^({})$", names.join("|"));
    let (refuted, said) = run(broken.path(), &names, Verdict::Failed);
    let (proven, _) = run(repaired.path(), &names, Verdict::Passed);
    for (wrong, scenario) in all.iter().zip(&scenarios) {
        let Wrong { what, spec, step, evidence, .. } = wrong;
        let [refuted, proven] = [&refuted, &proven].map(|it| of(it, spec, scenario));
        let steps = refuted["steps"].as_array().unwrap();
        let failed = steps.iter().find(|it| it["failed"] == true);
        let failed = failed.and_then(|it| it["text"].as_str()).unwrap_or_default();
        assert!(failed.contains(step), "{what}: {refuted:#}");
        assert!(refuted["reason"].as_str().unwrap().contains(evidence), "{what}: {refuted:#}");
        assert!(said.contains(evidence), "{what}: {said}");
        assert_eq!(proven["verdict"], "passed", "{what}, repaired: {proven:#}");
    }
}

/// The features of its proof, in a folder of its own.
#[track_caller]
fn emit(wrong: &Wrong, arguments: &[&str], folder: &Path) -> PathBuf {
    let emitted = folder.join(wrong.spec);
    let mut emit = program();
    emit.args(["prove", &format!("fixtures/refuted/{}", wrong.spec), "--only", wrong.only]);
    let output = emit.args(arguments).arg("--emit").arg(&emitted).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", wrong.what);
    emitted
}

/// The name of the first scenario that has the step: no other can show what is wrong there.
#[track_caller]
fn with_step(wrong: &Wrong, emitted: &Path) -> String {
    let features = suite::load(&[emitted.to_owned()]).unwrap();
    let mut scenarios = features.into_iter().flat_map(|it| it.scenarios);
    let has_step = |it: &suite::Scenario| it.steps.iter().any(|it| it.value.contains(wrong.step));
    let first = scenarios.find(has_step).map(|it| it.name);
    first.unwrap_or_else(|| panic!("no scenario of {} has a step `{}`", wrong.spec, wrong.step))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
}

/// The report, and what people read of it.
#[track_caller]
fn run(features: &Path, names: &str, verdict: Verdict) -> (Value, String) {
    let json = features.join("report.json");
    let mut command = program();
    command.arg("test").arg(features).args(["--name", names, "--on", "process"]);
    // One after the other, so that one server serves them all.
    command.args(["--concurrency", "1", "--json"]).arg(&json);
    if verdict == Verdict::Failed {
        // In CI all that fails would be tried again.
        command.env_remove("CI");
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(verdict == Verdict::Failed)), "{said}");
    (report(&json, &said), said)
}

#[track_caller]
fn of<'a>(report: &'a Value, spec: &str, scenario: &str) -> &'a Value {
    let is_of_spec = |it: &Value| it["file"].as_str().unwrap().contains(&format!("/{spec}/"));
    let mut all = report["scenarios"].as_array().unwrap().iter();
    let found = all.find(|it| it["scenario"] == scenario && is_of_spec(it));
    found.unwrap_or_else(|| panic!("no `{scenario}` of {spec} in {report}"))
}
