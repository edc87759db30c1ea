//! What SSH and PKI engines sign.

use expect_test::expect;

use super::*;

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
            Then the sshd "machines", which takes "deploy", lets the key in
            And the sshd "machines", which takes "deploy", refuses the key without its certificate
            And the sshd "machines", which takes nobody but "vaultwright-nobody", refuses the key

          Scenario: ssh/roles/people signs no keys for others
            Given the spec "specs/shop" stands
            And "ssh/roles/people" could be made
            Then "ssh/roles/people" signs no key that is for nobody in particular
            And "ssh/roles/people" signs no key for another than it allows

          Scenario: A key that ssh/roles/people has signed ends
            Given the spec "specs/shop" stands, its lives divided by 6
            And "ssh/roles/people" could be made
            And the sshd "machines" takes "deploy" with a key of "ssh/roles/people"
            When "ssh/roles/people" signs a key for "deploy"
            Then the sshd "machines", which takes "deploy", lets the key in
            And the sshd "machines", which takes "deploy", refuses the key once its life is over
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
            When the nginx "web" shows the certificate
            Then a TLS client that trusts its authority takes the certificate
            And OpenSSL takes the certificate, too
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
            When the nginx "web" shows the certificate
            Then a TLS client that trusts its authority takes the certificate
            And a TLS client refuses the certificate once its life is over
    "#]],
    );
}

#[test]
fn a_role_of_ssh_is_not_proven_without_an_sshd_unless_it_gives_passwords() {
    let named = Named { servers: &[], ..named(&[]) };
    let proofs = proofs(&spec(SIGNING), &named).expect("templates that can be filled in");
    let unproven = proofs.unproven.iter().find(|it| it.path == "ssh/roles/people");
    expect![[r#"
        the keys that it signs need an `sshd` that would take them, which its ground.yaml does not name: `servers: { machines: { sshd: "9" } }` there starts one
    "#]]
    .assert_eq(&unproven.map_or(String::new(), |it| format!("{}\n", it.reason)));
    let remedy = format!("{}: \"{}\"", SSHD.word, SSHD.version);
    assert!(unproven.is_some_and(|it| it.reason.contains(&remedy)), "it names {remedy}");
    let feature = proofs.features.iter().find(|it| it.file == "ssh_roles.feature");
    let feature = feature.map_or("", |it| &it.text);
    assert!(feature.contains("A password of ssh/roles/once") && !feature.contains("sshd"));
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
            And the nginx "web" shows the certificate
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

/// Where it could be proven at all; of the others it says what is wrong with them, or nothing.
#[test]
fn certificates_are_not_proven_without_a_web_server_to_show_them() {
    let lacking = |text: &str| {
        let named = Named { servers: &[], ..named(&[]) };
        let proofs = proofs(&spec(text), &named).expect("templates that can be filled in");
        let is_shown =
            |it: &ProofFeature| ["pki_roles.feature", "acme.feature"].contains(&&*it.file);
        assert!(!proofs.features.iter().any(is_shown));
        let lines = proofs.unproven.iter().map(|it| format!("{}: {}\n", it.path, it.reason));
        lines.collect::<String>()
    };
    let acme = r#"
secrets:
  pki:
    type: pki
    config_acme: { enabled: true }
    root: { issuer_name: root, common_name: root }
    roles:
      web: { allowed_domains: [shop.example.com], allow_subdomains: true, key_type: ec }
      any: { allowed_domains: [shop.example.com], allow_subdomains: true, key_type: any }
  quiet: { type: pki, config_acme: { enabled: false } }
"#;
    expect![[r#"
        pki/config/acme: its certificates need an `nginx` that would show them, which its ground.yaml does not name: `servers: { web: { nginx: "1.22" } }` there starts one
        pki/roles/any: it only signs keys that others bring, which has no proof yet
        pki/roles/web: its certificates need an `nginx` that would show them, which its ground.yaml does not name: `servers: { web: { nginx: "1.22" } }` there starts one
    "#]]
    .assert_eq(&lacking(acme));
}
