//! What Vault answers for a path: the fields that a template may use.
//!
//! Like lints, this knows engines by name: what they answer stands in no other table.

use crate::{nearest::nearest, object::Object, source::Mistake};

use super::Known;

pub(super) struct Answer {
    /// For people, and for policies: of KV v2 with `data/`, which the agent adds by itself.
    pub path: String,
    /// Keys below `.Data`, and below `.Data.data`; none where they aren't known.
    pub fields: Option<Vec<String>>,
    pub is_versioned: bool,
}

/// A row: what is asked for below a mount, and the section whose object makes it.
struct Issued {
    engine: &'static str,
    below: &'static str,
    section: &'static str,
    fields: fn(&Object) -> Vec<&'static str>,
}

const ISSUED: &[Issued] = &[
    Issued { engine: "database", below: "creds", section: "roles", fields: |it| database(it, &[]) },
    Issued {
        engine: "database",
        below: "static-creds",
        section: "static_roles",
        fields: |it| {
            database(
                it,
                &[
                    "last_vault_rotation",
                    "rotation_period",
                    "rotation_schedule",
                    "rotation_window",
                    "ttl",
                ],
            )
        },
    },
    Issued { engine: "aws", below: "creds", section: "roles", fields: |_| AWS.to_vec() },
    Issued { engine: "aws", below: "sts", section: "roles", fields: |_| AWS.to_vec() },
    Issued { engine: "pki", below: "issue", section: "roles", fields: |_| PKI.to_vec() },
    Issued {
        engine: "rabbitmq",
        below: "creds",
        section: "roles",
        fields: |_| vec!["username", "password"],
    },
];

const AWS: &[&str] = &["access_key", "secret_key", "security_token", "session_token", "arn", "ttl"];
const PKI: &[&str] = &[
    "certificate",
    "issuing_ca",
    "ca_chain",
    "private_key",
    "private_key_type",
    "serial_number",
    "expiration",
    "not_before",
];

fn database(role: &Object, more: &[&'static str]) -> Vec<&'static str> {
    let of_kind: &[&str] = match role.said.get("credential_type").and_then(|it| it.as_str()) {
        Some("rsa_private_key") => &["username", "rsa_private_key"],
        Some("client_certificate") => {
            &["username", "client_certificate", "private_key", "private_key_type"]
        }
        _ => &["username", "password"],
    };
    [of_kind, more].concat()
}

/// An error is what is wrong with the path itself, without its place.
pub(super) fn of(known: &Known<'_>, path: &str) -> Result<Answer, Mistake> {
    let path = path.trim_matches('/').trim_start_matches("v1/");
    let plain = || Answer { path: path.to_owned(), fields: None, is_versioned: false };
    let Some((mount, it, rest)) = known.mount_of(path) else {
        let top = path.split('/').next().unwrap_or_default();
        if ["sys", "auth", "identity", "cubbyhole"].contains(&top) {
            return Ok(plain());
        }
        let mounts = known.mounts.keys().copied().filter(|it| !it.starts_with("auth/"));
        let help = match nearest(top, mounts) {
            Some(it) => format!("did you mean `{it}/…`?"),
            None => "describe its mount in the spec, or correct the path".to_owned(),
        };
        return Err(Mistake::error(
            None,
            format!("nothing of the spec is mounted where `{path}` would be"),
        )
        .help(help));
    };
    match it.engine {
        "kv-v2" => Ok(versioned(known, mount, rest)),
        "kv" => {
            let fields = known.object(path).and_then(keys);
            Ok(Answer { fields, ..plain() })
        }
        engine => {
            let (below, name) = rest.split_once('/').unwrap_or((rest, ""));
            let mut rows = ISSUED.iter().filter(|it| it.engine == engine);
            let Some(row) = rows.clone().find(|it| it.below == below) else {
                return match rows.find_map(|it| nearest(below, [it.below])) {
                    Some(near) => {
                        Err(Mistake::error(None, format!("`{mount}` answers nothing at `{rest}`"))
                            .help(format!("did you mean `{mount}/{near}/{name}`?")))
                    }
                    None => Ok(plain()),
                };
            };
            let issuer = issuer(known, mount, row, name)?;
            let fields = (row.fields)(issuer).into_iter().map(str::to_owned).collect();
            Ok(Answer { fields: Some(fields), ..plain() })
        }
    }
}

fn issuer<'a>(
    known: &Known<'a>,
    mount: &str,
    row: &Issued,
    name: &str,
) -> Result<&'a Object, Mistake> {
    let here = |it: &&Object| it.mount() == mount && it.kind.section == row.section;
    let mut all = known.spec.objects.iter().map(|it| &**it).filter(here);
    all.find(|it| it.name() == name).ok_or_else(|| {
        let names = known.names(mount, row.section);
        let help = match nearest(name, names.iter().copied()) {
            Some(it) => format!("did you mean `{mount}/{}/{it}`?", row.below),
            None if names.is_empty() => format!("describe it: `{mount}` has no `{}`", row.section),
            None => format!("there are `{}`", names.join("`, `")),
        };
        Mistake::error(None, format!("the spec has no role `{name}` at `{mount}`")).help(help)
    })
}

/// A template may leave `data/` out.
fn versioned(known: &Known<'_>, mount: &str, rest: &str) -> Answer {
    let path = match rest.split_once('/') {
        Some(("data" | "metadata", _)) => format!("{mount}/{rest}"),
        _ => format!("{mount}/data/{rest}"),
    };
    let fields = known.object(&path).and_then(keys);
    Answer { path, fields, is_versioned: !rest.starts_with("metadata/") }
}

/// The keys of a secret, where the spec has all of them.
fn keys(secret: &Object) -> Option<Vec<String>> {
    let parts = ["data", "generate"].map(|it| secret.said.get(it).and_then(|it| it.as_object()));
    // What is only a seed, somebody else may have replaced.
    let is_exact = parts[0].is_some() && secret.said.get("seed").is_none();
    is_exact.then(|| parts.into_iter().flatten().flat_map(|it| it.keys().cloned()).collect())
}
