//! Text in, text out: what is planned for a spec, given what Vault answers.

use std::{ffi::OsString, sync::Arc};

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use vault_model::{
    ledger::Ledger,
    live::Live,
    plan::{Plan, Step, destroy, plan},
    spec::{self, Reading, Spec, SpecFile},
    template::Inputs,
};

struct NoInputs;

impl Inputs for NoInputs {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("there is no {path}"))
    }
}

fn read(text: &str) -> Result<Spec, String> {
    let file = SpecFile {
        name: "spec.yaml".to_owned(),
        bytes: format!("name: test\n{text}").into_bytes(),
    };
    let reading = Reading {
        files: vec![file],
        vars: Vec::new(),
        var_files: Vec::new(),
        environment: None,
        env: &|_| None,
        has_stand_ins: false,
        init: Vec::new(),
        inputs: Arc::new(NoInputs),
    };
    spec::read(reading).map_err(|it| it.mistakes.render(&it.sources, false))
}

fn live(spec: &Spec, answers: Value) -> Live {
    let mut live = Live::default();
    for (path, body) in answers.as_object().expect("a map of paths") {
        let body = body.as_object().expect("a body").clone();
        let kind = spec.objects.iter().find(|it| it.path == *path).map(|it| it.kind);
        live.insert(path, kind.map_or(body.clone(), |it| (it.decode)(body)));
    }
    live
}

fn shown(plan: &Plan) -> String {
    let steps = plan.changes().flat_map(|it| &it.steps);
    let steps: Vec<String> = steps
        .map(|it| match it {
            Step::Write(it) | Step::Delete(it) => it.to_string(),
            Step::RotateRoot(it) => format!("{it} (rotates)"),
        })
        .collect();
    format!("{}{}\n", plan.show(false), steps.join("\n"))
}

#[track_caller]
fn check(text: &str, answers: Value, expect: Expect) {
    check_with(text, answers, Some(&Ledger::default()), expect);
}

#[track_caller]
fn check_with(text: &str, answers: Value, ledger: Option<&Ledger>, expect: Expect) {
    expect.assert_eq(&match read(text) {
        Err(mistakes) => mistakes,
        Ok(spec) => shown(&plan(&spec.objects, &live(&spec, answers), ledger).expect("no cycle")),
    });
}

#[test]
fn what_is_not_there_is_made_in_the_order_of_its_needs() {
    check(
        r#"
sys: { policies: { app: { policy: 'path "secret/*" { capabilities = ["read"] }' } } }
secrets:
  secret: { type: kv-v2, data: { app/config: { data: { colour: blue } } } }
"#,
        json!({}),
        expect![[r#"
              + sys/mounts/secret
              + sys/policies/acl/app
              + secret/data/app/config

            3 to create, 0 unchanged
            POST sys/mounts/secret options type
            POST sys/policies/acl/app policy
            POST secret/data/app/config data options
        "#]],
    );
}

const SECRET: &str = "secrets: { secret: { type: kv, options: { version: '2' }, data: { a: { data: { user: ann, pin: 1 } } } } }";

fn secret_mount() -> Value {
    json!({ "type": "kv", "options": { "version": "2" }, "config": { "default_lease_ttl": 0 } })
}

#[test]
fn a_secret_that_is_as_it_should_be_is_not_written() {
    let live = json!({
        "sys/mounts/secret": secret_mount(),
        "secret/data/a": { "data": { "user": "ann", "pin": 1 }, "metadata": { "version": 3 } },
    });
    check(
        SECRET,
        live,
        expect![[r#"
        nothing to change

    "#]],
    );
}

#[test]
fn a_secret_shows_which_of_its_values_differ_and_none_of_them() {
    let live = json!({
        "sys/mounts/secret": secret_mount(),
        "secret/data/a": { "data": { "user": "ann", "pin": 2, "old": "x" }, "metadata": { "version": 3 } },
    });
    check(
        SECRET,
        live,
        expect![[r#"
          ~ secret/data/a
              data.pin: (secret) -> (secret)
              data.old: (secret) -> (removed)

        1 to update, 1 unchanged
        POST secret/data/a data options
    "#]],
    );
}

#[test]
fn a_seed_is_written_once() {
    let seed = "secrets: { secret: { type: kv-v2, data: { a: { seed: { user: ann } } } } }";
    let live = json!({
        "sys/mounts/secret": secret_mount(),
        "secret/data/a": { "data": { "user": "bob" }, "metadata": { "version": 3 } },
    });
    check(
        seed,
        live,
        expect![[r#"
        nothing to change

    "#]],
    );
}

#[test]
fn a_mount_changes_by_tune_and_never_its_type() {
    let live = json!({ "sys/mounts/secret": { "type": "kv", "description": "old", "options": { "version": "2" },
        "config": { "max_lease_ttl": 3600 } } });
    check(
        "secrets: { secret: { type: kv-v2, description: new, tune: { max_lease_ttl: 1h } } }",
        live.clone(),
        expect![[r#"
          ~ sys/mounts/secret
              description: "old" -> "new"

        1 to update, 0 unchanged
        POST sys/mounts/secret/tune description max_lease_ttl options
    "#]],
    );
    check(
        "secrets: { secret: { type: transit } }",
        live,
        expect![[r#"
          ! sys/mounts/secret  (Vault cannot change this in place)
              type: "kv" -> "transit"

        1 blocked, 0 unchanged

    "#]],
    );
}

#[test]
fn a_reference_waits_for_what_it_names() {
    check(
        r#"
auth: { approle: { type: approle } }
paths: { some/path: { accessor: "${sys/auth/approle#accessor}" } }
"#,
        json!({}),
        expect![[r#"
              + sys/auth/approle
              + some/path

            2 to create, 0 unchanged
            POST sys/auth/approle type
            POST some/path accessor
        "#]],
    );
}

#[test]
fn things_that_need_each_other_are_a_mistake() {
    let found = read(
        r#"
paths:
  a: { x: "${b#y}" }
  b: { y: "${a#x}" }
"#,
    )
    .map(|_| ())
    .unwrap_err();
    assert!(found.contains("these need each other"), "{found}");
}

#[test]
fn what_is_destroyed_goes_last_made_first_and_with_its_mount() {
    let spec = read(
        r#"
sys: { policies: { app: { policy: '' } } }
secrets: { kv: { type: kv-v2, data: { a: { data: { x: 1 } } } } }
"#,
    )
    .unwrap();
    let there = live(
        &spec,
        json!({ "sys/policies/acl/app": { "policy": "" }, "sys/mounts/kv": {}, "kv/data/a": {} }),
    );
    expect![[r#"
          - sys/mounts/kv
          - sys/policies/acl/app

        2 to delete, 1 unchanged
        DELETE sys/mounts/kv
        DELETE sys/policies/acl/app
    "#]]
    .assert_eq(&shown(&destroy(&spec.objects, &there, true).unwrap()));
}

#[test]
fn what_is_in_every_vault_stays_and_what_is_in_it_goes() {
    let spec = read(
        r#"
auth: { token: { type: token, roles: { nightly: { orphan: true } } } }
identity:
  entity_aliases: { ann: { name: ann, mount_accessor: auth_userpass_1, canonical_id: "2" } }
"#,
    )
    .unwrap();
    let there = live(
        &spec,
        json!({
            "sys/auth/token": { "type": "token" },
            "auth/token/roles/nightly": { "orphan": true },
            "identity/entity-alias/ann": { "id": "3" },
        }),
    );
    expect![[r#"
          - auth/token/roles/nightly
          - identity/entity-alias/ann

        2 to delete, 1 unchanged
        DELETE auth/token/roles/nightly
        DELETE identity/entity-alias/id/3
    "#]]
    .assert_eq(&shown(&destroy(&spec.objects, &there, true).unwrap()));
}

#[test]
fn a_password_is_sent_again_only_with_another_user() {
    let spec = |user: &str| {
        format!(
            "secrets: {{ db: {{ type: database, connections: {{ pg: {{ plugin_name: hana-database-plugin, \
             connection_url: 'hdb://h', username: {user}, password: p, verify_connection: false, \
             max_open_connections: 5 }} }} }} }}"
        )
    };
    let answers = |connections: u32| {
        json!({
            "sys/mounts/db": { "type": "database" },
            "db/config/pg": { "plugin_name": "hana-database-plugin", "connection_details": {
                "connection_url": "hdb://h", "username": "vault", "max_open_connections": connections,
            } },
        })
    };
    check(
        &spec("vault"),
        answers(5),
        expect![[r#"
        nothing to change

    "#]],
    );
    check(
        &spec("vault"),
        answers(6),
        expect![[r#"
          ~ db/config/pg
              max_open_connections: 6 -> 5

        1 to update, 1 unchanged
        POST db/config/pg connection_url max_open_connections plugin_name username verify_connection
    "#]],
    );
    check(
        &spec("other"),
        answers(5),
        expect![[r#"
          ~ db/config/pg
              username: "vault" -> "other"

        1 to update, 1 unchanged
        POST db/config/pg connection_url max_open_connections password plugin_name username verify_connection
    "#]],
    );
}

#[test]
fn what_vault_never_takes_back_is_blocked() {
    let spec = "secrets: { t: { type: transit, keys: { k: { exportable: false } } } }";
    let mount = json!({ "type": "transit" });
    let answers = json!({ "sys/mounts/t": mount, "t/keys/k": { "exportable": true } });
    check(
        spec,
        answers,
        expect![[r#"
          ! t/keys/k  (Vault cannot change this in place)
              exportable: true -> false

        1 blocked, 1 unchanged

    "#]],
    );
}

#[test]
fn an_audit_device_is_enabled_first_and_by_itself() {
    let text = r#"
sys:
  audit: { file: { type: file, options: { file_path: /dev/null } }, other: { type: file, options: { file_path: discard } } }
  policies: { app: { policy: 'path "x" { capabilities = ["read"] }' } }
auth: { approle: { type: approle } }
"#;
    let spec = read(text).unwrap();
    let plan = plan(&spec.objects, &Live::default(), None).unwrap();
    let waves = plan.waves.iter().map(|wave| {
        wave.iter().map(|it| it.object.path.as_str()).collect::<Vec<&str>>().join(" ") + "\n"
    });
    expect![[r#"
        sys/audit/file
        sys/audit/other
        sys/auth/approle sys/policies/acl/app
    "#]]
    .assert_eq(&waves.collect::<String>());
}

const LOG: &str = r#"
sys:
  audit:
    file: { type: file, description: all of it, options: { file_path: stdout } }
"#;

fn another_log() -> Value {
    json!({ "sys/audit/file": { "type": "file", "description": "some of it", "options": { "file_path": "stdout" } } })
}

/// Vault changes no audit device.
#[test]
fn what_cannot_be_changed_is_deleted_and_made_anew() {
    check(
        LOG,
        another_log(),
        expect![[r#"
          ± sys/audit/file
              description: "some of it" -> "all of it"

        1 to replace, 0 unchanged
        DELETE sys/audit/file
        POST sys/audit/file description options type
    "#]],
    );
}

#[test]
fn what_is_protected_is_not_replaced() {
    let protected = LOG.replace("type: file,", "type: file, protect: true,");
    check(
        &protected,
        another_log(),
        expect![[r#"
          ! sys/audit/file  (protected)
              description: "some of it" -> "all of it"

        1 blocked, 0 unchanged

    "#]],
    );
}

#[test]
fn what_is_protected_is_not_destroyed() {
    let spec =
        read("secrets:\n  kept: { type: transit, protect: true }\n  gone: { type: transit }\n")
            .unwrap();
    let there = json!({ "sys/mounts/kept": { "type": "transit" }, "sys/mounts/gone": { "type": "transit" } });
    let plan = destroy(&spec.objects, &live(&spec, there), true).expect("no cycle");
    expect![[r#"
          - sys/mounts/gone
          ! sys/mounts/kept  (protected)

        1 to delete, 1 blocked, 0 unchanged
        DELETE sys/mounts/gone
    "#]]
    .assert_eq(&shown(&plan));
}
