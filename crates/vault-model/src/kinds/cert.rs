//! Logins by a certificate.

use super::token;
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "cert",
    bears_data: false,
    kinds: &[
        Kind {
            section: "config",
            path: "{mount}/config",
            fields: &[
                flag("disable_binding"),
                flag("enable_identity_alias_metadata"),
                number("ocsp_cache_size"),
                number("role_cache_size"),
                flag("enable_metadata_on_failures"),
            ],
            delete: Delete::WithParent,
            docs: "auth/cert",
            ..Kind::PLAIN
        },
        Kind {
            section: "certs",
            path: "{mount}/certs/{name}",
            lower_names: true,
            fields: CERT,
            list: Some("{mount}/certs"),
            mistaken: &[
                ("ca", "`certificate`"),
                ("ca_cert", "`certificate`"),
                ("common_name", "`allowed_common_names`"),
            ],
            decode: |body| token::with_old_names(CERT, body),
            docs: "auth/cert",
            ..Kind::PLAIN
        },
    ],
};

const CERT: &[Field] = fields![
    &[
        trimmed("certificate").required(),
        text("display_name"),
        set("allowed_names"),
        set("allowed_common_names"),
        set("allowed_dns_sans"),
        set("allowed_email_sans"),
        set("allowed_uri_sans"),
        set("allowed_organizational_units"),
        set("allowed_organizations"),
        set("required_extensions"),
        set("allowed_metadata_extensions"),
        flag("ocsp_enabled"),
        trimmed("ocsp_ca_certificates"),
        set("ocsp_servers_override"),
        flag("ocsp_fail_open"),
        flag("ocsp_query_all_servers"),
        seconds("ocsp_this_update_max_age"),
        number("ocsp_max_retries"),
    ],
    token::FIELDS,
    &[
        token::OLD_POLICIES,
        token::OLD_TTL,
        token::OLD_MAX_TTL,
        token::OLD_PERIOD,
        token::OLD_NETWORKS,
    ],
];
