//! A whole spec: from the bytes of its files to what it describes, or to all that is wrong with it.

use std::{collections::HashMap, ffi::OsString, sync::Arc};

use crate::{
    Path,
    claim::{self, Claim},
    delivery::{self, Delivery},
    ledger,
    lint::{Parts, Seen, lint, secret_places},
    merge::merge,
    mistakes::Mistakes,
    node::Node,
    object::Object,
    redact::Redactor,
    source::{FileId, Mistake, Place, Severity, Sources},
    template::{Inputs, Templates},
    tree::Collected,
    vars::{self, Declared, Given},
    waves::Waves,
    yaml,
};

#[derive(Debug)]
pub struct Spec {
    pub name: String,
    /// In the order of their paths.
    pub objects: Vec<Arc<Object>>,
    pub claims: Vec<Claim>,
    pub deliveries: Vec<Delivery>,
    /// The mount that keeps its ledger.
    pub ledger_mount: String,
    pub sources: Sources,
    /// Every secret value in it, to be taken out of any text that is shown.
    pub redactor: Redactor,
    /// What is odd and does not stand in the way.
    pub warnings: Mistakes,
}

/// One file, as it lies on the disk.
pub struct SpecFile {
    /// As the user would name it.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What a spec is read from.
pub struct Reading<'a> {
    /// Together one spec.
    pub files: Vec<SpecFile>,
    /// `--var`
    pub vars: Vec<(String, String)>,
    /// `--var-file`
    pub var_files: Vec<SpecFile>,
    /// `environments/<name>.yaml`
    pub environment: Option<SpecFile>,
    /// `VAULTWRIGHT_VAR_NAME`
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Whether a secret variable without a value gets one that means nothing: enough to find mistakes.
    pub has_stand_ins: bool,
    /// The SQL that the databases of its ground begin with: which logins they have.
    pub init: Vec<String>,
    /// What `env()` and `file()` answer.
    pub inputs: Arc<dyn Inputs>,
}

/// A spec that cannot be used: why, and the texts that the mistakes point into.
#[derive(Debug)]
pub struct Refused {
    pub sources: Sources,
    pub mistakes: Mistakes,
}

pub fn read(reading: Reading<'_>) -> Result<Spec, Refused> {
    let mut sources = Sources::default();
    let inputs = reading.inputs.clone();
    let init = reading.init.clone();
    let result =
        root(reading, &mut sources).and_then(|it| collect(it, &*inputs, &init, &mut sources));
    match result {
        Ok(spec) => Ok(Spec { sources, ..spec }),
        Err(mistakes) => Err(Refused { sources, mistakes: Mistakes::from(mistakes) }),
    }
}

/// The files parsed, merged and rendered; the variables that they declare.
fn root(
    reading: Reading<'_>,
    sources: &mut Sources,
) -> Result<(Node, Vec<Declared>, Redactor), Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut parse = |files: Vec<SpecFile>, values: bool| -> Vec<Node> {
        let one = |it: SpecFile| match values {
            true => yaml::read_values(sources, it.name, &it.bytes),
            false => yaml::read(sources, it.name, &it.bytes),
        };
        let parsed = files.into_iter().map(one);
        parsed.filter_map(|it| it.map_err(|found| mistakes.extend(found)).ok()).collect()
    };
    let trees = parse(reading.files, false);
    let var_files = parse(reading.var_files, true);
    let environment = parse(reading.environment.into_iter().collect(), true).pop();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut root = merge(trees)?;
    let (declared, found) = match root.take("vars") {
        Some((_, node)) => vars::declared(&node, sources),
        None => Default::default(),
    };
    mistakes.extend(found);
    let templates = Templates::new(reading.inputs);
    let given = Given { flags: reading.vars, files: var_files, env: reading.env, environment };
    let with_stand_ins = reading.has_stand_ins.then(|| vars::stand_ins(&declared));
    let vars = match vars::resolve(
        with_stand_ins.as_ref().unwrap_or(&declared),
        given,
        &templates,
        sources,
    ) {
        Ok(vars) => vars,
        Err(found) => {
            mistakes.extend(found);
            return Err(mistakes);
        }
    };
    mistakes.extend(templates.render(&mut root, &vars, sources));
    let redactor = vars.redactor().clone();
    if mistakes.is_empty() { Ok((root, declared, redactor)) } else { Err(mistakes) }
}

fn collect(
    (root, declared, redactor): (Node, Vec<Declared>, Redactor),
    inputs: &dyn Inputs,
    init: &[String],
    sources: &mut Sources,
) -> Result<Spec, Vec<Mistake>> {
    let Collected { mut objects, mut mistakes, .. } = Collected::of(&root, sources, inputs);
    let name = name(&root, &mut mistakes);
    let claims = part(&root, "claims", claim::read, &mut mistakes);
    let deliveries = part(&root, "deliver", delivery::read, &mut mistakes);
    let ledger_mount = match root.get("ledger").map(|it| (it, it.as_text())) {
        Some((_, Some(mount))) => mount.trim_matches('/').to_owned(),
        Some((it, None)) => {
            mistakes.push(it.should_be("`ledger`", "the path of a KV v2 mount"));
            String::new()
        }
        None => ledger::MOUNT.to_owned(),
    };
    objects.sort_by(|a, b| a.path.cmp(&b.path));
    mistakes.extend(twice(&objects));
    mistakes.extend(cycle(&objects));
    let seen = Seen::new(Parts {
        root: &root,
        declared: &declared,
        objects: &objects,
        claims: &claims,
        deliveries: &deliveries,
        sources,
        init,
        is_complete: mistakes.is_empty(),
    });
    let found = lint(&seen);
    secret_places(&found).for_each(|it| sources.hide(it));
    mistakes.extend(found);
    if mistakes.iter().any(|it| it.severity == Severity::Error) {
        return Err(mistakes);
    }
    Ok(Spec {
        name,
        objects: objects.into_iter().map(Arc::new).collect(),
        claims,
        deliveries,
        ledger_mount,
        sources: Sources::default(),
        redactor,
        warnings: Mistakes::from(mistakes),
    })
}

fn part<T>(
    root: &Node,
    key: &str,
    read: fn(&Node) -> (Vec<T>, Vec<Mistake>),
    mistakes: &mut Vec<Mistake>,
) -> Vec<T> {
    let Some(node) = root.get(key) else { return Vec::new() };
    let (read, found) = read(node);
    mistakes.extend(found);
    read
}

fn name(root: &Node, mistakes: &mut Vec<Mistake>) -> String {
    let is_name = |it: &str| {
        !it.is_empty()
            && it.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match root.get("name").map(|it| (it, it.as_text())) {
        Some((_, Some(name))) if is_name(name) => name.to_owned(),
        Some((it, Some(_))) => {
            let mistake =
                Mistake::error(it.place, "`name` has other than letters, digits, `-`, `_`, `.`");
            mistakes.push(mistake.help("the ledger is kept under this name"));
            String::new()
        }
        Some((it, None)) => {
            mistakes.push(it.should_be("`name`", "text"));
            String::new()
        }
        None => {
            let start = Place { file: FileId(0), line: 1, column: 1, start: 0, end: 0 };
            let mistake = Mistake::error(start, "the spec has no `name`");
            mistakes.push(mistake.help("add `name: …` at the top: its ledger is kept under it"));
            String::new()
        }
    }
}

/// Two ways to say one path: `paths:` beside a kind, or names that Vault takes as one.
fn twice(objects: &[Object]) -> Vec<Mistake> {
    let pairs = objects.windows(2).filter(|it| it[0].path == it[1].path);
    pairs
        .map(|it| {
            Mistake::error(it[1].place, format!("{} is described twice", it[1].path))
                .also(it[0].place, "here too")
                .help("keep one of them")
        })
        .collect()
}

fn cycle(objects: &[Object]) -> Option<Mistake> {
    let cycle = Waves::new(objects.iter()).err()?;
    let places: HashMap<&Path, Place> = objects.iter().map(|it| (&it.path, it.place)).collect();
    let mistake =
        Mistake::error(cycle.0.first().and_then(|it| places.get(it)).copied(), cycle.to_string());
    let others = cycle.0.iter().skip(1).filter_map(|it| Some((places.get(it)?, it)));
    Some(others.fold(mistake, |mistake, (place, path)| mistake.also(*place, path.clone())))
}
