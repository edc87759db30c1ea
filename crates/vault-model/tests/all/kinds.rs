//! The table of kinds: what holds for every row, and what the rows with functions write.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use vault_model::{
    Body,
    kind::{Delete, Engine, Field, Kind, Read, Shape, field},
    kinds::{self, AUTH, ENGINES, METHODS, RAW, SECRETS},
};

fn rows() -> Vec<&'static Kind> {
    kinds::all().map(|(_, it)| it).chain([&SECRETS, &AUTH, &RAW]).collect()
}

/// A row with each of its variants; the last has none.
fn variants() -> Vec<(&'static Kind, Option<&'static str>)> {
    let of = |kind: &'static Kind| {
        let known = kind.variants.iter().flat_map(|it| it.of.iter().map(|(name, _)| Some(*name)));
        known.chain([None, Some("unheard-of")]).map(move |it| (kind, it)).collect::<Vec<_>>()
    };
    rows().into_iter().flat_map(of).collect()
}

fn each_field(see: &mut dyn FnMut(&Kind, &[&'static Field], &'static Field)) {
    for (kind, variant) in variants() {
        let fields: Vec<&'static Field> = kind.fields_of(variant).collect();
        each_within(kind, &fields, see);
    }
}

fn each_within(
    kind: &Kind,
    fields: &[&'static Field],
    see: &mut dyn FnMut(&Kind, &[&'static Field], &'static Field),
) {
    for field in fields {
        see(kind, fields, field);
        if let Shape::Body(inner) = field.shape {
            each_within(kind, &inner.iter().collect::<Vec<_>>(), see);
        }
    }
}

#[test]
fn names_are_said_once() {
    let once = |what: &str, names: Vec<&str>| {
        let set: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(set.len(), names.len(), "{what} says a name twice: {names:?}");
    };
    once("the list of engines", ENGINES.iter().map(|it| it.name).collect());
    once("the list of methods", METHODS.iter().map(|it| it.name).collect());
    for engine in ENGINES.iter().chain(METHODS) {
        once(engine.name, engine.kinds.iter().map(|it| it.section).collect());
        once(engine.name, engine.kinds.iter().map(|it| it.path).collect());
    }
    for (kind, variant) in variants() {
        once(kind.path, kind.fields_of(variant).map(|it| it.name).collect());
    }
}

#[test]
fn a_section_is_not_the_name_of_a_field_of_its_mount() {
    let of_mount = |engines: &[&Engine], mount: &Kind| {
        for kind in engines.iter().flat_map(|it| it.kinds) {
            assert!(
                mount.field(kind.section, None).is_none(),
                "`{}` means two things",
                kind.section
            );
        }
    };
    of_mount(ENGINES, &SECRETS);
    of_mount(METHODS, &AUTH);
}

#[test]
fn field_names_are_spelled_as_vault_spells_them() {
    each_field(&mut |kind, _, field| {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(field.name.chars().all(is_plain), "{}: {}", kind.path, field.name);
    });
}

#[test]
fn templates_of_paths_are_paths() {
    for kind in rows() {
        let read = match kind.read {
            Read::At(path) | Read::In(path) | Read::Listed { list: path, .. } => Some(path),
            Read::Here | Read::Never => None,
        };
        let delete = match kind.delete {
            Delete::At(path) => Some(path.replace("{id}", "")),
            Delete::Here | Delete::WithParent => None,
        };
        let all = [Some(kind.path), kind.list, kind.rotate_root, read];
        for path in all.into_iter().flatten().chain(delete.as_deref()) {
            let rest = path.replace("{mount}", "m").replace("{name}", "n");
            let is_legal = |c: char| c.is_ascii_alphanumeric() || "/-_".contains(c);
            assert!(rest.chars().all(is_legal), "{path}");
            assert!(!rest.starts_with('/') && !rest.contains("//"), "{path}");
        }
        assert!(!kind.list.is_some_and(|it| it.contains("{name}")), "{}", kind.path);
    }
}

#[test]
fn what_a_field_names_is_an_object_of_some_kind() {
    let known: BTreeSet<String> = kinds::all()
        .flat_map(|(engine, kind)| {
            let path = kind.path.replace("{name}", "{}");
            [path.replace("{mount}", engine.name), path]
        })
        .collect();
    each_field(&mut |kind, _, field| {
        let is_known = field.names.is_none_or(|it| known.contains(it));
        assert!(is_known, "{}: `{}` names {:?}", kind.path, field.name, field.names);
    });
}

#[test]
fn fields_that_point_at_others_point_at_those_beside_them() {
    each_field(&mut |kind, fields, field| {
        for name in [field.renamed, field.belongs_to].into_iter().flatten() {
            let other = fields.iter().find(|it| it.name == name);
            let other = other.unwrap_or_else(|| panic!("{}: there is no `{name}`", kind.path));
            let is_fine = other.renamed.is_none() || field.renamed.is_some_and(|it| it != name);
            assert!(is_fine, "{}: `{name}` is an old name itself", kind.path);
        }
        if let Read::Listed { by, .. } = kind.read {
            assert!(by.iter().all(|it| kind.field(it, None).is_some_and(|it| it.required)));
        }
    });
}

#[test]
fn what_vault_never_answers_is_secret_or_ours_to_give() {
    each_field(&mut |kind, _, field| {
        assert!(
            !field.write_only || field.secret || field.enterprise,
            "{}: `{}` is not read back and would be shown",
            kind.path,
            field.name
        );
        assert!(!field.lasting || matches!(field.shape, Shape::Flag), "{}", field.name);
    });
}

#[test]
fn what_people_mistake_for_a_field_is_none() {
    for (kind, variant) in variants() {
        for (name, instead) in kind.mistaken {
            assert!(kind.field(name, variant).is_none(), "{}: `{name}` is a field", kind.path);
            assert!(!instead.is_empty());
        }
    }
}

#[test]
fn every_kind_names_the_page_that_documents_it() {
    for kind in rows().into_iter().filter(|it| it.section != RAW.section) {
        let is_page = |c: char| c.is_ascii_alphanumeric() || "/-".contains(c);
        assert!(!kind.docs.is_empty() && kind.docs.chars().all(is_page), "{}", kind.path);
    }
}

#[test]
fn a_password_is_secret_for_a_plugin_that_nobody_knows() {
    let connections = row("database", "connections");
    let password = connections.field("password", Some("oracle-database-plugin"));
    assert!(password.is_some_and(|it| it.secret && it.write_only));
    assert!(connections.is_open(Some("oracle-database-plugin")));
    assert!(!connections.is_open(Some("postgresql-database-plugin")));
}

fn row(engine: &str, section: &str) -> &'static Kind {
    let found = kinds::engine(engine, None).or_else(|| kinds::method(engine));
    found.and_then(|it| it.kind(section)).expect("a row")
}

fn map(value: Value) -> Body {
    value.as_object().expect("a map").clone()
}

/// What is sent so that there is what `said` says, where Vault answers `answer`.
#[track_caller]
fn check(kind: &Kind, said: Value, answer: Value, expect: Expect) {
    let there = answer.as_object().map(|it| (kind.decode)(it.clone()));
    let body = (kind.desire)(&map(said), there.as_ref());
    let writes = (kind.writes)(kind, body, there.as_ref());
    let line = |path: &str, body: &Body| format!("{path} {}\n", Value::Object(body.clone()));
    let lines: String = writes.iter().map(|it| line(it.path, &it.body)).collect();
    expect.assert_eq(&lines);
}

#[test]
fn a_mount_is_made_in_one_call_and_tuned_for_the_rest() {
    check(
        &AUTH,
        json!({ "type": "userpass", "tune": {
            "max_lease_ttl": "1h",
            "plugin_version": "v1.0.0",
            "user_lockout_config": { "lockout_counter_reset": "5m", "lockout_disable": "true" },
        } }),
        Value::Null,
        expect![[r#"
            sys/auth/{name} {"config":{"max_lease_ttl":3600},"type":"userpass"}
            sys/auth/{name}/tune {"plugin_version":"v1.0.0","user_lockout_config":{"lockout_counter_reset_duration":300,"lockout_disable":true}}
        "#]],
    );
}

#[test]
fn a_mount_that_is_there_is_only_tuned() {
    check(
        &SECRETS,
        json!({ "type": "kv-v2", "description": "d", "local": true, "options": { "new": 1 } }),
        json!({ "type": "kv", "options": { "version": "2", "old": "x" }, "config": {} }),
        expect![[r#"
            sys/mounts/{name}/tune {"description":"d","options":{"new":"1","old":"","version":"2"}}
        "#]],
    );
}

#[test]
fn a_role_that_is_there_is_not_told_where_its_secret_ids_live() {
    check(
        row("approle", "roles"),
        json!({ "local_secret_ids": true, "token_ttl": "1h" }),
        json!({ "local_secret_ids": true, "token_ttl": 60 }),
        expect![[r#"
            {mount}/role/{name} {"token_ttl":3600}
        "#]],
    );
}

#[test]
fn a_key_that_is_there_changes_by_its_configuration() {
    check(
        row("transit", "keys"),
        json!({ "type": "ed25519", "derived": false, "auto_rotate_period": "24h" }),
        json!({ "type": "ed25519", "derived": false, "auto_rotate_period": 0 }),
        expect![[r#"
            {mount}/keys/{name}/config {"auto_rotate_period":86400}
        "#]],
    );
}

#[test]
fn what_a_write_would_reset_is_sent_as_it_is() {
    check(
        row("database", "roles"),
        json!({ "db_name": "snow", "default_ttl": "1h" }),
        json!({ "db_name": "snow", "credential_config": { "key_bits": 4096 } }),
        expect![[r#"
            {mount}/roles/{name} {"credential_config":{"key_bits":4096},"db_name":"snow","default_ttl":3600}
        "#]],
    );
    check(
        row("kubernetes", "config"),
        json!({ "kubernetes_host": "https://new" }),
        json!({ "kubernetes_host": "https://old", "issuer": "i", "token_reviewer_jwt_set": true }),
        expect![[r#"
            {mount}/config {"issuer":"i","kubernetes_host":"https://new"}
        "#]],
    );
    check(
        row("aws", "config_root"),
        json!({ "region": "eu-west-1" }),
        json!({ "region": "eu-west-2", "username_template": "t" }),
        expect![[r#"
            {mount}/config/root {"region":"eu-west-1","username_template":"t"}
        "#]],
    );
}

#[test]
fn an_access_key_that_was_rotated_is_not_put_back() {
    let said = json!({ "access_key": "first", "region": "eu-west-1", "rotate_root": "once" });
    let desired = (row("aws", "config_root").desire)(&map(said.clone()), Some(&Body::new()));
    assert!(!desired.contains_key("access_key"));
    assert!((row("aws", "config_root").desire)(&map(said), None).contains_key("access_key"));
}

#[test]
fn an_alias_is_changed_under_its_id() {
    check(
        row("identity", "group_aliases"),
        json!({ "name": "developers", "mount_accessor": "a", "canonical_id": "new" }),
        json!({ "name": "developers", "mount_accessor": "a", "canonical_id": "old", "id": "7" }),
        expect![[r#"
            {mount}/group-alias {"canonical_id":"new","id":"7","mount_accessor":"a","name":"developers"}
        "#]],
    );
}

#[test]
fn json_and_maps_go_as_the_text_that_vault_takes() {
    check(
        row("aws", "roles"),
        json!({ "policy_document": { "Version": "2012-10-17" }, "iam_tags": { "floor": 3, "on": true } }),
        Value::Null,
        expect![[r#"
            {mount}/roles/{name} {"iam_tags":{"floor":"3","on":"true"},"policy_document":"{\"Version\":\"2012-10-17\"}"}
        "#]],
    );
}

#[test]
fn a_reference_goes_as_it_is() {
    check(
        row("identity", "groups"),
        json!({ "member_entity_ids": "${a#ids}", "metadata": { "of": "${b#id}" } }),
        Value::Null,
        expect![[r#"
            {mount}/group/name/{name} {"member_entity_ids":"${a#ids}","metadata":{"of":"${b#id}"}}
        "#]],
    );
}

#[test]
fn an_old_name_is_read_from_the_new_one() {
    let answer = json!({ "secret_id_bound_cidrs": ["10.0.0.0/8"], "token_policies": ["a"] });
    let read = (row("approle", "roles").decode)(map(answer));
    assert_eq!(read["bound_cidr_list"], json!(["10.0.0.0/8"]));
    assert_eq!(read["policies"], json!(["a"]));
}

#[test]
fn the_builtin_version_of_a_plugin_is_the_one_that_runs() {
    let answer = json!({ "plugin_version": "", "running_plugin_version": "v0.25.0+builtin" });
    let read = (SECRETS.decode)(map(answer));
    assert_eq!(read["tune"]["plugin_version"], "v0.25.0+builtin");
}

#[track_caller]
fn same(kind: &Kind, name: &str, one: Value, other: Value) -> bool {
    let row = kind.field(name, None).expect("a field");
    let written = row.shape.written(&one);
    assert!(row.same(&one, &written), "{one} is written as {written}");
    row.same(&one, &other)
}

#[test]
fn an_address_is_a_network_of_one() {
    let role = row("approle", "roles");
    assert!(same(
        role,
        "token_bound_cidrs",
        json!("127.0.0.1/32, FD00::1/128"),
        json!(["fd00::1", "127.0.0.1"])
    ));
    assert!(!same(role, "token_bound_cidrs", json!(["10.0.0.5/24"]), json!(["10.0.0.5"])));
}

#[test]
fn no_json_is_the_empty_text() {
    let role = row("kubernetes", "roles");
    assert!(same(role, "bound_service_account_namespace_selector", json!(""), Value::Null));
    assert!(same(
        role,
        "bound_service_account_namespace_selector",
        json!({ "a": [1] }),
        json!(" {\"a\": [1]}")
    ));
    assert!(!same(role, "bound_service_account_namespace_selector", json!({}), json!("")));
}

#[test]
fn token_roles_lower_the_case_of_policies_and_other_roles_do_not() {
    assert!(same(row("token", "roles"), "allowed_policies", json!(["B", "a"]), json!(["a", "b"])));
    assert!(!same(row("approle", "roles"), "token_policies", json!(["B"]), json!(["b"])));
    assert!(field(row("approle", "roles").fields, "token_policies").is_some());
}
