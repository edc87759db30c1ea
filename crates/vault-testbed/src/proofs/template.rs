//! The templates, and how they are filled in. Their signs are `[[ ]]` and `[% %]`: braces are Vault's, brackets SQL's.

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, syntax::SyntaxConfig};

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!($name, ".feature")))),+]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "made",
    "database_roles",
    "database_static_roles",
    "library_sets",
    "root_rotation",
    "aws_roles",
    "approle_roles",
    "userpass_users",
    "ldap_methods",
    "ldap_people",
    "token_roles",
    "jwt_roles",
    "cert_roles",
    "kubernetes_roles",
    "claims",
    "policies",
    "kv_data",
    "kv_metadata",
    "transit_keys",
    "pki_roles",
    "ssh_roles",
    "totp_keys",
    "rate_limit_quotas",
    "entity_aliases",
    "groups",
    "group_aliases",
    "audit_devices",
    "oidc_roles",
    "acme",
];

/// What every role that gives tokens is shown to do.
const TOKEN: (&str, &str) = ("token.part", include_str!("token.part"));

pub fn fill(name: &str, context: Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_syntax(
        SyntaxConfig::builder()
            .variable_delimiters("[[", "]]")
            .block_delimiters("[%", "%]")
            .comment_delimiters("[#", "#]")
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.add_filter("cell", cell);
    environment.add_filter("docstring", docstring);
    for (name, text) in TEMPLATES.iter().chain([&TOKEN]) {
        environment.add_template(name, text)?;
    }
    environment.get_template(name)?.render(context)
}

/// As a cell of a table.
fn cell(text: String) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "\\n")
}

/// As the text under a step.
fn docstring(text: String) -> String {
    let fence = if text.contains("\"\"\"") { "```" } else { "\"\"\"" };
    let lines = text.trim().lines().map(|it| format!("      {it}"));
    let lines: Vec<String> = lines.collect();
    format!("      {fence}\n{}\n      {fence}", lines.join("\n"))
}
