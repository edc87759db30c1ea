//! What everything else lives under. A mount is never made anew to change it: all that can change goes through `tune`.

use serde_json::{Value, json};

use crate::{Body, kind::*};

pub const SECRETS: Kind = Kind {
    section: "secrets",
    path: "sys/mounts/{name}",
    fields: &[
        TYPE,
        DESCRIPTION,
        OPTIONS,
        LOCAL,
        SEAL_WRAP,
        ENTROPY,
        body(
            "tune",
            &[
                life("default_lease_ttl"),
                life("max_lease_ttl"),
                flag("force_no_cache").fixed(),
                set("audit_non_hmac_request_keys"),
                set("audit_non_hmac_response_keys"),
                text("listing_visibility").values(&["", "unauth", "hidden"]),
                set("passthrough_request_headers"),
                set("allowed_response_headers"),
                set("allowed_managed_keys"),
                text("plugin_version"),
                set("delegated_auth_accessors"),
                text("identity_token_key"),
                flag("trim_request_trailing_slashes"),
            ],
        ),
    ],
    read: Read::In("sys/mounts"),
    writes: |kind, body, live| writes(kind, &body, live, "sys/mounts/{name}/tune"),
    docs: "system/mounts",
    ..MOUNT
};

pub const AUTH: Kind = Kind {
    section: "auth",
    path: "sys/auth/{name}",
    fields: &[
        TYPE,
        DESCRIPTION,
        OPTIONS,
        LOCAL,
        SEAL_WRAP,
        ENTROPY,
        body(
            "tune",
            &[
                life("default_lease_ttl"),
                life("max_lease_ttl"),
                set("audit_non_hmac_request_keys"),
                set("audit_non_hmac_response_keys"),
                text("listing_visibility").values(&["", "unauth", "hidden"]),
                set("passthrough_request_headers"),
                set("allowed_response_headers"),
                text("plugin_version"),
                text("token_type").values(&[
                    "default-service",
                    "default-batch",
                    "service",
                    "batch",
                ]),
                text("identity_token_key"),
                flag("trim_request_trailing_slashes"),
                body(
                    "user_lockout_config",
                    &[
                        number("lockout_threshold"),
                        seconds("lockout_duration"),
                        seconds("lockout_counter_reset"),
                        flag("lockout_disable"),
                    ],
                ),
            ],
        ),
    ],
    read: Read::In("sys/auth"),
    writes: |kind, body, live| writes(kind, &body, live, "sys/auth/{name}/tune"),
    docs: "system/auth",
    ..MOUNT
};

const TYPE: Field = text("type").required().fixed();
const DESCRIPTION: Field = text("description");
const OPTIONS: Field = map("options");
const LOCAL: Field = flag("local").fixed();
const SEAL_WRAP: Field = flag("seal_wrap").fixed();
const ENTROPY: Field = flag("external_entropy_access").fixed();

/// What only `tune` does: the call that makes a mount refuses or forgets it.
const ONLY_BY_TUNE: &[&str] = &["user_lockout_config", "plugin_version"];

const MOUNT: Kind = Kind {
    mistaken: &[
        ("config", "`tune`"),
        ("default_lease_ttl", "`tune: { default_lease_ttl: … }`"),
        ("max_lease_ttl", "`tune: { max_lease_ttl: … }`"),
        ("listing_visibility", "`tune: { listing_visibility: … }`"),
        ("token_type", "`tune: { token_type: … }`"),
        ("version", "`options: { version: … }`"),
    ],
    decode,
    desire,
    ..Kind::PLAIN
};

/// The stored settings are under `config`, the plugin's version beside it, and a lockout's fields under longer names.
fn decode(mut mount: Body) -> Body {
    let mut tune = match mount.remove("config") {
        Some(Value::Object(config)) => config,
        _ => Body::new(),
    };
    let version = |field: &str| mount.get(field).filter(|it| *it != "").cloned();
    if let Some(version) = version("plugin_version").or_else(|| version("running_plugin_version")) {
        tune.insert("plugin_version".to_owned(), version);
    }
    if let Some(Value::Object(lockout)) = tune.get_mut("user_lockout_config") {
        let reworded = std::mem::take(lockout).into_iter().map(|(key, value)| {
            let key = key.strip_prefix("user_").unwrap_or(&key);
            (
                key.strip_suffix("_duration")
                    .filter(|it| *it == COUNTER_RESET)
                    .unwrap_or(key)
                    .to_owned(),
                value,
            )
        });
        *lockout = reworded.collect();
    }
    mount.insert("tune".to_owned(), Value::Object(tune));
    mount
}

fn desire(said: &Body, live: Option<&Body>) -> Body {
    let mut body = said.clone();
    // Vault reads `kv-v2` as `kv` with a version, and answers so.
    let (engine, version) = match said.get("type").and_then(Value::as_str) {
        Some("kv-v1") => ("kv", Some(json!("1"))),
        Some("kv-v2") => ("kv", Some(json!("2"))),
        _ => ("", None),
    };
    if version.is_some() {
        body.insert("type".to_owned(), json!(engine));
        body.entry("options").or_insert_with(|| json!({}));
    }
    let known = || live.and_then(|it| it.get("options")?.get("version")).cloned();
    if let (Some(Value::Object(options)), Some(version)) =
        (body.get_mut("options"), version.or_else(known))
    {
        options.entry("version").or_insert(version);
    }
    body
}

fn writes(kind: &Kind, body: &Body, live: Option<&Body>, tune: &'static str) -> Vec<Write> {
    let mut body = kind.written(body);
    let mut settings = match body.remove("tune") {
        Some(Value::Object(settings)) => settings,
        _ => Body::new(),
    };
    if let Some(Value::Object(lockout)) = settings.get_mut("user_lockout_config")
        && let Some(reset) = lockout.remove(COUNTER_RESET)
    {
        // Documented without the suffix, and ignored so.
        lockout.insert(format!("{COUNTER_RESET}_duration"), reset);
    }
    if let Some(live) = live {
        let kept = body.into_iter().filter(|(key, _)| key == "description" || key == "options");
        settings.extend(kept);
        without_options(&mut settings, live);
        return vec![Write { path: tune, body: settings }];
    }
    let (late, settings): (Body, Body) =
        settings.into_iter().partition(|(key, _)| ONLY_BY_TUNE.contains(&key.as_str()));
    if !settings.is_empty() {
        body.insert("config".to_owned(), Value::Object(settings));
    }
    let mut writes = vec![Write { path: kind.path, body }];
    if !late.is_empty() {
        writes.push(Write { path: tune, body: late });
    }
    writes
}

/// Options are merged: one that should go must be said to be empty.
fn without_options(settings: &mut Body, live: &Body) {
    let there = live.get("options").and_then(Value::as_object);
    if let Some(Value::Object(options)) = settings.get_mut("options") {
        for key in there.into_iter().flat_map(|it| it.keys()) {
            options.entry(key).or_insert_with(|| json!(""));
        }
    }
}

const COUNTER_RESET: &str = "lockout_counter_reset";
