//! What shells, `man`, editors and programs are told is well-formed, whole, and as the program is.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{program, root};

fn run(words: &[&str]) -> (Option<i32>, String) {
    let output = program().args(words).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[track_caller]
fn printed(words: &[&str]) -> String {
    let (code, text) = run(words);
    assert_eq!(code, Some(0), "{words:?}");
    text
}

fn commands() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/reference/commands.md")).unwrap();
    let names = page.lines().filter_map(|it| it.strip_prefix("## "));
    names.map(str::to_owned).collect()
}

#[test]
fn bash_reads_its_completions_and_offers_every_command() {
    let script = printed(&["completions", "bash"]);
    let mut bash = Command::new("bash")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = "\nCOMP_WORDS=(vaultwright pl); COMP_CWORD=1; _vaultwright vaultwright pl vaultwright\n\
                 echo \"${COMPREPLY[@]}\"\n\
                 COMP_WORDS=(vaultwright plan --exit); COMP_CWORD=2; _vaultwright vaultwright --exit plan\n\
                 echo \"${COMPREPLY[@]}\"\n";
    let mut stdin = bash.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    stdin.write_all(asked.as_bytes()).unwrap();
    drop(stdin);
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "plan\n--exit-code\n");
    for command in commands() {
        assert!(script.contains(&format!("vaultwright,{command})")), "{command}");
    }
}

#[test]
fn other_shells_have_completions_too() {
    for (shell, sign) in [
        ("zsh", "#compdef vaultwright"),
        ("fish", "complete -c vaultwright"),
        ("elvish", "edit:completion:arg-completer[vaultwright]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = printed(&["completions", shell]);
        assert!(script.contains(sign), "{shell}");
        commands().iter().for_each(|it| assert!(script.contains(it.as_str()), "{shell}: {it}"));
    }
}

/// A line that begins with a dot is a macro that `man` knows.
#[track_caller]
fn is_well_formed(page: &str) {
    const MACROS: [&str; 9] = ["TH", "SH", "SS", "TP", "PP", "RS", "RE", "ie", "el"];
    for line in page.lines().filter(|it| it.starts_with('.')) {
        let name = line[1..].split_whitespace().next().unwrap_or_default();
        assert!(MACROS.contains(&name) || name == "IP" || name == "br", "{line}");
    }
    assert_eq!(page.lines().filter(|it| it.starts_with(".TH ")).count(), 1);
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION"] {
        assert!(page.lines().any(|it| it == format!(".SH {section}")), "{section}");
    }
}

#[test]
fn the_manual_says_every_command_exit_code_and_variable() {
    let page = printed(&["man"]);
    is_well_formed(&page);
    for command in commands() {
        let escaped = command.replace('-', "\\-");
        assert!(page.contains(&format!("vaultwright\\-{escaped}(1)")), "{command}");
    }
    assert!(page.contains(".SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\ndone\n"), "{page}");
    assert!(page.contains("\\fBVAULT_ADDR\\fR\nthe address"), "{page}");
}

#[test]
fn each_command_has_a_page_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", "--out", folder.path().to_str().unwrap()]);
    let mut files: BTreeSet<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(files.remove("vaultwright.1"));
    let wanted: BTreeSet<String> =
        commands().iter().map(|it| format!("vaultwright-{it}.1")).collect();
    assert_eq!(files, wanted);
    for file in &files {
        is_well_formed(&fs::read_to_string(folder.path().join(file)).unwrap());
    }
    let plan = fs::read_to_string(folder.path().join("vaultwright-plan.1")).unwrap();
    assert_eq!(plan, printed(&["man", "plan"]));
    assert!(plan.contains("\\fB\\-\\-exit\\-code\\fR\nExit with 2 where something would change"));
    assert_eq!(run(&["man", "plna"]).0, Some(1));
}

#[test]
fn the_reference_is_as_the_program_is() {
    let (code, said) = run(&["reference", "--check"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_stale_reference_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    printed(&["reference", "--out", out]);
    assert_eq!(run(&["reference", "--out", out, "--check"]).0, Some(0));
    let page = folder.path().join("lints.md");
    fs::write(&page, fs::read_to_string(&page).unwrap().replace("an error", "a warning")).unwrap();
    fs::remove_file(folder.path().join("kinds.md")).unwrap();
    let (code, said) = run(&["reference", "--out", out, "--check"]);
    assert_eq!(code, Some(1));
    let stale: Vec<&str> = said.lines().filter_map(|it| it.split(' ').next()).collect();
    assert_eq!(stale, ["kinds.md", "lints.md"]);
}

/// Texts such as `"VAULTWRIGHT_ON"` in the sources, tests left out, and what Vault's own variables are asked for.
fn asked_for(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            asked_for(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let ours = text.split('"').filter(|it| it.starts_with("VAULTWRIGHT_"));
        found.extend(
            ours.filter(|it| it.chars().all(|it| it.is_ascii_uppercase() || it == '_'))
                .map(str::to_owned),
        );
        for call in ["env::var(\"", "env::var_os(\"", "try_from_env(\"", "user_folder(\""] {
            let names = text.split(call).skip(1).filter_map(|it| it.split('"').next());
            found.extend(names.map(str::to_owned));
        }
        if path.ends_with("vault-client/src/environment.rs") {
            let names = text.split(".read(\"").skip(1).filter_map(|it| it.split('"').next());
            found.extend(names.map(|it| format!("VAULT_{it}")));
        }
    }
}

#[test]
fn every_variable_that_is_asked_for_is_in_the_reference() {
    let mut found = BTreeSet::new();
    for name in ["vault-client", "vault-model", "vault-provision", "vault-testbed", "vaultwright"] {
        asked_for(&root().join("crates").join(name).join("src"), &mut found);
    }
    assert!(found.contains("VAULT_ADDR") && found.contains("VAULTWRIGHT_ON"), "{found:?}");
    // What every program of a shell has; and how names of a spec's variables begin.
    for name in ["PATH", "HOME", "VAULTWRIGHT_", "VAULTWRIGHT_VAR_"] {
        found.remove(name);
    }
    let page = printed(&["man"]);
    let missing: Vec<&String> =
        found.iter().filter(|it| !page.contains(&format!("\\fB{it}\\fR"))).collect();
    assert!(missing.is_empty(), "not in crates/vaultwright/src/variables.rs: {missing:?}");
}

#[test]
fn a_schema_refuses_what_is_no_report() {
    for (of, good) in [
        (
            "plan",
            json!({ "format": "vaultwright/plan/1", "spec": "shop", "changes": [], "unchanged": 2 }),
        ),
        (
            "check",
            json!({ "format": "vaultwright/mistakes/1", "mistakes": [{ "severity": "error", "message": "m" }] }),
        ),
        (
            "apply",
            json!({
                "format": "vaultwright/applied/1", "spec": "shop",
                "results": [{ "path": "sys/mounts/a", "action": "create", "outcome": "not started", "problem": "p" }],
            }),
        ),
        ("verify", json!({ "format": "vaultwright/report/1", "spec": "shop", "findings": [] })),
        (
            "report",
            json!({
                "format": "vaultwright/scenarios/2", "passed": 0, "failed": 0, "skipped": 0, "seconds": 0.5,
                "aborted": null, "systems": [], "scenarios": [], "spec": "shop", "lives_divided_by": 1, "not_proven": [],
            }),
        ),
    ] {
        let schema: Value = serde_json::from_str(&printed(&["schema", of])).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        assert!(schema.is_valid(&good), "{of}");
        let mut of_another_format = good.clone();
        of_another_format["format"] = json!("vaultwright/other/1");
        assert!(!schema.is_valid(&of_another_format), "{of}");
        let mut with_more = good.clone();
        with_more["more"] = json!(true);
        assert!(!schema.is_valid(&with_more), "{of}");
        let mut with_less = good;
        for name in ["spec", "passed", "mistakes"] {
            with_less.as_object_mut().unwrap().remove(name);
        }
        assert!(!schema.is_valid(&with_less), "{of}");
    }
}

/// Completion in an editor must not call wrong what `check` takes.
#[test]
fn the_schema_of_a_spec_takes_every_spec_and_no_misspelt_one() {
    let schema = serde_json::from_str(&printed(&["schema"])).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let read = |path: &Path| -> Value {
        let mut spec: serde_yaml::Value =
            serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        spec.apply_merge().unwrap();
        serde_json::to_value(spec).unwrap()
    };
    let systems = ["airflow-agent", "rotation-loop", "airflow-hub", "django-handler"];
    let systems = systems.into_iter().chain(["workload-injection"]);
    let proven = fs::read_dir(root().join("fixtures/proven")).unwrap();
    let specs = systems.map(|it| root().join("specs").join(it));
    let specs = specs.chain(proven.map(|it| it.unwrap().path())).map(|it| it.join("spec.yaml"));
    let mut count = 0;
    for path in specs {
        let mut spec = read(&path);
        let wrong: Vec<String> = schema.iter_errors(&spec).map(|it| it.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{}", path.display());
        spec["secretz"] = json!({});
        assert!(!schema.is_valid(&spec), "{}", path.display());
        count += 1;
    }
    assert!(count > 15, "{count} specs");
    let misspelt = json!({
        "name": "shop",
        "auth": { "approle": { "type": "approle", "roles": { "app": { "token_tll": "1h" } } } },
    });
    assert!(!schema.is_valid(&misspelt));
}
