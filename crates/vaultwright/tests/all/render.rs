//! `render`: a spec as it is for one environment.

use std::fs;

use expect_test::{Expect, expect};

const SPEC: &str = r#"
name: shop
vars:
  replicas: { default: 2 }
  password: { secret: true }
secrets:
  database:
    type: database
    connections:
      app:
        plugin_name: postgresql-database-plugin
        connection_url: "postgresql://admin:in-the-url@db:5432/app"
        password: (( password ))
        allowed_roles: [app]
    roles:
      app:
        db_name: app
        default_ttl: (( replicas ))h
        creation_statements: |
          CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
          GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";
        renew_statements: |
          ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}';
  kv:
    type: kv-v2
    data:
      app: { data: { user: ann, password: (( password )) } }
"#;

#[track_caller]
fn check(words: &str, expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("environments")).unwrap();
    fs::write(folder.path().join("environments/large.yaml"), "replicas: 9\n").unwrap();
    fs::write(folder.path().join("spec.yaml"), SPEC).unwrap();
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_vaultwright"))
        .arg("render")
        .args(words.split(' '))
        .env("VAULTWRIGHT_VAR_PASSWORD", "hunter2-hunter2")
        .env_remove("VAULT_ADDR")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!said.contains("hunter2") && !said.contains("in-the-url"), "{said}");
    expected.assert_eq(&said);
}

#[test]
fn templates_are_filled_in_and_secrets_are_not_shown() {
    check(
        "spec.yaml --target database/*",
        expect![[r#"
        name: shop
        objects:
        - path: database/config/app
          said_at: spec.yaml:10:7
          fields:
            allowed_roles:
            - app
            connection_url: postgresql://admin:xxxxx@db:5432/app
            password: (secret)
            plugin_name: postgresql-database-plugin
        - path: database/roles/app
          said_at: spec.yaml:16:7
          fields:
            creation_statements: |
              CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
              GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";
            db_name: app
            default_ttl: 2h
            renew_statements: |
              ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}';
        warning[plain-secret]: the password in `connection_url` is written here in clear
          --> spec.yaml:12:25
           |
        12 |         connection_url: ***
           |                         ^^^
           |
           = help: use a variable with `secret: true`, `env(…)` or `file(…)`

    "#]],
    );
}

#[test]
fn an_environment_gives_its_values() {
    check(
        "spec.yaml --env large --target database/roles/* --format json",
        expect![[r#"
            {
              "format": "vaultwright/rendered/1",
              "name": "shop",
              "objects": [
                {
                  "fields": {
                    "creation_statements": "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{{name}}\";\n",
                    "db_name": "app",
                    "default_ttl": "9h",
                    "renew_statements": "ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';\n"
                  },
                  "path": "database/roles/app",
                  "said_at": "spec.yaml:16:7"
                }
              ]
            }
            warning[plain-secret]: the password in `connection_url` is written here in clear
              --> spec.yaml:12:25
               |
            12 |         connection_url: ***
               |                         ^^^
               |
               = help: use a variable with `secret: true`, `env(…)` or `file(…)`

        "#]],
    );
}

#[test]
fn of_a_secret_its_fields_are_shown() {
    check(
        "spec.yaml --target kv/*",
        expect![[r#"
        name: shop
        objects:
        - path: kv/data/app
          said_at: spec.yaml:27:7
          fields:
            data:
              password: (secret)
              user: (secret)
        warning[plain-secret]: the password in `connection_url` is written here in clear
          --> spec.yaml:12:25
           |
        12 |         connection_url: ***
           |                         ^^^
           |
           = help: use a variable with `secret: true`, `env(…)` or `file(…)`

    "#]],
    );
}
