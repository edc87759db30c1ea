//! What only a real Vault can tell.

use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::{Value, json};
use vault_client::{ExposeSecret, Failure, Login, SecretString, Vault, VaultError};
use vault_model::{
    Body,
    request::{Method, Request},
};

use crate::{
    real::{ROOT, Server},
    script::body,
};

async fn write(vault: &Vault, path: &str, value: Value) -> Body {
    vault
        .send_after_mount(&Request::post(path, body(value)))
        .await
        .unwrap()
        .data
        .unwrap_or_default()
}

async fn fails<T: std::fmt::Debug>(
    outcome: impl Future<Output = Result<T, VaultError>>,
) -> VaultError {
    outcome.await.unwrap_err()
}

/// An AppRole whose tokens live so long.
async fn approle(root: &Vault, more: Value) -> Login {
    write(root, "sys/auth/approle", json!({ "type": "approle" })).await;
    write(root, "auth/approle/role/app", more).await;
    let role_id = root.read("auth/approle/role/app/role-id").await.unwrap().unwrap();
    let secret_id = write(root, "auth/approle/role/app/secret-id", json!({})).await;
    Login::AppRole {
        mount: "approle".into(),
        role_id: role_id["role_id"].as_str().unwrap().into(),
        secret_id: Some(secret_id["secret_id"].as_str().unwrap().to_string().into()),
    }
}

async fn is_alive(vault: &Vault) -> bool {
    vault.read("auth/token/lookup-self").await.is_ok()
}

#[tokio::test]
async fn every_login_gives_a_token_that_works_and_can_be_given_back() {
    let Some(server) = Server::dev("every_login_gives_a_token").await else { return };
    let root = server.root().await;
    let approle = approle(&root, json!({ "token_policies": ["default"] })).await;
    write(&root, "sys/auth/people", json!({ "type": "userpass" })).await;
    write(&root, "auth/people/users/me", json!({ "password": "p4ssw0rd" })).await;
    let userpass = |password: &str| Login::Userpass {
        mount: "people".into(),
        username: "me".into(),
        password: password.to_string().into(),
    };
    for login in [approle, userpass("p4ssw0rd")] {
        let vault = Vault::login(&server.settings, &login).await.unwrap();
        assert!(is_alive(&vault).await);
        let seen = vault.auth().unwrap();
        assert!(seen.renewable && seen.policies.contains(&"default".to_string()), "{seen:?}");
        let copy = root.with_token(vault.token().clone());
        vault.revoke_own_token().await.unwrap();
        assert!(!is_alive(&copy).await);
        let gone = fails(copy.read("auth/token/lookup-self")).await;
        assert_eq!(gone.failure, Failure::Forbidden);
        assert!(gone.remedy().unwrap().contains("has expired"), "{gone}: {:?}", gone.remedy());
    }
    let refused = Vault::login(&server.settings, &userpass("wrong")).await.unwrap_err();
    assert!(refused.to_string().contains("invalid username or password"), "{refused}");

    let file = server.folder.path().join("token");
    std::fs::write(&file, format!("{ROOT}\n")).unwrap();
    let vault = Vault::login(&server.settings, &Login::TokenHelperFile(file)).await.unwrap();
    vault.revoke_own_token().await.unwrap();
    assert!(is_alive(&vault).await, "a token that was given stays");
}

#[tokio::test]
async fn a_long_run_keeps_its_token() {
    let Some(server) = Server::dev("a_long_run_keeps_its_token").await else { return };
    let root = server.root().await;
    let login = approle(&root, json!({ "token_ttl": "2s", "token_max_ttl": "1h" })).await;
    let (kept, left) = (
        Vault::login(&server.settings, &login).await.unwrap(),
        Vault::login(&server.settings, &login).await.unwrap(),
    );
    let keep_alive = kept.keep_alive();
    let started = Instant::now();
    while is_alive(&left).await {
        assert!(started.elapsed() < Duration::from_secs(10), "a token of 2 s must expire");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(is_alive(&kept).await);
    assert!(keep_alive.stop().await.unwrap() >= 2);
    kept.revoke_own_token().await.unwrap();
}

#[tokio::test]
async fn renewing_ends_where_the_token_must() {
    let Some(server) = Server::dev("renewing_ends_where_the_token_must").await else { return };
    let root = server.root().await;
    let login = approle(&root, json!({ "token_ttl": "2s", "token_max_ttl": "4s" })).await;
    let vault = Vault::login(&server.settings, &login).await.unwrap();
    let keep_alive = vault.keep_alive();
    let started = Instant::now();
    while is_alive(&vault).await {
        assert!(started.elapsed() < Duration::from_secs(10), "a token of at most 4 s must expire");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let renewals = keep_alive.stop().await.unwrap();
    assert!((1..=4).contains(&renewals), "{renewals}");
}

#[tokio::test]
async fn a_token_that_is_revoked_meanwhile_is_told() {
    let Some(server) = Server::dev("a_token_that_is_revoked_meanwhile_is_told").await else {
        return;
    };
    let root = server.root().await;
    let login = approle(&root, json!({ "token_ttl": "1s", "token_max_ttl": "1h" })).await;
    let vault = Vault::login(&server.settings, &login).await.unwrap();
    let keep_alive = vault.keep_alive();
    write(&root, "auth/token/revoke", json!({ "token": vault.token().expose_secret() })).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(keep_alive.stop().await.unwrap_err().failure, Failure::Forbidden);
}

#[tokio::test]
async fn what_is_wrapped_can_be_had_once() {
    let Some(server) = Server::dev("what_is_wrapped_can_be_had_once").await else { return };
    let root = server.root().await;
    write(&root, "secret/data/app", json!({ "data": { "a": "b" } })).await;
    let wrapped = root.send(&Request::get("secret/data/app").wrapped(60)).await.unwrap();
    let wrap_info = wrapped.wrap_info.unwrap();
    assert_eq!((wrapped.data, wrap_info.ttl_seconds), (None, 60));
    assert_eq!(wrap_info.creation_path, "secret/data/app");
    let nobody = Vault::new(&server.settings).unwrap();
    let answer = nobody.unwrap(wrap_info.token.clone()).await.unwrap();
    assert_eq!(answer.data.unwrap()["data"]["a"], "b");
    let again = fails(nobody.unwrap(wrap_info.token)).await;
    assert_eq!(again.failure, Failure::BadRequest);
    assert!(again.remedy().unwrap().contains("unwrapped it before"), "{again}");
}

#[tokio::test]
async fn absence_deletion_refusal_and_missing_mounts_are_four_things() {
    let Some(server) = Server::dev("absence_deletion_refusal_and_missing_mounts").await else {
        return;
    };
    let root = server.root().await;
    assert_eq!(root.read("secret/data/app").await.unwrap(), None);
    assert_eq!(root.read("sys/policies/acl/missing").await.unwrap(), None);
    assert!(root.list("secret/metadata").await.unwrap().is_empty());

    write(&root, "secret/data/app", json!({ "data": { "a": "b" } })).await;
    assert_eq!(root.list("secret/metadata").await.unwrap(), ["app"]);
    root.delete("secret/data/app").await.unwrap();
    let deleted = fails(root.read("secret/data/app")).await;
    assert_eq!(deleted.failure, Failure::Deleted { version: 1, destroyed: false });
    write(&root, "secret/destroy/app", json!({ "versions": [1] })).await;
    let destroyed = fails(root.read("secret/data/app")).await;
    assert_eq!(destroyed.failure, Failure::Deleted { version: 1, destroyed: true });

    assert_eq!(fails(root.read("nowhere/app")).await.failure, Failure::NoSuchMount);
    assert_eq!(fails(root.read("sys/seal")).await.failure, Failure::Unsupported);

    let token = write_auth(&root, "auth/token/create", json!({ "policies": ["default"] })).await;
    let other = root.with_token(token);
    assert_eq!(fails(other.read("secret/data/app")).await.failure, Failure::Forbidden);
    assert_eq!(fails(other.list("sys/policies/acl")).await.failure, Failure::Forbidden);
    let wrong = root.with_token("hvs.wrong".to_string().into());
    assert_eq!(fails(wrong.read("secret/data/app")).await.failure, Failure::Forbidden);
}

async fn write_auth(vault: &Vault, path: &str, value: Value) -> SecretString {
    vault.write(path, body(value)).await.unwrap().auth.unwrap().client_token
}

#[tokio::test]
async fn a_write_that_lost_the_race_is_a_cas_mismatch() {
    let Some(server) = Server::dev("a_write_that_lost_the_race").await else { return };
    let root = server.root().await;
    let request = Request::post(
        "secret/data/app",
        body(json!({ "data": { "a": "b" }, "options": { "cas": 0 } })),
    );
    root.send(&request).await.unwrap();
    assert_eq!(fails(root.send(&request)).await.failure, Failure::CasMismatch);
    write(&root, "secret/metadata/app", json!({ "cas_required": true })).await;
    let blind = fails(root.write("secret/data/app", body(json!({ "data": {} })))).await;
    assert_eq!(blind.failure, Failure::BadRequest);
    assert!(blind.remedy().unwrap().contains("demands `cas`"), "{blind}");
}

#[tokio::test]
async fn patch_and_versions_reach_kv() {
    let Some(server) = Server::dev("patch_and_versions_reach_kv").await else { return };
    let root = server.root().await;
    write(&root, "secret/data/app", json!({ "data": { "a": "1", "b": "2" } })).await;
    let patch = Request::new(
        Method::Patch,
        "secret/data/app",
        body(json!({ "data": { "a": null, "c": "3" } })),
    );
    root.send(&patch).await.unwrap();
    let latest = root.read("secret/data/app").await.unwrap().unwrap();
    assert_eq!(latest["data"], json!({ "b": "2", "c": "3" }));
    let first = Request::new(Method::Get, "secret/data/app", body(json!({ "version": 1 })));
    assert_eq!(
        root.send(&first).await.unwrap().data.unwrap()["data"],
        json!({ "a": "1", "b": "2" })
    );
}

#[tokio::test]
async fn every_name_comes_back_as_it_was_written() {
    let Some(server) = Server::dev("every_name_comes_back_as_it_was_written").await else { return };
    let root = server.root().await;
    let names = [
        "a b",
        "ü",
        "50%",
        "%2F",
        "a?b",
        "a#b",
        "a+b",
        "a&b=c",
        "x:y@z",
        "quote\"'",
        "back\\slash",
        "…",
        "[x]",
    ];
    for name in names {
        write(&root, &format!("secret/data/{name}"), json!({ "data": { "name": name } })).await;
        let data = root.read(&format!("secret/data/{name}")).await.unwrap().unwrap();
        assert_eq!(data["data"]["name"], name);
    }
    let (mut listed, mut names) = (root.list("secret/metadata/").await.unwrap(), names.to_vec());
    listed.sort();
    names.sort();
    assert_eq!(listed, names);
}

#[tokio::test]
async fn a_new_kv_mount_can_be_used_at_once() {
    let Some(server) = Server::dev("a_new_kv_mount_can_be_used_at_once").await else { return };
    let root = server.root().await;
    for at in 0..20 {
        write(
            &root,
            &format!("sys/mounts/kv{at}"),
            json!({ "type": "kv", "options": { "version": "2" } }),
        )
        .await;
        write(&root, &format!("kv{at}/data/app"), json!({ "data": { "a": "b" } })).await;
    }
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let Some(server) = Server::dev("a_rate_limit_is_waited_for").await else { return };
    let root = server.root().await;
    write(
        &root,
        "sys/quotas/rate-limit/slow",
        json!({ "path": "secret/", "rate": 1, "interval": "1s" }),
    )
    .await;
    write(&root, "sys/quotas/config", json!({ "enable_rate_limit_response_headers": true })).await;
    let mut impatient = server.settings.clone();
    impatient.max_retries = 0;
    let impatient = Vault::new(&impatient).unwrap().with_token(ROOT.to_string().into());
    let mut refused = None;
    for _ in 0..5 {
        refused = impatient.read("secret/data/app").await.err().or(refused);
    }
    let refused = refused.unwrap();
    assert!(matches!(refused.failure, Failure::RateLimited { retry_after: Some(_) }), "{refused}");
    for _ in 0..3 {
        root.read("secret/data/app").await.unwrap();
    }
}

#[tokio::test]
async fn a_vault_says_whether_it_is_uninitialized_sealed_or_neither() {
    let Some(server) = Server::fresh("a_vault_says_whether_it_is_uninitialized").await else {
        return;
    };
    let nobody = Vault::new(&server.settings).unwrap();
    let health = nobody.health().await.unwrap();
    assert_eq!((health.initialized, health.sealed), (false, true));
    let told = |error: VaultError| format!("{error}; {}", error.remedy().unwrap());
    expect![
        "GET sys/mounts: Vault isn't initialised (status 503); initialise it: `vault operator init`"
    ]
    .assert_eq(&told(fails(nobody.read("sys/mounts")).await));

    let init =
        Request::post("sys/init", body(json!({ "secret_shares": 1, "secret_threshold": 1 })));
    let keys = nobody.send_once(&init).await.unwrap().data.unwrap();
    let root = nobody.with_token(keys["root_token"].as_str().unwrap().to_string().into());
    expect!["GET sys/mounts: Vault is sealed (status 503); unseal it: `vault operator unseal`"]
        .assert_eq(&told(fails(root.read("sys/mounts")).await));
    write(&nobody, "sys/unseal", json!({ "key": keys["keys"][0] })).await;
    assert!(root.read("sys/mounts").await.unwrap().is_some());
    let health = nobody.health().await.unwrap();
    assert!(
        health.initialized && !health.sealed && !health.standby && health.version.starts_with("1."),
        "{health:?}"
    );
}

#[tokio::test]
async fn reading_keeps_every_field_of_an_answer() {
    let Some(server) = Server::dev("reading_keeps_every_field_of_an_answer").await else { return };
    let root = server.root().await;
    let mounts = root.read("sys/mounts").await.unwrap().unwrap();
    assert_eq!(mounts["secret/"]["options"]["version"], "2");
    assert!(
        mounts.contains_key("sys/") && !mounts.contains_key("request_id"),
        "{:?}",
        mounts.keys()
    );
    let mine = write(&root, "sys/capabilities-self", json!({ "paths": ["secret/data/app"] })).await;
    assert_eq!(mine["secret/data/app"], json!(["root"]));
    let token = root.write("auth/token/create", body(json!({ "ttl": "1h" }))).await.unwrap();
    let auth = token.auth.unwrap();
    assert_eq!(
        (auth.lease_duration, auth.renewable, auth.token_type.as_str()),
        (3600, true, "service")
    );
    let warned = root
        .write("sys/policies/acl/UPPER", body(json!({ "policy": "path \"a\" {}" })))
        .await
        .unwrap();
    assert_eq!(warned.warnings.len(), 1, "{warned:?}");
}
