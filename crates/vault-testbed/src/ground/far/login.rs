//! Somebody who logs in to a far side, what they say there, and what they are answered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::FarSide;
use crate::statements::{Heard, Statements};

/// Where, and as whom.
#[derive(Clone, Debug)]
pub struct Login {
    pub side: &'static FarSide,
    /// `host:port`
    pub address: String,
    /// Where applications come to, if it is known to be elsewhere.
    pub second_address: Option<String>,
    pub database: String,
    pub user: String,
    pub password: SecretString,
    /// What AWS wants beside keys that it lends.
    pub session_token: Option<SecretString>,
    /// How far ahead of this machine's the clock is that AWS's requests are signed by.
    pub ahead: Duration,
    /// Where it keeps what it says.
    pub statements: Arc<Statements>,
}

/// What became of a statement, or of the connection before it.
#[derive(Debug)]
pub enum Said {
    Done,
    Refused(Refusal),
}

#[derive(Debug)]
pub struct Refusal {
    /// In the server's own words: `28P01`, `1045`.
    pub code: String,
    pub message: String,
    /// It was the login that was refused, before any statement.
    pub at_login: bool,
    pub lack: Lack,
}

/// Why somebody is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A wrong password, or a login that is no more.
    OfLogin,
    OfRight,
    /// Anything else: a statement that is wrong in itself, for one.
    OfSomething,
}

#[derive(Debug, thiserror::Error)]
#[error("the server does not answer: {0}")]
pub struct NoAnswer(pub String);

const DEADLINE: Duration = Duration::from_secs(30);

impl Login {
    pub fn with(&self, user: &str, password: &SecretString) -> Self {
        let (user, password) = (user.to_owned(), password.clone());
        Self { user, password, session_token: None, ahead: Duration::ZERO, ..self.clone() }
    }

    pub fn host(&self) -> &str {
        self.address.rsplit_once(':').map_or(&self.address, |(host, _)| host)
    }

    pub fn port(&self) -> u16 {
        let port = self.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.unwrap_or(self.side.port)
    }

    /// In the server's own language.
    pub async fn say(&self, statement: &str) -> Result<Said, NoAnswer> {
        self.noting(statement, in_time((self.side.say)(self, statement))).await
    }

    /// What is said otherwise than by `say`: it is kept as well.
    pub async fn noting<T: Heard>(&self, text: &str, asked: impl Future<Output = T>) -> T {
        self.statements.noting(self.side.title, &self.user, text, asked).await
    }

    /// Whether the server's catalogue has a login called `user`.
    pub async fn knows(&self, user: &str) -> Result<bool, NoAnswer> {
        let asked = in_time((self.side.knows)(self, user));
        self.noting(&(self.side.look_up)(self, user), asked).await
    }

    /// Seconds until the server itself refuses `user`, where it says so.
    pub async fn lasts(&self, user: &str) -> Result<Option<f64>, NoAnswer> {
        match self.side.lasts {
            Some(lasts) => in_time(lasts(self, user)).await,
            None => Ok(None),
        }
    }
}

pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, NoAnswer>>,
) -> Result<T, NoAnswer> {
    let late = |_| NoAnswer(format!("nothing within {} s", DEADLINE.as_secs()));
    tokio::time::timeout(DEADLINE, answer).await.map_err(late)?
}

impl Said {
    /// For whoever may not be refused.
    pub fn done(self) -> Result<(), NoAnswer> {
        match self {
            Self::Done => Ok(()),
            Self::Refused(refusal) => Err(NoAnswer(refusal.to_string())),
        }
    }
}

impl Refusal {
    pub fn is_for_lack_of_a_right(&self) -> bool {
        !self.at_login && self.lack == Lack::OfRight
    }

    pub fn is_of_the_login(&self) -> bool {
        self.at_login && self.lack == Lack::OfLogin
    }
}

impl Heard for Said {
    fn code(&self) -> Option<String> {
        match self {
            Said::Done => None,
            Said::Refused(refusal) => Some(refusal.code.clone()),
        }
    }

    fn answer(&self) -> String {
        match self {
            Said::Done => "done".to_owned(),
            Said::Refused(refusal) => refusal.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.at_login { "login refused" } else { "refused" };
        write!(f, "{what} with {} {}", self.code, self.message)
    }
}

impl From<sqlx::Error> for NoAnswer {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}
