//! A token goes only where the settings say: redirects and proxies.

use expect_test::expect;
use vault_client::Failure;
use wiremock::{MockServer, ResponseTemplate};

use crate::script::{TOKEN, always, count, ok, vault, vault_with};

async fn standby(location: &str) -> MockServer {
    always(ResponseTemplate::new(307).insert_header("location", location)).await
}

#[tokio::test]
async fn another_node_on_the_same_host_is_followed() {
    let active = always(ok()).await;
    let standby = standby(&format!("{}/v1/sys/mounts?list=true", active.uri())).await;
    let request = serde_json::json!({ "list": true });
    let request = vault_model::request::Request::new(
        vault_model::request::Method::Get,
        "sys/mounts",
        request.as_object().unwrap().clone(),
    );
    vault(&standby.uri()).send(&request).await.unwrap();
    let asked = active.received_requests().await.unwrap();
    assert_eq!(asked[0].headers["x-vault-token"], TOKEN);
}

#[tokio::test]
async fn a_host_that_nobody_named_is_an_error() {
    let other = always(ok()).await;
    let other_address = other.uri().replace("127.0.0.1", "localhost");
    let standby = standby(&format!("{other_address}/v1/sys/mounts")).await;
    let error = vault(&standby.uri()).read("sys/mounts").await.unwrap_err();
    assert_eq!(error.failure, Failure::Redirect { to: other_address.clone() });
    let remedy = format!(
        "point VAULT_ADDR at {other_address}, or name that host as one that may be followed"
    );
    assert_eq!(error.remedy(), Some(remedy));
    assert_eq!(count(&other).await, 0, "the token must not leave");
}

#[tokio::test]
async fn a_host_that_the_settings_name_is_followed() {
    let active = always(ok()).await;
    let address = active.uri().replace("127.0.0.1", "localhost");
    let standby = standby(&format!("{address}/v1/sys/mounts")).await;
    let port = active.address().port();
    for named in ["localhost".to_string(), "LOCALHOST".to_string(), format!("localhost:{port}")] {
        let vault = vault_with(&standby.uri(), |it| it.redirect_hosts = vec![named]);
        assert!(vault.read("sys/mounts").await.unwrap().is_some());
    }
    let vault = vault_with(&standby.uri(), |it| it.redirect_hosts = vec!["localhost:1".into()]);
    vault.read("sys/mounts").await.unwrap_err();
}

#[tokio::test]
async fn another_path_is_never_followed() {
    let server = standby("/v1/sys/other").await;
    let error = vault(&server.uri()).read("sys/mounts").await.unwrap_err();
    assert_eq!(error.failure, Failure::Redirect { to: server.uri() });
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = standby("/v1/sys/mounts").await;
    vault(&server.uri()).read("sys/mounts").await.unwrap_err();
    assert_eq!(count(&server).await, 4);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_error() {
    let server = always(ResponseTemplate::new(307)).await;
    let error = vault(&server.uri()).read("sys/mounts").await.unwrap_err();
    expect!["GET sys/mounts: redirected to nowhere (status 307)"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_proxy_that_is_named_is_used() {
    let proxy = always(ok()).await;
    let through = |address: &str| {
        vault_with(address, |it| {
            it.proxy = Some(proxy.uri().into());
            it.max_retries = 0;
        })
    };
    through("http://vault.invalid:8200").read("sys/mounts").await.unwrap();
    let asked = proxy.received_requests().await.unwrap();
    assert_eq!(asked[0].headers["host"], "vault.invalid:8200");
    // Through a tunnel, which this one can't make; the token isn't told to it.
    through("https://vault.invalid:8200").read("sys/mounts").await.unwrap_err();
    let asked = proxy.received_requests().await.unwrap();
    assert!(asked[1..].iter().all(|it| !it.headers.contains_key("x-vault-token")));
}
