//! No secret reaches a `Debug`, a `Display`, a remedy or a log line.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;
use vault_client::{Login, Settings, Vault};
use vault_model::request::Request;
use wiremock::ResponseTemplate;

use crate::script::{TOKEN, always, body, errors, json_answer, vault_with};

/// Each stands for one way a secret could take.
const SECRETS: [&str; 8] = [
    TOKEN,
    "p4ssw0rd-sent",
    "p4ssw0rd-answered",
    "hvs.CAESIAnswered0123456789",
    "kv-value-sent",
    "url-p4ss/word",
    "secret-id-sent",
    "proxy-p4ssword",
];

#[track_caller]
fn holds_none(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn requests() -> Vec<Request> {
    vec![
        Request::get("secret/data/app"),
        Request::post(
            "database/config/app",
            body(
                json!({ "password": "p4ssw0rd-sent", "connection_url": "postgresql://me:url-p4ss/word@db:5432/app" }),
            ),
        ),
        Request::post(
            "secret/data/app",
            body(json!({ "data": { "deep": { "a": ["kv-value-sent"] } } })),
        ),
        Request::post(
            "auth/approle/login",
            body(json!({ "role_id": "r", "secret_id": "secret-id-sent" })),
        ),
    ]
}

/// Vault repeats what this request told it, and things of its own.
fn answers(request: &Request) -> Vec<ResponseTemplate> {
    let sent = serde_json::Value::from(request.body.clone());
    let echo = format!(
        "bad: {TOKEN} {sent} hvs.CAESIAnswered0123456789 \
         cannot parse postgresql://me:url-p4ss/word@db:5432/app, \"postgresql://x:p4ssw0rd-answered@h\""
    );
    let mut answers: Vec<_> =
        [400, 403, 404, 405, 412, 429, 500, 502, 503].map(|it| errors(it, &[&echo])).into();
    let auth = json!({ "client_token": "hvs.CAESIAnswered0123456789", "lease_duration": 1 });
    let data = json!({ "password": "p4ssw0rd-answered" });
    let wrap_info = json!({ "token": "hvs.CAESIAnswered0123456789", "ttl": 1 });
    answers.push(json_answer(200, json!({ "data": data, "auth": auth, "wrap_info": wrap_info })));
    answers.push(json_answer(200, json!({ "data": "p4ssw0rd-answered" })));
    answers.push(json_answer(
        200,
        json!({ "auth": { "client_token": ["hvs.CAESIAnswered0123456789"] } }),
    ));
    answers.push(json_answer(200, json!({ "lease_duration": "p4ssw0rd-answered" })));
    answers.push(ResponseTemplate::new(200).set_body_string("p4ssw0rd-answered"));
    answers.push(ResponseTemplate::new(500).set_body_string("p4ssw0rd-answered"));
    answers.push(ResponseTemplate::new(404).set_body_raw("p4ssw0rd-answered", "text/plain"));
    let location =
        "https://me:p4ssw0rd-answered@elsewhere/v1/secret/data/app?token=p4ssw0rd-answered";
    answers.push(ResponseTemplate::new(307).insert_header("location", location));
    answers
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_answer_and_no_refusal_shows_one() {
    let log = Log::default();
    let writer = log.clone();
    // Everything, down to the HTTP library, of all tests: a subscriber of one thread misses what others registered.
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let subscriber = subscriber.with_writer(move || writer.clone()).with_ansi(false).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    for request in requests() {
        for answer in answers(&request) {
            let server = always(answer).await;
            let vault = vault_with(&server.uri(), |it| it.max_retries = 0);
            holds_none(&format!("{vault:?} {vault:#?}"));
            match vault.send(&request).await {
                Ok(answer) => holds_none(&format!("{answer:?} {answer:#?}")),
                Err(e) => holds_none(&format!("{e} {e:?} {e:#?} {:?}", e.remedy())),
            }
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("asked Vault"));
    holds_none(&log);
}

#[tokio::test]
async fn logins_and_settings_show_none() {
    let mut settings = Settings::new("http://127.0.0.1:1").unwrap();
    settings.proxy = Some("http://me:proxy-p4ssword@proxy:3128".to_string().into());
    settings.max_retries = 0;
    holds_none(&format!("{settings:?}"));
    let secret = |it: &str| it.to_string().into();
    let logins = [
        Login::Token(secret(TOKEN)),
        Login::AppRole {
            mount: "a".into(),
            role_id: "r".into(),
            secret_id: Some(secret("secret-id-sent")),
        },
        Login::Userpass {
            mount: "a".into(),
            username: "u".into(),
            password: secret("p4ssw0rd-sent"),
        },
        Login::Kubernetes { mount: "a".into(), role: "r".into(), jwt: secret("p4ssw0rd-sent") },
    ];
    for login in logins {
        holds_none(&format!("{login:?}"));
        match Vault::login(&settings, &login).await {
            Ok(vault) => holds_none(&format!("{vault:?}")),
            Err(e) => holds_none(&format!("{e} {e:?} {:?}", e.remedy())),
        }
    }
}
