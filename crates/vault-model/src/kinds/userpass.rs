//! Logins for people.

use super::token;
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "userpass",
    bears_data: false,
    kinds: &[Kind {
        section: "users",
        path: "{mount}/users/{name}",
        lower_names: true,
        fields: USER,
        list: Some("{mount}/users"),
        decode: |body| token::with_old_names(USER, body),
        docs: "auth/userpass",
        ..Kind::PLAIN
    }],
};

const USER: &[Field] = fields![
    &[text("password").secret().write_only(), text("password_hash").secret().write_only()],
    token::FIELDS,
    &[token::OLD_POLICIES, token::OLD_TTL, token::OLD_MAX_TTL, token::OLD_NETWORKS],
];
