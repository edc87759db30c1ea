//! The documentation is run: every block of every page, as its reader would, on real servers.

mod harness;
mod page;
mod prose;
mod scratch;
mod shown;

use std::{collections::BTreeSet, fs, path::Path};

use vault_testbed::ground::{
    FarSide, Ground, Kind, VaultOptions, VaultServer, far::Installation, on_path, servers,
};

use page::Page;
use scratch::Scratch;

use crate::root;

/// A test for each page, and one that says that none is missing.
macro_rules! pages {
    ($($name:ident: $path:literal,)+) => {
        $(#[test] fn $name() { check($path); })+

        #[test]
        fn every_page_is_run() {
            let listed = BTreeSet::from([$($path.to_owned()),+]);
            let mut there = BTreeSet::from(["README.md".to_owned()]);
            find(&root().join("docs"), &mut there);
            assert_eq!(listed, there);
        }
    };
}

pages! {
    readme: "README.md",
    tutorial: "docs/tutorial.md",
    how_to_add_an_engine: "docs/how-to/add-an-engine.md",
    how_to_adopt_an_existing_vault: "docs/how-to/adopt-an-existing-vault.md",
    how_to_prove_a_vault_that_people_use: "docs/how-to/prove-a-vault-that-people-use.md",
    how_to_rotate_a_leaked_credential: "docs/how-to/rotate-a-leaked-credential.md",
    how_to_run_in_github: "docs/how-to/run-in-github.md",
    how_to_run_in_gitlab: "docs/how-to/run-in-gitlab.md",
    how_to_run_in_kubernetes: "docs/how-to/run-in-kubernetes.md",
    how_to_use_openbao: "docs/how-to/use-openbao.md",
    how_to_write_a_step: "docs/how-to/write-a-step.md",
    systems_airflow_agent: "docs/systems/airflow-agent.md",
    systems_airflow_hub: "docs/systems/airflow-hub.md",
    systems_django_handler: "docs/systems/django-handler.md",
    systems_rotation_loop: "docs/systems/rotation-loop.md",
    systems_workload_injection: "docs/systems/workload-injection.md",
    reference_commands: "docs/reference/commands.md",
    reference_kinds: "docs/reference/kinds.md",
    reference_lints: "docs/reference/lints.md",
    reference_exit_codes: "docs/reference/exit-codes.md",
    reference_variables: "docs/reference/variables.md",
}

/// Every Markdown page below `folder`, as the list above names it.
fn find(folder: &Path, there: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, there);
        } else if path.extension().is_some_and(|it| it == "md") {
            there.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
}

fn check(path: &str) {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let page = Page::parse(&text).unwrap_or_else(|why| panic!("{path}:{why}"));
    if let Some(lack) = page.needs.iter().find_map(|it| lack(it)) {
        println!("SKIPPED {path}: {lack}");
        return;
    }
    let mut problems = prose::problems(root(), path, &page.prose);
    match play(&page) {
        Ok(None) => {}
        Ok(Some(problem)) => problems.push(problem),
        Err(lack) => return println!("SKIPPED {path}: {lack}"),
    }
    let problems: Vec<String> = problems.iter().map(|it| format!("{path}:{it}")).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// What this machine lacks, of what a page says that it needs.
fn lack(need: &str) -> Option<String> {
    if matches!(need, "server" | "vault") {
        let is_there = matches!(servers::find(), Ok(Some(_)));
        return (!is_there)
            .then(|| "there is no Vault server; `cargo xtask servers` builds one".into());
    }
    if need == "curl" {
        return on_path(need).is_none().then(|| format!("there is no {need}"));
    }
    let side =
        FarSide::named(need).unwrap_or_else(|| panic!("a page needs `{need}`, whatever that is"));
    Installation::all(side).is_empty().then(|| format!("{} is not installed", side.title))
}

/// The first block that is not as the page says; `Err` where it cannot be run here.
fn play(page: &Page) -> Result<Option<String>, String> {
    let server = servers::find().ok().flatten().map(|it| it.path);
    let binary = Path::new(env!("CARGO_BIN_EXE_vaultwright"));
    let mut scratch = Scratch::new(root(), binary, server.as_deref());
    let given = match page.needs.iter().any(|it| it == "vault") {
        true => Some(Given::start()?),
        false => None,
    };
    for (name, value) in given.iter().flat_map(|it| it.vault.env()) {
        scratch.export(name, &value);
    }
    let problem = page.blocks.iter().find_map(|it| harness::problem(it, &mut scratch));
    let ended = scratch.end();
    drop(given);
    Ok(problem.or_else(|| (!ended).then(|| "what stays does not end with 0 at Ctrl-C".to_owned())))
}

/// The Vault that a page says is there already.
struct Given {
    vault: VaultServer,
    ground: Ground,
    runtime: tokio::runtime::Runtime,
}

impl Given {
    fn start() -> Result<Given, String> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let ground = runtime.block_on(Ground::open(Some(Kind::Process))).unwrap();
        match runtime.block_on(ground.vault(&VaultOptions::default())) {
            Ok(vault) => Ok(Given { vault, ground, runtime }),
            Err(err) if err.is_missing() => Err(err.to_string()),
            Err(err) => panic!("{err}"),
        }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.ground.end());
    }
}
