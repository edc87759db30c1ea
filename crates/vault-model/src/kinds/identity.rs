//! Who is who.

use serde_json::Value;

use super::oidc;
use crate::{Body, kind::*};

pub const ENGINE: Engine = Engine {
    name: "identity",
    bears_data: false,
    kinds: &[
        Kind {
            section: "entities",
            path: "{mount}/entity/name/{name}",
            fields: &[POLICIES, map("metadata"), flag("disabled")],
            list: Some("{mount}/entity/name"),
            mistaken: &[("aliases", "an entry under `entity_aliases`")],
            docs: "secret/identity/entity",
            ..Kind::PLAIN
        },
        Kind {
            section: "groups",
            path: "{mount}/group/name/{name}",
            fields: &[
                text("type").fixed().values(&["internal", "external"]),
                POLICIES,
                map("metadata"),
                set("member_entity_ids"),
                set("member_group_ids"),
            ],
            list: Some("{mount}/group/name"),
            mistaken: &[("alias", "an entry under `group_aliases`")],
            docs: "secret/identity/group",
            ..Kind::PLAIN
        },
        Kind {
            section: "entity_aliases",
            path: "{mount}/entity-alias/{name}",
            fields: &[
                NAME,
                MOUNT_ACCESSOR,
                CANONICAL_ID,
                map("custom_metadata"),
                text("entity_id").renamed("canonical_id"),
            ],
            read: Read::Listed { list: "{mount}/entity-alias/id", by: BY },
            delete: Delete::At("{mount}/entity-alias/id/{id}"),
            decode: |mut alias| {
                alias.extend(
                    alias.get("canonical_id").cloned().map(|it| ("entity_id".to_owned(), it)),
                );
                alias
            },
            writes: |kind, body, live| {
                vec![Write { path: "{mount}/entity-alias", body: with_id(kind, &body, live) }]
            },
            docs: "secret/identity/entity-alias",
            ..Kind::PLAIN
        },
        Kind {
            section: "group_aliases",
            path: "{mount}/group-alias/{name}",
            fields: &[NAME, MOUNT_ACCESSOR, CANONICAL_ID],
            read: Read::Listed { list: "{mount}/group-alias/id", by: BY },
            delete: Delete::At("{mount}/group-alias/id/{id}"),
            writes: |kind, body, live| {
                vec![Write { path: "{mount}/group-alias", body: with_id(kind, &body, live) }]
            },
            docs: "secret/identity/group-alias",
            ..Kind::PLAIN
        },
        oidc::CONFIG,
        oidc::KEYS,
        oidc::ROLES,
        oidc::ASSIGNMENTS,
        oidc::SCOPES,
        oidc::CLIENTS,
        oidc::PROVIDERS,
    ],
};

const POLICIES: Field = set("policies").names("sys/policies/acl/{}");
const NAME: Field = text("name").required();
const MOUNT_ACCESSOR: Field = text("mount_accessor").required();
const CANONICAL_ID: Field = text("canonical_id");

/// What tells one alias from all others.
const BY: &[&str] = &["mount_accessor", "name"];

/// An alias is changed under its id; without one Vault makes another.
fn with_id(kind: &Kind, body: &Body, live: Option<&Body>) -> Body {
    let id: Option<&Value> = live.and_then(|it| it.get("id"));
    let mut body = kind.written(body);
    body.extend(id.map(|it| ("id".to_owned(), it.clone())));
    body
}
