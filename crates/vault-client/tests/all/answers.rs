//! What each answer means, and how a refusal reads.

use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;
use vault_client::{ExposeSecret, Failure, VaultError};
use vault_model::{
    Body,
    request::{Method, Request},
};
use wiremock::ResponseTemplate;

use crate::script::{TOKEN, always, body, count, errors, json_answer, ok, vault, vault_with};

fn show(error: &VaultError) -> String {
    match error.remedy() {
        Some(remedy) => format!("{error}\n  {remedy}\n"),
        None => format!("{error}\n"),
    }
}

/// Reading `secret/data/app` when the server answers this.
async fn check(answer: ResponseTemplate, expected: Expect) {
    let server = always(answer).await;
    let vault = vault_with(&server.uri(), |it| it.max_retries = 0);
    let error = vault.send(&Request::get("secret/data/app")).await.unwrap_err();
    expected.assert_eq(&show(&error));
}

#[tokio::test]
async fn an_answer_is_read_with_its_lease_and_warnings() {
    let server = always(json_answer(
        200,
        json!({
            "request_id": "1", "lease_id": "database/creds/app/1", "lease_duration": 120, "renewable": true,
            "data": { "username": "v-app", "password": "hidden" }, "warnings": ["a little late"],
            "auth": null, "wrap_info": null
        }),
    ))
    .await;
    let answer = vault(&server.uri()).send(&Request::get("database/creds/app")).await.unwrap();
    assert_eq!(answer.data.as_ref().unwrap()["username"], "v-app");
    expect![[r#"Answer { status: 200, data: Some(["password", "username"]), auth: None, lease: Some(Lease { id: "database/creds/app/1", duration_seconds: 120, renewable: true }), wrap_info: None, warnings: ["a little late"] }"#]]
        .assert_eq(&format!("{answer:?}"));
}

#[tokio::test]
async fn an_answer_without_data_is_the_data() {
    let server = always(json_answer(200, json!({ "sealed": false, "version": "1.21.1" }))).await;
    let data = vault(&server.uri()).read("sys/seal-status").await.unwrap().unwrap();
    assert_eq!(data["version"], "1.21.1");
}

#[tokio::test]
async fn no_content_is_an_answer_without_data() {
    let server = always(ResponseTemplate::new(204)).await;
    let answer = vault(&server.uri()).write("sys/policies/acl/app", Body::new()).await.unwrap();
    assert_eq!((answer.status, answer.data), (204, None));
}

#[tokio::test]
async fn a_list_is_its_keys_and_a_missing_one_is_empty() {
    let server =
        always(json_answer(200, json!({ "request_id": "1", "data": { "keys": ["b", "a/"] } })))
            .await;
    assert_eq!(vault(&server.uri()).list("secret/metadata").await.unwrap(), ["b", "a/"]);
    let server = always(errors(404, &[])).await;
    assert!(vault(&server.uri()).list("secret/metadata").await.unwrap().is_empty());
    assert_eq!(vault(&server.uri()).read("secret/data/app").await.unwrap(), None);
}

#[tokio::test]
async fn an_absence_is_only_what_vault_calls_one() {
    check(
        errors(404, &[]),
        expect![[r#"
            GET secret/data/app: nothing is there (status 404)
        "#]],
    )
    .await;
    check(
        errors(404, &["no handler for route \"secret/data/app\". route entry not found."]),
        expect![[r#"
            GET secret/data/app: nothing is mounted there (status 404): no handler for route "secret/data/app". route entry not found.
              enable the engine or auth method first, or correct the path: its first part must be a mount (`vault secrets list`)
        "#]],
    )
    .await;
    check(
        errors(404, &["1 error occurred:\n\t* unsupported path\n\n"]),
        expect![[r#"
            GET secret/data/app: the engine has no such path or operation (status 404): unsupported path
              look the path up in the API page of this engine and of this Vault version; for KV, version 2 needs `data/` or `metadata/` behind the mount
        "#]],
    )
    .await;
    check(
        ResponseTemplate::new(404).set_body_raw("<html>no such page</html>", "text/html; charset=utf-8"),
        expect![[r#"
            GET secret/data/app: what answered isn't Vault (it sent text/html) (status 404)
              check that VAULT_ADDR is Vault's own address, and not that of a page or proxy before it
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_deleted_version_is_told_from_nothing() {
    let metadata =
        json!({ "version": 3, "deletion_time": "2026-01-01T00:00:00Z", "destroyed": false });
    let answer = json!({ "request_id": "1", "data": { "data": null, "metadata": metadata } });
    let server = always(json_answer(404, answer)).await;
    let error = vault(&server.uri()).read("secret/data/app").await.unwrap_err();
    assert_eq!(error.failure, Failure::Deleted { version: 3, destroyed: false });
    assert!(error.is_absence());
    expect!["GET secret/data/app: version 3 has been deleted (status 404)"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_refusal_is_never_an_absence() {
    check(
        errors(403, &["1 error occurred:\n\t* permission denied\n\n"]),
        expect![[r#"
            GET secret/data/app: permission denied (status 403)
              grant `read` on `secret/data/app` to a policy of this token, or use another token (and check VAULT_NAMESPACE)
        "#]],
    )
    .await;
    check(
        errors(403, &["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]),
        expect![[r#"
            GET secret/data/app: permission denied (status 403): invalid token
              the token is unknown or has expired: log in again, or set VAULT_TOKEN to a valid one
        "#]],
    )
    .await;
}

#[tokio::test]
async fn each_trouble_of_a_server_has_its_name() {
    check(
        errors(429, &["request path \"secret/data/app\": rate limit quota exceeded"]).insert_header("retry-after", "7"),
        expect![[r#"
            GET secret/data/app: too many requests, wait 7 s (status 429): request path "secret/data/app": rate limit quota exceeded
              wait 7 s, send less at once, or raise the rate limit quota
        "#]],
    )
    .await;
    check(
        errors(503, &["Vault is sealed"]),
        expect![[r#"
            GET secret/data/app: Vault is sealed (status 503)
              unseal it: `vault operator unseal`
        "#]],
    )
    .await;
    check(
        errors(500, &["local node not active but active cluster node not found"]),
        expect![[r#"
            GET secret/data/app: this node is on standby (status 500): local node not active but active cluster node not found
              wait until a node is active (`vault status`), or point VAULT_ADDR at the active one
        "#]],
    )
    .await;
    check(
        errors(412, &["required index state not present"]),
        expect![[r#"
            GET secret/data/app: this node hasn't caught up yet (status 412): required index state not present
              this node lags behind: ask again, or point VAULT_ADDR at the active node
        "#]],
    )
    .await;
    check(
        errors(400, &["check-and-set parameter did not match the current version"]),
        expect![[r#"
            GET secret/data/app: another version is there than the expected one (status 400): check-and-set parameter did not match the current version
              somebody else wrote it meanwhile: read it again and decide on what is there now
        "#]],
    )
    .await;
    check(
        errors(405, &["1 error occurred:\n\t* unsupported operation\n\n"]),
        expect![[r#"
            GET secret/data/app: the engine has no such path or operation (status 405): unsupported operation
              look the path up in the API page of this engine and of this Vault version; for KV, version 2 needs `data/` or `metadata/` behind the mount
        "#]],
    )
    .await;
    check(
        errors(500, &["error verifying connection: dial tcp 127.0.0.1:5432"]),
        expect![[r#"
            GET secret/data/app: the server failed (status 500): error verifying connection: dial tcp 127.0.0.1:5432
        "#]],
    )
    .await;
    check(
        ResponseTemplate::new(502).set_body_raw("<h1>Bad Gateway</h1>", "text/html"),
        expect![[r#"
            GET secret/data/app: the server failed (status 502)
        "#]],
    )
    .await;
    check(
        ResponseTemplate::new(400).set_body_raw("Client sent an HTTP request to an HTTPS server.\n", "text/plain"),
        expect![[r#"
            GET secret/data/app: refused (status 400): Client sent an HTTP request to an HTTPS server
              this server speaks TLS: write https:// in VAULT_ADDR
        "#]],
    )
    .await;
}

#[tokio::test]
async fn an_uninitialized_vault_is_told_from_a_sealed_one() {
    let server = wiremock::MockServer::start().await;
    let status = json_answer(200, json!({ "initialized": false, "sealed": true }));
    wiremock::Mock::given(wiremock::matchers::path("/v1/sys/seal-status"))
        .respond_with(status)
        .mount(&server)
        .await;
    wiremock::Mock::given(wiremock::matchers::any())
        .respond_with(errors(503, &["Vault is sealed"]))
        .mount(&server)
        .await;
    let vault = vault_with(&server.uri(), |it| it.max_retries = 0);
    let error = vault.read("sys/mounts").await.unwrap_err();
    expect![[r#"
        GET sys/mounts: Vault isn't initialised (status 503)
          initialise it: `vault operator init`
    "#]]
    .assert_eq(&show(&error));
    let asked = server.received_requests().await.unwrap();
    assert!(
        !asked.last().unwrap().headers.contains_key("x-vault-token"),
        "the question needs no token"
    );
}

#[tokio::test]
async fn the_health_of_a_node_is_its_status_code_and_says_one_thing() {
    let mut told = String::new();
    for status in [429, 472, 473, 501, 503] {
        let server = always(json_answer(status, json!({ "initialized": true }))).await;
        let error = vault(&server.uri()).read("sys/health").await.unwrap_err();
        told.push_str(&show(&error));
        assert!(count(&server).await <= 2, "health isn't asked again");
    }
    expect![[r#"
        GET sys/health: this node is on standby (status 429)
          wait until a node is active (`vault status`), or point VAULT_ADDR at the active one
        GET sys/health: this node is on standby (status 472)
          wait until a node is active (`vault status`), or point VAULT_ADDR at the active one
        GET sys/health: this node is on standby (status 473)
          wait until a node is active (`vault status`), or point VAULT_ADDR at the active one
        GET sys/health: Vault isn't initialised (status 501)
          initialise it: `vault operator init`
        GET sys/health: Vault is sealed (status 503)
          unseal it: `vault operator unseal`
    "#]]
    .assert_eq(&told);
}

#[tokio::test]
async fn what_isnt_json_is_never_shown() {
    check(
        ResponseTemplate::new(200).set_body_raw("<html>secret login page</html>", "text/html"),
        expect![[r#"
            GET secret/data/app: the answer isn't a JSON object (line 1, column 1) (status 200)
              check that VAULT_ADDR is Vault's own address, and not that of a page or proxy before it
        "#]],
    )
    .await;
    check(
        ResponseTemplate::new(200).set_body_raw("{\"data\": {\"password\": \"hid", "application/json"),
        expect![[r#"
            GET secret/data/app: the answer ends in the middle (status 200)
              check that VAULT_ADDR is Vault's own address, and not that of a page or proxy before it
        "#]],
    )
    .await;
    check(
        json_answer(200, json!({ "data": "hidden", "lease_id": "" })),
        expect![[r#"
            GET secret/data/app: the answer's `data` doesn't have the shape that Vault documents (status 200)
              check that VAULT_ADDR is Vault's own address, and not that of a page or proxy before it
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_huge_answer_is_refused() {
    for (bytes, fits) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let filler = "x".repeat(bytes - r#"{"data":{"a":""}}"#.len());
        let server = always(json_answer(200, json!({ "data": { "a": filler } }))).await;
        let vault = vault_with(&server.uri(), |it| it.max_answer_bytes = 1 << 20);
        match vault.read("secret/data/app").await {
            Ok(data) => assert!(fits && data.is_some()),
            Err(e) => {
                assert!(!fits);
                let expected = expect!["GET secret/data/app: the answer is larger than 1 MiB"];
                expected.assert_eq(&e.to_string());
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout() {
    let server = always(ok().set_delay(Duration::from_secs(30))).await;
    let vault = vault_with(&server.uri(), |it| it.timeout = Duration::from_millis(100));
    let error = vault.read("secret/data/app").await.unwrap_err();
    expect![[r#"
        GET secret/data/app: no answer in time
          check the way to VAULT_ADDR (firewall, proxy), or raise VAULT_CLIENT_TIMEOUT
    "#]]
    .assert_eq(&show(&error));
    assert_eq!(count(&server).await, 1, "Vault may still be at it");
}

#[tokio::test]
async fn each_method_goes_out_as_vault_documents_it() {
    let server = always(ok()).await;
    let vault = vault(&server.uri()).with_namespace("/team/");
    let requests = [
        Request::post("sys/policies/acl/app", body(json!({ "policy": "" }))).wrapped(60),
        Request::post("sys/seal", Body::new()),
        Request::new(Method::Patch, "secret/data/app", body(json!({ "data": { "a": 1 } }))),
        Request::new(Method::Get, "secret/data/app", body(json!({ "version": 2 }))),
        Request::new(Method::Delete, "x/y", body(json!({ "names": ["a b", "c"] }))),
        Request::list("secret/metadata/a b/ü%2F?#/"),
    ];
    for request in &requests {
        vault.send(request).await.unwrap();
    }
    let mut seen = String::new();
    for it in server.received_requests().await.unwrap() {
        let header = |name: &str| it.headers.get(name).map_or("", |it| it.to_str().unwrap());
        let query = it.url.query().map_or(String::new(), |it| format!("?{it}"));
        seen += &format!(
            "{} {}{query} {} type={:?} wrap={:?}\n",
            it.method,
            it.url.path(),
            String::from_utf8_lossy(&it.body),
            header("content-type"),
            header("x-vault-wrap-ttl"),
        );
        assert_eq!((header("x-vault-request"), header("x-vault-namespace")), ("true", "team"));
        assert_eq!(header("x-vault-token"), TOKEN);
    }
    expect![[r#"
        POST /v1/sys/policies/acl/app {"policy":""} type="application/json" wrap="60s"
        POST /v1/sys/seal {} type="application/json" wrap=""
        PATCH /v1/secret/data/app {"data":{"a":1}} type="application/merge-patch+json" wrap=""
        GET /v1/secret/data/app?version=2  type="" wrap=""
        DELETE /v1/x/y?names=a+b&names=c  type="" wrap=""
        LIST /v1/secret/metadata/a%20b/%C3%BC%252F%3F%23/  type="" wrap=""
    "#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn a_path_that_would_become_another_one_isnt_sent() {
    let server = always(ok()).await;
    for path in ["", "/", "a//b", "a/../b", "./a", "a/..", "a\nb", "a\tb", "a//"] {
        let error = vault(&server.uri()).read(path).await.unwrap_err();
        assert!(matches!(error.failure, Failure::Unsendable { .. }), "{path:?}: {error}");
    }
    let spaced = vault(&server.uri()).with_token("two words".to_string().into());
    let error = spaced.read("a").await.unwrap_err();
    expect!["GET a: the token holds characters that no token has"].assert_eq(&error.to_string());
    assert_eq!(count(&server).await, 0);
}

#[tokio::test]
async fn a_wrapped_answer_tells_its_wrapping_token() {
    let wrap_info = json!({
        "token": "hvs.wrapping", "accessor": "a", "ttl": 60, "creation_time": "2026-01-01T00:00:00Z",
        "creation_path": "auth/approle/role/app/secret-id"
    });
    let server = always(json_answer(
        200,
        json!({ "request_id": "1", "data": null, "wrap_info": wrap_info }),
    ))
    .await;
    let request = Request::post("auth/approle/role/app/secret-id", Body::new()).wrapped(60);
    let wrap_info = vault(&server.uri()).send(&request).await.unwrap().wrap_info.unwrap();
    assert_eq!(wrap_info.token.expose_secret(), "hvs.wrapping");
    assert_eq!(
        (wrap_info.ttl_seconds, wrap_info.creation_path.as_str()),
        (60, "auth/approle/role/app/secret-id")
    );
}
