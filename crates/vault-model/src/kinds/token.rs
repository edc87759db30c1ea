//! What every auth method says about the tokens that it makes, and the roles of the token method itself.

use crate::{Body, kind::*};

pub const ENGINE: Engine = Engine {
    name: "token",
    bears_data: false,
    kinds: &[Kind {
        section: "roles",
        path: "{mount}/roles/{name}",
        fields: ROLE,
        list: Some("{mount}/roles"),
        mistaken: &[
            ("policies", "`allowed_policies`"),
            ("token_policies", "`allowed_policies`"),
            ("ttl", "`token_period` or `token_explicit_max_ttl`"),
            ("token_ttl", "`token_period` or `token_explicit_max_ttl`"),
            ("max_ttl", "`token_explicit_max_ttl`"),
            ("token_max_ttl", "`token_explicit_max_ttl`"),
        ],
        docs: "auth/token",
        ..Kind::PLAIN
    }],
};

const ROLE: &[Field] = &[
    lower_set("allowed_policies").names("sys/policies/acl/{}"),
    lower_set("disallowed_policies"),
    lower_set("allowed_policies_glob"),
    lower_set("disallowed_policies_glob"),
    flag("orphan"),
    flag("renewable"),
    text("path_suffix"),
    lower_set("allowed_entity_aliases"),
    networks("token_bound_cidrs"),
    life("token_explicit_max_ttl"),
    flag("token_no_default_policy"),
    number("token_num_uses"),
    life("token_period"),
    text("token_type").values(&["default-service", "default-batch", "service", "batch"]),
    life("period").renamed("token_period"),
    life("explicit_max_ttl").renamed("token_explicit_max_ttl"),
    networks("bound_cidrs").renamed("token_bound_cidrs"),
];

/// The tokens of a role of any other method.
pub const FIELDS: &[Field] = &[
    networks("token_bound_cidrs"),
    life("token_explicit_max_ttl"),
    life("token_max_ttl"),
    flag("token_no_default_policy"),
    number("token_num_uses"),
    life("token_period"),
    set("token_policies").names("sys/policies/acl/{}"),
    life("token_ttl"),
    text("token_type").values(&["default", "service", "batch"]),
];

pub const OLD_POLICIES: Field =
    lower_set("policies").renamed("token_policies").names("sys/policies/acl/{}");
pub const OLD_TTL: Field = life("ttl").renamed("token_ttl");
pub const OLD_MAX_TTL: Field = life("max_ttl").renamed("token_max_ttl");
pub const OLD_PERIOD: Field = life("period").renamed("token_period");
pub const OLD_NETWORKS: Field = networks("bound_cidrs").renamed("token_bound_cidrs");

/// An answer names a thing by its new name, whichever name it was written under: here it has both.
pub fn with_old_names(fields: &[Field], mut body: Body) -> Body {
    for field in fields {
        let Some(value) = field.renamed.and_then(|it| body.get(it)).cloned() else { continue };
        body.insert(field.name.to_owned(), value);
    }
    body
}
