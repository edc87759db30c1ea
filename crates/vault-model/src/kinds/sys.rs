//! What Vault keeps about itself.

use serde_json::Value;

use super::keep;
use crate::{Body, kind::*};

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
        Kind {
            section: "rate_limit_quotas",
            path: "{mount}/quotas/rate-limit/{name}",
            fields: QUOTA,
            list: Some("{mount}/quotas/rate-limit"),
            writes: |kind, body, live| {
                // What a write leaves out goes back to its default; that of `inheritable` goes by the path.
                let all = QUOTA.iter().map(|it| it.name).filter(|it| *it != "inheritable");
                vec![Write { path: kind.path, body: keep(all, kind.written(&body), live) }]
            },
            // While one changes, 1.21.1 answers "store is stopped" to requests that it is about.
            alone: true,
            docs: "system/rate-limit-quotas",
            ..Kind::PLAIN
        },
        Kind {
            section: "quotas_config",
            path: "{mount}/quotas/config",
            fields: QUOTAS_CONFIG,
            delete: Delete::WithParent,
            writes: |kind, body, live| {
                let all = QUOTAS_CONFIG.iter().map(|it| it.name);
                vec![Write { path: kind.path, body: keep(all, kind.written(&body), live) }]
            },
            docs: "system/quotas-config",
            ..Kind::PLAIN
        },
        Kind {
            section: "cors",
            path: "{mount}/config/cors",
            fields: &[set("allowed_origins").required(), set("allowed_headers")],
            decode: without_standard_headers,
            writes: |kind, body, live| {
                let body = keep(["allowed_headers"], kind.written(&body), live);
                vec![Write { path: kind.path, body }]
            },
            docs: "system/config-cors",
            ..Kind::PLAIN
        },
    ],
};

const QUOTA: &[Field] = &[
    number("rate").required(),
    path("path"),
    text("role").fixed(),
    flag("inheritable"),
    seconds("interval"),
    seconds("block_interval"),
    text("group_by").values(&["ip", "none", "entity_then_ip", "entity_then_none"]),
    number("secondary_rate").enterprise(),
];

const QUOTAS_CONFIG: &[Field] = &[
    flag("enable_rate_limit_audit_logging"),
    flag("enable_rate_limit_response_headers"),
    set("rate_limit_exempt_paths"),
    set("absolute_rate_limit_exempt_paths"),
];

/// Vault allows these in any case, and answers them among the others.
const STANDARD_HEADERS: &[&str] = &[
    "Authorization",
    "Content-Type",
    "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID",
    "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding",
    "X-Vault-Policy-Override",
    "X-Vault-Token",
    "X-Vault-Wrap-Format",
    "X-Vault-Wrap-TTL",
];

fn without_standard_headers(mut body: Body) -> Body {
    if let Some(Value::Array(headers)) = body.get_mut("allowed_headers") {
        headers.retain(|it| it.as_str().is_none_or(|it| !STANDARD_HEADERS.contains(&it)));
    }
    body
}
