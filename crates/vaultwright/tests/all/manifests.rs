//! Every folder of `fixtures/manifests/wrong` has manifests with mistakes; `expected.txt` is what is said of them.
//!
//! `UPDATE_EXPECT=1` writes what is said now.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Output,
};

use crate::{program, root};

#[test]
fn each_mistake_is_found_with_its_line_and_a_remedy() {
    let mut wrong = Vec::new();
    let folders = folders();
    assert!(folders.len() >= 15, "only {} folders", folders.len());
    for folder in folders {
        let output = check(&folder, &["--strict"]);
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let said = String::from_utf8(output.stdout).expect("text");
        assert!(said.contains(" = help: "), "{name}: {said}");
        let file = root().join(&folder).join("expected.txt");
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &said).expect("written");
        }
        if output.status.code() != Some(1) || said != fs::read_to_string(&file).unwrap_or_default()
        {
            wrong.push(format!("{name}: {}\n{said}", output.status));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 takes it over:\n{}", wrong.join("\n"));
}

#[test]
fn manifests_that_agree_with_their_spec_have_no_mistakes() {
    for (folder, more) in [
        ("fixtures/manifests/right", &["--spec", "fixtures/manifests/spec"][..]),
        // The spec is the folder above.
        ("specs/workload-injection/manifests", &[]),
    ] {
        let output = run(&[&["check-manifests", folder, "--strict"], more].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains(", 0 mistakes"), "{said}");
        assert!(!said.contains(" 0 of"), "{said}");
    }
}

#[test]
fn the_namespace_of_what_names_none_can_be_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(root().join("fixtures/manifests/right/manifests.yaml"))
        .expect("the fixture")
        .replace(", namespace: sales", "");
    fs::write(folder.path().join("all.yaml"), text).expect("written");
    assert_eq!(check(folder.path(), &[]).status.code(), Some(1));
    let output = check(folder.path(), &["--namespace", "sales", "--strict"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn programs_read_the_same_mistakes() {
    let output = check(Path::new("fixtures/manifests/wrong/unknown-role"), &["--format", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let schema = run(&["schema", "check"]).stdout;
    let schema = serde_json::from_slice(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    assert!(schema.is_valid(&said), "{said:#}");
    assert_eq!(said["format"], "vaultwright/mistakes/1");
    assert_eq!(said["mistakes"][0]["severity"], "error");
    assert!(said["mistakes"][0]["line"].is_u64());
}

#[test]
fn a_secret_in_a_manifest_that_cannot_be_read_is_not_shown() {
    let output = check(Path::new("fixtures/manifests/wrong/not-yaml"), &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("manifests.yaml:6:") && !said.contains("never-to-be-shown"), "{said}");
}

#[test]
fn a_folder_without_manifests_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = check(folder.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("holds no manifest"), "{said}");
}

fn check(folder: &Path, more: &[&str]) -> Output {
    let folder = folder.to_str().expect("text");
    run(&[&["check-manifests", folder, "--spec", "fixtures/manifests/spec"], more].concat())
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("it runs")
}

/// Relative to the repository.
fn folders() -> Vec<PathBuf> {
    let suite = "fixtures/manifests/wrong";
    let entries = fs::read_dir(root().join(suite)).expect("fixtures");
    let mut all: Vec<PathBuf> =
        entries.map(|it| Path::new(suite).join(it.expect("an entry").file_name())).collect();
    all.sort();
    all
}
