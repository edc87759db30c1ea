//! Logins as they go over the wire. Those that need no second server are also done on a real Vault.

use expect_test::expect;
use serde_json::{Value, json};
use vault_client::{ExposeSecret, Login, LoginError, Settings, Vault};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, method, path},
};

use crate::script::{always, count, errors, json_answer};

fn auth(token: &str, token_type: &str) -> Value {
    json!({ "request_id": "1", "auth": {
        "client_token": token, "accessor": "a", "policies": ["default"], "token_policies": ["default"],
        "metadata": null, "lease_duration": 3600, "renewable": true, "entity_id": "", "token_type": token_type,
        "orphan": true, "mfa_requirement": null, "num_uses": 0
    }})
}

async fn login(server: &MockServer, login: Login) -> Result<Vault, LoginError> {
    let mut settings = Settings::new(&server.uri()).unwrap();
    settings.max_retries = 0;
    Vault::login(&settings, &login).await
}

#[tokio::test]
async fn kubernetes_sends_role_and_jwt() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/auth/clusters/blue/login"))
        .and(body_json(json!({ "role": "app", "jwt": "a.b.c" })))
        .respond_with(json_answer(200, auth("hvs.new", "service")))
        .mount(&server)
        .await;
    for mount in ["clusters/blue", "auth/clusters/blue/"] {
        let jwt = "a.b.c\n".to_string().into();
        let kubernetes = Login::Kubernetes { mount: mount.into(), role: "app".into(), jwt };
        let vault = login(&server, kubernetes).await.unwrap();
        assert_eq!(vault.token().expose_secret(), "hvs.new");
        assert_eq!(vault.auth().unwrap().lease_duration, 3600);
    }
    assert!(
        server
            .received_requests()
            .await
            .unwrap()
            .iter()
            .all(|it| !it.headers.contains_key("x-vault-token"))
    );
}

#[tokio::test]
async fn a_namespace_is_only_for_a_vault_that_has_some() {
    for (health, goes) in [
        (json!({ "enterprise": false, "version": "1.21.1" }), false),
        (json!({ "enterprise": true, "version": "1.21.1+ent" }), true),
        // OpenBao has namespaces, and says nothing of it.
        (json!({ "version": "2.6.2" }), true),
    ] {
        let server = always(json_answer(200, health)).await;
        let mut settings = Settings::new(&server.uri()).unwrap();
        let given = Login::Token("root".to_string().into());
        Vault::login(&settings, &given).await.unwrap();
        assert_eq!(count(&server).await, 0, "without a namespace nobody is asked");
        settings.namespace = Some("team".into());
        let outcome = Vault::login(&settings, &given).await;
        assert_eq!(outcome.is_ok(), goes);
        let asked = server.received_requests().await.unwrap();
        assert!(!asked[0].headers.contains_key("x-vault-namespace"));
        let Err(refused) = outcome else { continue };
        expect![[r#"
            VAULT_NAMESPACE: this Vault has no namespaces, and would take all that is meant for one as meant for its root
              unset it, or point VAULT_ADDR at the Vault that has this namespace
        "#]]
        .assert_eq(&format!("{refused}\n  {}\n", refused.remedy().unwrap()));
    }
}

#[tokio::test]
async fn a_role_without_secret_ids_sends_none() {
    let server = MockServer::start().await;
    Mock::given(path("/v1/auth/approle/login"))
        .and(body_json(json!({ "role_id": "r" })))
        .respond_with(json_answer(200, auth("hvs.new", "service")))
        .mount(&server)
        .await;
    login(
        &server,
        Login::AppRole { mount: "approle".into(), role_id: "r".into(), secret_id: None },
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_refused_login_names_its_path_and_no_secret() {
    let server = always(errors(400, &["invalid role or secret ID s3cr3t-id"])).await;
    let secret_id = Some("s3cr3t-id".to_string().into());
    let approle = Login::AppRole { mount: "approle".into(), role_id: "r".into(), secret_id };
    let error = login(&server, approle).await.unwrap_err();
    expect!["login failed: POST auth/approle/login: refused (status 400): invalid role or secret ID (masked)"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_login_that_gives_no_token_is_an_error() {
    let userpass = || Login::Userpass {
        mount: "userpass".into(),
        username: "me".into(),
        password: "hidden".to_string().into(),
    };
    let server = always(json_answer(200, json!({ "request_id": "1", "data": {} }))).await;
    let error = login(&server, userpass()).await.unwrap_err();
    expect!["login failed: POST auth/userpass/login/me: the answer holds no token (status 200)"]
        .assert_eq(&error.to_string());
    let mut needs_more = auth("", "service");
    needs_more["auth"]["mfa_requirement"] = json!({ "mfa_request_id": "1" });
    let server = always(json_answer(200, needs_more)).await;
    let error = login(&server, userpass()).await.unwrap_err();
    expect![[
        r#"login at auth/userpass/login/me needs a second factor; Some("use a login without one, or `vault login` and then the token that it leaves")"#
    ]]
    .assert_eq(&format!("{error}; {:?}", error.remedy()));
}

#[tokio::test]
async fn a_token_file_is_trimmed_and_must_hold_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".vault-token");
    let settings = Settings::new("http://127.0.0.1:1").unwrap();
    let login = Login::TokenHelperFile(file.clone());
    let missing = Vault::login(&settings, &login).await.unwrap_err();
    assert!(missing.to_string().starts_with("VAULT_TOKEN: isn't set, and "), "{missing}");
    assert_eq!(missing.remedy().as_deref(), Some("set VAULT_TOKEN, or run `vault login`"));
    for (text, token) in [("hvs.mine\n", Some("hvs.mine")), (" \n", None), ("two words", None)] {
        std::fs::write(&file, text).unwrap();
        let outcome = Vault::login(&settings, &login).await;
        assert_eq!(outcome.ok().map(|it| it.token().expose_secret().to_string()).as_deref(), token);
    }
}

#[tokio::test]
async fn only_a_token_of_our_own_is_revoked() {
    let server = always(json_answer(200, auth("hvs.new", "service"))).await;
    let given = login(&server, Login::Token("hvs.given".to_string().into())).await.unwrap();
    given.revoke_own_token().await.unwrap();
    assert_eq!(count(&server).await, 0);

    let kubernetes = || Login::Kubernetes {
        mount: "kubernetes".into(),
        role: "app".into(),
        jwt: "a.b.c".to_string().into(),
    };
    let own = login(&server, kubernetes()).await.unwrap();
    own.with_token("hvs.other".to_string().into()).revoke_own_token().await.unwrap();
    assert_eq!(count(&server).await, 1);
    own.revoke_own_token().await.unwrap();
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked.last().unwrap().url.path(), "/v1/auth/token/revoke-self");

    let server = always(json_answer(200, auth("hvb.batch", "batch"))).await;
    login(&server, kubernetes()).await.unwrap().revoke_own_token().await.unwrap();
    assert_eq!(count(&server).await, 1, "a batch token can't be revoked");
}

#[tokio::test]
async fn a_token_that_was_given_or_never_ends_isnt_renewed() {
    let server = always(ResponseTemplate::new(204)).await;
    let given = login(&server, Login::Token("hvs.given".to_string().into())).await.unwrap();
    assert_eq!(given.keep_alive().stop().await.unwrap(), 0);
    assert_eq!(count(&server).await, 0);
}
