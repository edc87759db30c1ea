//! What was asked otherwise than by our own client of Vault, and what came back, for whoever shows it: what is said to
//! other servers, and what somebody else's programs and libraries ask, be it of Vault.

use std::fmt::{self, Debug, Display, Formatter};
use std::process::Output;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// All that one scenario says goes into the same.
#[derive(Default)]
pub struct Statements(Mutex<Vec<Statement>>);

#[derive(Clone)]
pub struct Statement {
    /// Who was asked: `PostgreSQL`, `Vault`.
    pub server: &'static str,
    /// Who asked: a login, or a client of another make.
    pub user: String,
    /// In the server's own language: a statement, a request, what a program was told. It may hold secrets.
    pub text: String,
    /// Where it was refused, in the server's own words: an SQLSTATE, for one.
    pub code: Option<String>,
    pub answer: String,
    pub at: SystemTime,
    pub took: Duration,
}

/// What an answer comes down to.
pub trait Heard {
    /// Of a refusal.
    fn code(&self) -> Option<String> {
        None
    }
    fn answer(&self) -> String;
}

impl Statements {
    /// In the order of the answers.
    pub fn all(&self) -> Vec<Statement> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What `user` asks `server`, once it is answered.
    pub async fn noting<T: Heard>(
        &self,
        server: &'static str,
        user: &str,
        text: &str,
        asked: impl Future<Output = T>,
    ) -> T {
        let (at, began) = (SystemTime::now(), Instant::now());
        let heard = asked.await;
        let statement = Statement {
            server,
            user: user.to_owned(),
            text: text.to_owned(),
            code: heard.code(),
            answer: heard.answer(),
            at,
            took: began.elapsed(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(statement);
        heard
    }
}

impl Debug for Statements {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

/// What was said, and what came back, may hold secrets.
impl Debug for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.server, self.user)
    }
}

impl Heard for () {
    fn answer(&self) -> String {
        "done".to_owned()
    }
}

/// Whether something is there.
impl Heard for bool {
    fn answer(&self) -> String {
        if *self { "found" } else { "not found" }.to_owned()
    }
}

/// Of names that were looked for.
impl Heard for Vec<String> {
    fn answer(&self) -> String {
        format!("{} found", self.len())
    }
}

impl<T> Heard for Option<T> {
    fn answer(&self) -> String {
        if self.is_some() { "a row" } else { "no row" }.to_owned()
    }
}

/// An error is no answer.
impl<T: Heard, E: Display> Heard for Result<T, E> {
    fn code(&self) -> Option<String> {
        self.as_ref().ok().and_then(Heard::code)
    }

    fn answer(&self) -> String {
        self.as_ref().map_or_else(|error| format!("no answer: {error}"), Heard::answer)
    }
}

/// Of a program that came to its end: its exit code, and what it told.
impl Heard for Output {
    fn code(&self) -> Option<String> {
        let code = || self.status.code().map_or_else(|| "none".to_owned(), |it| it.to_string());
        (!self.status.success()).then(code)
    }

    fn answer(&self) -> String {
        let told = if self.status.success() { &self.stdout } else { &self.stderr };
        let told = String::from_utf8_lossy(told);
        let words: Vec<&str> = told.split_whitespace().collect();
        format!("{}: {}", self.status, words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn what_a_program_says_is_kept_with_its_exit_code() {
        let statements = Statements::default();
        for script in ["echo good", "echo Permission denied >&2; exit 3"] {
            let run = async { Command::new("sh").args(["-c", script]).output() };
            let _ = statements.noting("sh", "somebody", script, run).await;
        }
        let told: Vec<_> = statements.all().into_iter().map(|it| (it.code, it.answer)).collect();
        let refused = (Some("3".to_owned()), "exit status: 3: Permission denied".to_owned());
        assert_eq!(told, [(None, "exit status: 0: good".to_owned()), refused]);
    }
}
