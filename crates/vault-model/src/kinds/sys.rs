//! What Vault keeps about itself.

use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "sys",
    bears_data: false,
    kinds: &[
        Kind {
            section: "policies",
            path: "{mount}/policies/acl/{name}",
            lower_names: true,
            fields: &[Field::new("policy", Shape::Policy).required()],
            list: Some("{mount}/policies/acl"),
            docs: "system/policies",
            ..Kind::PLAIN
        },
        Kind {
            section: "password_policies",
            path: "{mount}/policies/password/{name}",
            fields: &[Field::new("policy", Shape::PasswordPolicy).required()],
            list: Some("{mount}/policies/password"),
            docs: "system/policies-password",
            ..Kind::PLAIN
        },
        Kind {
            section: "audit",
            path: "{mount}/audit/{name}",
            fields: &[text("type").required(), text("description"), map("options"), flag("local")],
            read: Read::In("{mount}/audit"),
            update: Update::Replace,
            alone: true,
            docs: "system/audit",
            ..Kind::PLAIN
        },
    ],
};
