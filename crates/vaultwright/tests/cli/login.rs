//! How the tool itself gets its token, and what becomes of it.

use expect_test::expect;
use serde_json::json;
use vault_testbed::ground::VaultOptions;

use crate::Bed;

/// What an apply of `SPEC` needs; the ledger's mount is there already.
const POLICY: &str = r#"
    path "sys/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }
    path "auth/*" { capabilities = ["create", "read", "update", "delete", "list"] }
    path "vaultwright/*" { capabilities = ["create", "read", "update"] }
"#;

/// With the roles and users that the tool logs in as.
fn bed(test: &str) -> Option<Bed> {
    let bed = Bed::new(test, &VaultOptions { audit: true, ..VaultOptions::default() })?;
    bed.outside("sys/policies/acl/deployer", json!({ "policy": POLICY }));
    bed.outside("sys/auth/ci", json!({ "type": "approle" }));
    bed.outside("auth/ci/role/deployer", json!({ "token_policies": "deployer", "token_ttl": 60 }));
    bed.outside("sys/auth/userpass", json!({ "type": "userpass" }));
    let ann = json!({ "password": "correct-horse", "token_policies": "deployer" });
    bed.outside("auth/userpass/users/ann", ann);
    bed.write("password", "correct-horse\n");
    Some(bed)
}

/// The role-id and the secret-id, this one in a file.
fn approle(bed: &Bed) -> String {
    let role_id = json!({ "role_id": "deployers-role-id" });
    bed.outside("auth/ci/role/deployer/role-id", role_id);
    let made = bed.outside("auth/ci/role/deployer/secret-id", json!({}));
    bed.write("secret-id", made["secret_id"].as_str().unwrap());
    "--login approle --login-mount ci --role-id deployers-role-id --secret-id-file secret-id".into()
}

#[test]
fn an_approle_applies_and_its_token_ends_with_the_work() {
    let Some(mut bed) = bed("an_approle_applies_and_its_token_ends_with_the_work") else { return };
    let login = approle(&bed);
    let ran = bed.run_as("not-used", &format!("apply SPEC --yes {login}"));
    assert_eq!(ran.code(), 0, "{}", ran.shown());
    assert_eq!(bed.run("verify SPEC").code(), 0);
    let log = bed.block_on(|it| Box::pin(it.audit_log())).unwrap();
    let revoked = |it: &&serde_json::Value| {
        it["request"]["path"] == "auth/token/revoke-self" && it["type"] == "response"
    };
    let revoked: Vec<_> = log.iter().filter(revoked).collect();
    assert_eq!(
        revoked.len(),
        1,
        "the token of the login is revoked, and the one it was given is not"
    );
    assert_eq!(revoked[0]["auth"]["display_name"], "ci");
}

#[test]
fn a_user_logs_in_with_a_password() {
    let Some(bed) = bed("a_user_logs_in_with_a_password") else { return };
    let login = "--login userpass --username ann --password-file password";
    let ran = bed.run_as("not-used", &format!("plan SPEC {login}"));
    assert_eq!(ran.code(), 0, "{}", ran.shown());
}

#[test]
fn a_login_that_is_refused_says_what_to_look_at() {
    let Some(bed) = bed("a_login_that_is_refused_says_what_to_look_at") else { return };
    bed.write("password", "wrong-horse");
    let login = "--login userpass --username ann --password-file password";
    let ran = bed.run_as("not-used", &format!("plan SPEC {login}"));
    assert!(!ran.shown().contains("wrong-horse"));
    expect![[r#"
        exit 1
        error: login failed: POST auth/userpass/login/ann: refused (status 400): invalid username or password
    "#]].assert_eq(&ran.shown());
}

#[test]
fn a_login_that_lacks_something_names_it() {
    let Some(bed) = bed("a_login_that_lacks_something_names_it") else { return };
    expect![[r#"
        exit 1
        error: this login needs --role-id or VAULTWRIGHT_ROLE_ID
    "#]]
    .assert_eq(&bed.run_as("not-used", "plan SPEC --login approle").shown());
    expect![[r#"
        exit 1
        error: this login needs --password-file or VAULTWRIGHT_PASSWORD
    "#]]
    .assert_eq(&bed.run_as("not-used", "plan SPEC --login userpass --username ann").shown());
    expect![[r#"
        exit 1
        error: cannot read none
          because No such file or directory (os error 2)
    "#]]
    .assert_eq(
        &bed.run_as("not-used", "plan SPEC --login kubernetes --kubernetes-role a --jwt-file none")
            .shown(),
    );
}
