//! What is not proven, and what is not shown.

use expect_test::expect;
use ipnet::IpNet;

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
        auth/approle/role/bound: token_bound_cidrs binds it to networks, and nobody here is known to be in one
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

#[test]
fn whoever_asks_from_a_network_that_a_login_is_bound_to_gets_in() {
    let text = r#"
auth:
  approle:
    type: approle
    roles:
      everywhere: { token_bound_cidrs: [0.0.0.0/0], token_ttl: 1h }
      here: { token_bound_cidrs: [10.0.0.0/8, 127.0.0.1], token_ttl: 1h }
      half: { secret_id_bound_cidrs: [127.0.0.0/8], token_bound_cidrs: [10.0.0.0/8] }
      nowhere: { token_bound_cidrs: [office] }
      near: { token_bound_cidrs: [127.0.0.2/32] }
"#;
    let check = |networks: &[&str], wanted: Expect| {
        let networks: Vec<IpNet> =
            networks.iter().map(|it| it.parse().expect("a network")).collect();
        let spec = spec(text);
        let spec = Spec { objects: opened(&spec.objects, &networks), ..spec };
        let proofs = proofs(&spec, &named(&[])).expect("templates that can be filled in");
        let lines = proofs.unproven.iter().map(|it| format!("{}: {}\n", it.path, it.reason));
        let proven =
            |it: &&Arc<Object>| proofs.features.iter().any(|of| of.text.contains(&it.path));
        let proven =
            spec.objects.iter().filter(proven).map(|it| format!("{} is proven\n", it.path));
        wanted.assert_eq(&proven.chain(lines).collect::<String>());
    };
    check(
        &["127.0.0.1/32"],
        expect![[r#"
            auth/approle/role/everywhere is proven
            auth/approle/role/here is proven
            auth/approle/role/half: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/near: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/nowhere: token_bound_cidrs binds it to networks, and nobody here is known to be in one
        "#]],
    );
    check(
        &["172.18.0.0/16"],
        expect![[r#"
            auth/approle/role/everywhere is proven
            auth/approle/role/half: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/here: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/near: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/nowhere: token_bound_cidrs binds it to networks, and nobody here is known to be in one
        "#]],
    );
    check(
        &[],
        expect![[r#"
            auth/approle/role/everywhere: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/half: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/here: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/near: token_bound_cidrs binds it to networks, and nobody here is known to be in one
            auth/approle/role/nowhere: token_bound_cidrs binds it to networks, and nobody here is known to be in one
        "#]],
    );
}
