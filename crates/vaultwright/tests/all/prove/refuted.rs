//! Specs that are wrong in one thing, each with the step and the evidence that show it.

use serde_json::Value;
use tempfile::TempDir;
use vault_testbed::suite;

use super::run::{Expected, is_proven, prove};
use crate::program;

/// Wrong at `step` with `evidence`, of what matches `only`; and the scenario that says so passes in the environment
/// `repaired`.
#[track_caller]
fn is_refuted(name: &str, only: &str, step: &str, evidence: &str) {
    let spec = format!("fixtures/refuted/{name}");
    let names = with_step(&spec, only, step);
    let arguments = ["--only", only, "--name", &names];
    let Some(proof) = prove(&spec, &arguments, Expected::Refuted) else { return };
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

/// The names of those scenarios that have the step: no other can show what is wrong there.
#[track_caller]
fn with_step(spec: &str, only: &str, step: &str) -> String {
    let folder = TempDir::new().unwrap();
    let mut emit = program();
    let emitted = emit.args(["prove", spec, "--only", only, "--emit"]).arg(folder.path()).output();
    assert!(emitted.unwrap().status.success());
    let features = suite::load(&[folder.path().to_owned()]).unwrap();
    let scenarios = features.into_iter().flat_map(|it| it.scenarios);
    let has_step = |it: &suite::Scenario| it.steps.iter().any(|it| it.value.contains(step));
    let names = scenarios.filter(has_step).map(|it| regex::escape(&it.name));
    let names: Vec<String> = names.collect();
    assert!(!names.is_empty(), "no scenario of {spec} has a step `{step}`");
    format!("^({})$", names.join("|"))
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
