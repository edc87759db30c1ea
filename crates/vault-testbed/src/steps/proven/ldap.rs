//! Logins by a directory: of people that it has, and of the proof's own person.

use std::sync::OnceLock;

use cucumber::{then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use vault_client::{Answer, VaultError};
use vault_model::{Body, request::Request};

use super::{people::People, place::Place};
use crate::{
    ground::{far::directory, new_secret},
    steps::vault::{is_refused, there},
    world::{Failure, Result, World, failure},
};

/// What a scenario has changed in its directory.
#[derive(Default)]
pub struct InDirectory {
    /// Of everybody who logs in: only they would know their own.
    password: OnceLock<SecretString>,
    old_password: Option<SecretString>,
    has_left: bool,
}

/// The proof's own person, and where those stand who are not to be found.
const PROOF: &str = "vaultwright-proof";
const ELSEWHERE: &str = "vaultwright-elsewhere";
/// Nobody in the directory is called that, and has that password.
const NOBODY: &str = "vaultwright-nobody";
/// By the class of a group: where it has its members, and whether by their whole names.
const MEMBERS: &[(&str, &str, bool)] = &[
    ("groupOfNames", "member", true),
    ("groupOfUniqueNames", "uniqueMember", true),
    ("posixGroup", "memberUid", false),
];

/// What Vault answers to whom it does not let in.
const REFUSED: &[u16] = &[400, 403];

/// The directory of a method, and who is to log in.
struct Directory {
    people: People,
    mount: String,
    whose: Whose,
}

/// Whose login it is that the spec describes.
enum Whose {
    User(String),
    /// Of whoever is in it.
    Group(String),
    Anybody,
}

/// A place among the members of a group.
struct Membership {
    group: String,
    attribute: &'static str,
    member: String,
}

/// As a user whom the directory knows, or as the proof's own person, in one group or in none. None where the ground
/// has no such directory.
pub async fn log_in(world: &World, role: &str) -> Result<Option<Answer>> {
    let Some(directory) = Directory::of(world, role).await? else { return Ok(None) };
    let password = password(world)?;
    directory.prepare(world, &password).await?;
    let answer = directory.send(world, directory.name(), password.expose_secret()).await??;
    world.evidence(format!("{} logs in", directory.name()));
    Ok(Some(answer))
}

#[then(expr = "{string} lets in nobody whom the directory does not know")]
async fn nobody_unknown(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    let answer = directory.send(world, NOBODY, NOBODY).await?;
    is_refused(world, &answer, REFUSED)
}

#[then(expr = "{string} lets in nobody without a password")]
async fn no_password(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    match directory.send(world, directory.name(), "").await? {
        // Vault's own word for it: it asks no directory.
        Err(err) if err.status == Some(500) && err.to_string().contains("zero length") => {
            world.evidence(err.to_string());
            Ok(())
        }
        answer => is_refused(world, &answer, REFUSED),
    }
}

#[then(expr = "{string} lets in nobody with a wrong password")]
async fn wrong_password(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    let answer = directory.send(world, directory.name(), NOBODY).await?;
    is_refused(world, &answer, REFUSED)
}

/// Whom the directory has, with that password, but not where the method looks.
#[then(expr = "{string} lets in nobody who stands elsewhere in the directory")]
async fn nobody_elsewhere(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    let (superuser, password) = (&directory.people.superuser, password(world)?);
    let base = format!("ou={ELSEWHERE},{}", superuser.database);
    let looked_in = directory.people.base();
    if base.to_lowercase().ends_with(&looked_in.to_lowercase()) {
        return Err(world.skip(format!("{role} looks in the whole directory: {looked_in}")));
    }
    let unit = [("objectClass", "organizationalUnit"), ("ou", ELSEWHERE)];
    directory::add(superuser, &base, &unit).await?;
    let dn = directory.add(&base, ELSEWHERE).await?;
    directory::set_password(superuser, &dn, password.expose_secret()).await?;
    let answer = directory.send(world, ELSEWHERE, password.expose_secret()).await?;
    is_refused(world, &answer, REFUSED)
}

#[when(expr = "the directory changes the password of {string}")]
async fn changes_the_password(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    let new = new_password(world)?;
    directory.prepare(world, &new).await?;
    let old = std::mem::replace(&mut world.proven.in_directory.password, OnceLock::from(new));
    world.proven.in_directory.old_password = old.into_inner();
    Ok(())
}

#[then(expr = "the old password is refused by {string}")]
async fn old_password(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    let old = world.proven.in_directory.old_password.clone();
    let old = old.ok_or_else(|| Failure("the directory changed no password".into()))?;
    let answer = directory.send(world, directory.name(), old.expose_secret()).await?;
    is_refused(world, &answer, REFUSED)
}

#[when(expr = "whoever logs in by {string} leaves the group in the directory")]
async fn leaves(world: &mut World, role: String) -> Result {
    let directory = Directory::needed(world, &role).await?;
    let Whose::Group(group) = &directory.whose else {
        return failure(format!("{role} is no group"));
    };
    let dn = directory.add(directory.people.base(), PROOF).await?;
    let Membership { group, attribute, member } = directory.membership(group, &dn).await?;
    directory::leave(&directory.people.superuser, &group, attribute, &member).await?;
    world.proven.in_directory.has_left = true;
    Ok(())
}

impl Directory {
    /// None where the ground has no such directory.
    async fn of(world: &World, role: &str) -> Result<Option<Self>> {
        let named = |word: &str| role.rsplit_once(word).map(|(mount, it)| (mount, it.to_owned()));
        let (mount, whose) = if let Some((mount, name)) = named("/users/") {
            (mount, Whose::User(name))
        } else if let Some((mount, name)) = named("/groups/") {
            (mount, Whose::Group(name))
        } else {
            (role.trim_end_matches("/config"), Whose::Anybody)
        };
        let path = format!("{mount}/config");
        let Some(superuser) = Place::of_connection(world, &path).await?.superuser else {
            return Ok(None);
        };
        let config = there(world, &path).await?;
        Ok(Some(Self { people: People { superuser, config }, mount: mount.to_owned(), whose }))
    }

    async fn needed(world: &World, role: &str) -> Result<Self> {
        let directory = Self::of(world, role).await?;
        directory.ok_or_else(|| world.skip("the directory is none of the ground's"))
    }

    /// As whoever logs in types it.
    fn name(&self) -> &str {
        match &self.whose {
            Whose::User(name) => name,
            Whose::Group(_) | Whose::Anybody => PROOF,
        }
    }

    /// Whoever is to log in is there with this password, and in the group unless they have left it.
    async fn prepare(&self, world: &World, password: &SecretString) -> Result {
        let dn = match &self.whose {
            Whose::User(name) => self.people.find(name).await?,
            Whose::Group(_) | Whose::Anybody => self.add(self.people.base(), PROOF).await?,
        };
        directory::set_password(&self.people.superuser, &dn, password.expose_secret()).await?;
        if let Whose::Group(group) = &self.whose
            && !world.proven.in_directory.has_left
        {
            let Membership { group, attribute, member } = self.membership(group, &dn).await?;
            directory::join(&self.people.superuser, &group, attribute, &member).await?;
        }
        Ok(())
    }

    async fn add(&self, base: &str, name: &str) -> Result<String> {
        let attribute = self.people.attribute();
        let dn = format!("{attribute}={name},{base}");
        let named = [("uid", name), ("cn", name), ("sn", name), (attribute, name)];
        let entry: Vec<_> = named.into_iter().chain([("objectClass", "inetOrgPerson")]).collect();
        directory::add(&self.people.superuser, &dn, &entry).await?;
        Ok(dn)
    }

    async fn membership(&self, group: &str, person: &str) -> Result<Membership> {
        let base = self.people.text("groupdn", &self.people.superuser.database);
        // It may be one of those who are in a group, with the names of their groups.
        let attribute = match self.people.text("groupattr", "cn") {
            it if it.eq_ignore_ascii_case("memberof") => "cn",
            it => it,
        };
        let named = directory::with(attribute, group);
        for (class, attribute, by_dn) in MEMBERS {
            let filter = format!("(&{named}{})", directory::with("objectClass", class));
            let found = directory::find(&self.people.superuser, base, &filter).await?;
            if let Some(group) = found.into_iter().next() {
                let member = if *by_dn { person } else { PROOF }.to_owned();
                return Ok(Membership { group, attribute, member });
            }
        }
        failure(format!("the directory has no group below {base} that is {named}"))
    }

    async fn send(
        &self,
        world: &World,
        name: &str,
        password: &str,
    ) -> Result<Result<Answer, VaultError>> {
        let body = Body::from_iter([("password".to_owned(), json!(password))]);
        let request = Request::post(format!("{}/login/{name}", self.mount), body);
        Ok(world.anonymous()?.send_once(&request).await)
    }
}

fn password(world: &World) -> Result<SecretString> {
    let there = &world.proven.in_directory.password;
    if let Some(password) = there.get() {
        return Ok(password.clone());
    }
    let new = new_password(world)?;
    Ok(there.get_or_init(|| new).clone())
}

fn new_password(world: &World) -> Result<SecretString> {
    let new = new_secret("person")?;
    world.add_secret("the password of a person in the directory", new.expose_secret());
    Ok(new)
}
