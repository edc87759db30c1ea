//! SQL, as a login says it, and what the database answers.

use std::fmt;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use crate::world::{Failure, Result};

/// What became of a statement, or of the connection before it.
#[derive(Debug)]
pub enum Said {
    Done,
    Refused(Refusal),
}

#[derive(Debug)]
pub struct Refusal {
    /// Five letters and digits: `28P01`.
    pub sqlstate: String,
    pub message: String,
    /// It was the login that was refused.
    pub at_login: bool,
}

/// PostgreSQL's code for a right that is missing, and for a write where only reading is allowed.
const NO_RIGHT: [&str; 2] = ["42501", "25006"];

/// An error only where the database says nothing at all.
pub async fn say(options: &PgConnectOptions, sql: &str) -> Result<Said> {
    let mut connection = match PgConnection::connect_with(options).await {
        Ok(connection) => connection,
        Err(error) => return refused(error, true),
    };
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    let said = match done {
        Ok(_) => Ok(Said::Done),
        Err(error) => refused(error, false),
    };
    let _ = connection.close().await;
    said
}

fn refused(error: sqlx::Error, at_login: bool) -> Result<Said> {
    let Some(database) = error.as_database_error() else {
        return Err(Failure(format!("the database does not answer: {error}")));
    };
    let sqlstate = database.code().unwrap_or_default().into_owned();
    let message = database.message().to_owned();
    Ok(Said::Refused(Refusal { sqlstate, message, at_login }))
}

impl Refusal {
    pub fn is_for_lack_of_a_right(&self) -> bool {
        !self.at_login && NO_RIGHT.contains(&self.sqlstate.as_str())
    }

    /// Class 28, invalid authorization: a wrong password, or a login that is no more.
    pub fn is_of_the_login(&self) -> bool {
        self.at_login && self.sqlstate.starts_with("28")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.at_login { "login refused" } else { "refused" };
        write!(f, "{what} with {} {}", self.sqlstate, self.message)
    }
}
