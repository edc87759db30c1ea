//! Lives that can't hold.

use crate::{
    delivery::Delivery,
    object::Object,
    source::{Mistake, Place},
};

use super::{Seen, seen::life};

/// What is asked for, and what it can't be longer than.
const PAIRS: &[(&str, &str)] = &[
    ("default_ttl", "max_ttl"),
    ("ttl", "max_ttl"),
    ("token_ttl", "token_max_ttl"),
    ("token_ttl", "token_explicit_max_ttl"),
    ("default_sts_ttl", "max_sts_ttl"),
    ("lease", "lease_max"),
    ("tune.default_lease_ttl", "tune.max_lease_ttl"),
];

/// Lives that the `max_lease_ttl` of the mount cuts.
const LEASES: &[&str] = &[
    "ttl",
    "default_ttl",
    "max_ttl",
    "token_ttl",
    "token_max_ttl",
    "default_sts_ttl",
    "max_sts_ttl",
];

pub fn default_above_max(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for object in seen.objects.iter().filter(|it| has_lives(it)) {
        for (default, max) in PAIRS {
            let (Some((default_life, place)), Some((max_life, at))) =
                (life(object, default), life(object, max))
            else {
                continue;
            };
            if default_life > max_life {
                let message = format!(
                    "`{default}` is {}, longer than `{max}`, which is {}",
                    shown(default_life),
                    shown(max_life)
                );
                mistakes.push(Mistake::error(place, message).also(at, "the maximum"));
            }
        }
    }
    mistakes
}

/// Most objects say nothing of the kind.
fn has_lives(object: &Object) -> bool {
    object.said.keys().any(|it| it == "tune" || object.row(it).is_some_and(|row| row.life))
}

pub fn ttl_above_mount(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for object in seen.objects.iter().filter(|it| has_lives(it)) {
        let mount = seen.mount_of(&object.path).map(|(_, it, _)| it.object);
        let Some((limit, at)) = mount.and_then(|it| life(it, "tune.max_lease_ttl")) else {
            continue;
        };
        let lives = LEASES.iter().filter_map(|it| Some((it, life(object, it)?)));
        for (name, (said, place)) in lives.filter(|(_, (said, _))| *said > limit) {
            let message = format!(
                "`{name}` is {}, and the mount ends every lease after {}",
                shown(said),
                shown(limit)
            );
            mistakes.push(Mistake::error(place, message).also(at, "the mount's maximum"));
        }
    }
    mistakes
}

pub fn short_secret_ids(seen: &Seen<'_>) -> Vec<Mistake> {
    let is_delivered = |it: &Object| seen.deliveries.iter().any(|to| to.login == it.path);
    let roles = seen.of("approle", "roles").filter(|it| !is_delivered(it));
    roles.filter_map(short_secret_id).collect()
}

pub fn delivery_login_ends(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for delivery in seen.deliveries {
        let roles = seen.of("approle", "roles").filter(|it| it.path == delivery.login);
        for role in roles {
            let found = short_secret_id(role).or_else(|| few_uses(role));
            mistakes.extend(found.map(|it| it.also(delivery.place, "a delivery logs in by it")));
        }
    }
    mistakes
}

/// A secret-id that is no longer good when its token reaches the maximum.
fn short_secret_id(role: &Object) -> Option<Mistake> {
    let (secret_id, place) = life(role, "secret_id_ttl")?;
    let (token, at, name) = token_life(role)?;
    if secret_id > token {
        return None;
    }
    let message = format!(
        "a secret-id lives {}, and its token may live {}: after that nobody can log in again with it",
        shown(secret_id),
        shown(token)
    );
    Some(Mistake::error(place, message).also(at, format!("`{name}` of the token")))
}

fn few_uses(role: &Object) -> Option<Mistake> {
    let uses = role.said.get("secret_id_num_uses")?.as_u64().filter(|it| *it > 0)?;
    let message = format!("a secret-id is good for {uses} logins, and a delivery logs in for ever");
    Some(Mistake::error(role.field_place("secret_id_num_uses"), message))
}

/// The longest that a token of this role may live, where that is said.
fn token_life(role: &Object) -> Option<(i64, Place, &'static str)> {
    if life(role, "token_period").is_some() {
        return None;
    }
    let limits = ["token_explicit_max_ttl", "token_max_ttl"].into_iter();
    let said = limits.filter_map(|name| life(role, name).map(|(life, at)| (life, at, name)));
    said.min_by_key(|(life, _, _)| *life)
}

pub fn lease_outlives_token(seen: &Seen<'_>) -> Vec<Mistake> {
    seen.deliveries.iter().filter_map(|it| outliving(seen, it)).collect()
}

fn outliving(seen: &Seen<'_>, delivery: &Delivery) -> Option<Mistake> {
    let role = seen.issuer(&delivery.from)?.ok()?;
    let names = ["max_ttl", "default_ttl", "max_sts_ttl", "default_sts_ttl"];
    let (lease, at, name) =
        names.into_iter().find_map(|it| life(role, it).map(|(life, at)| (life, at, it)))?;
    let (token, token_at, token_name) = token_life(seen.object(&delivery.login)?)?;
    if lease <= token {
        return None;
    }
    let message = format!(
        "the lease may live {}, but the token that makes it ends after {} and takes it along",
        shown(lease),
        shown(token)
    );
    Some(
        Mistake::error(delivery.from_place, message)
            .also(at, format!("`{name}` of the lease"))
            .also(token_at, format!("`{token_name}` of the token")),
    )
}

/// `36h30m`.
fn shown(seconds: i64) -> String {
    let units = [(3_600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds;
    let mut text = String::new();
    for (length, unit) in units {
        if rest >= length {
            text += &format!("{}{unit}", rest / length);
            rest %= length;
        }
    }
    text
}
