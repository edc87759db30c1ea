//! Requests to AWS, each signed with a login's keys as version 4 of its signatures says.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, Method};
use ring::digest::{SHA256, digest};
use secrecy::ExposeSecret;
use url::form_urlencoded::Serializer;

use super::aws::texts;
use super::{Login, NoAnswer, hmac};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    service: String,
    method: Method,
    path: String,
    body: String,
}

pub(super) enum Answered {
    /// With the answer's text.
    Done(String),
    Refused {
        code: String,
        message: String,
    },
}

const REGION: &str = "us-east-1";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const TIMEOUT: Duration = Duration::from_secs(20);
/// Of services that take an action and parameters, their version.
const QUERIED: [(&str, &str); 2] = [("iam", "2010-05-08"), ("sts", "2011-06-15")];

impl Request {
    pub fn parse(text: &str) -> Result<Self, NoAnswer> {
        let mut lines = text.lines();
        let words: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        let version = |service: &str| QUERIED.iter().find(|(name, _)| *name == service);
        match words[..] {
            ["s3", method, path] => {
                let method = method.parse().map_err(|_| wrong(text))?;
                let body = lines.collect::<Vec<_>>().join("\n");
                Ok(Self { service: "s3".into(), method, path: path.into(), body })
            }
            [service, action] => {
                let (_, version) = version(service).ok_or_else(|| wrong(text))?;
                let mut body = Serializer::new(String::new());
                body.append_pair("Action", action).append_pair("Version", version);
                for line in lines {
                    let (name, value) = line.split_once(':').ok_or_else(|| wrong(line))?;
                    body.append_pair(name.trim(), value.trim());
                }
                let (service, body) = (service.to_owned(), body.finish());
                Ok(Self { service, method: Method::POST, path: "/".into(), body })
            }
            _ => Err(wrong(text)),
        }
    }
}

fn wrong(text: &str) -> NoAnswer {
    NoAnswer(format!(
        "`{text}` is no request, such as `iam GetUser` with `UserName: app` below it, or `s3 GET /`"
    ))
}

/// It speaks no TLS: the system's authorities need not be read.
pub(super) fn client() -> Result<Client, NoAnswer> {
    let client = Client::builder().no_proxy().tls_certs_only([]).timeout(TIMEOUT);
    client.build().map_err(silent)
}

pub(super) async fn send(login: &Login, request: &Request) -> Result<Answered, NoAnswer> {
    let url = format!("http://{}{}", login.address, request.path);
    let now = (Timestamp::now() + login.ahead).strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut sent = client()?.request(request.method.clone(), url).body(request.body.clone());
    for (name, value) in headers(login, request, &now) {
        sent = sent.header(name, value);
    }
    let answer = sent.send().await.map_err(silent)?;
    let (status, text) = (answer.status(), answer.text().await.map_err(silent)?);
    if status.is_success() {
        return Ok(Answered::Done(text));
    }
    let first = |name: &str| texts(&text, name).next().unwrap_or_default().to_owned();
    match texts(&text, "Code").next() {
        Some(code) => Ok(Answered::Refused { code: code.to_owned(), message: first("Message") }),
        None => Err(NoAnswer(format!("it answers {status} without a reason"))),
    }
}

/// All that is sent beside the host, the signature among them.
fn headers(login: &Login, request: &Request, now: &str) -> Vec<(&'static str, String)> {
    let hash = hex(digest(&SHA256, request.body.as_bytes()).as_ref());
    // In the order of the alphabet, as they are signed.
    let mut headers = vec![("content-type", FORM.to_owned())];
    let host = ("host", login.address.clone());
    headers.extend([("x-amz-content-sha256", hash.clone()), ("x-amz-date", now.to_owned())]);
    let token = login.session_token.as_ref();
    headers.extend(token.map(|it| ("x-amz-security-token", it.expose_secret().to_owned())));
    let signed: Vec<_> = headers[..1].iter().chain([&host]).chain(&headers[1..]).collect();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{hash}", request.method);
    let scope = [&now[..8], REGION, &request.service, "aws4_request"];
    let signature = signature(login.password.expose_secret(), &scope, now, &canonical);
    let (key, scope) = (&login.user, scope.join("/"));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    headers.push(("authorization", authorization));
    headers
}

fn signature(secret: &str, scope: &[&str; 4], now: &str, canonical: &str) -> String {
    let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{now}\n{}\n{hash}", scope.join("/"));
    let first = format!("AWS4{secret}").into_bytes();
    let key = scope.iter().fold(first, |key, part| hmac(&key, part));
    hex(&hmac(&key, &text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn silent(error: reqwest::Error) -> NoAnswer {
    NoAnswer(error.without_url().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Amazon's documentation: `iam ListUsers` of 2015.
    #[test]
    fn a_request_is_signed_as_the_documentation_has_it() {
        let canonical = "GET\n/\nAction=ListUsers&Version=2010-05-08\n\
             content-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\n\
             x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let scope = ["20150830", "us-east-1", "iam", "aws4_request"];
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(
            signature(secret, &scope, "20150830T123600Z", canonical),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn a_statement_is_an_action_with_its_parameters() {
        let request = Request::parse("iam GetUser\nUserName: app").map(|it| it.body);
        let body = "Action=GetUser&Version=2010-05-08&UserName=app";
        assert_eq!(request.ok().as_deref(), Some(body));
        assert!(Request::parse("ec2 RunInstances").is_err());
        assert!(Request::parse("s3 GET /reports").is_ok_and(|it| it.path == "/reports"));
    }
}
