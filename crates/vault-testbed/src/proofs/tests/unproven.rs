//! What is not proven, and what is not shown.

use expect_test::expect;

use super::*;

#[test]
fn what_cannot_be_shown_is_named_with_its_reason() {
    let text = r#"
secrets:
  database:
    type: database
    connections:
      far: { plugin_name: hana-database-plugin, connection_url: "hdb://{{username}}:{{password}}@127.0.0.1", allowed_roles: [reader] }
    roles:
      reader: { db_name: far, creation_statements: CREATE USER, default_ttl: 1h, max_ttl: 10d }
  aws:
    type: aws
    roles: { deploy: { credential_type: iam_user, policy_arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] } }
auth:
  approle:
    type: approle
    roles:
      bound: { token_bound_cidrs: [10.0.0.0/8] }
      long: { token_ttl: 1h, token_max_ttl: 10d, token_policies: [elsewhere] }
"#;
    check_unproven(
        text,
        expect![[r#"
        auth/approle/role/bound: token_bound_cidrs binds it to networks, which a ground is not in
        auth/approle/role/long: the policy elsewhere is not in the spec
        auth/approle/role/long: token_max_ttl of 10d is 960 s when divided by 900: its end is not waited for
        aws/roles/deploy: keys of AWS need an `aws`, which its ground.yaml does not name
        database/roles/reader: of databases only PostgreSQL, MariaDB, Redis, SecantusDB (compatible with MongoDB) are proven yet
    "#]],
    );
}

#[test]
fn nothing_that_is_secret_stands_in_a_feature() {
    let text = r#"
auth:
  userpass:
    type: userpass
    users:
      ann: { password: correct-horse, token_ttl: 1h }
"#;
    let proofs = proofs(&spec(text), &named(&[])).expect("templates that can be filled in");
    assert!(!proofs.features.is_empty());
    assert!(proofs.features.iter().all(|it| !it.text.contains("correct-horse")));
}
