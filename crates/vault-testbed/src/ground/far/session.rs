//! A session that stays open, as applications with a pool keep theirs, and what becomes of it: it may outlive its login.

use std::fmt;

use super::login::{Login, NoAnswer, in_time};
use super::{Answer, FarSide};
use crate::statements::Heard;

/// Where a server keeps sessions of its logins.
pub struct Sessions {
    /// Where it lists them.
    pub catalogue: &'static str,
    /// None where a login may have none.
    pub(super) open: for<'a> fn(Opening<'a>) -> Answer<'a, Option<Opened>>,
    /// How the list is asked for one, in the server's own language.
    pub(super) look_up: fn(&str) -> String,
    /// Whether the list has it.
    pub(super) lists: for<'a> fn(&'a Login, &'a str) -> Answer<'a, bool>,
}

/// Who opens a session, and who knows where that is possible.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub login: &'a Login,
    pub superuser: Option<&'a Login>,
}

pub(super) struct Opened {
    /// As the list has it.
    pub id: String,
    pub line: Box<dyn Line>,
}

/// What leads to the server.
pub(super) trait Line: Send {
    /// Asks for nothing.
    fn ask(&mut self) -> Answer<'_, Fate>;
}

/// What became of a session.
#[derive(Debug)]
pub enum Fate {
    GoesOn,
    /// How it ended.
    Over(String),
}

pub struct Session {
    login: Login,
    id: String,
    line: Box<dyn Line>,
}

impl FarSide {
    pub fn has_sessions(&self) -> bool {
        self.sessions.is_some()
    }
}

impl Login {
    /// None where the server keeps no sessions, or where the login may have none. `superuser` knows where it may.
    pub async fn open_session(
        &self,
        superuser: Option<&Login>,
    ) -> Result<Option<Session>, NoAnswer> {
        let Some(sessions) = &self.side.sessions else { return Ok(None) };
        let opening = in_time((sessions.open)(Opening { login: self, superuser }));
        let opening = async { opening.await.map(MayBe) };
        let MayBe(opened) = self.noting("open a session", opening).await?;
        Ok(opened.map(|Opened { id, line }| Session { login: self.clone(), id, line }))
    }

    /// Whether the server lists the session.
    pub async fn lists(&self, session: &Session) -> Result<bool, NoAnswer> {
        let Some(sessions) = &self.side.sessions else { return Ok(false) };
        let asked = in_time((sessions.lists)(self, &session.id));
        self.noting(&(sessions.look_up)(&session.id), asked).await
    }
}

impl Session {
    pub async fn fate(&mut self) -> Result<Fate, NoAnswer> {
        let Self { login, line, .. } = self;
        login.noting("ask in the open session", in_time(line.ask())).await
    }
}

struct MayBe(Option<Opened>);

impl Heard for MayBe {
    fn answer(&self) -> String {
        if self.0.is_some() { "it is open" } else { "none may be opened" }.to_owned()
    }
}

impl Heard for Fate {
    fn answer(&self) -> String {
        match self {
            Fate::GoesOn => "it goes on".to_owned(),
            Fate::Over(how) => format!("it is over: {how}"),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.id)
    }
}
