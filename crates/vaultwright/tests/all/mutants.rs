//! Every file of `fixtures/mutants` is one change to one of the five specs: each breaks it, and is caught where it says.
//!
//! `VAULTWRIGHT_MUTANT=PART-OF-ITS-PATH` runs only those.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
    thread,
};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use vault_model::lint;
use vault_testbed::ground::servers;

use crate::{program, root};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    /// In the folder of the spec.
    file: PathBuf,
    /// What stands there once.
    old: String,
    new: String,
    environment: Option<String>,
    /// The lint that finds it; no server is needed.
    check: Option<String>,
    prove: Option<Refutation>,
}

/// Which scenario of which proof refutes it, and how.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refutation {
    only: String,
    /// A part of the scenario's name, of its step, and of what was seen.
    scenario: String,
    step: String,
    evidence: String,
}

/// A mutant that its file's path names: `airflow-agent/not-renewed`.
type Named = (String, Mutant);

/// A server that is not there in time is no refutation.
const ELSEWHERE: &str = "it is refuted elsewhere";
/// As many servers as two cores start without waiting for each other.
const AT_ONCE: usize = 3;

#[test]
fn every_mutant_of_the_five_systems_is_caught() {
    let mutants = mutants();
    let chosen = std::env::var("VAULTWRIGHT_MUTANT").unwrap_or_default();
    let has_server = matches!(servers::find(), Ok(Some(_)));
    let (mut queue, mut skipped) = (VecDeque::new(), 0);
    for (name, mutant) in mutants.into_iter().filter(|(name, _)| name.contains(&chosen)) {
        match mutant.prove.is_none() || has_server {
            true => queue.push_back((name, mutant)),
            false => skipped += 1,
        }
    }
    if skipped > 0 {
        println!(
            "SKIPPED {skipped} mutants: there is no Vault server; `cargo xtask servers` builds one"
        );
    }
    let (queue, survivors) = (Mutex::new(queue), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, mutant)) = next(&queue) {
                    if let Err(why) = caught_at_last(&name, &mutant) {
                        let why = format!("{name}: {why}");
                        survivors.lock().unwrap_or_else(PoisonError::into_inner).push(why);
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().unwrap();
    assert!(survivors.is_empty(), "not caught as they say:\n{}", survivors.join("\n\n"));
}

#[test]
fn each_of_the_five_systems_has_mutants() {
    let mutants = mutants();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, mutant) in &mutants {
        let system = name.split('/').next().unwrap();
        *counts.entry(system.to_owned()).or_default() += 1;
        assert_eq!(
            mutant.check.is_some() as u8 + mutant.prove.is_some() as u8,
            1,
            "{name} is caught by `check` or by `prove`"
        );
        let known = mutant.check.as_deref().is_none_or(|it| lint::named(it).is_some());
        assert!(known, "{name}: there is no such lint");
    }
    let systems =
        ["airflow-agent", "airflow-hub", "django-handler", "rotation-loop", "workload-injection"];
    assert_eq!(counts.keys().map(String::as_str).collect::<Vec<_>>(), systems);
    assert!(counts.values().all(|it| *it >= 5), "{counts:?}");
    let proven = mutants.iter().filter(|(_, it)| it.prove.is_some()).count();
    assert!(proven >= 30, "{proven} mutants are refuted at a step");
}

fn mutants() -> Vec<Named> {
    let root = root().join("fixtures/mutants");
    let mut found = Vec::new();
    for folder in fs::read_dir(&root).unwrap().flatten() {
        for file in fs::read_dir(folder.path()).unwrap().flatten() {
            let path = file.path();
            let name = path.strip_prefix(&root).unwrap().with_extension("");
            let text = fs::read_to_string(&path).unwrap();
            let mutant = serde_yaml::from_str(&text);
            let mutant = mutant.unwrap_or_else(|err| panic!("{}: {err}", path.display()));
            found.push((name.to_str().unwrap().to_owned(), mutant));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn next(queue: &Mutex<VecDeque<Named>>) -> Option<Named> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// As features are in CI, one that fails elsewhere than it should is tried once more; and what it was is said.
fn caught_at_last(name: &str, mutant: &Mutant) -> Result<(), String> {
    let first = caught(name, mutant);
    match &first {
        Err(why) if why.starts_with(ELSEWHERE) => {
            println!("{name}, tried once more: {why}");
            caught(name, mutant)
        }
        _ => first,
    }
}

fn caught(name: &str, mutant: &Mutant) -> Result<(), String> {
    let folder = TempDir::new().unwrap();
    let (system, _) = name.split_once('/').unwrap();
    let spec = folder.path().join(system);
    copy(&root().join("specs").join(system), &spec);
    let file = spec.join(&mutant.file);
    let text =
        fs::read_to_string(&file).map_err(|err| format!("{}: {err}", mutant.file.display()))?;
    match text.matches(&mutant.old).count() {
        1 => {}
        count => return Err(format!("{} has its old text {count} times", mutant.file.display())),
    }
    fs::write(&file, text.replace(&mutant.old, &mutant.new)).unwrap();
    match (&mutant.check, &mutant.prove) {
        (Some(lint), _) => found(&spec, mutant, lint),
        (_, Some(refutation)) => refuted(&spec, mutant, refutation, folder.path()),
        _ => Err("it does not say where it is caught".into()),
    }
}

/// By `check`, and before: the spec as it is has nothing of the kind.
fn found(spec: &Path, mutant: &Mutant, lint: &str) -> Result<(), String> {
    let told = format!("[{lint}]");
    let output = vaultwright(&["check"], spec, mutant);
    let said = text(&output);
    if !said.contains(&told) {
        return Err(format!("`check` does not say {told}:\n{said}"));
    }
    let system = root().join("specs").join(spec.file_name().unwrap());
    match text(&vaultwright(&["check"], &system, mutant)).contains(&told) {
        true => Err(format!("`check` says {told} of the spec as it is, too")),
        false => Ok(()),
    }
}

/// Only what refutes it is run.
fn refuted(spec: &Path, mutant: &Mutant, wanted: &Refutation, folder: &Path) -> Result<(), String> {
    let (features, json) = (folder.join("features"), folder.join("report.json"));
    let emit = ["prove", "--only", &wanted.only, "--emit", features.to_str().unwrap()];
    let output = vaultwright(&emit, spec, mutant);
    if !output.status.success() {
        return Err(format!("no proof of it can be made:\n{}", text(&output)));
    }
    let mut command = once();
    command.arg("test").arg(&features).args(["--on", "process", "--concurrency", "1"]);
    command.arg("--name").arg(regex::escape(&wanted.scenario)).arg("--json").arg(&json);
    let output = command.output().unwrap();
    let said = text(&output);
    if output.status.code() != Some(1) {
        return Err(format!("it is not refuted:\n{said}"));
    }
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let is_it = |scenario: &Value| {
        let mut steps = scenario["steps"].as_array().unwrap().iter();
        let failed = steps.find(|it| it["failed"] == true);
        failed.is_some_and(|it| it["text"].as_str().unwrap().contains(&wanted.step))
            && scenario["reason"].as_str().unwrap().contains(&wanted.evidence)
    };
    match report["scenarios"].as_array().unwrap().iter().any(is_it) {
        true => Ok(()),
        false => Err(format!("{ELSEWHERE}:\n{said}")),
    }
}

fn vaultwright(arguments: &[&str], spec: &Path, mutant: &Mutant) -> Output {
    let (command, rest) = arguments.split_first().unwrap();
    let mut program = once();
    program.arg(command).arg(spec).args(rest);
    program.args(mutant.environment.iter().flat_map(|it| ["--env", it]));
    program.output().unwrap()
}

/// A mutant that is refuted once is refuted: nothing is tried again.
fn once() -> Command {
    let mut command = program();
    command.env_remove("CI");
    command
}

fn text(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
