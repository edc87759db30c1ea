//! Statements for databases that don't do what they are for.

use serde_json::Value;

use crate::{
    claim::Subject,
    object::Object,
    source::{Mistake, Place},
};

use super::Seen;

pub fn valid_until(seen: &Seen<'_>) -> Vec<Mistake> {
    let check = |role: &Object| {
        let creation = text(role, "creation_statements")?;
        if !creation.contains("VALID UNTIL") {
            return None;
        }
        let place = role.field_place("creation_statements");
        match text(role, "renew_statements").filter(|it| !it.is_empty()) {
            Some(renewal) if renewal.contains("VALID UNTIL") => None,
            Some(_) => {
                let message = "a renewed lease leaves the login's `VALID UNTIL` as it was";
                let also = (clause(seen, place), "the moment said at the creation".to_owned());
                let at = role.field_place("renew_statements");
                Some(Mistake { also: vec![also], ..Mistake::error(at, message) })
            }
            None => {
                let message = "`VALID UNTIL` is said, and no `renew_statements`: whether a renewed login lives longer \
                               is left to the plugin";
                Some(Mistake::error(clause(seen, place), message))
            }
        }
    };
    seen.of("database", "roles").filter_map(check).collect()
}

fn clause(seen: &Seen<'_>, place: Place) -> Place {
    match seen.place_of(place, "VALID UNTIL") {
        it if it == place => seen.place_of(place, "valid until"),
        it => it,
    }
}

pub fn login_owns_objects(seen: &Seen<'_>) -> Vec<Mistake> {
    let check = |role: &Object| {
        let creation = text(role, "creation_statements")?;
        let grant = creation.split(';').find(|it| may_create(it))?;
        let acts_as_owner = creation.contains("SET ROLE");
        let hands_over = text(role, "revocation_statements")
            .is_some_and(|it| it.contains("REASSIGN OWNED") || it.contains("DROP OWNED"));
        if acts_as_owner || hands_over {
            return None;
        }
        let place = role.field_place("creation_statements");
        let message = format!(
            "a login of {} may create objects, owns what it creates, and can't be dropped then",
            role.path
        );
        Some(Mistake::error(written(seen, place, grant.trim()), message))
    };
    seen.of("database", "roles").filter_map(check).collect()
}

/// Where a statement stands that was compared in capitals and with single blanks.
fn written(seen: &Seen<'_>, place: Place, statement: &str) -> Place {
    let said = seen.sources.text(place).unwrap_or_default();
    let is_same = |at: &usize| {
        said[*at..].get(..statement.len()).is_some_and(|it| it.to_uppercase() == statement)
    };
    match said.char_indices().map(|(at, _)| at).find(is_same) {
        Some(at) => seen.sources.within(place, said, at, at..at + statement.len()),
        None => place,
    }
}

/// `GRANT CREATE ON SCHEMA`, `GRANT ALL ON DATABASE` and the like.
fn may_create(statement: &str) -> bool {
    let Some(rest) = statement.trim().strip_prefix("GRANT ") else { return false };
    let Some((rights, on)) = rest.split_once(" ON ") else { return false };
    let rights: Vec<&str> = rights.split([',', ' ']).filter(|it| !it.is_empty()).collect();
    (rights.contains(&"CREATE") || rights.first() == Some(&"ALL"))
        && (on.starts_with("SCHEMA ") || on.starts_with("DATABASE "))
}

/// Statements in capitals and with single blanks; JSON is none.
fn text(role: &Object, name: &str) -> Option<String> {
    let text = match role.said.get(name)? {
        Value::String(it) => it.clone(),
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        _ => return None,
    };
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase())
}

/// Claims that name another database than their role's connection leads into.
pub fn wrong_databases(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for claim in seen.claims {
        let (Subject::Credential { path, .. }, Some(wanted)) = (&claim.subject, &claim.database)
        else {
            continue;
        };
        let Some(Ok(role)) = seen.issuer(path) else { continue };
        let Some(connection) = seen.connection(role) else { continue };
        let url = connection.said.get("connection_url").and_then(Value::as_str);
        let Some(database) = url.and_then(database) else { continue };
        if database != wanted.text {
            let message = format!(
                "{path} leads into the database `{database}`, and the claim says `{}`",
                wanted.text
            );
            mistakes.push(
                Mistake::error(role.field_place("db_name"), message)
                    .also(wanted.place, "the application's database")
                    .also(connection.field_place("connection_url"), "where this connection leads"),
            );
        }
    }
    mistakes
}

fn database(url: &str) -> Option<&str> {
    if let Some((_, rest)) = url.split_once("://") {
        let (_, path) = rest.split_once('/')?;
        return path.split(['?', ';']).next().filter(|it| !it.is_empty() && !it.contains("${"));
    }
    let (_, rest) = url.split_once("dbname=")?;
    rest.split([' ', ';']).next()
}

/// Static roles of logins that no statement of the ground's databases makes.
pub fn unknown_logins(seen: &Seen<'_>) -> Vec<Mistake> {
    if seen.init.is_empty() {
        return Vec::new();
    }
    let made: Vec<String> = seen.init.iter().flat_map(|it| logins(it)).collect();
    let check = |role: &Object| {
        let username = role.said.get("username")?.as_str()?;
        let connection = seen.connection(role)?;
        let is_postgres = connection.variant() == Some("postgresql-database-plugin");
        let is_own = connection.said.get("username").is_some_and(|it| it == username);
        if !is_postgres || is_own || username.contains("${") || made.iter().any(|it| it == username)
        {
            return None;
        }
        let message = format!(
            "no login `{username}` is made by the SQL that the ground's database begins with"
        );
        let mistake = Mistake::error(role.field_place("username"), message);
        let near = crate::nearest::nearest(username, made.iter().map(String::as_str));
        Some(match near {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake,
        })
    };
    seen.of("database", "static_roles").filter_map(check).collect()
}

/// The names in `CREATE ROLE …` and `CREATE USER …`.
fn logins(sql: &str) -> Vec<String> {
    let lines = sql.lines().map(|it| it.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ").replace(';', " ; ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = |it: &[&str]| {
        let is_word = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
        let makes = is_word(it[0], "create") && (is_word(it[1], "role") || is_word(it[1], "user"));
        makes.then(|| match it[2].strip_prefix('"') {
            Some(quoted) => quoted.trim_end_matches('"').to_owned(),
            None => it[2].to_lowercase(),
        })
    };
    words.windows(3).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_read_from_the_statements_that_make_them() {
        let sql = "-- CREATE ROLE no\nCREATE ROLE App LOGIN;\ncreate user \"Odd-One\" WITH LOGIN;CREATE ROLE last;";
        assert_eq!(logins(sql), ["app", "Odd-One", "last"]);
    }

    #[test]
    fn the_database_of_an_address_is_its_path() {
        assert_eq!(database("postgresql://{{username}}:{{password}}@h:1/demo?x=y"), Some("demo"));
        assert_eq!(database("host=h dbname=demo user=u"), Some("demo"));
        assert_eq!(database("postgresql://h:1"), None);
    }
}
