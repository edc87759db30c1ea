//! The steps of generated proofs: a spec stands on its ground, and what it issues is used.
//!
//! A scenario speaks of one login to a database ("the login") and of one token ("the token") at a time.

mod acme;
mod allowed;
mod audit;
mod broker;
mod cert;
mod identity;
mod jwt;
mod kubernetes;
mod kv;
mod ldap;
mod library;
mod login;
mod people;
mod pki;
mod place;
mod provider;
mod quota;
mod session;
mod ssh;
mod tls;
mod token;
mod totp;
mod transit;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use cucumber::{given, then};
use secrecy::ExposeSecret;
use serde_json::Value;
use vault_client::Vault;
use vault_model::{object::Object, scale, spec::Spec};
use vault_provision::{Applied, Outcome, ReadError, SpecInputs, Stop, load, prepare};

use crate::{
    bindings::{Bindings, Servers},
    ground::{GroundSpec, Kind, far::Session},
    origin::Origins,
    steps::spec::spare_rsa_keys,
    world::{Failure, Result, World, failure},
};

pub use acme::Names;
pub use audit::Audited;
pub use identity::Whoever;
pub use ldap::InDirectory;
pub use login::DatabaseLogin;
pub use pki::Issued;
pub use provider::IdentityToken;
pub use ssh::{SignedKey, Taken};
pub use token::Token;

use broker::Application;

/// What a scenario of a proof knows beside the rest.
#[derive(Default)]
pub struct Proven {
    spec: Option<Spec>,
    /// Why an object could not be made, by its path.
    unmade: BTreeMap<String, String>,
    login: Option<DatabaseLogin>,
    /// Of the login.
    session: Option<Session>,
    application: Application,
    token: Option<Token>,
    signed_key: Option<SignedKey>,
    /// By each sshd that was told so.
    taken: BTreeMap<String, Taken>,
    issued: Option<Issued>,
    pub whoever: Whoever,
    in_directory: InDirectory,
    audited: Audited,
    identity_token: Option<IdentityToken>,
    names: Option<Names>,
}

impl Proven {
    pub fn spec(&self) -> Result<&Spec> {
        self.spec.as_ref().ok_or_else(|| Failure("no spec stands in this scenario".into()))
    }

    /// The object at `path`, as the spec says it.
    pub fn object(&self, path: &str) -> Result<&Object> {
        let object = self.spec()?.objects.iter().find(|it| it.path == path);
        object.map(|it| &**it).ok_or_else(|| Failure(format!("the spec does not describe {path}")))
    }

    pub fn login(&self) -> Result<&DatabaseLogin> {
        self.login.as_ref().ok_or_else(|| Failure("no login was issued in this scenario".into()))
    }

    pub fn signed_key(&self) -> Result<&SignedKey> {
        self.signed_key.as_ref().ok_or_else(|| Failure("no key was signed in this scenario".into()))
    }

    pub fn issued(&self) -> Result<&Issued> {
        let issued = self.issued.as_ref();
        issued.ok_or_else(|| Failure("no certificate was issued in this scenario".into()))
    }

    pub fn names(&self) -> Result<&Names> {
        let names = self.names.as_ref();
        names.ok_or_else(|| Failure("no name server answers in this scenario".into()))
    }

    pub fn identity_token(&self) -> Result<&IdentityToken> {
        let token = self.identity_token.as_ref();
        token.ok_or_else(|| Failure("nobody got an identity token in this scenario".into()))
    }

    pub fn token(&self) -> Result<&Token> {
        self.token.as_ref().ok_or_else(|| Failure("nobody logged in in this scenario".into()))
    }
}

/// Its servers are started and it is applied. What cannot be made fails only the steps that need it; where not all
/// servers are started, that is what works with the others.
#[given(
    regex = r#"^the spec "([^"]+)"(?: in the environment "([^"]+)")? stands(?: with (no server|only "[^"]+"))?(?:, its lives divided by (\d+))?$"#
)]
async fn stands(
    world: &mut World,
    path: String,
    environment: String,
    started: String,
    divisor: String,
) -> Result {
    let path = world.path(&path);
    let folder = if path.is_dir() { &*path } else { path.parent().unwrap_or(Path::new(".")) };
    let environment = Some(environment).filter(|it| !it.is_empty());
    if world.ground_kind() == Kind::Address {
        return stands_already(world, path, environment);
    }
    let ground = GroundSpec::read(folder, environment.as_deref())?;
    let mut left_out = BTreeMap::new();
    match names(&started) {
        None => start(world, &ground).await?,
        Some(names) => {
            start(world, &ground.clone().with_only(&names)?).await?;
            let read = |bound| read(world, bound, &path, environment.clone());
            let known = &world.bench().bindings;
            let find = || Bindings::of(&ground, read);
            let bindings = known.of((path.clone(), environment.clone()), find)?;
            left_out = left_out_without(&bindings, &names);
        }
    }
    let mut spec = read(world, world.vars.clone(), &path, environment)?;
    if let Ok(divisor) = divisor.parse() {
        spec.objects = scale::divided(&spec.objects, divisor);
    }
    keep_secret(world, &spec);
    tell_origins(world, &spec);
    spare_rsa_keys(world, &spec).await?;
    let vault = world.vault()?.clone();
    let whole = spec.objects.clone();
    spec.objects.retain(|it| !left_out.contains_key(&it.path));
    world.proven.unmade = unmade(&spec, &apply(&vault, &spec).await?);
    world.proven.unmade.extend(left_out);
    spec.objects = whole;
    world.proven.spec = Some(spec);
    world.spec_path = Some(path);
    Ok(())
}

/// The servers that are to be started; none where all are.
fn names(started: &str) -> Option<Vec<&str>> {
    match started {
        "" => None,
        "no server" => Some(Vec::new()),
        only => Some(only.trim_start_matches("only ").trim_matches('"').split(", ").collect()),
    }
}

/// Why an object is not made, by its path.
fn left_out_without(bindings: &Bindings, started: &[&str]) -> BTreeMap<String, String> {
    let absent = |servers: &Servers| servers.iter().find(|it| !started.contains(&&***it)).cloned();
    let objects = bindings.iter().filter_map(|(path, servers)| Some((path, absent(servers)?)));
    let why = |(path, server): (&String, String)| {
        let why = format!("{path} works with {server}, which this scenario does not start");
        (path.clone(), why)
    };
    objects.map(why).collect()
}

/// On a Vault that people use it was found to be as the spec says before the first scenario; nothing is applied.
fn stands_already(world: &mut World, path: PathBuf, environment: Option<String>) -> Result {
    let Some(live) = world.bench().live.clone() else {
        let reason = "a Vault that is given is proven by `vaultwright prove SPEC --live ADDRESS`";
        return Err(world.skip(reason));
    };
    world.take_live(&live)?;
    let spec = read(world, world.vars.clone(), &path, environment)?;
    keep_secret(world, &spec);
    tell_origins(world, &spec);
    world.proven.spec = Some(spec);
    world.spec_path = Some(path);
    Ok(())
}

async fn start(world: &mut World, ground: &GroundSpec) -> Result {
    let stack = match world.bench().ground.clone().stack(ground).await {
        Ok(stack) => stack,
        Err(missing) if missing.is_missing() => return Err(world.skip(missing.to_string())),
        Err(error) => return Err(error.into()),
    };
    for (name, server) in &stack.servers {
        let what = format!("the admin's password of {name}");
        world.add_secret(&what, server.admin_password.expose_secret());
        let superuser = server.superuser_password().expose_secret();
        world.add_secret(&format!("the superuser's password of {name}"), superuser);
        world.tell_of(name, server);
    }
    world.take_vault(stack.vault).await?;
    for (name, server) in stack.servers {
        let server = server.recorded_in(&world.statements);
        world.take_server(&name, server).await;
    }
    world.vars = stack.vars;
    Ok(())
}

/// With the variables that its ground binds, unless the command line says otherwise.
fn read(
    world: &World,
    bound: impl IntoIterator<Item = (String, Value)>,
    path: &Path,
    environment: Option<String>,
) -> Result<Spec> {
    let given = &world.bench().inputs;
    let is_given = |name: &str| given.vars.iter().any(|(it, _)| it == name);
    let text = |it: Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let bound = bound.into_iter().filter(|(name, _)| !is_given(name));
    let vars = bound.map(|(name, value)| (name, text(value)));
    let vars = vars.chain(given.vars.iter().cloned()).collect();
    let environment = environment.or_else(|| given.environment.clone());
    let inputs = SpecInputs { vars, environment, ..given.clone() };
    let root = world.bench().root.display().to_string();
    match load(path, &inputs) {
        Ok(mut spec) => {
            spec.sources.seen_from(&root);
            Ok(spec)
        }
        Err(ReadError::Refused(mut refused)) => {
            refused.sources.seen_from(&root);
            failure(refused.mistakes.render(&refused.sources, false))
        }
        Err(other) => Err(other.into()),
    }
}

/// What the spec marks as secret, and what its kinds never show.
fn keep_secret(world: &World, spec: &Spec) {
    let secrets = &world.bench().secrets;
    secrets.add_public(spec.objects.iter().map(|it| &*it.path));
    secrets.add_of_variables(&spec.redactor);
    let mut hidden = vault_model::redact::Redactor::default();
    for object in &spec.objects {
        let secret = object.said.iter().filter(|(name, _)| object.is_secret(name));
        secret.for_each(|(_, value)| hidden.add_value(value));
    }
    world.bench().secrets.add_of_spec(&hidden);
}

/// For the report: the lines of the spec behind the steps.
fn tell_origins(world: &World, spec: &Spec) {
    let origins = Arc::new(Origins::of(spec));
    world.bench().notes.update(|it| it.origins = origins);
}

pub async fn apply(vault: &Vault, spec: &Spec) -> Result<Applied> {
    let prepared = prepare(vault, spec).await?;
    Ok(prepared.apply(vault, &Stop::default(), &mut |_| {}).await?)
}

fn unmade(spec: &Spec, applied: &Applied) -> BTreeMap<String, String> {
    let failed = applied.results.iter().filter_map(|it| {
        let why = match &it.outcome {
            Outcome::Done { .. } => return None,
            Outcome::Ignored { warnings } => {
                format!("Vault ignored part of it: {}", warnings.join("; "))
            }
            Outcome::Skipped { needs } => format!("it needs {needs}, which was not made"),
            Outcome::Failed(err) => err.to_string(),
            Outcome::Unrecorded(err) => err.to_string(),
            Outcome::Blocked | Outcome::NotStarted => "it was left as it is".to_owned(),
        };
        let object = spec.objects.iter().find(|object| object.path == it.path);
        let place = object.map(|it| format!(" ({})", spec.sources.describe(it.place)));
        Some((it.path.clone(), format!("{}{}: {why}", it.path, place.unwrap_or_default())))
    });
    failed.collect()
}

#[given(expr = "{string} could be made")]
async fn was_made(world: &mut World, path: String) -> Result {
    world.proven.object(&path)?;
    match world.proven.unmade.get(&path) {
        Some(why) => failure(why),
        None => Ok(()),
    }
}

#[then(expr = "all that it describes was made")]
async fn all_was_made(world: &mut World) -> Result {
    let unmade: Vec<&str> = world.proven.unmade.values().map(String::as_str).collect();
    if !unmade.is_empty() {
        return failure(unmade.join("\n"));
    }
    world.evidence(format!("{} objects", world.proven.spec()?.objects.len()));
    Ok(())
}

#[then(expr = "applying it again would change nothing")]
async fn again_nothing(world: &mut World) -> Result {
    let prepared = prepare(world.vault()?, world.proven.spec()?).await?;
    match prepared.plan.is_empty() {
        true => Ok(()),
        false => failure(format!("there is still to do:\n{}", prepared.plan.show(false))),
    }
}
