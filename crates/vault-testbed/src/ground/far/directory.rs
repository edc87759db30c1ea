//! What a proof looks up and changes in a directory, as its superuser.

use std::collections::HashSet;

use ldap3::{Ldap, LdapResult, Mod, Scope, SearchEntry, SearchResult, ldap_escape};

use super::openldap::{Asked, NO_SUCH_OBJECT, logged_in, silent};
use super::{Login, NoAnswer};

const ALREADY_A_VALUE: u32 = 20;
const ALREADY_AN_ENTRY: u32 = 68;

/// The names of the entries at and below `base`.
pub async fn find(login: &Login, base: &str, filter: &str) -> Asked<Vec<String>> {
    let asked = async {
        let mut ldap = bound(login).await?;
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

/// An entry that is there already stays as it is.
pub async fn add(login: &Login, dn: &str, attributes: &[(&str, &str)]) -> Asked<()> {
    let mut said: Vec<(&str, HashSet<&str>)> = Vec::new();
    for (name, value) in attributes {
        match said.iter_mut().find(|(it, _)| it.eq_ignore_ascii_case(name)) {
            Some((_, values)) => _ = values.insert(value),
            None => said.push((name, HashSet::from([*value]))),
        }
    }
    let asked = async {
        let answer = bound(login).await?.add(dn, said).await.map_err(silent)?;
        done(answer, ALREADY_AN_ENTRY)
    };
    login.noting(&format!("add {dn}"), asked).await
}

pub async fn set_password(login: &Login, dn: &str, password: &str) -> Asked<()> {
    let change = Mod::Replace("userPassword", HashSet::from([password]));
    let asked = async { changed(&mut bound(login).await?, dn, change).await };
    login.noting(&format!("replace {dn} userPassword"), asked).await
}

/// Who is in the group already stays in it.
pub async fn join(login: &Login, group: &str, attribute: &str, member: &str) -> Asked<()> {
    let change = Mod::Add(attribute, HashSet::from([member]));
    let asked = async { changed(&mut bound(login).await?, group, change).await };
    login.noting(&format!("add {group} {attribute} {member}"), asked).await
}

pub async fn leave(login: &Login, group: &str, attribute: &str, member: &str) -> Asked<()> {
    let change = Mod::Delete(attribute, HashSet::from([member]));
    let asked = async { changed(&mut bound(login).await?, group, change).await };
    login.noting(&format!("delete {group} {attribute} {member}"), asked).await
}

async fn bound(login: &Login) -> Asked<Ldap> {
    logged_in(login).await?.map_err(|it| NoAnswer(it.to_string()))
}

async fn changed(ldap: &mut Ldap, dn: &str, change: Mod<&str>) -> Asked<()> {
    done(ldap.modify(dn, vec![change]).await.map_err(silent)?, ALREADY_A_VALUE)
}

/// It was done, or was so before.
fn done(answer: LdapResult, already: u32) -> Asked<()> {
    match answer.rc {
        0 => Ok(()),
        rc if rc == already => Ok(()),
        _ => Err(NoAnswer(answer.to_string())),
    }
}

/// The filter that only such entries pass.
pub fn with(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", ldap_escape(value))
}
