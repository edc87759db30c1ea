//! Far sides: the servers that Vault works with. Each is one row of a table, and one file that says what its row needs.

pub mod amqp;
mod aws;
mod aws_request;
pub mod directory;
mod https;
mod initial;
pub mod kubernetes;
mod ldif;
mod login;
mod mariadb;
mod mongod;
mod mongodb;
mod mongodb_wire;
pub mod nginx;
mod openldap;
mod postgres;
mod programs;
mod rabbitmq;
mod redis;
mod script;
mod server;
mod session;
mod sql;
pub mod ssh;
pub mod sshd;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use futures::future::BoxFuture;
use ring::hmac::{HMAC_SHA256, Key, sign};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::error::{Error, Result};
use super::images_build::Recipe;
use super::new_secret;
use super::process::{Launch, Stop};
use super::run::Run;

pub use aws::{AWS, place as place_of_aws};
pub use login::{Lack, Login, NoAnswer, Refusal, Said};
pub use openldap::OPENLDAP;
pub use postgres::{POSTGRES, options as postgres_login};
pub use programs::{Installation, Programs, Source, on_path};
pub use rabbitmq::RABBITMQ;
pub use server::Server;
pub use session::{Fate, Session, Sessions};
pub use sql::is_true;
pub use sshd::SSHD;

/// One kind of server. To add one: a file beside this one with such a row, and its name in the table below.
pub struct FarSide {
    /// As `ground.yaml` says it: `postgres: "15"`.
    pub word: &'static str,
    /// As people say it.
    pub title: &'static str,
    /// What is taken where nothing else is said.
    pub version: &'static str,
    pub database: &'static str,
    /// What a `ground.yaml` may say of it, beside the version.
    pub keys: &'static [&'static str],
    /// Where it listens in a container.
    pub port: u16,
    /// Where applications come to, if not to where Vault does.
    pub second_port: Option<u16>,
    /// The login that only the test bed uses.
    pub superuser: &'static str,
    /// How passwords are made up that are no texts of any kind.
    pub(super) new_password: Option<fn() -> Result<SecretString>>,
    /// What it is on this machine.
    pub programs: Programs,
    /// The official image; `{}` is the version. Empty: there is none.
    pub image: &'static str,
    /// How an image like it, its `local_image`, is made without a registry.
    pub(super) recipe: Recipe,
    /// Where Vault's database engine speaks to it.
    pub plugin: Option<Plugin>,
    /// Where Vault has an engine for it and nothing else.
    pub engine: Option<Engine>,
    /// What else than an address and a login it gives to `ground.yaml`, such as a certificate: `prepare` says it.
    pub gives: &'static [&'static str],
    /// What every login may say.
    pub hello: &'static str,
    /// Where the server lists its logins.
    pub catalogue: &'static str,
    pub(super) launch: for<'a> fn(&'a Arc<Run>, New<'a>) -> BoxFuture<'a, Result<Launch>>,
    /// What is done once after the first start of a process; the folder is the server's.
    pub(super) first: Option<First>,
    pub(super) container: fn(&ServerOptions, &Passwords) -> Contained,
    /// The database, the admin, and what `init` says.
    pub(super) prepare: for<'a> fn(&'a mut Server, &'a ServerOptions) -> BoxFuture<'a, Result<()>>,
    /// For servers that take long to start, and have a way back to what they were before `prepare`; asked of the superuser.
    pub(super) reset: Option<Reset>,
    /// What the server says of itself: a real query, by which it is also known to be ready.
    pub(super) ask_version: for<'a> fn(&'a Login) -> Answer<'a, String>,
    /// A statement in the server's own language.
    pub(super) say: for<'a> fn(&'a Login, &'a str) -> Answer<'a, Said>,
    /// How the catalogue is asked for a login, in the server's own language.
    pub(super) look_up: fn(&Login, &str) -> String,
    /// Whether the catalogue has it.
    pub(super) knows: for<'a> fn(&'a Login, &'a str) -> Answer<'a, bool>,
    /// For servers whose logins have any.
    pub sessions: Option<Sessions>,
    /// Seconds until the server itself refuses a login, for servers that know such an end.
    pub(super) lasts: Option<Lasts>,
}

/// How a database is spoken of to Vault's database engine.
pub struct Plugin {
    /// How the names of its plugins begin.
    pub name: &'static str,
    /// Host, port and database of a connection.
    pub place: Place,
}

/// How a server is spoken of to an engine of its own.
pub struct Engine {
    /// The pages that document it, as its kinds name them.
    pub docs: &'static [&'static str],
    /// The path of its configuration.
    pub config: &'static str,
    pub place: Place,
}

/// The first is what is meant where nobody says it.
pub static FAR_SIDES: &[&FarSide] = &[
    &POSTGRES,
    &mariadb::MARIADB,
    &redis::REDIS,
    &mongodb::SECANTUSDB,
    &kubernetes::KUBERNETES,
    &AWS,
    &OPENLDAP,
    &RABBITMQ,
    &nginx::NGINX,
    &SSHD,
];

/// Compatible servers, and what each stands in for.
pub static STAND_INS: &[(&FarSide, &FarSide)] = &[(&mongodb::SECANTUSDB, &mongod::MONGOD)];

/// How a server is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    pub side: &'static FarSide,
    /// Of the image, and of the local programs where that one is installed (else the newest is taken).
    pub version: String,
    pub database: String,
    /// The login that Vault is given. Its password may be rotated: the test bed keeps a superuser of its own.
    pub admin_user: String,
    /// As the official image's: with `false`, it may make logins and owns the database, and nothing more.
    pub admin_is_superuser: bool,
    /// Statements, run once as the admin in the database.
    pub init: Option<String>,
}

/// What a process is made of.
pub(super) struct New<'a> {
    pub options: &'a ServerOptions,
    pub installation: &'a Installation,
    /// The server's own, and already its user's.
    pub folder: &'a Path,
    /// Where it listens, on loopback.
    pub port: u16,
    pub second_port: Option<u16>,
    pub passwords: &'a Passwords,
}

/// Made up for each server.
#[derive(Debug)]
pub(super) struct Passwords {
    pub superuser: SecretString,
    /// The same, where the admin is the superuser.
    pub admin: SecretString,
}

/// What a container is told.
#[derive(Default)]
pub(super) struct Contained {
    pub command: Vec<String>,
    pub environment: Vec<(String, SecretString)>,
    pub files: Vec<(String, Vec<u8>)>,
    /// Where it expects a certificate for its own name, and the key.
    pub tls: Option<(&'static str, &'static str)>,
}

/// An error only where the server says nothing at all.
pub(super) type Answer<'a, T> = BoxFuture<'a, std::result::Result<T, NoAnswer>>;

pub type Place = fn(&Map<String, Value>) -> Option<(String, String)>;
pub(super) type First = for<'a> fn(&'a mut Server, &'a Path) -> BoxFuture<'a, Result<()>>;
pub(super) type Reset = for<'a> fn(&'a Login) -> Answer<'a, ()>;
pub(super) type Lasts = for<'a> fn(&'a Login, &'a str) -> Answer<'a, Option<f64>>;

impl Passwords {
    pub fn of(options: &ServerOptions) -> Result<Self> {
        let side = options.side;
        let new = || side.new_password.map_or_else(|| new_secret(side.word), |new| new());
        let superuser = new()?;
        let admin = match options.admin_user == side.superuser {
            true => superuser.clone(),
            false => new()?,
        };
        Ok(Self { superuser, admin })
    }
}

impl New<'_> {
    /// One of the side's own programs, in the server's folder; it ends in order when it is asked to terminate.
    fn launch(&self, program: &str, arguments: Vec<String>) -> Launch {
        Launch {
            name: self.options.side.word.into(),
            program: self.installation.program(program),
            arguments,
            environment: vec![("HOME".into(), self.folder.display().to_string().into())],
            log: self.folder.join("server.log"),
            is_stdout_secret: false,
            folder: self.folder.to_owned(),
            user: self.installation.user.clone(),
            stop_signal: Stop::Terminate,
            kill_signal: Stop::Kill,
        }
    }
}

impl FarSide {
    /// The image that is built here, without its tag. A Python package is what it is called: it may stand in for what the
    /// word says.
    pub(super) fn local_image(&self) -> String {
        match &self.programs.source {
            Source::Python { package, .. } => format!("vaultwright/{}", package.to_lowercase()),
            _ => format!("vaultwright/{}", self.word),
        }
    }

    /// By the word of `ground.yaml`.
    pub fn named(word: &str) -> Option<&'static Self> {
        FAR_SIDES.iter().copied().find(|it| it.word == word)
    }

    /// By a plugin of Vault's database engine.
    pub fn of_plugin(plugin: &str) -> Option<&'static Self> {
        let speaks = |it: &&Self| it.plugin.as_ref().is_some_and(|it| plugin.starts_with(it.name));
        let side = FAR_SIDES.iter().copied().find(speaks)?;
        Some(side.original().unwrap_or(side))
    }

    /// Whether one serves more than once: it can be made new.
    pub fn is_kept(&self) -> bool {
        self.reset.is_some()
    }

    /// What this server stands in for.
    pub fn original(&self) -> Option<&'static Self> {
        let pair = STAND_INS.iter().find(|(it, _)| it.title == self.title);
        pair.map(|(_, original)| *original)
    }

    /// What this server stands in for, where that `is_had`; else this server.
    pub(super) fn or_original(&'static self, is_had: bool) -> &'static Self {
        self.original().filter(|_| is_had).unwrap_or(self)
    }

    /// By the documentation of its engine.
    pub fn of_engine(docs: &str) -> Option<&'static Self> {
        let is_its = |it: &Engine| it.docs.contains(&docs);
        FAR_SIDES.iter().copied().find(|it| it.engine.as_ref().is_some_and(is_its))
    }
}

impl ServerOptions {
    pub fn of(side: &'static FarSide) -> Self {
        Self {
            side,
            version: side.version.into(),
            database: side.database.into(),
            admin_user: "vault".into(),
            admin_is_superuser: true,
            init: None,
        }
    }
}

/// A row of the table is itself, and no other.
impl PartialEq for FarSide {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for FarSide {}

impl fmt::Debug for FarSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

/// What logins by challenge and signatures are made of.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(word: &str, is_had: bool) -> &'static str {
        FarSide::named(word).unwrap().or_original(is_had).title
    }

    #[test]
    fn a_compatible_server_is_taken_only_where_the_real_one_is_not() {
        assert_eq!(chosen("mongodb", true), "MongoDB");
        assert_eq!(chosen("mongodb", false), "SecantusDB (compatible with MongoDB)");
        // It is the real one.
        assert_eq!(chosen("postgres", true), "PostgreSQL");
    }

    #[test]
    fn who_stands_in_is_told_to_spec_and_vault_as_the_real_one_is() {
        for (side, original) in STAND_INS {
            assert_eq!((side.word, side.version), (original.word, original.version));
            assert_ne!(side.title, original.title);
        }
    }
}
