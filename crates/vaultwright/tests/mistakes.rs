//! Every folder of `fixtures/mistakes` is a spec with mistakes; `expected.txt` in it is what is said of them.
//!
//! `UPDATE_EXPECT=1` writes what is said now.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use vault_model::{
    lint::LINTS,
    mistakes::Mistakes,
    source::{Mistake, Sources},
};
use vault_provision::{ReadError, SpecInputs, load};

/// They speak of the comments that silence others, and can't be silenced themselves.
const OF_COMMENTS: [&str; 2] = ["bare-allow", "idle-allow"];

#[test]
fn each_lint_finds_what_its_fixture_shows_and_nothing_else() {
    check_all("lints");
    let fixtures: BTreeSet<String> = folders("lints").iter().map(|it| name(it)).collect();
    let lints: BTreeSet<String> = LINTS.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(fixtures, lints, "each lint has a fixture of its name");
    for folder in folders("lints") {
        let (mistakes, _) = found(&folder);
        let of_it = mistakes.list().iter().filter(|it| it.lint == Some(&name(&folder)));
        assert!(of_it.count() > 0, "{} shows nothing of its lint", folder.display());
    }
}

#[test]
fn each_lint_is_silenced_where_it_speaks_with_a_reason() {
    for folder in folders("lints").iter().filter(|it| !OF_COMMENTS.contains(&&*name(it))) {
        let lint = name(folder);
        let (mistakes, sources) = found(folder);
        let silent = tempfile::tempdir().expect("a folder");
        copy(folder, silent.path());
        let mut places: Vec<(String, u32)> = mistakes
            .list()
            .iter()
            .filter(|it| it.lint == Some(&lint))
            .filter_map(|it| it.place)
            .filter_map(|it| Some((sources.file(it.file)?.name.clone(), it.line)))
            .collect();
        places.sort();
        places.dedup();
        for (file, line) in places.iter().rev() {
            let file = silent.path().join(Path::new(file).strip_prefix(folder).expect("below it"));
            allow(&file, *line as usize, &lint);
        }
        let (mistakes, sources) = found(silent.path());
        let left: Vec<&Mistake> = mistakes
            .list()
            .iter()
            .filter(|it| {
                it.lint == Some(&lint) || it.lint.is_some_and(|it| OF_COMMENTS.contains(&it))
            })
            .collect();
        assert!(left.is_empty(), "{lint} still speaks:\n{}", mistakes.render(&sources, false));
    }
}

#[test]
fn each_defect_of_the_five_systems_is_found_with_its_line() {
    check_all("defects");
    let of =
        |system: &str| folders("defects").iter().filter(|it| name(it).starts_with(system)).count();
    for (system, defects) in [
        ("airflow-agent-", 3),
        ("rotation-loop-", 3),
        ("airflow-hub-", 4),
        ("django-handler-", 1),
        ("workload-injection-", 4),
    ] {
        assert!(of(system) >= defects, "{system}: {defects} defects are known");
    }
}

#[test]
fn hostile_input_gets_an_error_and_soon() {
    let began = Instant::now();
    check_all("hostile");
    for folder in folders("hostile") {
        assert!(found(&folder).0.has_errors(), "{} is taken", folder.display());
    }
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
}

#[test]
fn a_file_that_is_too_long_is_refused_unread() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("name: app\n# {}\n", "x".repeat(17 << 20));
    fs::write(folder.path().join("spec.yaml"), text).expect("written");
    let error = load(folder.path(), &SpecInputs::default()).expect_err("17 MB are too many");
    assert!(error.to_string().contains("has at most"), "{error}");
}

#[test]
fn a_file_without_an_end_is_refused() {
    let error = load(Path::new("/dev/zero"), &SpecInputs::default()).expect_err("it has no end");
    assert!(error.to_string().contains("has at most"), "{error}");
}

#[test]
fn the_five_systems_have_no_mistakes() {
    let specs = root().join("specs");
    let mut systems = 0;
    for entry in fs::read_dir(specs).expect("specs") {
        let folder = entry.expect("a folder").path();
        let environments = fs::read_dir(folder.join("environments")).into_iter().flatten();
        let names = environments.filter_map(|it| Some(it.ok()?.path().file_stem()?.to_owned()));
        let names = names.filter_map(|it| Some(Some(it.to_str()?.to_owned())));
        for environment in names.chain([None]) {
            let (mistakes, sources) = found_in(&folder, environment.as_deref());
            let rendered = mistakes.render(&sources, false);
            assert!(mistakes.is_empty(), "{} {environment:?}\n{rendered}", folder.display());
        }
        systems += 1;
    }
    assert!(systems >= 5, "only {systems} systems");
}

#[test]
fn every_mistake_of_a_fixture_says_what_to_do() {
    for folder in ["lints", "defects"].into_iter().flat_map(folders) {
        for mistake in found(&folder).0.list() {
            assert!(mistake.help.is_some() && mistake.place.is_some(), "{}", mistake.message);
        }
    }
}

#[track_caller]
fn check_all(suite: &str) {
    let mut wrong = Vec::new();
    for folder in folders(suite) {
        let (mistakes, sources) = found(&folder);
        let said = mistakes.render(&sources, false).replace(&format!("{}/", folder.display()), "");
        let said = said.replace(&folder.display().to_string(), "the folder");
        let said = format!("{}\n", said.trim_end());
        let file = folder.join("expected.txt");
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &said).expect("written");
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- said\n{said}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 takes it over:\n{}", wrong.join("\n"));
}

fn found(folder: &Path) -> (Mistakes, Sources) {
    found_in(folder, None)
}

fn found_in(folder: &Path, environment: Option<&str>) -> (Mistakes, Sources) {
    let environment = environment.map(str::to_owned);
    let inputs = SpecInputs { has_stand_ins: true, environment, ..SpecInputs::default() };
    match load(folder, &inputs) {
        Ok(spec) => (spec.warnings, spec.sources),
        Err(ReadError::Refused(it)) => (it.mistakes, it.sources),
        Err(error) => {
            let mistake = Mistake::error(None, error.to_string());
            (Mistakes::from(vec![mistake]), Sources::default())
        }
    }
}

/// Puts the comment on a line of its own, before the line.
fn allow(file: &Path, line: usize, lint: &str) {
    let text = fs::read_to_string(file).expect("a file of the fixture");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let said = &lines[line - 1];
    let blanks = &said[..said.len() - said.trim_start().len()];
    let comment = format!("{blanks}# allow {lint}: this is what the fixture is for");
    lines.insert(line - 1, comment);
    fs::write(file, lines.join("\n") + "\n").expect("written");
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copied = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            fs::create_dir(&copied).expect("a folder");
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).expect("copied");
        }
    }
}

fn folders(suite: &str) -> Vec<PathBuf> {
    let suite = root().join("fixtures/mistakes").join(suite);
    let mut all: Vec<PathBuf> =
        fs::read_dir(suite).expect("fixtures").map(|it| it.expect("an entry").path()).collect();
    all.retain(|it| it.is_dir());
    all.sort();
    all
}

fn name(folder: &Path) -> String {
    folder.file_name().expect("a name").to_string_lossy().into_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

#[test]
fn the_table_is_complete() {
    for lint in LINTS {
        let is_name = |it: char| it.is_ascii_lowercase() || it == '-';
        assert!(lint.name.chars().all(is_name), "{}", lint.name);
        assert!(!lint.reason.is_empty() && !lint.remedy.is_empty(), "{}", lint.name);
    }
}
