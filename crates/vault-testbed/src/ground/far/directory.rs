//! What a proof looks up in a directory, as its superuser.

use ldap3::{Scope, SearchEntry, SearchResult, ldap_escape};

use super::openldap::{Asked, NO_SUCH_OBJECT, logged_in, silent};
use super::{Login, NoAnswer};

/// The names of the entries at and below `base`.
pub async fn find(login: &Login, base: &str, filter: &str) -> Asked<Vec<String>> {
    let asked = async {
        let mut ldap = logged_in(login).await?.map_err(|it| NoAnswer(it.to_string()))?;
        let found = ldap.search(base, Scope::Subtree, filter, vec!["1.1"]).await;
        let SearchResult(entries, answer) = found.map_err(silent)?;
        if answer.rc == NO_SUCH_OBJECT {
            return Ok(Vec::new());
        }
        answer.success().map_err(silent)?;
        Ok(entries.into_iter().map(|it| SearchEntry::construct(it).dn).collect())
    };
    login.noting(&format!("search {base} {filter}"), asked).await
}

/// The filter that only such entries pass.
pub fn with(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", ldap_escape(value))
}
