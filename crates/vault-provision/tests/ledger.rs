//! An apply and its ledger, against a scripted server: no real one can be told when to be slow.

use std::{fs, time::Duration};

use serde_json::json;
use vault_client::{Settings, Vault};
use vault_provision::{LedgerError, SpecInputs, Stop, load, prepare};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path, path_regex},
};

const SPEC: &str = r#"
name: slow
secrets:
  database:
    type: database
    connections:
      one: &connection
        plugin_name: postgresql-database-plugin
        connection_url: "postgresql://{{username}}:{{password}}@db.example/demo?sslmode=verify-full"
        username: vault
        password: none
        rotate_root: once
      two: *connection
      three: *connection
"#;

/// Nothing is there, every write is taken, and the ledger's are slow.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    let nothing = ResponseTemplate::new(404).set_body_json(json!({ "errors": [] }));
    let table = ResponseTemplate::new(200).set_body_json(json!({ "data": {} }));
    let kept = ResponseTemplate::new(200).set_body_json(json!({ "data": { "version": 1 } }));
    let slow = kept.set_delay(Duration::from_millis(100));
    let post = || Mock::given(method("POST"));
    Mock::given(method("GET"))
        .and(path("/v1/sys/mounts"))
        .respond_with(table.clone())
        .mount(&server)
        .await;
    Mock::given(method("GET")).and(path("/v1/sys/auth")).respond_with(table).mount(&server).await;
    post().and(path_regex("^/v1/[^/]+/data/")).respond_with(slow).mount(&server).await;
    post().respond_with(ResponseTemplate::new(204)).mount(&server).await;
    Mock::given(any()).respond_with(nothing).mount(&server).await;
    server
}

#[tokio::test]
async fn rotations_that_wait_for_each_others_note_all_end() {
    let server = server().await;
    let vault = Vault::new(&Settings::new(&server.uri()).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    fs::write(&file, SPEC).unwrap();
    let spec = load(&file, &SpecInputs::default()).unwrap();
    let prepared = prepare(&vault, &spec).await.unwrap();

    let stop = Stop::default();
    let mut silent = |_: vault_provision::Event<'_>| {};
    let run = prepared.apply(&vault, &stop, &mut silent);
    let applied = tokio::time::timeout(Duration::from_secs(10), run).await.unwrap().unwrap();

    assert!(applied.succeeded(), "{:?}", applied.results);
}

/// Both read the same version of the ledger, and the other was quicker.
#[tokio::test]
async fn who_is_overtaken_changes_nothing() {
    let server = MockServer::start().await;
    let nothing = ResponseTemplate::new(404).set_body_json(json!({ "errors": [] }));
    let table = ResponseTemplate::new(200).set_body_json(json!({ "data": {} }));
    let overtaken = ResponseTemplate::new(400).set_body_json(
        json!({ "errors": ["check-and-set parameter did not match the current version"] }),
    );
    let on = |verb: &str, place: &str| Mock::given(method(verb)).and(path_regex(place));
    on("GET", "^/v1/sys/(mounts|auth)$").respond_with(table).mount(&server).await;
    on("POST", "^/v1/vaultwright/data/").respond_with(overtaken).expect(1).mount(&server).await;
    on("POST", "^/v1/sys/mounts/vaultwright$")
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    on("POST", "^/v1/sys/capabilities-self$").respond_with(nothing.clone()).mount(&server).await;
    on("POST", "").respond_with(ResponseTemplate::new(204)).expect(0).mount(&server).await;
    Mock::given(any()).respond_with(nothing).mount(&server).await;

    let vault = Vault::new(&Settings::new(&server.uri()).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    fs::write(&file, "name: shop\nsecrets: { kv: { type: kv } }\n").unwrap();
    let spec = load(&file, &SpecInputs::default()).unwrap();
    let prepared = prepare(&vault, &spec).await.unwrap();
    let applied = prepared.apply(&vault, &Stop::default(), &mut |_| {}).await;
    assert!(matches!(applied, Err(LedgerError::Overtaken)), "{applied:?}");
}
