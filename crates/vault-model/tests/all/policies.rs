//! What a real server answered to `sys/capabilities`, and to requests on a key-value mount, the model answers, too.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use vault_model::Body;
use vault_model::policy::{self, Policy};

#[derive(Deserialize)]
struct Recording {
    server: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    what: String,
    policies: Vec<String>,
    /// What the server answered for each path.
    capabilities: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Requests {
    server: String,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Request {
    policies: Vec<String>,
    operation: String,
    path: String,
    #[serde(default)]
    body: Body,
    /// Seconds for which the answer was to be wrapped.
    wrap_ttl: Option<u64>,
    allowed: bool,
}

fn recording() -> Recording {
    serde_json::from_str(include_str!("capabilities.json")).expect("a recording")
}

#[track_caller]
fn check(server: &str, case: &Case, policies: &[Policy]) {
    let name = |text: &String| if text == "root" { "root" } else { "p" };
    let named: Vec<(&str, &Policy)> = case.policies.iter().map(name).zip(policies).collect();
    for (path, recorded) in &case.capabilities {
        let answer = policy::capabilities(&named, path);
        assert_eq!(
            &answer.capabilities.names(),
            recorded,
            "{server}: {}: {path}\n{}",
            case.what,
            case.policies.join("\n")
        );
    }
}

fn parsed(text: &str) -> Policy {
    match text {
        "root" => Policy::default(),
        text => policy::parse(text).expect("a policy that the server took"),
    }
}

#[test]
fn the_model_answers_what_the_server_answered() {
    let recording = recording();
    for case in &recording.cases {
        let policies: Vec<Policy> = case.policies.iter().map(|it| parsed(it)).collect();
        check(&recording.server, case, &policies);
    }
}

#[test]
fn a_printed_policy_gets_the_same_answers() {
    let recording = recording();
    for case in &recording.cases {
        let printed =
            case.policies.iter().map(|it| parsed(&parsed(it).to_string())).collect::<Vec<_>>();
        check(&recording.server, case, &printed);
        let canonical = case.policies.iter().map(|it| parsed(&parsed(it).canonical().to_string()));
        check(&recording.server, case, &canonical.collect::<Vec<_>>());
    }
}

#[test]
fn the_model_lets_pass_what_the_server_let_pass() {
    let Requests { server, requests } =
        serde_json::from_str(include_str!("requests.json")).unwrap();
    for request in requests {
        let policies: Vec<Policy> = request.policies.iter().map(|it| parsed(it)).collect();
        let named: Vec<(&str, &Policy)> = policies.iter().map(|it| ("p", it)).collect();
        let operation = request.operation.parse().unwrap();
        let verdict = policy::may(&named, operation, &request.path);
        let answer = verdict.permissions.admits(
            operation,
            &request.body,
            request.wrap_ttl.map(Duration::from_secs),
        );
        assert_eq!(
            answer.is_ok(),
            request.allowed,
            "{server}: {operation} {} {:?} {:?}: {answer:?}\n{}",
            request.path,
            request.body,
            request.wrap_ttl,
            request.policies.join("\n")
        );
    }
}
