//! Far sides that speak SQL: how each is asked, whatever its driver.

use futures::FutureExt;
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Database, Executor, PgConnection, Row as _};

use super::session::{Fate, Line, Opened, Opening};
use super::{Answer, Lack, Login, NoAnswer, Refusal, Said};
use crate::statements::Heard;

/// A driver's connection, and what its server means.
pub(super) trait Dialect: Connection<Database: Database<Connection = Self>> {
    fn options(login: &Login) -> Self::Options;
    /// A query for the number that the server knows the connection by.
    const NUMBER: &'static str;
    fn number(row: &Row<Self>) -> Result<String, sqlx::Error>;
    /// A query for the connection of a number, which follows. Of a login that is gone some lists tell no name.
    const LISTED: &'static str;
    /// The server's own code, and what it is for.
    fn lack(error: &dyn DatabaseError) -> (String, Lack);
}

type Row<C> = <<C as Connection>::Database as Database>::Row;

pub(super) async fn say<C: Dialect>(login: &Login, sql: &str) -> Result<Said, NoAnswer>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let mut connection = match C::connect_with(&C::options(login)).await {
        Ok(connection) => connection,
        Err(error) => return refused::<C>(error, true),
    };
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    let said = done.map_or_else(|error| refused::<C>(error, false), |_| Ok(Said::Done));
    let _ = connection.close().await;
    said
}

/// The first row of an answer.
pub(super) async fn ask<C: Dialect>(
    login: &Login,
    sql: String,
) -> Result<Option<Row<C>>, sqlx::Error>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    login.noting(&sql, first::<C>(login, &sql)).await
}

/// The same, where somebody else notes it.
pub(super) async fn first<C: Dialect>(
    login: &Login,
    sql: &str,
) -> Result<Option<Row<C>>, sqlx::Error>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let mut connection = C::connect_with(&C::options(login)).await?;
    let row = connection.fetch_optional(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
    connection.close().await?;
    Ok(row)
}

/// A connection that stays open.
pub(super) async fn open<C: Dialect + 'static>(
    Opening { login, .. }: Opening<'_>,
) -> Result<Option<Opened>, NoAnswer>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let mut connection = C::connect_with(&C::options(login)).await?;
    let row = connection.fetch_one(sqlx::raw_sql(C::NUMBER)).await?;
    Ok(Some(Opened { id: C::number(&row)?, line: Box::new(Open(connection)) }))
}

pub(super) fn look_up_session<C: Dialect>(number: &str) -> String {
    format!("{}{number}", C::LISTED)
}

pub(super) async fn lists<C: Dialect>(login: &Login, session: &str) -> Result<bool, NoAnswer>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    Ok(first::<C>(login, &look_up_session::<C>(session)).await?.is_some())
}

struct Open<C>(C);

impl<C: Dialect> Line for Open<C>
where
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    fn ask(&mut self) -> Answer<'_, Fate> {
        let asked = async {
            Ok(match self.0.execute(sqlx::raw_sql("SELECT 1")).await {
                Ok(_) => Fate::GoesOn,
                Err(error) => Fate::Over(match error.as_database_error() {
                    Some(said) => format!("{} {}", C::lack(said).0, said.message()),
                    None => error.to_string(),
                }),
            })
        };
        asked.boxed()
    }
}

/// A query whose one answer is yes or no.
pub async fn is_true(login: &Login, sql: &str) -> Result<bool, NoAnswer> {
    let asked = async {
        let holds = match login.side.word {
            "mariadb" => first::<MySqlConnection>(login, sql).await?.map(|it| it.try_get(0)),
            _ => first::<PgConnection>(login, sql).await?.map(|it| it.try_get(0)),
        };
        Ok::<_, sqlx::Error>(Holds(holds.transpose()?.unwrap_or_default()))
    };
    let Holds(holds) = login.noting(sql, asked).await?;
    Ok(holds)
}

struct Holds(bool);

impl Heard for Holds {
    fn answer(&self) -> String {
        self.0.to_string()
    }
}

fn refused<C: Dialect>(error: sqlx::Error, at_login: bool) -> Result<Said, NoAnswer> {
    let Some(answer) = error.as_database_error() else { return Err(error.into()) };
    let (code, lack) = C::lack(answer);
    let message = answer.message().to_owned();
    Ok(Said::Refused(Refusal { code, message, at_login, lack }))
}
