//! What proofs of AWS's keys are told: which of them a ground can judge, and how long they live.

use vault_model::{object::Object, spec::Spec};

use super::{Objects, facts::Fit};

pub fn keys(spec: &Spec, role: &Object) -> Fit {
    match root(spec, role) {
        None => Fit::Unproven("the spec says no root keys that would make its keys".to_owned()),
        Some(root) if !says_endpoint(root) => Fit::Unproven(no_endpoint(root)),
        Some(_) => Fit::Proven,
    }
}

pub fn rotation(_: &Spec, root: &Object) -> Fit {
    match (root.rotates_root(), says_endpoint(root)) {
        (false, _) => Fit::Beside,
        (true, true) => Fit::Proven,
        (true, false) => Fit::Unproven(no_endpoint(root)),
    }
}

/// Whether it makes users of AWS.
pub fn makes_users(object: &Object) -> bool {
    credential_type(object) == Some("iam_user")
}

/// Whether its keys end by themselves, at AWS.
pub fn lends(object: &Object) -> bool {
    credential_type(object).is_some_and(|it| it != "iam_user")
}

fn credential_type(object: &Object) -> Option<&str> {
    let kind = object.said.get("credential_type").filter(|_| object.kind.docs == "secret/aws");
    kind?.as_str()
}

fn root<'a>(spec: &'a Spec, role: &Object) -> Option<&'a Object> {
    spec.object(&role.at("{mount}/config/root"))
}

/// Without it, Vault goes to Amazon.
fn says_endpoint(root: &Object) -> bool {
    ["iam_endpoint", "sts_endpoint"].iter().all(|it| root.said.contains_key(*it))
}

fn no_endpoint(root: &Object) -> String {
    format!("{} says no iam_endpoint and sts_endpoint that a ground could bind", root.path)
}
