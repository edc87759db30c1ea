//! What proofs of logins by a directory are told.

use serde_json::{Value, json};
use vault_model::{directory, object::Object, spec::Spec};

use super::{Objects, facts::policies, identity::objects};

/// What says how the tokens are that a login gives.
pub fn or_method<'s>(spec: &'s Spec, login: &'s Object) -> &'s Object {
    directory::or_method(login, objects(spec))
}

/// The configuration that a login needs, and the spec does not say.
pub fn lacking(spec: &Spec, login: &Object) -> Option<String> {
    directory::config(login).filter(|it| spec.object(it).is_none())
}

/// For the templates.
pub fn more(spec: &Spec, login: &Object) -> Value {
    let method = or_method(spec, login);
    let is_batch = method.said.get("token_type").is_some_and(|it| it == "batch");
    let gives = !login.texts("policies").is_empty();
    json!({
        "is_group": login.kind.section == "groups",
        "without": policies(spec, method).join(","),
        "is_renewed": gives && !is_batch,
    })
}
