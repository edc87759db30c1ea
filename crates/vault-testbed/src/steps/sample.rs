//! The samples: every field of every kind, written, changed by somebody else, seen and put back.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use cucumber::{given, then};
use serde_json::Value;
use vault_client::Vault;
use vault_model::{
    Body,
    plan::Action,
    source::{Mistake, Sources},
    spec::Spec,
    template::{Inputs, Templates},
    vars::{self, Given},
    yaml,
};
use vault_provision::{Stop, prepare};

use super::spec::read;
use crate::{
    ground::{OPENLDAP, POSTGRES, ServerOptions},
    world::{Failure, Result, World, ensure, failure},
};

/// Path, field, another value.
type Changes = BTreeMap<String, Vec<(String, Value)>>;

/// With what the sample says that it needs.
#[given(expr = "the sample {word}")]
async fn the_sample(world: &mut World, name: String) -> Result {
    let path = world.path(&format!("fixtures/samples/{name}.yaml"));
    let text = std::fs::read_to_string(&path)?;
    if text.contains("needs: [postgres]") {
        let options = ServerOptions { init: Some(LOGINS.into()), ..ServerOptions::of(&POSTGRES) };
        world.start_server("db_admin", &options).await?;
        let url = world.vars.remove("db_admin_url").unwrap_or_default();
        world.vars.insert("db_url".into(), url);
        world.vars.insert("db_admin".into(), "vault".into());
    }
    if text.contains("needs: [openldap]") {
        let options = ServerOptions { init: Some(ACCOUNTS.into()), ..ServerOptions::of(&OPENLDAP) };
        world.start_server("ldap_admin", &options).await?;
        let url = world.vars.remove("ldap_admin_url").unwrap_or_default();
        world.vars.insert("ldap_address".into(), url);
    }
    if text.contains("needs: [files]") {
        let folder = world.path("fixtures/samples/pem");
        world.vars.insert("files".into(), folder.display().to_string().into());
    }
    world.spec_path = Some(path);
    Ok(())
}

const LOGINS: &str = "CREATE ROLE sample_login LOGIN";
const ACCOUNTS: &str = "dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=job-a,ou=people,dc=example,dc=com
objectClass: account
objectClass: simpleSecurityObject
uid: job-a
userPassword: first

dn: uid=job-b,ou=people,dc=example,dc=com
objectClass: account
objectClass: simpleSecurityObject
uid: job-b
userPassword: first
";

/// One field of each object at a time.
#[then(expr = "each field that somebody else changes is seen alone, and put back")]
async fn each_field(world: &mut World) -> Result {
    let spec = read(world)?;
    let vault = world.vault()?.clone();
    let mut changes = changes(world)?;
    let mut count = 0;
    loop {
        let round: Vec<(String, String, Value)> = changes
            .iter_mut()
            .filter_map(|(path, fields)| Some((path, fields.pop()?)))
            .map(|(path, (field, value))| (path.clone(), field, value))
            .collect();
        if round.is_empty() {
            break;
        }
        count += round.len();
        let mut others = read(world)?;
        others.name = "somebody-else".to_owned();
        for (path, field, value) in &round {
            change(&mut others, path, field, value.clone())?;
        }
        put(&vault, &others).await?;
        let wanted = round.iter().map(|(path, field, _)| (path.clone(), field.clone()));
        seen(&vault, &spec, wanted.collect()).await?;
        put(&vault, &spec).await?;
        let left = prepare(&vault, &spec).await?.plan;
        ensure(left.is_empty(), || format!("it is not put back:\n{}", left.show(false)))?;
    }
    world.evidence(format!("{count} fields were changed"));
    ensure(count > 0, || "the sample names no change".into())
}

async fn seen(vault: &Vault, spec: &Spec, wanted: BTreeSet<(String, String)>) -> Result {
    let plan = prepare(vault, spec).await?.plan;
    let mut found = BTreeSet::new();
    for change in plan.changes() {
        let fields = wanted.iter().filter(|(path, _)| *path == change.object.path);
        let fields: Vec<&String> = fields.map(|(_, field)| field).collect();
        for difference in &change.differences {
            let is_it = |it: &&&String| {
                difference.field == ***it || difference.field.starts_with(&format!("{it}."))
            };
            match fields.iter().find(is_it) {
                Some(field) => found.insert((change.object.path.clone(), (*field).clone())),
                None => {
                    let field = &difference.field;
                    return failure(format!("{} was not changed in {field}", change.object.path));
                }
            };
        }
    }
    let unseen: Vec<String> =
        wanted.difference(&found).map(|(path, field)| format!("{path} {field}")).collect();
    ensure(unseen.is_empty(), || format!("these are not seen: {}", unseen.join(", ")))
}

async fn put(vault: &Vault, spec: &Spec) -> Result {
    let prepared = prepare(vault, spec).await?;
    let blocked = prepared.plan.changes().find(|it| it.action == Action::Blocked);
    if let Some(it) = blocked {
        return failure(format!("{} cannot be changed in place", it.object.path));
    }
    let applied = prepared.apply(vault, &Stop::default(), &mut |_| {}).await?;
    let failed = applied.results.iter().find(|it| !it.outcome.is_done());
    match failed {
        Some(it) => failure(format!("{}: {:?}", it.path, it.outcome)),
        None => Ok(()),
    }
}

fn change(spec: &mut Spec, path: &str, field: &str, value: Value) -> Result {
    let found = spec.objects.iter_mut().find(|it| it.path == path);
    let object = found.ok_or_else(|| Failure(format!("the sample has no {path}")))?;
    let object = Arc::get_mut(object).ok_or_else(|| Failure("it is in use".into()))?;
    set(&mut object.said, field, value)
}

/// A dot goes into a body.
fn set(body: &mut Body, name: &str, value: Value) -> Result {
    match name.split_once('.') {
        None => _ = body.insert(name.to_owned(), value),
        Some((outer, inner)) => {
            let body = body.get_mut(outer).and_then(Value::as_object_mut);
            return set(body.ok_or_else(|| Failure(format!("there is no {outer}")))?, inner, value);
        }
    }
    Ok(())
}

/// What the sample says under `x-sample: changes:`, its templates rendered.
fn changes(world: &World) -> Result<Changes> {
    let path = world.spec_path.clone().unwrap_or_default();
    let mut sources = Sources::default();
    let unread = |it: Vec<Mistake>| {
        let said: Vec<&str> = it.iter().map(|it| it.message.as_str()).collect();
        Failure(said.join("; "))
    };
    let bytes = std::fs::read(&path)?;
    let mut root = yaml::read(&mut sources, path.display().to_string(), &bytes).map_err(unread)?;
    let declared = root.take("vars");
    let declared = declared.map(|(_, it)| vars::declared(&it, &mut sources).0).unwrap_or_default();
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let templates = Templates::new(Arc::new(Folder(folder)));
    let flags = world
        .vars
        .iter()
        .map(|(name, it)| (name.clone(), it.as_str().unwrap_or_default().to_owned()));
    let flags = flags.filter(|(name, _)| declared.iter().any(|it| *it.name == **name)).collect();
    let given = Given { flags, files: Vec::new(), env: &|_| None, environment: None };
    let vars = vars::resolve(&declared, given, &templates, &mut sources).map_err(unread)?;
    let mistakes = templates.render(&mut root, &vars, &sources);
    ensure(mistakes.is_empty(), || unread(mistakes).0)?;
    let extra = root.get("x-sample").map(|it| it.to_json()).unwrap_or_default();
    let paths = extra["changes"].as_object().cloned().unwrap_or_default();
    let of = |(path, fields): (String, Value)| {
        let fields = fields.as_object().cloned().unwrap_or_default();
        (path, fields.into_iter().collect())
    };
    Ok(paths.into_iter().map(of).collect())
}

struct Folder(PathBuf);

impl Inputs for Folder {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn file(&self, name: &str) -> std::result::Result<String, String> {
        std::fs::read_to_string(self.0.join(name)).map_err(|err| err.to_string())
    }
}
