//! Vault as a provider of OIDC: somebody asks it for a token or a code, and who trusts it takes that.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cucumber::{given, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;
use vault_client::{Answer, Vault, VaultError};
use vault_model::{Body, request::Request};

use crate::{
    ground::new_secret,
    steps::{
        SOON, until,
        vault::{said, there},
    },
    world::{Failure, Result, World, ensure, failure},
};

/// What the scenario calls "the identity token".
pub struct IdentityToken {
    role: String,
    jwt: SecretString,
    claims: Body,
    key_id: String,
    /// Who asked for it.
    entity: String,
}

/// Made for a scenario, and gone with its Vault: people who may ask, and a method that trusts.
const PEOPLE: &str = "auth/vaultwright-proof";
const TRUSTING: &str = "auth/vaultwright-trusting";
const MAY_ASK: &str = "path \"identity/oidc/token/*\" { capabilities = [\"read\"] }\n\
    path \"identity/oidc/provider/+/authorize\" { capabilities = [\"read\", \"update\"] }";

/// With no leeway, so that an end is an end.
#[given(expr = "another method trusts identity tokens of {string}")]
async fn another_method(world: &mut World, role: String) -> Result {
    let client = text(&there(world, &role).await?, "client_id")?;
    let issuer =
        text(&there(world, "identity/oidc/.well-known/openid-configuration").await?, "issuer")?;
    write(world, &TRUSTING.replacen("auth/", "sys/auth/", 1), json!({ "type": "jwt" })).await?;
    write(world, &format!("{TRUSTING}/config"), json!({ "oidc_discovery_url": issuer })).await?;
    let trusting = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": [client],
        "expiration_leeway": -1, "not_before_leeway": -1, "clock_skew_leeway": -1,
    });
    write(world, &format!("{TRUSTING}/role/proof"), trusting).await?;
    world.evidence(format!("{TRUSTING} finds the keys of {issuer} by itself"));
    Ok(())
}

#[when(expr = "somebody gets an identity token by {string}")]
async fn gets_a_token(world: &mut World, role: String) -> Result {
    world.proven.identity_token = Some(token(world, &role).await?);
    Ok(())
}

#[then(expr = "the identity token lasts {int} s")]
async fn lasts(world: &mut World, seconds: i64) -> Result {
    let claims = &world.proven.identity_token()?.claims;
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    let lasts = time("exp") - time("iat");
    ensure(lasts == seconds, || format!("it lasts {lasts} s, not {seconds} s"))
}

#[then(expr = "the identity token is of whoever asked, for the client of its role")]
async fn is_of_its_client(world: &mut World) -> Result {
    let token = world.proven.identity_token()?;
    let client = text(&there(world, &token.role).await?, "client_id")?;
    let (subject, audience) = (text(&token.claims, "sub")?, text(&token.claims, "aud")?);
    world.evidence(format!("{} for {audience}", token.claims["iss"]));
    ensure((&subject, &audience) == (&token.entity, &client), || {
        format!("it is of {subject} for {audience}, not of {} for {client}", token.entity)
    })
}

/// By the policies of the role that trusts it.
#[then(expr = "{string} lets the identity token in")]
#[then(expr = "{string} lets the identity token of before in")]
async fn is_let_in(world: &mut World, trusting: String) -> Result {
    let trusting = own(&trusting);
    let auth = show(world, &trusting).await??.auth;
    let auth = auth.ok_or_else(|| Failure("the login gives no token".into()))?;
    world.add_secret(&format!("a token of {trusting}"), auth.client_token.expose_secret());
    let role = there(world, &trusting).await?;
    let wanted = role.get("token_policies").and_then(Value::as_array).into_iter().flatten();
    let lacks = |it: &&str| !auth.token_policies.iter().any(|has| has == it);
    let lacks: Vec<&str> = wanted.filter_map(Value::as_str).filter(lacks).collect();
    world.evidence(format!("let in with the policies {}", auth.token_policies.join(", ")));
    ensure(lacks.is_empty(), || format!("the token lacks {}", lacks.join(", ")))
}

#[then(expr = "{string} lets in no identity token for another client")]
async fn another_client(world: &mut World, trusting: String) -> Result {
    let key = "identity/oidc/key/vaultwright-proof";
    write(world, key, json!({ "allowed_client_ids": ["*"] })).await?;
    let role = "identity/oidc/role/vaultwright-proof";
    let said = json!({ "key": "vaultwright-proof", "client_id": "vaultwright-other" });
    write(world, role, said).await?;
    world.proven.identity_token = Some(token(world, role).await?);
    let answer = show(world, &own(&trusting)).await?;
    is_refused(world, &answer, "audience")
}

#[then(expr = "{string} refuses the identity token once its life is over")]
async fn is_refused_in_time(world: &mut World, trusting: String) -> Result {
    let trusting = own(&trusting);
    let ends = world.proven.identity_token()?.claims.get("exp").and_then(Value::as_i64);
    let left = ends.unwrap_or_default() - jiff::Timestamp::now().as_second();
    let left = Duration::from_secs(left.max(0).unsigned_abs());
    show(world, &trusting).await??;
    let began = Instant::now();
    let world = &*world;
    until(left + SOON, || async {
        let answer = show(world, &trusting).await?;
        is_refused(world, &answer, "expired")
    })
    .await?;
    let early = left.saturating_sub(began.elapsed() + Duration::from_secs(1));
    ensure(early.is_zero(), || format!("that is {} s too early", early.as_secs()))
}

#[when(expr = "the key of {string} is rotated")]
async fn is_rotated(world: &mut World, role: String) -> Result {
    let key = text(&there(world, &role).await?, "key")?;
    write(world, &format!("identity/oidc/key/{key}/rotate"), json!({})).await
}

/// The scenario's own stays the one of before.
#[then(expr = "a new identity token is of another key, and {string} lets it in too")]
async fn of_another_key(world: &mut World, trusting: String) -> Result {
    let role = world.proven.identity_token()?.role.clone();
    let new = token(world, &role).await?;
    let old = world.proven.identity_token.replace(new);
    let new = &world.proven.identity_token()?.key_id;
    let is_same = old.is_some_and(|it| it.key_id == *new);
    world.evidence(format!("the new key is {new}"));
    ensure(!is_same, || format!("the new token is of the same key {new}"))?;
    is_let_in(world, trusting).await
}

/// As a browser would: the method names the provider, the provider gives a code, the method takes it.
pub async fn log_in(world: &World, role: &str) -> Result<Answer> {
    let visit = Visit::begin(world, role, None).await?;
    let visitor = visitor(world, &visit).await?;
    let code = visit.code(&visitor).await?.map_err(|it| Failure(format!("no code: {it}")))?;
    world.evidence(format!("{} gave a code, and {} took it", visit.provider, visit.mount));
    Ok(visit.end(world, &code).await??)
}

#[then(expr = "{string} takes no code twice")]
async fn no_code_twice(world: &mut World, role: String) -> Result {
    let visit = Visit::begin(world, &role, None).await?;
    let visitor = visitor(world, &visit).await?;
    let code = visit.code(&visitor).await?.map_err(|it| Failure(format!("no code: {it}")))?;
    visit.end(world, &code).await??;
    // Another visit, with a state of its own, brings the same code.
    let again = Visit::begin(world, &role, None).await?.end(world, &code).await?;
    is_refused(world, &again, "invalid_grant")
}

#[then(expr = "{string} begins nothing for an address that it does not allow")]
async fn no_other_address(world: &mut World, role: String) -> Result {
    match Visit::begin(world, &role, Some("http://vaultwright.invalid/callback")).await {
        Ok(_) => failure("it gives an address of its provider"),
        Err(Failure(why)) => {
            world.evidence(why);
            Ok(())
        }
    }
}

#[then(expr = "the provider of {string} gives no code to whom its client is not for")]
async fn not_assigned(world: &mut World, role: String) -> Result {
    let visit = Visit::begin(world, &role, None).await?;
    let stranger = person(world, None).await?.0;
    match visit.code(&stranger).await? {
        Ok(_) => failure("it gives a code to somebody who is assigned to nothing"),
        Err(why) if why.contains("not authorized by client assignment") => {
            world.evidence(why);
            Ok(())
        }
        Err(why) => failure(format!("it is refused otherwise: {why}")),
    }
}

/// A visit may say how long ago the person has logged in at most (`max_age`, in seconds): the provider then sends others
/// back to log in again.
#[then(expr = "the provider of {string} gives no code to whoever logged in to it too long ago")]
async fn too_long_ago(world: &mut World, role: String) -> Result {
    let mut visit = Visit::begin(world, &role, None).await?;
    visit.asked.insert("max_age".to_owned(), "1".to_owned());
    let visitor = visitor(world, &visit).await?;
    let world = &*world;
    until(SOON, || async {
        match visit.code(&visitor).await? {
            Ok(_) => failure("it still gives a code"),
            Err(why) if why.contains("re-authentication is required") => {
                world.evidence(why);
                Ok(())
            }
            Err(why) => failure(format!("it is refused otherwise: {why}")),
        }
    })
    .await
}

/// One login by a browser, as far as the method and the provider see it.
struct Visit {
    mount: String,
    /// `identity/oidc/provider/main`
    provider: String,
    asked: BTreeMap<String, String>,
    nonce: String,
}

impl Visit {
    async fn begin(world: &World, role: &str, back_to: Option<&str>) -> Result<Visit> {
        let (mount, name) = super::jwt::parts(role)?;
        let allowed = there(world, role).await?.remove("allowed_redirect_uris").unwrap_or_default();
        let back_to = back_to.or(allowed.get(0).and_then(Value::as_str)).unwrap_or_default();
        let nonce = new_secret("nonce")?.expose_secret().to_owned();
        let body = json!({ "role": name, "redirect_uri": back_to, "client_nonce": nonce });
        let request = Request::post(format!("{mount}/oidc/auth_url"), object(body));
        let data = world.anonymous()?.send_once(&request).await?.data.unwrap_or_default();
        let url = text(&data, "auth_url").map_err(|_| {
            Failure(format!("{mount} names no address of its provider for {back_to}"))
        })?;
        let url = Url::parse(&url)?;
        let provider = url.path().find("identity/oidc/provider/").map(|at| &url.path()[at..]);
        let provider = provider.and_then(|it| it.strip_suffix("/authorize"));
        let provider = provider.ok_or_else(|| Failure(format!("{} is no Vault", url.path())))?;
        let asked = url.query_pairs().map(|(it, value)| (it.into_owned(), value.into_owned()));
        let provider = provider.to_owned();
        Ok(Visit { mount: mount.to_owned(), asked: asked.collect(), provider, nonce })
    }

    /// What the provider gives to somebody who has logged in to it; else why it does not.
    async fn code(&self, visitor: &Vault) -> Result<Result<String, String>> {
        let request =
            Request::post(format!("{}/authorize", self.provider), object(json!(self.asked)));
        Ok(match visitor.send_once(&request).await {
            Ok(answer) => text(&answer.data.unwrap_or_default(), "code").map_err(|it| it.0),
            Err(err) => Err(err.to_string()),
        })
    }

    async fn end(&self, world: &World, code: &str) -> Result<Result<Answer, VaultError>> {
        let state = self.asked.get("state").cloned().unwrap_or_default();
        let body = json!({ "state": state, "code": code, "client_nonce": self.nonce });
        let request = Request::new(
            vault_model::request::Method::Get,
            format!("{}/oidc/callback", self.mount),
            object(body),
        );
        Ok(world.anonymous()?.send_once(&request).await)
    }
}

/// Somebody whom the client of a visit is for.
async fn visitor(world: &World, visit: &Visit) -> Result<Vault> {
    let id = visit.asked.get("client_id").cloned().unwrap_or_default();
    let vault = world.vault()?;
    let mut entities = Vec::new();
    for name in vault.list("identity/oidc/client").await? {
        let client = there(world, &format!("identity/oidc/client/{name}")).await?;
        if text(&client, "client_id")? != id {
            continue;
        }
        for assignment in texts(&client, "assignments") {
            if assignment == "allow_all" {
                return Ok(person(world, None).await?.0);
            }
            let assignment =
                there(world, &format!("identity/oidc/assignment/{assignment}")).await?;
            entities.extend(texts(&assignment, "entity_ids"));
            for group in texts(&assignment, "group_ids") {
                let group = there(world, &format!("identity/group/id/{group}")).await?;
                entities.extend(texts(&group, "member_entity_ids"));
            }
        }
    }
    match entities.first() {
        Some(entity) => Ok(person(world, Some(entity)).await?.0),
        None => Err(world.skip("nobody is assigned to the client that it names")),
    }
}

/// Whoever may ask the provider, and the entity that it is: the one that is named, or one of nobody else.
async fn person(world: &World, entity: Option<&str>) -> Result<(Vault, String)> {
    let method = PEOPLE.replacen("auth/", "sys/auth/", 1);
    let mounts = there(world, "sys/auth").await?;
    if !mounts.contains_key(&format!("{}/", PEOPLE.trim_start_matches("auth/"))) {
        write(world, &method, json!({ "type": "userpass" })).await?;
        write(world, "sys/policies/acl/vaultwright-proof", json!({ "policy": MAY_ASK })).await?;
    }
    let (name, password) = (entity.unwrap_or("vaultwright"), new_secret("proof")?);
    let password = password.expose_secret();
    world.add_secret("the password of whoever asks the provider", password);
    let user = json!({ "password": password, "token_policies": ["vaultwright-proof"] });
    write(world, &format!("{PEOPLE}/users/{name}"), user).await?;
    if let Some(entity) = entity {
        let accessor = text(&there(world, &method).await?, "accessor")?;
        let alias = json!({ "name": name, "mount_accessor": accessor, "canonical_id": entity });
        write(world, "identity/entity-alias", alias).await?;
    }
    let login =
        Request::post(format!("{PEOPLE}/login/{name}"), object(json!({ "password": password })));
    let auth = world.anonymous()?.send_once(&login).await?.auth;
    let auth = auth.ok_or_else(|| Failure("the login gives no token".into()))?;
    world.add_secret("a token of whoever asks the provider", auth.client_token.expose_secret());
    Ok((world.vault()?.with_token(auth.client_token), auth.entity_id))
}

async fn token(world: &World, role: &str) -> Result<IdentityToken> {
    let (vault, entity) = person(world, None).await?;
    let path = role.replacen("/role/", "/token/", 1);
    let data = vault.send_once(&Request::get(path)).await?.data.unwrap_or_default();
    let jwt = text(&data, "token")?;
    world.add_secret(&format!("an identity token of {role}"), &jwt);
    let part = |at: usize| {
        let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(at).unwrap_or_default())?;
        Ok::<_, Failure>(serde_json::from_slice::<Body>(&bytes)?)
    };
    let key_id = text(&part(0)?, "kid")?;
    Ok(IdentityToken { role: role.to_owned(), claims: part(1)?, key_id, entity, jwt: jwt.into() })
}

/// To a role that should trust it.
async fn show(world: &World, trusting: &str) -> Result<Result<Answer, VaultError>> {
    let token = world.proven.identity_token()?;
    super::jwt::send(world, trusting, token.jwt.expose_secret()).await
}

/// The method of the scenario's own has one role.
fn own(trusting: &str) -> String {
    if trusting == "the other method" {
        format!("{TRUSTING}/role/proof")
    } else {
        trusting.to_owned()
    }
}

fn is_refused(world: &World, answer: &Result<Answer, VaultError>, because: &str) -> Result {
    match answer {
        Err(err) if err.reasons.iter().any(|it| it.contains(because)) => {
            world.evidence(said(answer));
            Ok(())
        }
        Err(err) => failure(format!("it is refused otherwise: {err}")),
        Ok(_) => failure("it is let in"),
    }
}

async fn write(world: &World, path: &str, body: Value) -> Result {
    world.vault()?.write(path, object(body)).await?;
    Ok(())
}

fn object(value: Value) -> Body {
    value.as_object().cloned().unwrap_or_default()
}

fn text(body: &Body, name: &str) -> Result<String> {
    let text = body.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    text.map(str::to_owned).ok_or_else(|| Failure(format!("Vault does not say its {name}")))
}

fn texts(body: &Body, name: &str) -> Vec<String> {
    let items = body.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
