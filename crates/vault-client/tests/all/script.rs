//! A server that answers what a test tells it to.

use std::time::Duration;

use serde_json::{Value, json};
use vault_client::{Settings, Vault};
use vault_model::Body;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

pub const TOKEN: &str = "hvs.CAESIJnotARealTokenButLongEnough";

/// Every request gets this answer.
pub async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// The first answers in this order, then the last one for ever.
pub async fn in_turn(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (at, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(any()).respond_with(answer);
        let mock = if at < last { mock.up_to_n_times(1) } else { mock };
        mock.mount(&server).await;
    }
    server
}

pub fn json_answer(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

pub fn errors(status: u16, errors: &[&str]) -> ResponseTemplate {
    json_answer(status, json!({ "errors": errors }))
}

pub fn ok() -> ResponseTemplate {
    json_answer(200, json!({ "request_id": "1", "data": { "works": true } }))
}

/// With a token, and repetitions that don't keep a test waiting.
pub fn vault(address: &str) -> Vault {
    vault_with(address, |_| ())
}

pub fn vault_with(address: &str, change: impl FnOnce(&mut Settings)) -> Vault {
    let mut settings = Settings::new(address).unwrap();
    settings.retry_budget = Duration::from_secs(2);
    settings.max_retries = 3;
    change(&mut settings);
    Vault::new(&settings).unwrap().with_token(TOKEN.to_string().into())
}

pub async fn count(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

pub fn body(value: Value) -> Body {
    value.as_object().unwrap().clone()
}
