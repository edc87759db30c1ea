//! Logins of service accounts.

use expect_test::expect;

use super::*;

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
    let named = Named { servers: &[], ..named(&[]) };
    let proofs = proofs(&spec(PODS), &named).expect("templates that can be filled in");
    assert!(proofs.features.iter().all(|it| it.file == "made.feature"));
    assert!(proofs.unproven[0].reason.contains("needs a cluster"), "{:?}", proofs.unproven);
}

#[test]
fn a_role_is_shown_at_the_first_server_of_its_kind() {
    let spec = spec(PODS);
    let named = [("people", &OPENLDAP), ("near", &KUBERNETES), ("far", &KUBERNETES)];
    let ground = servers(&named);
    let at = |path: &str| facts::server(spec.object(path).expect("an object"), &ground);
    assert_eq!(at("auth/kubernetes/role/anybody"), Ok(Some("near")));
    assert_eq!(at("sys/auth/kubernetes"), Ok(None));
}
