//! What is generated from which spec.

use std::{
    ffi::OsString,
    sync::{Arc, LazyLock},
};

use expect_test::{Expect, expect};
use vault_model::{
    spec::{self, Reading, Spec, SpecFile},
    template::Inputs,
};

use super::*;
use crate::ground::far::{OPENLDAP, kubernetes::KUBERNETES};

struct Nothing;

impl Inputs for Nothing {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn file(&self, name: &str) -> Result<String, String> {
        Err(format!("no file {name}"))
    }
}

#[track_caller]
fn spec(text: &str) -> Spec {
    let file =
        SpecFile { name: "spec.yaml".into(), bytes: format!("name: shop\n{text}").into_bytes() };
    let reading = Reading {
        files: vec![file],
        vars: Vec::new(),
        var_files: Vec::new(),
        environment: None,
        env: &|_| None,
        inputs: Arc::new(Nothing),
        has_stand_ins: false,
        init: Vec::new(),
    };
    spec::read(reading).unwrap_or_else(|it| panic!("{}", it.mistakes.render(&it.sources, false)))
}

static GROUND: [&FarSide; 2] = [&KUBERNETES, &OPENLDAP];

fn named(only: &[String]) -> Named<'_> {
    static NONE: LazyLock<Bindings> = LazyLock::new(Bindings::default);
    Named {
        path: "specs/shop",
        environment: None,
        only,
        far_sides: &GROUND,
        bindings: &NONE,
        live: false,
    }
}

/// The text of one feature, of what matches `only`.
#[track_caller]
fn check(text: &str, file: &str, only: &str, wanted: Expect) {
    let only = [only.to_owned()];
    let proofs = proofs(&spec(text), &named(&only)).expect("templates that can be filled in");
    for feature in &proofs.features {
        crate::suite::parse(&feature.file, &feature.text).expect("Gherkin");
    }
    let feature = proofs.features.iter().find(|it| it.file == file);
    wanted.assert_eq(feature.map_or("", |it| &it.text));
}

#[track_caller]
fn check_unproven(text: &str, wanted: Expect) {
    let proofs = proofs(&spec(text), &named(&[])).expect("templates that can be filled in");
    let lines = proofs.unproven.iter().map(|it| format!("{}: {}\n", it.path, it.reason));
    wanted.assert_eq(&lines.collect::<String>());
}

const DATABASE: &str = r#"
secrets:
  database:
    type: database
    connections:
      demo:
        plugin_name: postgresql-database-plugin
        connection_url: "postgresql://{{username}}:{{password}}@127.0.0.1:5432/demo"
        allowed_roles: [reader, reporting]
    roles:
      reader:
        db_name: demo
        creation_statements: CREATE ROLE "{{name}}"
        default_ttl: 2m
        max_ttl: 10m
    static_roles:
      reporting: { db_name: demo, username: reporting, rotation_period: 1d }
"#;

#[test]
fn a_dynamic_role_is_issued_renewed_revoked_and_waited_out() {
    check(
        DATABASE,
        "database_roles.feature",
        "*/roles/*",
        expect![[r#"
            Feature: Logins that Vault makes in a database work, and end

              Scenario: database/creds/reader issues a login that works
                spec.yaml:12:7

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login's lease lasts 120 s
                And the login works in its database

              Scenario: A lease of database/creds/reader is renewed, and never beyond its maximum
                spec.yaml:12:7

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                And the login's lease is renewed
                Then the login's lease lasts 120 s
                When the login's lease is renewed by 1200 s
                Then the login's lease ends at most 600 s after its issue
                And the database keeps the login as long as its lease
                And the login works in its database

              Scenario: A revoked login of database/creds/reader is gone
                spec.yaml:12:7

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login works in its database
                When the login's lease is revoked
                Then the login is refused by its database
                And its database knows the login no more
                And the login's lease is gone

              Scenario: A login of database/creds/reader that nobody renews ends with its lease
                spec.yaml:12:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login's lease lasts 4 s
                And the login works in its database
                And the login is refused once its lease is over
                And its database knows the login no more
                And the login's lease is gone

              Scenario: A login of database/creds/reader that is renewed lives on, up to its maximum
                spec.yaml:12:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                And the login's lease is renewed until its maximum of 20 s
                Then the login is refused once its lease is over
                And its database knows the login no more
        "#]],
    );
}

#[test]
fn a_static_role_is_rotated_on_demand_and_by_its_period() {
    check(
        DATABASE,
        "database_static_roles.feature",
        "*/static-roles/*",
        expect![[r#"
            Feature: Logins whose passwords Vault keeps work, and the passwords are replaced

              Scenario: database/static-creds/reporting gives a login that works
                spec.yaml:18:7

                Given the spec "specs/shop" stands
                And "database/static-roles/reporting" could be made
                When a login is issued from "database/static-creds/reporting"
                Then the login is of the user "reporting"
                And the login works in its database

              Scenario: The password of database/static-creds/reporting is rotated on demand
                spec.yaml:18:7

                Given the spec "specs/shop" stands
                And "database/static-roles/reporting" could be made
                When a login is issued from "database/static-creds/reporting"
                And its password is rotated by "database/rotate-role/reporting"
                Then a new password works, and the old one is refused

              Scenario: The password of database/static-creds/reporting is rotated by its period
                spec.yaml:18:7

                Given the spec "specs/shop" stands
                And "database/static-roles/reporting" could be made
                When a login is issued from "database/static-creds/reporting"
                And its rotation period is 5 s instead
                Then within 20 s a new password works, and the old one is refused
        "#]],
    );
}

#[test]
fn statements_of_claims_keep_their_lines() {
    let claims = r#"
claims:
  - credential: database/creds/reader
    can: ["SELECT 1;\nSELECT '|'"]
    cannot: ["SELECT '\"\"\"'"]
"#;
    check(
        &format!("{DATABASE}{claims}"),
        "claims.feature",
        "database/creds/*",
        expect![[r#"
            Feature: What the spec claims holds

              Scenario: A login of database/creds/reader can what spec.yaml:21:5 claims, and no more
                spec.yaml:21:5

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login can
                  """
                  SELECT 1;
                  SELECT '|'
                  """
                Then the login cannot
                  ```
                  SELECT '"""'
                  ```
        "#]],
    );
}

const APPROLE: &str = r#"
sys:
  policies:
    app:
      policy: |
        path "secret/data/app/*" { capabilities = ["create", "read"] }
        path "secret/data/app/locked" { capabilities = ["deny"] }
        path "secret/data/+/shared" { capabilities = ["read"] }
auth:
  approle:
    type: approle
    roles:
      app: { policies: [app], token_ttl: 2m, token_max_ttl: 10m, secret_id_num_uses: 2 }
"#;

#[test]
fn an_approle_is_held_to_what_it_says_of_tokens_and_secret_ids() {
    check(
        APPROLE,
        "approle_roles.feature",
        "auth/*",
        expect![[r#"
            Feature: AppRole lets in who has a role-id and a secret-id, and nobody else

              # spec.yaml:14:7
              Scenario: Whoever logs in by auth/approle/role/app gets the token that it says
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                When someone logs in by "auth/approle/role/app"
                Then its token has the policies "app,default"
                Then its token lasts 120 s
                Then its token is renewable
                When its token is renewed by 1200 s
                Then its token ends at most 600 s after its issue

              Scenario: A token of auth/approle/role/app that nobody renews ends
                spec.yaml:14:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "auth/approle/role/app" could be made
                When someone logs in by "auth/approle/role/app"
                Then its token lasts 4 s
                And its token is refused once its life is over

              Scenario: A token of auth/approle/role/app that is renewed lives on, up to its maximum
                spec.yaml:14:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "auth/approle/role/app" could be made
                When someone logs in by "auth/approle/role/app"
                And its token is renewed until its maximum of 20 s
                Then its token is refused once its life is over

              Scenario: A secret-id of auth/approle/role/app is needed, and can be handed over wrapped
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                Then a wrong secret-id is refused by "auth/approle/role/app"
                And a wrapped secret-id of "auth/approle/role/app" can be had once

              Scenario: A secret-id of auth/approle/role/app is good for as many logins as it says
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                Then a secret-id of "auth/approle/role/app" is good for 2 logins
        "#]],
    );
}

#[test]
fn policies_are_tried_where_they_grant_and_beside_it() {
    check(
        APPROLE,
        "policies.feature",
        "auth/*",
        expect![[r#"
            Feature: Policies grant what they say, and nothing beside it

              Scenario: Whoever logs in by auth/approle/role/app may what its policies grant, and nothing beside it
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                Then whoever logs in by "auth/approle/role/app" may
                  | read | secret/data/vaultwright-proof/shared |
                  | create | secret/data/app/vaultwright-proof |
                  | read | secret/data/app/vaultwright-proof |
                Then whoever logs in by "auth/approle/role/app" may not
                  | read | secret/data/app-beside/vaultwright-proof |
                  | read | secret/data/app/locked |
                  | update | secret/data/app-beside/vaultwright-proof |
                  | update | secret/data/app/locked-beside |
                  | update | secret/data/vaultwright-proof-beside/shared |
        "#]],
    );
}

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

#[test]
fn only_what_is_asked_for_is_proven() {
    let only = ["*/static-roles/*".to_owned()];
    let proofs = proofs(&spec(DATABASE), &named(&only)).expect("templates that can be filled in");
    let files: Vec<&str> = proofs.features.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["database_static_roles.feature"]);
}

const SIGNING: &str = r#"
secrets:
  ssh:
    type: ssh
    config_ca: { generate_signing_key: true }
    roles:
      people: { key_type: ca, allow_user_certificates: true, allowed_users: [deploy], ttl: 2m }
      hosts: { key_type: ca, allow_host_certificates: true }
      once: { key_type: otp, default_user: ubuntu, cidr_list: 10.0.0.0/8 }
  pki:
    type: pki
    root: { issuer_name: root, common_name: Shop root }
    roles:
      web: { allowed_domains: [shop.example.com], allow_subdomains: true, ttl: 2m, no_store: true }
      any: { key_type: any, allow_any_name: true }
auth:
  people: { type: oidc, roles: { ann: { user_claim: sub, allowed_redirect_uris: [http://127.0.0.1] } } }
"#;

#[test]
fn signed_keys_let_in_whom_they_are_for() {
    check(
        SIGNING,
        "ssh_roles.feature",
        "ssh/roles/people",
        expect![[r#"
        Feature: Machines let in who has a signed key or a password for one login, and nobody else

          # spec.yaml:8:7
          Scenario: A key that ssh/roles/people has signed lets in whom it is for, and nobody else
            Given the spec "specs/shop" stands
            And "ssh/roles/people" could be made
            When "ssh/roles/people" signs a key for "deploy"
            Then the key is valid for 120 s, and 30 s before
            Then an sshd that takes "deploy" lets the key in
            And an sshd that takes nobody but "vaultwright-nobody" refuses the key

          Scenario: ssh/roles/people signs no keys for others
            Given the spec "specs/shop" stands
            And "ssh/roles/people" could be made
            Then "ssh/roles/people" signs no key that is for nobody in particular
            And "ssh/roles/people" signs no key for another than it allows

          Scenario: A key that ssh/roles/people has signed ends
            Given the spec "specs/shop" stands, its lives divided by 6
            And "ssh/roles/people" could be made
            When "ssh/roles/people" signs a key for "deploy"
            Then an sshd that takes "deploy" lets the key in
            And an sshd that takes "deploy" refuses the key once its life is over
    "#]],
    );
}

#[test]
fn passwords_for_one_login_are_for_addresses_of_their_role() {
    check(
        SIGNING,
        "ssh_roles.feature",
        "ssh/roles/once",
        expect![[r#"
        Feature: Machines let in who has a signed key or a password for one login, and nobody else

          # spec.yaml:10:7
          Scenario: A password of ssh/roles/once is good for one login
            Given the spec "specs/shop" stands
            And "ssh/roles/once" could be made
            Then a password of "ssh/roles/once" for "10.0.0.0" is good for one login
            And "ssh/roles/once" gives no password for "192.0.2.1"
    "#]],
    );
}

#[test]
fn certificates_that_are_not_stored_are_not_revoked() {
    check(
        SIGNING,
        "pki_roles.feature",
        "pki/roles/web",
        expect![[r#"
        Feature: Certificates are issued as their roles say, taken by others, and revoked

          # spec.yaml:15:7
          Scenario: pki/roles/web issues certificates that others take
            Given the spec "specs/shop" stands
            And "pki/roles/web" could be made
            When "pki/roles/web" issues a certificate for "vaultwright-proof.shop.example.com"
            Then the certificate lasts 120 s
            Then a TLS client that trusts its authority takes the certificate
            And a TLS client that trusts another authority refuses the certificate

          Scenario: pki/roles/web issues nothing for a name that it does not allow
            Given the spec "specs/shop" stands
            And "pki/roles/web" could be made
            When "pki/roles/web" issues a certificate for "vaultwright-proof.shop.example.com"
            Then "pki/roles/web" issues nothing for "other.example.net"

          Scenario: A certificate of pki/roles/web ends
            Given the spec "specs/shop" stands, its lives divided by 6
            And "pki/roles/web" could be made
            When "pki/roles/web" issues a certificate for "vaultwright-proof.shop.example.com"
            Then the certificate lasts 20 s
            And a TLS client that trusts its authority takes the certificate
            And a TLS client refuses the certificate once its life is over
    "#]],
    );
}

#[test]
fn signers_whom_no_proof_fits_are_named() {
    check_unproven(
        SIGNING,
        expect![[r#"
            auth/people/role/ann: a login by OIDC needs a browser and a provider: only one whose provider is this Vault, `oidc_discovery_url: ${identity/oidc/provider/NAME#issuer}`, is proven
            pki/roles/any: it only signs keys that others bring, which has no proof yet
            ssh/roles/hosts: only keys of people are proven yet, not those of hosts
        "#]],
    );
}

const PEOPLE: &str = r#"
sys:
  audit:
    all: { type: file, options: { file_path: /var/log/audit.log } }
    far: { type: socket }
  policies:
    own: { policy: 'path "secret/data/{{identity.entity.metadata.team}}" { capabilities = ["read"] }' }
auth:
  people: { type: userpass, users: { ann: { password: a-long-password } } }
  jobs: { type: jwt, roles: { build: { role_type: jwt, user_claim: sub, groups_claim: groups } } }
  directory: { type: ldap }
identity:
  entities: { ann: { policies: [own], metadata: { team: blue } }, bob: {} }
  groups:
    staff: { policies: [own], member_entity_ids: ["${identity/entity/name/ann#id}"] }
    empty: { member_entity_ids: ["${identity/entity/name/ann#id}"] }
    alone: { policies: [own] }
    on-call: { type: external, policies: [own] }
    far: { type: external, policies: [own] }
  entity_aliases:
    ann:
      name: ann
      mount_accessor: ${sys/auth/people#accessor}
      canonical_id: ${identity/entity/name/ann#id}
  group_aliases:
    on-call:
      name: on-call
      mount_accessor: ${sys/auth/jobs#accessor}
      canonical_id: ${identity/group/name/on-call#id}
    far:
      name: far
      mount_accessor: ${sys/auth/directory#accessor}
      canonical_id: ${identity/group/name/far#id}
"#;

#[test]
fn whoever_logs_in_is_shown_to_be_who_its_alias_says() {
    check(
        PEOPLE,
        "entity_aliases.feature",
        "identity/entity-alias/*",
        expect![[r#"
            Feature: Whoever logs in is who the spec says

              # spec.yaml:22:5
              Scenario: Whoever logs in through identity/entity-alias/ann is identity/entity/name/ann
                Given the spec "specs/shop" stands
                And "identity/entity-alias/ann" could be made
                And "identity/entity/name/ann" could be made
                When someone logs in by "auth/people/users/ann"
                Then its token is of "identity/entity/name/ann"
                And the policies of who it is are "own"

              Scenario: Nobody else is identity/entity/name/ann
                Given the spec "specs/shop" stands
                And "identity/entity-alias/ann" could be made
                And "identity/entity/name/ann" could be made
                When someone logs in by "auth/jobs/role/build"
                Then its token is not of "identity/entity/name/ann"
        "#]],
    );
}

#[test]
fn a_template_of_a_policy_is_what_the_entity_says() {
    check(
        PEOPLE,
        "policies.feature",
        "auth/people/*",
        expect![[r#"
        Feature: Policies grant what they say, and nothing beside it

          Scenario: Whoever logs in by auth/people/users/ann may what its policies grant, and nothing beside it
            spec.yaml:10:38

            Given the spec "specs/shop" stands
            And "auth/people/users/ann" could be made
            Then whoever logs in by "auth/people/users/ann" may
              | read | secret/data/blue |
            Then whoever logs in by "auth/people/users/ann" may not
              | read | secret/data/blue-beside |
              | update | secret/data/blue-beside |
    "#]],
    );
}

#[test]
fn groups_of_another_directory_are_those_that_a_jwt_says() {
    check(
        PEOPLE,
        "group_aliases.feature",
        "identity/group-alias/*",
        expect![[r#"
        Feature: Whoever another directory says is in a group has the policies of that group, as long as it says so

          # spec.yaml:27:5
          Scenario: Whoever auth/jobs says is in on-call has the policies of identity/group/name/on-call
            Given the spec "specs/shop" stands
            And "identity/group-alias/on-call" could be made
            And "identity/group/name/on-call" could be made
            And everybody who logs in is in the group "on-call"
            When someone logs in by "auth/jobs/role/build"
            Then among the policies of who it is are "own"
            When everybody who logs in is in the group "vaultwright-other"
            And someone logs in by "auth/jobs/role/build"
            Then among the policies of who it is is none of "own"
    "#]],
    );
}

#[test]
fn who_cannot_log_in_here_is_not_proven() {
    check_unproven(
        PEOPLE,
        expect![[r#"
        identity/entity/name/bob: nobody can log in here as it: no alias leads to it
        identity/group-alias/far: no login of the spec tells groups that can be made up here: only a JWT does
        identity/group/name/alone: nobody who can log in here is in it
        identity/group/name/empty: it gives those who are in it no policy
        sys/audit/far: only devices that write to a file are proven yet
    "#]],
    );
}

const PROVIDER: &str = r#"
auth:
  services:
    type: jwt
    config: { oidc_discovery_url: "http://127.0.0.1:8200/v1/identity/oidc" }
    roles:
      orders: { role_type: jwt, user_claim: sub, bound_audiences: [orders] }
      others: { role_type: jwt, user_claim: sub, bound_audiences: [others] }
  sso:
    type: oidc
    config:
      oidc_discovery_url: ${identity/oidc/provider/main#issuer}
      oidc_client_id: ${identity/oidc/client/web#client_id}
    roles:
      staff: { user_claim: sub, allowed_redirect_uris: ["http://127.0.0.1/callback"] }
      lost: { user_claim: sub }
  elsewhere:
    type: oidc
    config: { oidc_discovery_url: "https://accounts.example.com" }
    roles: { guest: { user_claim: sub, allowed_redirect_uris: ["http://127.0.0.1/callback"] } }
identity:
  oidc_keys: { main: { allowed_client_ids: ["*"] } }
  oidc_roles: { orders: { key: main, client_id: orders, ttl: 10m } }
  oidc_assignments: { staff: {} }
  oidc_clients: { web: { key: main, assignments: [staff] }, idle: { key: main } }
  oidc_providers: { main: {} }
"#;

#[test]
fn an_identity_token_is_shown_to_whoever_trusts_it() {
    check(
        PROVIDER,
        "oidc_roles.feature",
        "identity/oidc/role/*",
        expect![[r#"
            Feature: Identity tokens are taken by who trusts this Vault, for their client and as long as they live

              # spec.yaml:24:17
              Scenario: An identity token of identity/oidc/role/orders says who asked, and is let in by who trusts it
                Given the spec "specs/shop" stands
                And "identity/oidc/role/orders" could be made
                And another method trusts identity tokens of "identity/oidc/role/orders"
                When somebody gets an identity token by "identity/oidc/role/orders"
                Then the identity token is of whoever asked, for the client of its role
                And the identity token lasts 600 s
                And "the other method" lets the identity token in
                And "auth/services/role/orders" lets the identity token in
                And "the other method" lets in no identity token for another client
                And "auth/services/role/orders" lets in no identity token for another client

              Scenario: An identity token of identity/oidc/role/orders outlives the rotation of its key
                Given the spec "specs/shop" stands
                And "identity/oidc/role/orders" could be made
                And another method trusts identity tokens of "identity/oidc/role/orders"
                When somebody gets an identity token by "identity/oidc/role/orders"
                And the key of "identity/oidc/role/orders" is rotated
                Then "the other method" lets the identity token of before in
                And a new identity token is of another key, and "the other method" lets it in too

              Scenario: An identity token of identity/oidc/role/orders ends
                Given the spec "specs/shop" stands, its lives divided by 30
                And "identity/oidc/role/orders" could be made
                And another method trusts identity tokens of "identity/oidc/role/orders"
                When somebody gets an identity token by "identity/oidc/role/orders"
                Then the identity token lasts 20 s
                And "the other method" refuses the identity token once its life is over
        "#]],
    );
}

#[test]
fn a_login_by_oidc_is_proven_where_vault_is_its_provider() {
    check(
        PROVIDER,
        "jwt_roles.feature",
        "auth/sso/*",
        expect![[r#"
        Feature: A JWT lets in whom its role is bound to, and nobody else

          # spec.yaml:16:7
          Scenario: Whoever logs in by auth/sso/role/staff gets the token that it says
            spec.yaml:16:7

            Given the spec "specs/shop" stands
            And "auth/sso/role/staff" could be made
            When someone logs in by "auth/sso/role/staff"
            Then its token has the policies "default"

          Scenario: auth/sso/role/staff takes a code of its provider once, and sends nobody elsewhere
            Given the spec "specs/shop" stands
            And "auth/sso/role/staff" could be made
            Then "auth/sso/role/staff" takes no code twice
            And "auth/sso/role/staff" begins nothing for an address that it does not allow
            And the provider of "auth/sso/role/staff" gives no code to whom its client is not for
    "#]],
    );
    check_unproven(
        PROVIDER,
        expect![[r#"
        auth/elsewhere/role/guest: a login by OIDC needs a browser and a provider: only one whose provider is this Vault, `oidc_discovery_url: ${identity/oidc/provider/NAME#issuer}`, is proven
        auth/sso/role/lost: it allows no address to come back to
        identity/oidc/client/idle: no login of the spec goes by it
    "#]],
    );
}

const PODS: &str = r#"
auth:
  kubernetes:
    type: kubernetes
    roles:
      anybody: { bound_service_account_names: ["*"], bound_service_account_namespaces: [shop], audience: vault }
claims:
  - login: auth/kubernetes/role/anybody
    keeps_out: [default/app]
"#;

#[test]
fn a_role_that_is_bound_to_all_accounts_is_shown_to_be_bound_to_namespaces() {
    check_unproven(
        PODS,
        expect![[r#"
            auth/kubernetes/role/anybody: `*` binds it to every account of its namespaces: no other is there to be refused
        "#]],
    );
    let features = proofs(&spec(PODS), &named(&[])).expect("templates that can be filled in");
    let texts: String = features.features.iter().map(|it| &*it.text).collect();
    assert!(
        texts.contains("lets in no account of another namespace, such as \"vaultwright-other\"")
    );
    assert!(!texts.contains("lets in no other account of its namespaces"));
    assert!(texts.contains("keeps out the account \"default/app\""));
}

#[test]
fn a_login_by_kubernetes_is_not_proven_without_a_cluster() {
    let named = Named { far_sides: &[], ..named(&[]) };
    let proofs = proofs(&spec(PODS), &named).expect("templates that can be filled in");
    assert!(proofs.features.iter().all(|it| it.file == "made.feature"));
    assert!(proofs.unproven[0].reason.contains("needs a cluster"), "{:?}", proofs.unproven);
}

/// Each line that begins with a tag or names a scenario.
#[track_caller]
fn check_live(text: &str, wanted: Expect) {
    let named = Named { live: true, far_sides: &[], ..named(&[]) };
    let proofs = proofs(&spec(text), &named).expect("templates that can be filled in");
    let texts: String = proofs.features.iter().map(|it| it.text.as_str()).collect();
    let is_head = |it: &&str| it.trim().starts_with('@') || it.trim().starts_with("Scenario:");
    let heads: Vec<&str> = texts.lines().filter(is_head).map(str::trim).collect();
    let unproven = proofs.unproven.iter().map(|it| format!("not: {}: {}", it.path, it.reason));
    let lines: Vec<String> = heads.into_iter().map(str::to_owned).chain(unproven).collect();
    wanted.assert_eq(&lines.join("\n"));
}

#[test]
fn on_a_vault_that_people_use_each_scenario_says_whether_it_is_safe() {
    check_live(
        DATABASE,
        expect![[r#"
        @live
        Scenario: It is made, and nothing is left to do
        @live
        Scenario: database/creds/reader issues a login that works
        @live
        Scenario: A lease of database/creds/reader is renewed, and never beyond its maximum
        @live
        Scenario: A revoked login of database/creds/reader is gone
        @skip.address(its-lives-are-as-long-as-the-spec-says)
        Scenario: A login of database/creds/reader that nobody renews ends with its lease
        @skip.address(its-lives-are-as-long-as-the-spec-says)
        Scenario: A login of database/creds/reader that is renewed lives on, up to its maximum
        @live
        Scenario: database/static-creds/reporting gives a login that works
        @live.rotates
        Scenario: The password of database/static-creds/reporting is rotated on demand
        @skip.address(it-changes-the-role)
        Scenario: The password of database/static-creds/reporting is rotated by its period
        not: database/roles/reader: the catalogue of a database that people use is not looked into: nobody here is its superuser
        not: database/static-roles/reporting: the catalogue of a database that people use is not looked into: nobody here is its superuser"#]],
    );
}

#[test]
fn who_logs_in_on_a_vault_that_people_use_is_nobody_who_could_be_locked_out() {
    check_live(
        PEOPLE,
        expect![[r#"
        @live
        Scenario: It is made, and nothing is left to do
        @skip.address(failed-logins-count-towards-locking-others-out)
        Scenario: Whoever logs in by auth/people/users/ann gets the token that it says
        @skip.address(failed-logins-count-towards-locking-others-out)
        Scenario: auth/people/users/ann needs its password
        @skip.address(its-proof-makes-up-who-logs-in)
        Scenario: Whoever logs in by auth/jobs/role/build gets the token that it says
        Scenario: auth/jobs/role/build needs a JWT that its issuer has signed and that is not over
        Scenario: Whoever logs in through identity/entity-alias/ann is identity/entity/name/ann
        Scenario: Nobody else is identity/entity/name/ann
        Scenario: Whoever is in identity/group/name/staff has its policies
        Scenario: Who is not in identity/group/name/staff has none of its policies through others
        Scenario: Whoever auth/jobs says is in on-call has the policies of identity/group/name/on-call
        Scenario: sys/audit/all has every request, and no secret in clear
        @skip.address(failed-logins-count-towards-locking-others-out)
        Scenario: Whoever logs in by auth/people/users/ann may what its policies grant, and nothing beside it
        not: identity/entity/name/bob: nobody can log in here as it: no alias leads to it
        not: identity/group-alias/far: no login of the spec tells groups that can be made up here: only a JWT does
        not: identity/group/name/alone: nobody who can log in here is in it
        not: identity/group/name/empty: it gives those who are in it no policy
        not: sys/audit/far: only devices that write to a file are proven yet"#]],
    );
}

#[test]
fn nothing_but_queries_is_said_to_a_database_that_people_use() {
    for (statement, wanted) in [
        ("SELECT count(*) FROM orders", true),
        ("  show tables", true),
        ("GET orders:1", true),
        ("SELECT * INTO copy FROM orders", false),
        ("select * from orders for update", false),
        ("INSERT INTO orders VALUES (1)", false),
        ("DELETE FROM orders", false),
        ("", false),
    ] {
        assert_eq!(only_reads(statement), wanted, "{statement}");
    }
}

const ACME: &str = r#"
secrets:
  pki:
    type: pki
    config_cluster: { path: "http://127.0.0.1:8200/v1/pki" }
    config_acme: { enabled: true, allowed_roles: [web, thrown], eab_policy: always-required }
    root: { issuer_name: root, common_name: root }
    roles:
      web: { allowed_domains: [shop.example.com], allow_subdomains: true, key_type: ec }
      thrown: { allowed_domains: [shop.example.com], allow_subdomains: true, key_type: ec, no_store: true }
      other: { allowed_domains: [shop.example.com], allow_subdomains: true, key_type: ec }
  nowhere: { type: pki, config_acme: { enabled: true } }
"#;

#[test]
fn certificates_are_ordered_where_a_role_allows_it() {
    check(
        ACME,
        "acme.feature",
        "pki/*",
        expect![[r#"
        Feature: Certificates are ordered by ACME, for names that somebody answers for

          # spec.yaml:7:5
          Scenario: pki/roles/web/acme/directory gives a certificate that others take
            Given the spec "specs/shop" stands
            And "pki/config/acme" could be made
            And "pki/config/acme" asks a name server of the proof's own
            When a certificate for "vaultwright-proof.shop.example.com" is ordered at "pki/roles/web/acme/directory"
            Then a TLS client that trusts its authority takes the certificate
            And a TLS client that trusts another authority refuses the certificate

          Scenario: pki/roles/web/acme/directory gives nothing to whoever has no right to the name
            Given the spec "specs/shop" stands
            And "pki/config/acme" could be made
            And "pki/config/acme" asks a name server of the proof's own
            Then nobody who does not answer for "vaultwright-proof.shop.example.com" gets a certificate at "pki/roles/web/acme/directory"
            And nothing is ordered for "other.example.net" at "pki/roles/web/acme/directory"
            And nobody without a key of Vault's gets an account at "pki/roles/web/acme/directory"
    "#]],
    );
    check_unproven(
        ACME,
        expect![[r#"
        nowhere/config/acme: `config_cluster` says no `path`, under which ACME names its own addresses
    "#]],
    );
}

const DIRECTORY: &str = r#"
sys:
  policies:
    all: { policy: 'path "kv/data/all" { capabilities = ["read"] }' }
    editors: { policy: 'path "kv/data/pages/*" { capabilities = ["read"] }' }
    readers: { policy: 'path "kv/data/pages-beside/*" { capabilities = ["read"] }' }
auth:
  people:
    type: ldap
    config: { url: "ldap://127.0.0.1", userdn: "ou=people", token_policies: [all] }
    users: { ann: { groups: [editors] } }
    groups: { editors: { policies: [editors] }, readers: { policies: [readers] } }
  bound:
    type: ldap
    config: { url: "ldap://127.0.0.1", token_bound_cidrs: [10.0.0.0/8] }
    users: { ann: { policies: [all] } }
  nowhere: { type: ldap, groups: { editors: { policies: [all] } } }
"#;

#[test]
fn whoever_a_directory_has_in_a_group_has_its_policies_and_those_of_the_method() {
    check(
        DIRECTORY,
        "ldap_people.feature",
        "auth/people/groups/editors",
        expect![[r#"
            Feature: People of a directory have their own policies, and those of the groups that they are in

              Scenario: Whoever the directory has in editors has the policies of auth/people/groups/editors, and no longer than that
                spec.yaml:13:15

                Given the spec "specs/shop" stands
                And "auth/people/groups/editors" could be made
                When someone logs in by "auth/people/groups/editors"
                Then its token has the policies "all,editors,default"
                When whoever logs in by "auth/people/groups/editors" leaves the group in the directory
                Then its token is not renewed, since its policies are others now
                When someone logs in by "auth/people/groups/editors"
                Then its token has the policies "all,default"
        "#]],
    );
}

/// The directory may have her in the other group, too.
#[test]
fn nothing_that_a_group_of_the_directory_may_grant_is_said_to_be_refused() {
    check(
        DIRECTORY,
        "policies.feature",
        "auth/people/users/*",
        expect![[r#"
            Feature: Policies grant what they say, and nothing beside it

              Scenario: Whoever logs in by auth/people/users/ann may what its policies grant, and nothing beside it
                spec.yaml:12:14

                Given the spec "specs/shop" stands
                And "auth/people/users/ann" could be made
                Then whoever logs in by "auth/people/users/ann" may
                  | read | kv/data/all |
                  | read | kv/data/pages/vaultwright-proof |
                Then whoever logs in by "auth/people/users/ann" may not
                  | read | kv/data/all-beside |
                  | update | kv/data/all-beside |
                  | update | kv/data/pages-beside/vaultwright-proof |
        "#]],
    );
}

#[test]
fn a_login_by_a_directory_needs_what_its_method_says() {
    check_unproven(
        DIRECTORY,
        expect![[r#"
            auth/bound/config: token_bound_cidrs binds it to networks, which a ground is not in
            auth/bound/users/ann: token_bound_cidrs binds it to networks, which a ground is not in
            auth/nowhere/groups/editors: auth/nowhere/config is not in the spec
        "#]],
    );
}
