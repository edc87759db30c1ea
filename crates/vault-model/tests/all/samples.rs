//! The samples: they use every field of every kind, and what Vault really answered to them reads back as the same.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value};
use vault_model::{
    Body,
    difference::{desired, differences},
    kind::{Field, Kind, Part, Shape, field},
    kinds,
    live::Live,
    object::Object,
    plan::plan,
    source::Sources,
    spec::{self, Reading, Spec, SpecFile},
    template::{Inputs, Templates},
    vars::{self, Given},
    yaml,
};

struct Sample {
    name: String,
    spec: Spec,
    /// Path, field, another value.
    changes: Vec<(String, String, Value)>,
    /// Path, field, why it cannot be changed.
    fixed: Vec<(String, String, Value)>,
    /// Template of a kind's path, field, why no sample can have it.
    elsewhere: Vec<(String, String, Value)>,
    /// What Vault answered once it was applied, reworded.
    live: Live,
}

struct Folder(PathBuf);

impl Inputs for Folder {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn file(&self, name: &str) -> Result<String, String> {
        fs::read_to_string(self.0.join(name)).map_err(|it| it.to_string())
    }
}

/// What the samples that need a far side are told about it.
const VARS: &[(&str, &str, &str)] = &[
    ("database-live", "db_admin_password", "sample-only"),
    ("ldap-library", "ldap_admin_password", "sample-only"),
    ("database-files", "files", "/tmp/sample-files"),
];

#[test]
fn every_sample_is_run_on_a_server() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let feature = fs::read_to_string(root.join("features/every_kind.feature")).unwrap();
    let rows = feature.lines().filter_map(|it| it.trim().strip_prefix('|')?.strip_suffix('|'));
    let listed: BTreeSet<&str> = rows.map(str::trim).filter(|it| *it != "sample").collect();
    let files = fs::read_dir(root.join("fixtures/samples")).unwrap();
    let names = files.map(|it| it.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    let there = names.iter().filter_map(|it| it.strip_suffix(".yaml")).collect();
    assert_eq!(listed, there);
}

#[test]
fn what_was_written_reads_back_as_the_same() {
    for sample in samples() {
        let plan = plan(&sample.spec.objects, &sample.live, None).unwrap();
        assert!(plan.is_empty(), "{}:\n{}", sample.name, plan.show(false));
    }
}

#[test]
fn what_somebody_else_changes_is_seen_and_nothing_else() {
    for mut sample in samples() {
        for (path, name, value) in std::mem::take(&mut sample.changes) {
            let object = sample.object(&path);
            let before = object.said.clone();
            set(&mut object.said, &name, value);
            let there = sample.live.get(&path).unwrap().clone();
            let object = sample.object(&path);
            let desired = desired(object, &Live::default(), Some(&there));
            let seen: Vec<String> = differences(object, &desired, &there)
                .into_iter()
                .filter(|it| !it.is_open())
                .map(|it| it.field)
                .collect();
            let is_it = |it: &String| *it == name || it.starts_with(&format!("{name}."));
            let is_open = desired.get(&name).is_some_and(has_reference);
            assert!(is_open || !seen.is_empty(), "{path}: a change of {name} is not seen");
            assert!(seen.iter().all(is_it), "{path}: {name} was changed, and {seen:?} differ");
            sample.object(&path).said = before;
        }
    }
}

#[test]
fn samples_use_every_field_of_every_kind() {
    let mut used = BTreeSet::new();
    for sample in samples() {
        used.extend(sample.elsewhere.iter().map(|(kind, name, _)| format!("{kind}  {name}")));
        for object in &sample.spec.objects {
            used.extend(
                said(object).into_iter().map(|(name, _)| id(object.kind, object.variant(), &name)),
            );
        }
    }
    let unused: Vec<String> = all_fields(|it| !it.enterprise && it.part != Part::RotateRoot)
        .into_iter()
        .filter(|it| !used.contains(it))
        .collect();
    assert!(unused.is_empty(), "no sample uses {unused:#?}");
}

#[test]
fn samples_change_every_field_or_say_why_not() {
    let mut touched = BTreeSet::new();
    for mut sample in samples() {
        touched.extend(sample.elsewhere.iter().map(|(kind, name, _)| format!("{kind}  {name}")));
        for (path, name, _) in [sample.changes.clone(), sample.fixed.clone()].concat() {
            let object = sample.object(&path);
            touched.insert(id(object.kind, object.variant(), &name));
        }
    }
    let is_changeable =
        |it: &Field| !it.enterprise && !it.fixed && !it.write_only && matches!(it.part, Part::Body);
    let untouched: Vec<String> =
        all_fields(is_changeable).into_iter().filter(|it| !touched.contains(it)).collect();
    assert!(untouched.is_empty(), "no sample changes {untouched:#?}");
}

#[test]
fn reasons_are_given_only_for_what_a_sample_says() {
    for mut sample in samples() {
        for (path, name, reason) in sample.fixed.clone() {
            let object = sample.object(&path);
            let fields = said(object);
            if object.kind.open {
                continue;
            }
            assert!(fields.iter().any(|(it, _)| *it == name), "{path} does not say {name}");
            assert!(reason.is_string(), "{path}: {name} has no reason");
        }
    }
}

fn samples() -> Vec<Sample> {
    let folder = fixtures().join("samples");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of samples")
        .map(|it| it.expect("an entry").path())
        .filter(|it| it.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() > 10, "the samples are missing");
    files.iter().map(|it| Sample::read(it)).collect()
}

impl Sample {
    fn read(path: &Path) -> Sample {
        let name = path.file_stem().and_then(|it| it.to_str()).expect("a name").to_owned();
        let own = VARS.iter().filter(|(it, ..)| *it == name);
        let vars: Vec<(String, String)> =
            own.map(|(_, key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let inputs = Arc::new(Folder(path.parent().expect("a folder").to_owned()));
        let bytes = fs::read(path).expect("a sample");
        let extra = extra(&bytes, &vars, inputs.clone());
        let reading = Reading {
            files: vec![SpecFile { name: name.clone(), bytes }],
            vars,
            var_files: Vec::new(),
            environment: None,
            env: &|_| None,
            has_stand_ins: false,
            init: Vec::new(),
            inputs,
        };
        let spec = spec::read(reading)
            .unwrap_or_else(|it| panic!("{}", it.mistakes.render(&it.sources, false)));
        let live = answers(&name, &spec);
        let of = |key: &str| of_fields(&extra[key]);
        let (changes, fixed, elsewhere) = (of("changes"), of("fixed"), of("elsewhere"));
        Sample { name, spec, changes, fixed, elsewhere, live }
    }

    fn object(&mut self, path: &str) -> &mut Object {
        let found = self.spec.objects.iter_mut().find(|it| it.path == path);
        let object = found.unwrap_or_else(|| panic!("{} has no {path}", self.name));
        Arc::get_mut(object).expect("nobody else holds it")
    }
}

/// `x-sample`, with its templates rendered.
fn extra(bytes: &[u8], vars: &[(String, String)], inputs: Arc<dyn Inputs>) -> Value {
    let mut sources = Sources::default();
    let mut root = yaml::read(&mut sources, "sample".to_owned(), bytes).expect("YAML");
    let declared = root.take("vars").map(|(_, it)| vars::declared(&it, &mut sources).0);
    let templates = Templates::new(inputs);
    let given =
        Given { flags: vars.to_vec(), files: Vec::new(), env: &|_| None, environment: None };
    let vars = vars::resolve(&declared.unwrap_or_default(), given, &templates, &mut sources)
        .expect("variables");
    assert_eq!(templates.render(&mut root, &vars, &sources), []);
    root.get("x-sample").expect("x-sample").to_json()
}

fn answers(name: &str, spec: &Spec) -> Live {
    let path = fixtures().join(format!("answers/vault-1.21.1/{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    let mut answers: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let mut live = Live::default();
    for object in &spec.objects {
        if object.is_never_shown() {
            live.insert(&object.path, object.kept());
            continue;
        }
        let Some(Value::Object(answer)) = answers.remove(&object.path) else {
            panic!("{name}: no answer is recorded for {}", object.path);
        };
        live.insert(&object.path, (object.kind.decode)(answer));
    }
    assert!(answers.is_empty(), "{name}: {:?} are in no sample", answers.keys());
    live
}

fn of_fields(paths: &Value) -> Vec<(String, String, Value)> {
    let paths = paths.as_object().into_iter().flatten();
    let of_path = |(path, fields): (&String, &Value)| {
        let fields = fields.as_object().expect("fields").clone().into_iter();
        fields.map(|(name, value)| (path.clone(), name, value)).collect::<Vec<_>>()
    };
    paths.flat_map(of_path).collect()
}

/// Sets a field; a dot goes into a body.
fn set(body: &mut Body, name: &str, value: Value) {
    match name.split_once('.') {
        None => _ = body.insert(name.to_owned(), value),
        Some((outer, inner)) => {
            let body = body.get_mut(outer).and_then(Value::as_object_mut).expect("a body");
            set(body, inner, value);
        }
    }
}

/// The fields that a sample says, those within bodies too.
fn said(object: &Object) -> Vec<(String, &'static Field)> {
    let top = object.said.iter().filter_map(|(key, value)| Some((key, value, object.row(key)?)));
    let mut found = Vec::new();
    for (key, value, row) in top {
        within(key, value, row, &mut found);
    }
    found
}

fn within(
    name: &str,
    value: &Value,
    row: &'static Field,
    found: &mut Vec<(String, &'static Field)>,
) {
    found.push((name.to_owned(), row));
    if let (Shape::Body(fields), Value::Object(body)) = (row.shape, value) {
        for (key, value) in body {
            let row = field(fields, key).expect("a spec says no unknown field");
            within(&format!("{name}.{key}"), value, row, found);
        }
    }
}

/// Every field of the table that `wanted` wants, as `id` names it.
fn all_fields(wanted: impl Fn(&Field) -> bool) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let rows = kinds::all().map(|(_, it)| it).chain([&kinds::SECRETS, &kinds::AUTH]);
    for kind in rows {
        let known = kind.variants.iter().flat_map(|it| it.of.iter().map(|(name, _)| Some(*name)));
        for variant in known.chain([None]) {
            for row in kind.fields_of(variant) {
                leaves(row.name, row, &wanted, &mut |name| _ = all.insert(id(kind, variant, name)));
            }
        }
    }
    all
}

fn leaves(name: &str, row: &Field, wanted: &dyn Fn(&Field) -> bool, found: &mut dyn FnMut(&str)) {
    match row.shape {
        _ if !wanted(row) => {}
        Shape::Body(fields) => {
            fields.iter().for_each(|it| leaves(&format!("{name}.{}", it.name), it, wanted, found));
        }
        _ => found(name),
    }
}

/// A field that all variants have is one; a field that some have is one in each.
fn id(kind: &Kind, variant: Option<&str>, name: &str) -> String {
    let top = name.split('.').next().unwrap_or(name);
    let of = variant.filter(|_| field(kind.fields, top).is_none()).unwrap_or_default();
    format!("{} {of} {name}", kind.path)
}

fn has_reference(value: &Value) -> bool {
    value.to_string().contains("${")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}
