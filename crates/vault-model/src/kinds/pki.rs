//! Certificates.

use super::keep;
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "pki",
    bears_data: true,
    kinds: &[
        Kind {
            section: "config_urls",
            path: "{mount}/config/urls",
            fields: &[
                set("issuing_certificates"),
                set("crl_distribution_points"),
                set("delta_crl_distribution_points"),
                set("ocsp_servers"),
                flag("enable_templating"),
            ],
            after: &[CLUSTER],
            ..CONFIG
        },
        Kind {
            section: "config_cluster",
            path: CLUSTER,
            fields: &[text("path"), text("aia_path")],
            ..CONFIG
        },
        Kind {
            section: "config_crl",
            path: "{mount}/config/crl",
            fields: &[
                seconds("expiry"),
                flag("disable"),
                flag("ocsp_disable"),
                seconds("ocsp_expiry"),
                flag("auto_rebuild"),
                seconds("auto_rebuild_grace_period"),
                flag("enable_delta"),
                seconds("delta_rebuild_interval"),
                number("max_crl_entries"),
                flag("cross_cluster_revocation").enterprise(),
                flag("unified_crl").enterprise(),
                flag("unified_crl_on_existing_paths").enterprise(),
            ],
            ..CONFIG
        },
        Kind {
            section: "root",
            path: ROOT,
            fields: fields![
                &[text("issuer_name").required(), text("common_name").required().fixed()],
                GENERATED,
            ],
            // An issuer of that name is the root, whoever made it: it is made once, and never again.
            read: Read::Listed { list: "{mount}/issuers", by: &["issuer_name"] },
            after: &["{mount}/config/urls", CLUSTER],
            gives: &["{mount}/cert/ca", "{mount}/cert/ca_chain", "{mount}/issuer/default"],
            update: Update::Never,
            ..CONFIG
        },
        Kind {
            section: "config_issuers",
            path: "{mount}/config/issuers",
            fields: &[text("default").required(), flag("default_follows_latest_issuer")],
            after: &[ROOT],
            ..CONFIG
        },
        Kind {
            section: "roles",
            path: "{mount}/roles/{name}",
            fields: ROLE,
            list: Some("{mount}/roles"),
            mistaken: &[
                ("default_ttl", "`ttl`"),
                ("common_name", "`allowed_domains`"),
                ("alt_names", "`allowed_domains`"),
                ("ip_sans", "`allow_ip_sans`"),
                ("uri_sans", "`allowed_uri_sans`"),
                ("issuer", "`issuer_ref`"),
                ("issuer_name", "`issuer_ref`"),
            ],
            // A role that names an issuer before it is there is taken with a warning.
            after: &[ROOT],
            writes: |kind, body, live| {
                // What a write leaves out goes back to its default.
                let all = ROLE.iter().map(|it| it.name);
                vec![Write { path: kind.path, body: keep(all, kind.written(&body), live) }]
            },
            docs: "secret/pki",
            ..Kind::PLAIN
        },
        Kind {
            section: "config_acme",
            path: "{mount}/config/acme",
            fields: &[
                flag("enabled"),
                text("default_directory_policy"),
                set("allowed_roles").names("{mount}/roles/{}"),
                set("allowed_issuers"),
                flag("allow_role_ext_key_usage"),
                text("eab_policy").values(&[
                    "not-required",
                    "new-account-required",
                    "always-required",
                ]),
                text("dns_resolver"),
                seconds("max_ttl"),
            ],
            after: &[CLUSTER, ROOT],
            ..CONFIG
        },
    ],
};

const CONFIG: Kind = Kind { delete: Delete::WithParent, docs: "secret/pki", ..Kind::PLAIN };

const ROOT: &str = "{mount}/root/generate/internal";
const CLUSTER: &str = "{mount}/config/cluster";

/// Of the root's certificate and key.
const GENERATED: &[Field] = &[
    text("key_name").fixed(),
    commas("alt_names").fixed(),
    set("ip_sans").fixed(),
    set("uri_sans").fixed(),
    set("other_sans").fixed(),
    seconds("ttl").fixed(),
    text("not_after").fixed(),
    seconds("not_before_duration").fixed(),
    text("key_type").fixed().values(&["rsa", "ec", "ed25519"]),
    number("key_bits").fixed(),
    number("signature_bits").fixed(),
    flag("use_pss").fixed(),
    number("max_path_length").fixed(),
    flag("exclude_cn_from_sans").fixed(),
    set("key_usage").fixed(),
    set("permitted_dns_domains").fixed(),
    set("excluded_dns_domains").fixed(),
    set("permitted_ip_ranges").fixed(),
    set("excluded_ip_ranges").fixed(),
    set("permitted_email_addresses").fixed(),
    set("excluded_email_addresses").fixed(),
    set("permitted_uri_domains").fixed(),
    set("excluded_uri_domains").fixed(),
    list("ou").fixed(),
    list("organization").fixed(),
    list("country").fixed(),
    list("locality").fixed(),
    list("province").fixed(),
    list("street_address").fixed(),
    list("postal_code").fixed(),
    text("serial_number").fixed(),
];

const ROLE: &[Field] = &[
    life("ttl"),
    life("max_ttl"),
    flag("allow_localhost"),
    set("allowed_domains"),
    flag("allowed_domains_template"),
    flag("allow_bare_domains"),
    flag("allow_subdomains"),
    flag("allow_glob_domains"),
    flag("allow_wildcard_certificates"),
    flag("allow_any_name"),
    flag("enforce_hostnames"),
    flag("allow_ip_sans"),
    set("allowed_uri_sans"),
    flag("allowed_uri_sans_template"),
    set("allowed_other_sans"),
    set("allowed_serial_numbers"),
    set("allowed_user_ids"),
    flag("server_flag"),
    flag("client_flag"),
    flag("code_signing_flag"),
    flag("email_protection_flag"),
    text("key_type").values(&["rsa", "ec", "ed25519", "any"]),
    number("key_bits"),
    number("signature_bits"),
    flag("use_pss"),
    set("key_usage"),
    set("ext_key_usage"),
    set("ext_key_usage_oids"),
    flag("use_csr_common_name"),
    flag("use_csr_sans"),
    text("serial_number_source").values(&["json-csr", "json"]),
    list("ou"),
    list("organization"),
    list("country"),
    list("locality"),
    list("province"),
    list("street_address"),
    list("postal_code"),
    flag("generate_lease"),
    flag("no_store"),
    flag("no_store_metadata").enterprise(),
    flag("require_cn"),
    set("cn_validations"),
    set("policy_identifiers"),
    flag("basic_constraints_valid_for_non_ca"),
    seconds("not_before_duration"),
    text("not_after"),
    text("issuer_ref"),
];
