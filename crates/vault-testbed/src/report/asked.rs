//! What a step asked of servers, and what came back: its evidence beside what it says itself.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use vault_client::Exchange;

use crate::{secrets::Secrets, statements::Statement};

/// All texts are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedResult {
    /// Since the scenario began.
    pub at: Duration,
    /// Of all times together.
    pub took: Duration,
    /// So often in a row, with the same answer.
    pub times: usize,
    pub what: Asked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A request to Vault.
    Request { method: &'static str, path: String, status: u16 },
    /// Something asked otherwise than by our own client of Vault: of another server, or by another client.
    Statement {
        server: &'static str,
        login: String,
        text: String,
        /// Where it was refused, in the server's own words: an SQLSTATE, for one.
        code: Option<String>,
        answer: String,
    },
}

/// A step that asks more has the first of it and the last of it in the report, as many of each.
pub const MOST_ASKED: usize = 40;

/// What was asked in a scenario, in the order of time.
pub(super) fn asked(
    exchanges: &[Exchange],
    statements: &[Statement],
    began: SystemTime,
    secrets: &Secrets,
) -> Vec<(SystemTime, AskedResult)> {
    let since = |at: SystemTime| at.duration_since(began).unwrap_or_default();
    let of_vault = exchanges.iter().map(|it| {
        let path = secrets.mask_all(&it.path);
        let what = Asked::Request { method: it.method.name(), path, status: it.status };
        (it.at, AskedResult { at: since(it.at), took: it.took, times: 1, what })
    });
    let of_others = statements.iter().map(|it| {
        let what = Asked::Statement {
            server: it.server,
            login: secrets.mask_all(&it.user),
            text: secrets.mask_all(&it.text),
            code: it.code.clone(),
            answer: secrets.mask_all(&it.answer),
        };
        (it.at, AskedResult { at: since(it.at), took: it.took, times: 1, what })
    });
    let mut all: Vec<_> = of_vault.chain(of_others).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

/// What is asked again and again with the same answer is one; beside what is left, how much is left out.
pub(super) fn shortened(all: Vec<AskedResult>) -> (Vec<AskedResult>, usize) {
    let mut shown: Vec<AskedResult> = Vec::new();
    for next in all {
        match shown.last_mut().filter(|it| it.what == next.what) {
            Some(last) => (last.times, last.took) = (last.times + 1, last.took + next.took),
            None => shown.push(next),
        }
    }
    let left_out = shown.len().saturating_sub(MOST_ASKED);
    if left_out > 0 {
        shown.drain(MOST_ASKED / 2..MOST_ASKED / 2 + left_out);
    }
    (shown, left_out)
}

/// `GET database/creds/app → 200 (12 ms)`, on one line.
impl fmt::Display for AskedResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Asked::Request { method, path, status } => write!(f, "{method} {path} → {status}")?,
            Asked::Statement { server, login, text, answer, .. } => {
                let text: Vec<&str> = text.split_whitespace().collect();
                write!(f, "{server} as {login}: {} → {answer}", text.join(" "))?;
            }
        }
        let millis = self.took.as_millis();
        match self.times {
            1 => write!(f, " ({millis} ms)"),
            times => write!(f, " ({millis} ms, {times} times)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use vault_model::request::Method;

    use super::*;

    fn request(path: &str, status: u16) -> AskedResult {
        let what = Asked::Request { method: "GET", path: path.into(), status };
        AskedResult { at: Duration::ZERO, took: Duration::from_millis(2), times: 1, what }
    }

    #[test]
    fn what_is_asked_again_and_again_is_told_once() {
        let all = vec![request("a", 200), request("a", 200), request("a", 404), request("a", 200)];
        let (shown, left_out) = shortened(all);
        let times: Vec<usize> = shown.iter().map(|it| it.times).collect();
        assert_eq!((times, left_out), (vec![2, 1, 1], 0));
        assert_eq!(shown[0].took, Duration::from_millis(4));
    }

    #[test]
    fn of_a_long_list_the_middle_is_left_out_and_counted() {
        let all = (0..100).map(|it| request(&it.to_string(), 200)).collect();
        let (shown, left_out) = shortened(all);
        assert_eq!((shown.len(), left_out), (MOST_ASKED, 60));
        let paths: Vec<_> = shown.iter().map(|it| it.what.clone()).collect();
        let is = |at: usize, path: &str| paths[at] == request(path, 200).what;
        assert!(is(0, "0") && is(19, "19") && is(20, "80") && is(39, "99"));
    }

    #[test]
    fn what_is_asked_shows_no_secret_not_even_one_that_nobody_told_of() {
        let began = SystemTime::now();
        let (at, took) = (began + Duration::from_secs(2), Duration::from_millis(3));
        let exchange = |path: &str| Exchange {
            method: Method::Get,
            path: path.into(),
            status: 200,
            request_id: String::new(),
            at,
            took,
        };
        let statement = Statement {
            server: "PostgreSQL",
            user: "v-app".into(),
            text: "ALTER ROLE app PASSWORD 'hunter2hunter2'".into(),
            code: Some("28P01".into()),
            answer: "login refused with 28P01 hunter2hunter2".into(),
            at: began,
            took,
        };
        let secrets = Secrets::default();
        secrets.add("a password", "hunter2hunter2");
        let exchanges = [
            exchange("auth/token/lookup/hvs.CAESIJ0123456789abcdefghij"),
            exchange("secret/data/hunter2hunter2"),
        ];
        let asked = asked(&exchanges, &[statement], began, &secrets);
        let shown = format!("{asked:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("CAESIJ"), "{shown}");
        let text = "ALTER ROLE app PASSWORD '***'".to_owned();
        assert!(matches!(&asked[0].1.what, Asked::Statement { text: it, .. } if *it == text));
        let path = "auth/token/lookup/***".to_owned();
        assert!(matches!(&asked[1].1.what, Asked::Request { path: it, .. } if *it == path));
        assert_eq!(asked[1].1.at, Duration::from_secs(2));
    }
}
