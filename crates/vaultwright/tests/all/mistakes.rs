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

use crate::root;

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
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe.yaml");
    make_pipe(&pipe);
    let socket = folder.path().join("socket.yaml");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    for (path, what) in [
        (&*pipe, "a pipe"),
        (&*socket, "a socket"),
        (Path::new("/dev/zero"), "a device"),
        (Path::new("/dev/null"), "a device"),
    ] {
        let told = refusal(path, SpecInputs::default());
        assert_eq!(told, format!("{} is {what} and no file", path.display()));
    }
}

#[test]
fn a_pipe_in_a_spec_s_folder_or_as_a_file_of_variables_is_refused_at_once() {
    let folder = folder_with_spec("name: app\n");
    let pipe = folder.path().join("roles.yaml");
    make_pipe(&pipe);
    assert!(refusal(folder.path(), SpecInputs::default()).contains("roles.yaml is a pipe"));
    let inputs = SpecInputs { var_files: vec![pipe], ..SpecInputs::default() };
    let told = refusal(&folder.path().join("spec.yaml"), inputs);
    assert!(told.contains("roles.yaml is a pipe"), "{told}");
}

#[test]
fn a_pipe_as_ground_holds_up_no_command() {
    let folder = folder_with_spec("name: app\nsys: { policies: { app: { policy: '# none' } } }\n");
    make_pipe(&folder.path().join("ground.yaml"));
    // What is wrong with a ground is for those to say who start one.
    for (words, code) in [("check", 0), ("up", 1), ("prove --emit out", 1)] {
        let mut program = std::process::Command::new("timeout");
        program
            .args(["-s", "KILL", "20", env!("CARGO_BIN_EXE_vaultwright")])
            .args(words.split(' '))
            .arg(".");
        program.env("VAULTWRIGHT_ON", "process").env("VAULTWRIGHT_SERVER", "/bin/true");
        let output = program.current_dir(folder.path()).output().expect("timeout is there");
        assert_eq!(output.status.code(), Some(code), "{words}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(told.contains("ground.yaml is a pipe and no file"), code == 1, "{told}");
    }
}

#[test]
fn variables_may_come_out_of_a_pipe_that_the_shell_has_opened() {
    let folder = folder_with_spec("name: (( name ))\nvars: { name: {} }\n");
    let program = env!("CARGO_BIN_EXE_vaultwright");
    let line = format!("{program} check spec.yaml --var-file <(sleep 0.1; echo name: app)");
    let mut shell = std::process::Command::new("bash");
    let output = shell.args(["-c", &line]).current_dir(folder.path()).output().expect("a shell");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_a_spec_s_folder_seems_to_hold_is_never_passed_over() {
    let folder = folder_with_spec("name: app\n");
    let link = folder.path().join("roles.yaml");
    std::os::unix::fs::symlink("nowhere.yaml", &link).expect("a link");
    let told = refusal(folder.path(), SpecInputs::default());
    assert!(told.contains("roles.yaml: No such file"), "{told}");
    fs::remove_file(link).expect("it is there");
    let lock = folder.path().join(".#spec.yaml");
    std::os::unix::fs::symlink("ann@host.4242", lock).expect("a link");
    load(folder.path(), &SpecInputs::default()).expect("an editor's lock is no part of it");
}

#[test]
fn a_link_leads_a_template_to_no_file_outside_the_spec_s_folder() {
    let spec = "name: app\nsys: { policies: { app: { policy: (( file('app.hcl') )) } } }\n";
    let outside = tempfile::tempdir().expect("a folder");
    let policy = "path \"a\" { capabilities = [\"read\"] }";
    fs::write(outside.path().join("app.hcl"), policy).expect("written");
    let folder = folder_with_spec(spec);
    let link = folder.path().join("app.hcl");
    std::os::unix::fs::symlink(outside.path().join("app.hcl"), &link).expect("a link");
    let (mistakes, sources) = found(folder.path());
    let told = mistakes.render(&sources, false);
    assert!(told.contains("`app.hcl` is outside the spec's folder"), "{told}");
    assert!(!told.contains("capabilities"), "{told}");

    // One that stays inside is as good as its file.
    fs::remove_file(&link).expect("it is there");
    fs::write(folder.path().join("real.hcl"), policy).expect("written");
    std::os::unix::fs::symlink("real.hcl", &link).expect("a link");
    assert!(!found(folder.path()).0.has_errors());

    fs::remove_file(&link).expect("it is there");
    make_pipe(&link);
    let (mistakes, sources) = found(folder.path());
    assert!(mistakes.render(&sources, false).contains("`app.hcl` is not a file"));
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

#[test]
fn the_table_is_complete() {
    for lint in LINTS {
        let is_name = |it: char| it.is_ascii_lowercase() || it == '-';
        assert!(lint.name.chars().all(is_name), "{}", lint.name);
        assert!(!lint.reason.is_empty() && !lint.remedy.is_empty(), "{}", lint.name);
    }
}

fn folder_with_spec(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("spec.yaml"), text).expect("written");
    folder
}

fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo is there").success());
}

/// Nobody ever writes into a pipe of these tests: who opens one waits for ever.
#[track_caller]
fn refusal(path: &Path, inputs: SpecInputs) -> String {
    let (answer, told) = std::sync::mpsc::channel();
    let path = path.to_owned();
    std::thread::spawn(move || {
        let error = load(&path, &inputs).expect_err("it is no spec");
        answer.send(error.to_string())
    });
    told.recv_timeout(Duration::from_secs(20)).expect("an answer, and not for ever none")
}
