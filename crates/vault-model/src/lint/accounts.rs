//! Claims of service accounts, held against what roles of Kubernetes are bound to.

use crate::{
    claim::{Account, Subject},
    object::Object,
    select::matches,
    source::{Mistake, Place},
};

use super::Seen;

const NAMES: &str = "bound_service_account_names";
const NAMESPACES: &str = "bound_service_account_namespaces";
const SELECTOR: &str = "bound_service_account_namespace_selector";
const AUDIENCE: &str = "audience";

/// What a role says of an account, as far as names tell.
enum Verdict {
    LetIn,
    /// By this field.
    KeptOut(&'static str),
    /// It depends on labels, or on what Vault will say.
    Open,
}

pub fn claims(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for claim in seen.claims {
        let Subject::Login { path, lets_in, keeps_out, .. } = &claim.subject else { continue };
        let Some(role) = seen.object(path) else { continue };
        let is_bound = seen.engine_of(role) == "kubernetes";
        for (place, account) in lets_in {
            match verdict(role, account) {
                _ if !is_bound => mistakes.push(no_role(*place, path)),
                Verdict::KeptOut(field) => {
                    let claimed = "keeps it out, and the claim says that it lets it in";
                    mistakes.push(unmet(*place, account, role, field, claimed));
                }
                Verdict::LetIn | Verdict::Open => {}
            }
        }
        for (place, account) in keeps_out {
            match verdict(role, account) {
                _ if !is_bound => mistakes.push(no_role(*place, path)),
                Verdict::LetIn => {
                    let claimed = "lets it in, and the claim says that it keeps it out";
                    mistakes.push(unmet(*place, account, role, NAMESPACES, claimed));
                }
                Verdict::KeptOut(_) | Verdict::Open => {}
            }
        }
    }
    mistakes
}

fn no_role(place: Place, path: &str) -> Mistake {
    Mistake::error(place, format!("no service account logs in by {path}"))
        .help("only a role of Kubernetes lets accounts in and keeps them out")
}

fn unmet(place: Place, account: &Account, role: &Object, field: &str, claimed: &str) -> Mistake {
    let mistake = Mistake::error(place, format!("`{account}`: {} {claimed}", role.path));
    let said = match role.said.get(field) {
        Some(_) => vec![(role.field_place(field), format!("`{field}` decides it"))],
        None => Vec::new(),
    };
    Mistake { also: said, ..mistake }
}

fn verdict(role: &Object, account: &Account) -> Verdict {
    let (names, namespaces) = (role.texts(NAMES), role.texts(NAMESPACES));
    let audience = role.texts(AUDIENCE).first().copied().unwrap_or_default();
    if names.iter().chain(&namespaces).chain([&audience]).any(|it| it.contains("${")) {
        return Verdict::Open;
    }
    let is_of = |globs: &[&str], name: &str| globs.iter().any(|it| matches(it, name));
    let selects = role.said.get(SELECTOR).is_some_and(|it| !it.is_null() && it != "");
    match &account.audience {
        _ if !is_of(&names, &account.name) => Verdict::KeptOut(NAMES),
        _ if !is_of(&namespaces, &account.namespace) && selects => Verdict::Open,
        _ if !is_of(&namespaces, &account.namespace) => Verdict::KeptOut(NAMESPACES),
        // The API server's own audiences are nothing that the spec says.
        Some(_) if audience.is_empty() => Verdict::Open,
        Some(wanted) if wanted != audience => Verdict::KeptOut(AUDIENCE),
        _ => Verdict::LetIn,
    }
}
