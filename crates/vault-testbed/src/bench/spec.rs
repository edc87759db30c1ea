//! A spec of any size, in the mix that the figures are about.

use std::fmt::Write;

/// 45 % ACL policies of five lines, 25 % AppRole roles, 15 % KV v2 secrets of three fields, 10 % database roles under
/// one connection, 5 % KV v2 mounts. `objects` counts these; the three that they live under come on top.
pub fn mixed(objects: usize) -> String {
    let share = |percent: usize| objects * percent / 100;
    let mut text = String::from("name: bench\nsys:\n  policies:\n");
    let mut line = |it: std::fmt::Arguments<'_>| text.write_fmt(it).expect("a String takes all");
    for i in 0..share(45) {
        line(format_args!(
            "    policy-{i:05}:\n      policy: |\n        path \"secret/data/app-{i:05}/*\" {{\n          \
             capabilities = [\"read\", \"list\"]\n        }}\n        path \"database/creds/role-{i:05}\" {{ \
             capabilities = [\"read\"] }}\n        path \"auth/token/renew-self\" {{ capabilities = [\"update\"] }}\n"
        ));
    }
    line(format_args!("auth:\n  approle:\n    type: approle\n    roles:\n"));
    for i in 0..share(25) {
        line(format_args!(
            "      role-{i:05}: {{ token_policies: [policy-{i:05}], token_ttl: 20m, token_max_ttl: 1h, \
             secret_id_ttl: 24h }}\n"
        ));
    }
    line(format_args!(
        "secrets:\n  secret:\n    type: kv\n    options: {{ version: \"2\" }}\n    data:\n"
    ));
    for i in 0..share(15) {
        line(format_args!(
            "      app-{:02}/config-{i:05}: {{ data: {{ url: \"https://app-{i}.example\", user: app-{i}, \
             colour: blue-{i} }} }}\n",
            i % 20
        ));
    }
    line(format_args!(
        "  database:\n    type: database\n    connections:\n      main:\n        \
         plugin_name: postgresql-database-plugin\n        \
         connection_url: \"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:5432/app\"\n        \
         username: vault\n        password: (( env(\"BENCH_PASSWORD\", \"not-used\") ))\n        \
         verify_connection: false\n        allowed_roles: [\"*\"]\n    roles:\n"
    ));
    for i in 0..share(10) {
        line(format_args!(
            "      role-{i:05}: {{ db_name: main, default_ttl: 1h, max_ttl: 24h, creation_statements: \
             [\"CREATE ROLE \\\"{{{{name}}}}\\\" LOGIN PASSWORD '{{{{password}}}}' VALID UNTIL '{{{{expiration}}}}'\"], \
             renew_statements: [\"ALTER ROLE \\\"{{{{name}}}}\\\" VALID UNTIL '{{{{expiration}}}}'\"] }}\n"
        ));
    }
    for i in 0..share(5) {
        line(format_args!(
            "  kv-{i:05}:\n    type: kv\n    options: {{ version: \"2\" }}\n    description: team {i}\n    \
             tune: {{ max_lease_ttl: 72h }}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use vault_provision::{SpecInputs, load};

    /// 1,000 objects, and the three that they live under.
    #[test]
    fn a_thousand_objects_are_in_the_shares_that_the_figures_are_about() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spec.yaml");
        std::fs::write(&file, super::mixed(1000)).unwrap();
        let spec = load(&file, &SpecInputs::default()).unwrap();
        let of =
            |begins: &str| spec.objects.iter().filter(|it| it.path.starts_with(begins)).count();
        let shares = [
            ("sys/policies/acl/policy-", 450),
            ("auth/approle/role/role-", 250),
            ("secret/data/app-", 150),
            ("database/roles/role-", 100),
            ("sys/mounts/kv-", 50),
            ("", 1004),
        ];
        assert_eq!(shares.map(|(begins, _)| (begins, of(begins))), shares);
    }
}
