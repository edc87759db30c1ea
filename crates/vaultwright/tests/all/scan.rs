//! Nothing that a run leaves for others to read holds a secret that it has issued: bytes are searched, in every form.

use std::{
    fs,
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;
use vault_testbed::{
    ground::{Ground, Kind, images, servers},
    report::{self, About, Results},
    secrets::Secrets,
    suite::{self, Filter, Happening, Suite},
};

use crate::{program, root};

/// What a run leaves, by the name of the artefact.
type Artefacts = Vec<(String, Vec<u8>)>;

/// Every kind of secret is issued within a second or two by these; what waits for the end of a life issues no other.
const QUICK: &str = "works$|that works|never beyond|login .* is gone|worth nothing|claims, and no more|gets the token\
    |handed over wrapped|on demand|what its policies grant|holds what it should|nothing is left to do|lets in whom";

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_airflow_agent_leaves_no_secret() {
    leaves_no_secret("specs/airflow-agent", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_rotation_loop_leaves_no_secret() {
    leaves_no_secret("specs/rotation-loop", Some("short")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_airflow_hub_leaves_no_secret() {
    leaves_no_secret("specs/airflow-hub", Some("development")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_django_handler_leaves_no_secret() {
    leaves_no_secret("specs/django-handler", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_workload_injection_leaves_no_secret() {
    leaves_no_secret("specs/workload-injection", None).await;
}

async fn leaves_no_secret(spec: &str, environment: Option<&str>) {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED {spec}: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut artefacts = emitted(spec, environment, folder.path());
    let ground = Ground::open(Some(Kind::Process)).await.unwrap();
    let suite = Suite {
        root: root().to_owned(),
        concurrency: 2,
        retries: suite::retries(),
        filter: Filter { tags: None, name: Some(QUICK.parse().unwrap()) },
        ..Suite::new(ground.clone())
    };
    let features = suite::load(&[folder.path().to_owned()]).unwrap();
    let lines = Arc::new(Mutex::new(String::new()));
    let told = lines.clone();
    let tell = move |it: Happening<'_>| {
        let text = match it {
            Happening::Ended { scenario } => report::line(scenario, true),
            Happening::Step { step, .. } => format!("{step}\n"),
            Happening::Chosen { .. } | Happening::Began { .. } => return,
        };
        told.lock().unwrap().push_str(&text);
    };
    let results = suite.run(features, tell).await;
    ground.end().await.unwrap();
    assert!(results.succeeded(), "{}", summary(&results));
    assert!(results.passed() >= 5, "{}", summary(&results));
    artefacts.push(("the terminal".into(), lines.lock().unwrap().clone().into_bytes()));
    artefacts.extend(reports(&results));
    assert!(suite.secrets.count() > results.passed(), "{:?} were issued", suite.secrets);
    none_shown(&suite.secrets, &artefacts);
    a_planted_one_is_found(&suite.secrets, &artefacts);
}

/// The features, and what the command that made them has said.
fn emitted(spec: &str, environment: Option<&str>, folder: &Path) -> Artefacts {
    let mut command = program();
    command.args(["prove", spec, "--emit"]).arg(folder);
    command.args(environment.iter().flat_map(|it| ["--env", it]));
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let mut artefacts = vec![("the output".into(), stdout), ("the error output".into(), stderr)];
    for file in fs::read_dir(folder).unwrap().flatten() {
        let name = file.file_name().to_str().unwrap().to_owned();
        artefacts.push((name, fs::read(file.path()).unwrap()));
    }
    artefacts
}

fn summary(results: &Results) -> String {
    report::summary(results, &About::default())
}

fn reports(results: &Results) -> Artefacts {
    let about = About { title: "Proof".into(), ..About::default() };
    let texts = [
        ("the summary", summary(results)),
        ("the page", report::html(results, &about).unwrap()),
        ("JUnit's XML", report::junit(results, &about).unwrap()),
        ("the JSON", report::json(results, &about).to_string()),
        ("the summary in Markdown", report::markdown(results, &about)),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}

#[track_caller]
fn none_shown(secrets: &Secrets, artefacts: &Artefacts) {
    for (name, bytes) in artefacts {
        if let Err(shown) = secrets.pass(name, bytes) {
            panic!("{shown}");
        }
    }
}

/// The same scan of the same artefacts, with one secret more and one byte string more.
#[track_caller]
fn a_planted_one_is_found(secrets: &Secrets, artefacts: &Artefacts) {
    secrets.add("a planted secret", "planted & \"quoted\"");
    let planted = STANDARD.encode("user:planted & \"quoted\"");
    for (name, bytes) in artefacts {
        let middle = bytes.len() / 2;
        let bytes = [&bytes[..middle], planted.as_bytes(), &bytes[middle..]].concat();
        let shown = secrets.pass(name, &bytes).unwrap_err().to_string();
        assert!(shown.contains("a planted secret (in base64) at "), "{shown}");
        assert!(!shown.contains("quoted"), "{shown}");
    }
}

/// The name of a scenario says a secret in a form that is not masked: neither terminal nor reports show it.
#[test]
fn a_run_that_would_show_a_secret_says_where_and_fails() {
    let folder = TempDir::new().unwrap();
    let secret = STANDARD.encode("planted-secret-1");
    let feature = folder.path().join("planted.feature");
    let text = format!(
        "Feature: Planted\n  Scenario: It tells {secret}\n    \
         Given the secret variable token is \"planted-secret-1\"\n"
    );
    fs::write(&feature, text).unwrap();
    let files = ["page.html", "junit.xml", "report.json", "summary.md"];
    let mut command = program();
    command.arg("test").arg(&feature).args(["--on", "process"]);
    for (option, file) in ["--html", "--junit", "--json", "--markdown"].iter().zip(files) {
        command.arg(option).arg(folder.path().join(file));
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("the terminal would show the variable token (in base64) at 1:"),
        "{said}"
    );
    assert!(said.contains("page.html would show the variable token (in base64) at "), "{said}");
    assert!(!said.contains(&secret) && !said.contains("planted-secret-1"), "{said}");
    let written: Vec<_> = files.iter().filter(|it| folder.path().join(it).exists()).collect();
    assert!(written.is_empty(), "written all the same: {written:?}");
}

/// Whatever a server logs by itself; here the statement that makes a login has it do so.
#[test]
fn a_server_that_logs_a_secret_fails_the_scenario() {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED a log: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("report.json");
    let creation = "DO $$ BEGIN RAISE WARNING 'made with {{password}}'; \
                    CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; END $$";
    let mut command = program();
    command.args(["prove", "fixtures/refuted/no-password", "--on", "process"]);
    command.args(["--only", "database/roles/*", "--name", "issues a login that works"]);
    command.arg("--var").arg(format!("creation={creation}")).arg("--json").arg(&json);
    let output = command.env_remove("CI").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let reason = report["scenarios"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("the log of demo shows the password of v-"), "{reason}");
}

/// Whatever writes it there; here an audit device that shows what Vault is asked as it is.
const TELLS_ALL: &str = r#"
    When someone writes "sys/audit/raw"
      """
      { "type": "file", "options": { "file_path": "stdout", "log_raw": "true" } }
      """
    And the token root lists "sys/policies/acl"
"#;

#[test]
fn a_vault_that_says_a_secret_on_its_standard_output_fails_the_scenario() {
    let text = format!("    Given a Vault{TELLS_ALL}");
    fails_for(&TempDir::new().unwrap(), &text, "the log of Vault shows the root token at ");
}

/// Once by a Vault that holds what it was told, and once by one that another stands in for since.
#[test]
fn what_a_vault_has_logged_before_it_was_started_again_or_replaced_counts() {
    for later in ["When Vault is killed and started again", "Given a Vault"] {
        let text = format!("    Given a Vault with raft storage{TELLS_ALL}    {later}\n");
        fails_for(&TempDir::new().unwrap(), &text, "the log of Vault shows the root token at ");
    }
}

const APPROLE: &str = r#"    Given a Vault
    And the spec
      """
      auth: { approle: { type: approle, roles: { app: { token_ttl: 1m } } } }
      """
    And I apply
"#;

#[test]
fn an_agent_that_logs_a_secret_fails_the_scenario() {
    let folder = TempDir::new().unwrap();
    let show = "#!/bin/sh\ncat \"$HOME/.vault-token\" && echo shown >>\"$HOME/commands\"\n";
    write(&folder, "show.sh", show);
    write(&folder, "hello.ctmpl", "hello");
    let steps = r#"    When an agent logs in by "auth/approle/role/app" and renders
      | hello | hello.ctmpl | show.sh |
    Then its command has run 1 time
"#;
    let wanted = "the log of agent shows a token of Vault (by its looks) at ";
    fails_for(&folder, &format!("{APPROLE}{steps}"), wanted);
}

/// The second run says nothing: what the first has said still counts.
#[test]
fn a_consumer_that_prints_a_secret_fails_the_scenario_also_where_it_was_replaced() {
    let folder = TempDir::new().unwrap();
    let main = "import json, os\nif os.environ['SAYS'] == 'yes':\n    print('as', os.environ['SECRET_ID'], flush=True)\n\
                with open(os.environ['EVENTS'], 'a') as file:\n    print(json.dumps({'event': 'ran'}), file=file)\n";
    write(&folder, "fixtures/consumers/rotation-loop/main.py", main);
    let runs = |says: &str| {
        let step = "When the consumer rotation-loop runs as \"auth/approle/role/app\" with";
        let then = "Then before long its event ran holds\n      \"\"\"\n      {}\n      \"\"\"";
        format!("    {step}\n      | SAYS | {says} |\n    {then}\n")
    };
    let wanted = "the log of consumer shows the consumer's secret-id at 1:4";
    fails_for(&folder, &format!("{APPROLE}{}", runs("yes")), wanted);
    fails_for(&folder, &format!("{APPROLE}{}{}", runs("yes"), runs("no")), wanted);
}

fn write(folder: &TempDir, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// On both grounds, as far as they are here: every step holds, and the scenario fails all the same.
#[track_caller]
fn fails_for(folder: &TempDir, steps: &str, wanted: &str) {
    write(folder, "logs.feature", &format!("Feature: Logs\n  Scenario: It logs\n{steps}"));
    for ground in grounds() {
        let json = folder.path().join("report.json");
        let mut command = program();
        command.current_dir(folder.path()).args(["test", "logs.feature", "--on", ground]);
        let output = command.arg("--json").arg(&json).env_remove("CI").output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{ground}: {said}");
        let report = fs::read_to_string(&json).unwrap();
        let scenario = serde_json::from_str::<serde_json::Value>(&report).unwrap();
        let scenario = &scenario["scenarios"][0];
        let reason = scenario["reason"].as_str().unwrap();
        assert!(reason.contains(wanted), "{ground}: {reason}");
        let mut steps = scenario["steps"].as_array().unwrap().iter();
        assert!(!steps.any(|it| it["failed"] == true), "{ground}: {said}");
        // What would show one, the run's own scan of terminal and reports says.
        let shown = Secrets::default().found_in(&format!("{said}{report}"));
        assert!(shown.is_empty() && !said.contains("would show"), "{ground}: {shown:?}");
        fs::remove_file(&json).unwrap();
    }
}

fn grounds() -> Vec<&'static str> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut grounds = Vec::new();
    match servers::find() {
        Ok(Some(_)) => grounds.push("process"),
        _ => println!("SKIPPED logs of processes: there is no Vault server"),
    }
    match runtime.block_on(images::check()) {
        Ok(()) => grounds.push("docker"),
        Err(missing) => println!("SKIPPED logs of containers: {missing}"),
    }
    grounds
}
