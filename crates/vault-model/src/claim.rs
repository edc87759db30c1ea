//! What the writer of a spec means: who may do what, and what a credential can do.

use std::{fmt, str::FromStr};

use crate::{
    Path,
    node::Node,
    source::{Mistake, Place},
};

/// One entry of `claims:`.
#[derive(Clone, Debug)]
pub struct Claim {
    pub place: Place,
    pub subject: Subject,
    /// The database that a credential is for: `database:`.
    pub database: Option<Statement>,
}

#[derive(Clone, Debug)]
pub enum Subject {
    /// Whoever logs in by the role at this path.
    Login {
        path: Path,
        may: Vec<Operation>,
        may_not: Vec<Operation>,
        /// Of Kubernetes: who is let in by it.
        lets_in: Vec<(Place, Account)>,
        keeps_out: Vec<(Place, Account)>,
    },
    /// Whoever has what this path issues.
    Credential {
        path: Path,
        can: Vec<Statement>,
        cannot: Vec<Statement>,
        /// Sessions that are open end with the lease.
        sessions_end: bool,
    },
}

/// `read database/creds/app`
#[derive(Clone, Debug)]
pub struct Operation {
    pub place: Place,
    pub verb: Verb,
    pub path: Path,
}

/// What a claim may name: the capabilities of Vault's policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Read,
    Update,
    Patch,
    Delete,
    List,
    Sudo,
}

/// A service account: `shop/app`, or `shop/app for vault` with a JWT for that audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub namespace: String,
    pub name: String,
    pub audience: Option<String>,
}

/// Something to say to a database.
#[derive(Clone, Debug)]
pub struct Statement {
    pub place: Place,
    pub text: String,
}

impl Verb {
    pub const ALL: &[Verb] = &[
        Verb::Create,
        Verb::Read,
        Verb::Update,
        Verb::Patch,
        Verb::Delete,
        Verb::List,
        Verb::Sudo,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Read => "read",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::List => "list",
            Verb::Sudo => "sudo",
        }
    }
}

/// The list `claims:`.
pub fn read(node: &Node) -> (Vec<Claim>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let Some(items) = node.as_list() else {
        return (Vec::new(), vec![node.should_be("`claims`", "a list")]);
    };
    let claims = items.iter().filter_map(|it| claim(it, &mut mistakes)).collect();
    (claims, mistakes)
}

fn claim(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Claim> {
    let Some(entries) = node.as_map() else {
        mistakes.push(node.should_be("a claim", "a map"));
        return None;
    };
    let (subject, known) = if let Some(login) = node.get("login") {
        let path = text(login, "`login`", mistakes)?;
        let (may, may_not) =
            (operations(node, "may", mistakes), operations(node, "may_not", mistakes));
        let (lets_in, keeps_out) =
            (accounts(node, "lets_in", mistakes), accounts(node, "keeps_out", mistakes));
        let known = &["login", "may", "may_not", "lets_in", "keeps_out"][..];
        (Subject::Login { path, may, may_not, lets_in, keeps_out }, known)
    } else if let Some(credential) = node.get("credential") {
        let path = text(credential, "`credential`", mistakes)?;
        let (can, cannot) =
            (statements(node, "can", mistakes), statements(node, "cannot", mistakes));
        let sessions_end = is_said(node, "sessions_end", mistakes);
        let known = &["credential", "database", "can", "cannot", "sessions_end"][..];
        (Subject::Credential { path, can, cannot, sessions_end }, known)
    } else {
        let mistake =
            Mistake::error(node.place, "a claim names neither a `login` nor a `credential`");
        let help = "`- login: auth/approle/role/app` with `may` and `may_not`, \
                    or `- credential: database/creds/app` with `can` and `cannot`";
        mistakes.push(mistake.help(help));
        return None;
    };
    for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&&*key.text)) {
        let mistake = Mistake::error(key.place, format!("a claim has no `{}`", key.text));
        mistakes.push(mistake.help(format!("here it has `{}`", known.join("`, `"))));
    }
    let database = match node.get("database") {
        Some(it) => {
            text(it, "`database`", mistakes).map(|said| Statement { place: it.place, text: said })
        }
        None => None,
    };
    Some(Claim { place: node.place, subject, database })
}

fn is_said(node: &Node, key: &str, mistakes: &mut Vec<Mistake>) -> bool {
    let Some(said) = node.get(key) else { return false };
    if said.as_bool().is_none() {
        mistakes.push(said.should_be(&format!("`{key}`"), "`true` or `false`"));
    }
    said.as_bool().unwrap_or_default()
}

fn operations(node: &Node, key: &str, mistakes: &mut Vec<Mistake>) -> Vec<Operation> {
    let mut found = Vec::new();
    for item in items(node, key, mistakes) {
        let Some(said) = text(item, &format!("`{key}`"), mistakes) else { continue };
        let parts = said.split_once(' ').map(|(verb, path)| (verb, path.trim()));
        let verb = |name: &str| Verb::ALL.iter().copied().find(|it| it.name() == name);
        match parts.and_then(|(name, path)| Some((verb(name)?, path))) {
            Some((verb, path)) => {
                found.push(Operation { place: item.place, verb, path: path.to_owned() });
            }
            None => mistakes.push(
                Mistake::error(item.place, format!("`{said}` is no operation and a path"))
                    .help("such as `read database/creds/app`; operations are create, read, update, patch, delete, list, sudo"),
            ),
        }
    }
    found
}

fn accounts(node: &Node, key: &str, mistakes: &mut Vec<Mistake>) -> Vec<(Place, Account)> {
    let mut found = Vec::new();
    for item in items(node, key, mistakes) {
        let Some(said) = text(item, &format!("`{key}`"), mistakes) else { continue };
        match said.parse() {
            Ok(account) => found.push((item.place, account)),
            Err(NoAccount) => mistakes.push(
                Mistake::error(item.place, format!("`{said}` is no service account"))
                    .help("such as `shop/app`, its namespace and its name, or `shop/app for vault` with the audience of its JWT"),
            ),
        }
    }
    found
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("a service account is written NAMESPACE/NAME, or NAMESPACE/NAME for AUDIENCE")]
pub struct NoAccount;

impl FromStr for Account {
    type Err = NoAccount;

    fn from_str(text: &str) -> Result<Self, NoAccount> {
        let (account, audience) = match text.split_once(" for ") {
            Some((account, audience)) => (account, Some(audience.trim().to_owned())),
            None => (text, None),
        };
        let (namespace, name) = account.trim().split_once('/').ok_or(NoAccount)?;
        let is_name = |text: &str| !text.is_empty() && !text.contains(['/', ' ']);
        let is_one = is_name(namespace) && is_name(name) && audience.as_deref() != Some("");
        let account = Self { namespace: namespace.into(), name: name.into(), audience };
        is_one.then_some(account).ok_or(NoAccount)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        self.audience.iter().try_for_each(|it| write!(f, " for {it}"))
    }
}

fn statements(node: &Node, key: &str, mistakes: &mut Vec<Mistake>) -> Vec<Statement> {
    let one = |item: &Node, mistakes: &mut Vec<Mistake>| {
        let text = text(item, &format!("`{key}`"), mistakes)?;
        Some(Statement { place: item.place, text })
    };
    items(node, key, mistakes).iter().filter_map(|it| one(it, mistakes)).collect()
}

fn items<'a>(node: &'a Node, key: &str, mistakes: &mut Vec<Mistake>) -> &'a [Node] {
    let Some(said) = node.get(key) else { return &[] };
    said.as_list().unwrap_or_else(|| {
        mistakes.push(said.should_be(&format!("`{key}`"), "a list"));
        &[]
    })
}

fn text(node: &Node, what: &str, mistakes: &mut Vec<Mistake>) -> Option<String> {
    if node.as_text().is_none() {
        mistakes.push(node.should_be(what, "text"));
    }
    node.as_text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_is_shown() {
        for text in ["shop/app", "shop/app for vault", "shop/app for https://vault.example"] {
            assert_eq!(text.parse::<Account>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn an_account_has_a_namespace_and_a_name() {
        for text in ["app", "shop/", "/app", "a/b/c", "shop/my app", "shop/app for "] {
            assert_eq!(text.parse::<Account>(), Err(NoAccount), "{text}");
        }
    }
}
