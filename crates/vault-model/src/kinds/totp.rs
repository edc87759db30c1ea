//! Codes that are good for half a minute.

use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "totp",
    bears_data: true,
    kinds: &[Kind {
        section: "keys",
        path: "{mount}/keys/{name}",
        fields: KEY,
        list: Some("{mount}/keys"),
        docs: "secret/totp",
        ..Kind::PLAIN
    }],
};

/// A write makes another key of it, and whoever has the old one is locked out: nothing is changed in place.
const KEY: &[Field] = &[
    flag("generate").fixed().unanswered(),
    flag("exported").fixed().unanswered(),
    number("key_size").fixed().unanswered(),
    number("qr_size").fixed().unanswered(),
    number("skew").fixed().unanswered(),
    text("key").secret().write_only(),
    text("url").secret().write_only(),
    text("issuer").fixed(),
    text("account_name").fixed(),
    seconds("period").fixed(),
    text("algorithm").fixed().values(&["SHA1", "SHA256", "SHA512"]),
    number("digits").fixed(),
];
