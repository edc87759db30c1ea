//! What was said to far sides and what came back, for whoever shows it.

use std::fmt::{self, Debug, Display, Formatter};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::Said;

/// Logins that came out of the same server write into the same.
#[derive(Default)]
pub struct Statements(Mutex<Vec<Statement>>);

#[derive(Clone)]
pub struct Statement {
    /// `PostgreSQL`
    pub server: &'static str,
    pub user: String,
    /// In the server's own language. It may hold secrets.
    pub text: String,
    /// Where it was refused, in the server's own words: an SQLSTATE, for one.
    pub code: Option<String>,
    pub answer: String,
    pub at: SystemTime,
    pub took: Duration,
}

/// What an answer comes down to.
pub trait Heard {
    fn code(&self) -> Option<&str> {
        None
    }
    fn answer(&self) -> String;
}

impl Statements {
    /// In the order of the answers.
    pub fn all(&self) -> Vec<Statement> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn add(&self, statement: Statement) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(statement);
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

impl Heard for Said {
    fn code(&self) -> Option<&str> {
        match self {
            Said::Done => None,
            Said::Refused(refusal) => Some(&refusal.code),
        }
    }

    fn answer(&self) -> String {
        match self {
            Said::Done => "done".to_owned(),
            Said::Refused(refusal) => refusal.to_string(),
        }
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
    fn code(&self) -> Option<&str> {
        self.as_ref().ok().and_then(Heard::code)
    }

    fn answer(&self) -> String {
        self.as_ref().map_or_else(|error| format!("no answer: {error}"), Heard::answer)
    }
}
