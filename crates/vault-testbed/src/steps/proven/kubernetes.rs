//! Logins by service accounts of the ground's own cluster: those that a role is bound to, and others.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cucumber::then;
use rcgen::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vault_client::Answer;
use vault_model::{Body, claim};

use super::jwt::{self, be_long_over, parts, send, signed};
use crate::{
    ground::{
        Login,
        far::kubernetes::{Account, KUBERNETES, create_namespace, signer},
    },
    steps::vault::{said, there},
    world::{Failure, Result, World, ensure, failure},
};

/// Stands for what a glob leaves open.
const ANY: &str = "vaultwright-proof";
/// Of whom nobody has heard.
const OTHER: &str = "vaultwright-other";
/// No API server issues a JWT that lasts less.
const LIFE_SECONDS: u64 = 600;
/// What Vault answers to an account that a role isn't bound to, and to a JWT that the cluster does not know.
const REFUSED: u16 = 403;
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// A role, whom it is bound to, and the cluster that knows them.
struct Bound<'a> {
    role: &'a str,
    superuser: Login,
    account: Account,
    audience: Option<String>,
}

/// By the JWT of an account that the role is bound to. None where the ground has no cluster.
pub async fn log_in(world: &World, role: &str) -> Result<Option<Answer>> {
    if !world.databases.values().any(|it| it.side.word == KUBERNETES.word) {
        return Ok(None);
    }
    let bound = Bound::new(world, role).await?;
    let jwt = bound.jwt(world, &bound.account).await?;
    let answer = send(world, role, jwt.expose_secret()).await??;
    world.evidence(format!("the service account {} logs in", bound.account));
    Ok(Some(answer))
}

#[then(expr = "{string} lets in no other account of its namespaces, such as {string}")]
async fn other_account(world: &mut World, role: String, name: String) -> Result {
    let bound = Bound::new(world, &role).await?;
    let other = Account { name, ..bound.account.clone() };
    bound.keeps_out(world, &other).await
}

#[then(expr = "{string} lets in no account of another namespace, such as {string}")]
async fn other_namespace(world: &mut World, role: String, namespace: String) -> Result {
    let bound = Bound::new(world, &role).await?;
    let other = Account { namespace, ..bound.account.clone() };
    bound.keeps_out(world, &other).await
}

#[then(expr = "{string} lets in no account whose JWT is for another audience")]
async fn other_audience(world: &mut World, role: String) -> Result {
    let bound = Bound::new(world, &role).await?;
    bound.account.create(&bound.superuser).await?;
    let jwt = bound.account.jwt(&bound.superuser, &[OTHER], LIFE_SECONDS).await?;
    is_refused(world, &role, &format!("{} for {OTHER}", bound.account), &jwt).await
}

#[then(expr = "{string} lets in no account whose JWT another key has signed")]
async fn other_key(world: &mut World, role: String) -> Result {
    let bound = Bound::new(world, &role).await?;
    let claims = claims(&bound.jwt(world, &bound.account).await?)?;
    let jwt = signed(&KeyPair::generate()?, &claims)?.into();
    is_refused(world, &role, &format!("{} by another key", bound.account), &jwt).await
}

/// An API server issues none that is over so soon: the cluster's own key signs what it did issue, with other times.
#[then(expr = "{string} lets in no account whose JWT is over")]
async fn is_over(world: &mut World, role: String) -> Result {
    let (bound, key) = (Bound::new(world, &role).await?, signer()?);
    let mut claims = claims(&bound.jwt(world, &bound.account).await?)?;
    let good = send(world, &role, &signed(&key, &claims)?).await?;
    world.evidence(format!("signed anew with the cluster's own key: {}", said(&good)));
    good?;
    be_long_over(&mut claims);
    let jwt = signed(&key, &claims)?.into();
    is_refused(world, &role, "the same, over since a day", &jwt).await
}

/// A JWT that the API server has not seen yet: what it has let in, it remembers for 10 s.
#[then(
    expr = "{string} lets in no account that is deleted, even when one of its name is made anew"
)]
async fn is_deleted(world: &mut World, role: String) -> Result {
    let bound = Bound::new(world, &role).await?;
    let (account, superuser) = (&bound.account, &bound.superuser);
    let (used, jwt) = (bound.jwt(world, account).await?, bound.jwt(world, account).await?);
    send(world, &role, used.expose_secret()).await??;
    account.delete(superuser).await?;
    let deleted_at = Instant::now();
    loop {
        let answer = send(world, &role, jwt.expose_secret()).await?;
        let age = deleted_at.elapsed();
        if answer.as_ref().is_err_and(|err| err.status == Some(REFUSED)) {
            let seconds = age.as_secs_f64();
            world.evidence(format!("{seconds:.1} s after its deletion: {}", said(&answer)));
            break;
        }
        ensure(age < FORGOTTEN_WITHIN, || {
            format!("{} s after its deletion: {}", age.as_secs(), said(&answer))
        })?;
        tokio::time::sleep(POLL).await;
    }
    account.create(superuser).await?;
    is_refused(world, &role, "its old JWT, when the account is made anew", &jwt).await
}

#[then(expr = "{string} lets in the account {string}")]
async fn lets_in(world: &mut World, role: String, account: String) -> Result {
    let (account, jwt) = claimed(world, &role, &account).await?;
    let answer = send(world, &role, jwt.expose_secret()).await?;
    world.evidence(format!("{account}: {}", said(&answer)));
    match answer {
        Ok(_) => Ok(()),
        Err(err) => failure(format!("{account} is kept out: {err}")),
    }
}

#[then(expr = "{string} keeps out the account {string}")]
async fn keeps_out(world: &mut World, role: String, account: String) -> Result {
    let (account, jwt) = claimed(world, &role, &account).await?;
    is_refused(world, &role, &account, &jwt).await
}

/// An account as a claim names it, and a JWT for the audience that the claim names, else for the role's.
async fn claimed(world: &World, role: &str, account: &str) -> Result<(String, SecretString)> {
    let claim::Account { namespace, name, audience } = account.parse()?;
    let mut bound = Bound::new(world, role).await?;
    bound.audience = audience.or(bound.audience);
    let jwt = bound.jwt(world, &Account { namespace, name }).await?;
    Ok((account.to_owned(), jwt))
}

impl<'a> Bound<'a> {
    /// As Vault says it, of the cluster that Vault asks.
    async fn new(world: &World, role: &'a str) -> Result<Bound<'a>> {
        let (mount, _) = parts(role)?;
        let config = there(world, &format!("{mount}/config")).await?;
        let host = config.get("kubernetes_host").and_then(Value::as_str).unwrap_or_default();
        let address = host.trim_start_matches("https://").trim_end_matches('/');
        let mut clusters = world.databases.values().filter(|it| it.side.word == KUBERNETES.word);
        let Some(cluster) = clusters.find(|it| it.address_for_vault == address) else {
            return Err(world.skip(format!("no cluster of this ground is at {host}")));
        };
        let said = there(world, role).await?;
        let first = |field: &str| {
            let first = said.get(field).and_then(Value::as_array).and_then(|it| it.first());
            first.and_then(Value::as_str).unwrap_or(ANY).replace('*', ANY)
        };
        let bound = Self {
            role,
            superuser: cluster.superuser(""),
            account: Account {
                namespace: first("bound_service_account_namespaces"),
                name: first("bound_service_account_names"),
            },
            audience: said
                .get("audience")
                .and_then(Value::as_str)
                .filter(|it| !it.is_empty())
                .map(str::to_owned),
        };
        let labels = selected(said.get("bound_service_account_namespace_selector"));
        create_namespace(&bound.superuser, &bound.account.namespace, &labels).await?;
        Ok(bound)
    }

    /// For whom the role wants it.
    async fn jwt(&self, world: &World, account: &Account) -> Result<SecretString> {
        account.create(&self.superuser).await?;
        let audiences: Vec<&str> = self.audience.as_deref().into_iter().collect();
        let jwt = account.jwt(&self.superuser, &audiences, LIFE_SECONDS).await?;
        world.add_secret(&format!("a JWT of {account}"), jwt.expose_secret());
        Ok(jwt)
    }

    async fn keeps_out(&self, world: &World, account: &Account) -> Result {
        let jwt = self.jwt(world, account).await?;
        is_refused(world, self.role, &account.to_string(), &jwt).await
    }
}

/// Labels that `matchLabels` selects.
fn selected(selector: Option<&Value>) -> Value {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let selector = selector.and_then(|it| it.as_str().map_or(Some(it.clone()), read));
    selector.and_then(|it| it.get("matchLabels").cloned()).unwrap_or_else(|| json!({}))
}

async fn is_refused(world: &World, role: &str, what: &str, jwt: &SecretString) -> Result {
    jwt::is_refused(world, role, what, jwt.expose_secret(), REFUSED).await
}

/// What a JWT says.
fn claims(jwt: &SecretString) -> Result<Body> {
    let claims = jwt.expose_secret().split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    serde_json::from_slice(&claims).map_err(|_| Failure("the JWT holds no claims".into()))
}
