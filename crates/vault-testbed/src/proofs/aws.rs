//! What proofs of AWS's keys are told: which of them a ground can judge, and how long they live.

use serde_json::Value;
use vault_model::{object::Object, spec::Spec};

use super::{Objects, facts::Fit};

pub fn keys(spec: &Spec, role: &Object) -> Fit {
    match (credential_type(role), root(spec, role)) {
        (_, None) => {
            Fit::Unproven("the spec says no root keys that would make its keys".to_owned())
        }
        (_, Some(root)) if !says_endpoint(root) => Fit::Unproven(no_endpoint(root)),
        (IAM_USER | ASSUMED_ROLE, _) => Fit::Proven,
        (other, _) => Fit::Unproven(format!(
            "moto, which stands for AWS, gives out one key for every {other}, and refuses it"
        )),
    }
}

pub fn rotation(_: &Spec, root: &Object) -> Fit {
    match (root.rotates_root(), says_endpoint(root)) {
        (false, _) => Fit::Beside,
        (true, true) => Fit::Proven,
        (true, false) => Fit::Unproven(no_endpoint(root)),
    }
}

/// What of keys cannot be shown, whatever they are good for.
pub fn unending(object: &Object) -> Option<String> {
    let is_lent = object.kind.docs == DOCS && credential_type(object) == ASSUMED_ROLE;
    let reason = "keys of an assumed role outlive their lease's revocation, in AWS too; \
                  that AWS ends them is not shown: moto does not";
    is_lent.then(|| reason.to_owned())
}

/// Whether it makes users of AWS.
pub fn makes_users(object: &Object) -> bool {
    object.kind.docs == DOCS && credential_type(object) == IAM_USER
}

const DOCS: &str = "secret/aws";
const IAM_USER: &str = "iam_user";
const ASSUMED_ROLE: &str = "assumed_role";

fn credential_type(role: &Object) -> &str {
    role.said.get("credential_type").and_then(Value::as_str).unwrap_or_default()
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
