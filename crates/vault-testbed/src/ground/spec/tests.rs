//! What a `ground.yaml` may say, and how mistakes in it are shown.

use expect_test::{Expect, expect};

use super::*;

fn folder(ground: &str) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("ground").tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), ground).unwrap();
    std::fs::write(folder.path().join("inventory.sql"), "CREATE TABLE inventory (in_stock int);")
        .unwrap();
    folder
}

#[track_caller]
fn check(ground: &str, expected: Expect) {
    let folder = folder(ground);
    let error = GroundSpec::read(folder.path(), None).unwrap_err().to_string();
    expected.assert_eq(&error.replace(&format!("{}/", folder.path().display()), ""));
}

const WHOLE: &str = r#"
servers:
  demo: { postgres: "15", database: demo, init: inventory.sql }
vars:
  db_url: (( demo.address ))
  db_admin_password: (( demo.admin_password ))
environments:
  production: { vault: { mode: raft, tls: true, audit: true } }
"#;

#[test]
fn servers_are_bound_to_variables() {
    let folder = folder(WHOLE);
    let mut spec = GroundSpec::read(folder.path(), None).unwrap();
    assert_eq!(spec.vault, VaultOptions::default());
    let (name, options) = spec.servers[0].clone();
    assert_eq!(options.init.as_deref(), Some("CREATE TABLE inventory (in_stock int);"));
    assert_eq!((options.side.word, &*options.version), ("postgres", "15"));
    let known = vec![(
        name,
        meaning("db:5432", "127.0.0.1:40000", &options, "pg-{{((x))", |_| String::new()),
    )];
    let vars = spec.vars(known).unwrap();
    let expected = [("db_url", "db:5432"), ("db_admin_password", "pg-{{((x))")];
    assert_eq!(vars, expected.map(|(name, value)| (name.to_owned(), Value::from(value))));
}

#[test]
fn an_environment_may_want_another_vault() {
    let folder = folder(WHOLE);
    let spec = GroundSpec::read(folder.path(), Some("production")).unwrap();
    assert_eq!((spec.vault.mode, spec.vault.tls, spec.vault.audit), (Mode::Raft, true, true));
    assert!(spec.vars.is_some());
}

#[test]
fn a_spec_without_a_ground_needs_a_vault_only() {
    let spec = GroundSpec::read(Path::new("nowhere"), None).unwrap();
    assert!(spec.servers.is_empty() && spec.vault == VaultOptions::default());
}

#[test]
fn what_is_bound_to_a_server_that_is_not_started_is_made_up() {
    let folder = folder(WHOLE);
    let spec = GroundSpec::read(folder.path(), None).unwrap();
    let mut without = spec.clone().with_only(&[]).unwrap();
    assert!(without.servers.is_empty());
    let known = without.of_absent().collect();
    let expected = [("db_url", "127.0.0.1:5432"), ("db_admin_password", "not yet known")];
    let expected = expected.map(|(name, value)| (name.to_owned(), Value::from(value)));
    assert_eq!(without.vars(known).unwrap(), expected);
    let error = spec.with_only(&["dmo"]).unwrap_err().to_string();
    assert_eq!(error, "ground.yaml has no server `dmo`");
}

#[test]
fn all_mistakes_come_at_once() {
    check(
        "servers:\n  demo-db: { postgress: \"15\" }\nvault: { mode: ha, tls: 1 }\nserver: {}\n",
        expect![[r#"
            error: server `demo-db` can't be named in a template
             --> ground.yaml:2:3
              |
            2 |   demo-db: { postgress: "15" }
              |   ^^^^^^^
              |
              = help: use letters, digits and `_`

            error: server `demo-db` doesn't say what it is
             --> ground.yaml:2:12
              |
            2 |   demo-db: { postgress: "15" }
              |            ^^^^^^^^^^^^^^^^^^^
              |
              = help: say one of `postgres: "15"`, `mariadb: "10.11"`, `redis: "7.0"`, `mongodb: "8.2"`, `kubernetes: "1.35"`, `aws: "5.2"`, `openldap: "2.5"`, `rabbitmq: "3.10"`, `nginx: "1.22"`, `sshd: "9"`

            error: server `demo-db` has no key `postgress`
             --> ground.yaml:2:14
              |
            2 |   demo-db: { postgress: "15" }
              |              ^^^^^^^^^
              |
              = help: did you mean `postgres`?

            error: `mode` should be `dev` or `raft`, not text
             --> ground.yaml:3:16
              |
            3 | vault: { mode: ha, tls: 1 }
              |                ^^

            error: `tls` should be true or false, not a number
             --> ground.yaml:3:25
              |
            3 | vault: { mode: ha, tls: 1 }
              |                         ^

            error: ground.yaml has no key `server`
             --> ground.yaml:4:1
              |
            4 | server: {}
              | ^^^^^^
              |
              = help: did you mean `servers`?"#]],
    );
}

#[test]
fn a_template_names_a_server_of_the_file() {
    check(
        "servers: { demo: { postgres: 15 } }\nvars: { db_url: (( dmo.address )), other: (( demo.adress )) }\n",
        expect![[r#"
            error: no variable is called `dmo`
             --> ground.yaml:2:20
              |
            2 | vars: { db_url: (( dmo.address )), other: (( demo.adress )) }
              |                    ^^^
              |
              = help: did you mean `demo`?

            error: there is no such value
             --> ground.yaml:2:43
              |
            2 | vars: { db_url: (( dmo.address )), other: (( demo.adress )) }
              |                                           ^^^^^^^^^^^^^^^^^
              |
              = help: name one that is there, or give a default: `| default("…")`"#]],
    );
}

#[test]
fn init_stays_in_the_folder() {
    let outside = folder("");
    let name = outside.path().file_name().unwrap().to_string_lossy();
    let folder = folder(&format!(
        "servers: {{ demo: {{ postgres: '15', init: ../{name}/inventory.sql }} }}"
    ));
    let error = GroundSpec::read(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("it is not in the spec's folder"), "{error}");
}

/// Nobody ever writes into the pipe: who opens it waits for ever.
#[track_caller]
fn refusal_of_a_pipe(folder: &Path, name: &str) -> String {
    let pipe = folder.join(name);
    std::fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (answer, told) = std::sync::mpsc::channel();
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        answer.send(GroundSpec::read(&folder, None).unwrap_err().to_string())
    });
    let told = told.recv_timeout(std::time::Duration::from_secs(20));
    told.expect("an answer, and not for ever none")
}

#[test]
fn a_pipe_is_refused_at_once_as_ground_and_as_what_a_server_begins_with() {
    let folder = folder(WHOLE);
    let told = refusal_of_a_pipe(folder.path(), "inventory.sql");
    assert!(told.contains("`inventory.sql` can't be read: "), "{told}");
    assert!(told.contains("inventory.sql is a pipe and no file"), "{told}");
    let told = refusal_of_a_pipe(folder.path(), FILE);
    assert_eq!(told, format!("{} is a pipe and no file", folder.path().join(FILE).display()));
}

#[test]
fn a_device_is_refused_as_ground() {
    let folder = folder("");
    let ground = folder.path().join(FILE);
    std::fs::remove_file(&ground).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &ground).unwrap();
    let told = GroundSpec::read(folder.path(), None).unwrap_err().to_string();
    assert_eq!(told, format!("{} is a device and no file", ground.display()));
}

#[test]
fn a_spec_may_be_told_where_its_vault_is() {
    let ground = "vars:\n  here: (( vault.address ))\n  log: (( vault.folder ))/audit.log\n";
    let folder = folder(ground);
    let mut spec = GroundSpec::read(folder.path(), None).unwrap();
    let known = vec![(VAULT_NAME.to_owned(), meaning_of_vault("https://v:8200", "/logs", ""))];
    let vars = spec.vars(known).unwrap();
    let expected = [("here", "https://v:8200"), ("log", "/logs/audit.log")];
    assert_eq!(vars, expected.map(|(name, value)| (name.to_owned(), Value::from(value))));
}

#[test]
fn a_seal_is_one_that_there_is() {
    check(
        "vault: { seal: awskms }\n",
        expect![[r#"
        error: `seal` should be `shamir` or `transit`, not text
         --> ground.yaml:1:16
          |
        1 | vault: { seal: awskms }
          |                ^^^^^^"#]],
    );
    let folder = folder("vault: { mode: raft, seal: transit }\n");
    let spec = GroundSpec::read(folder.path(), None).unwrap();
    assert_eq!((spec.vault.mode, spec.vault.seal), (Mode::Raft, Seal::Transit));
}

#[test]
fn no_server_takes_the_name_of_the_vault() {
    check(
        "servers: { vault: { postgres: \"15\" } }\n",
        expect![[r#"
            error: a server can't be called `vault`: that is the Vault itself
             --> ground.yaml:1:12
              |
            1 | servers: { vault: { postgres: "15" } }
              |            ^^^^^
              |
              = help: call it something else"#]],
    );
}
