//! Starts a Vault, a PostgreSQL and a program that starts another one, says what it started, and then ends in the way that it is told: for the tests that
//! prove that nothing is left behind.

use std::io::Write;

use serde_json::json;
use vault_testbed::ground::{
    Consumer, Error, Ground, Kind, POSTGRES, Program, Result, Run, ServerOptions, VaultOptions,
    interrupted,
};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sweep"] => runtime.block_on(sweep()),
        [kind, end] => runtime.block_on(hold(kind, end)),
        _ => Err(Error::Ground {
            place: "hold-ground".into(),
            why: "usage: hold-ground KIND END | sweep".into(),
        }),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn sweep() -> Result<()> {
    println!("{}", Run::sweep().await?);
    Ok(())
}

/// A program whose child does not listen to SIGTERM, and the child's number.
async fn parent(ground: &Ground) -> Result<(Consumer, u32)> {
    const SCRIPT: &str = r#"(trap "" TERM; exec sleep 600) & echo $! > child; exec sleep 601"#;
    let parent = ground.consumer("parent", |_| {
        Ok(Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), SCRIPT.into()],
            environment: Vec::new(),
        })
    })?;
    loop {
        let said = std::fs::read_to_string(parent.folder().join("child")).unwrap_or_default();
        if let Some(child) = said.strip_suffix('\n').and_then(|it| it.parse().ok()) {
            return Ok((parent, child));
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// `end`: `success`, `error`, `panic`, or `wait` for a signal.
async fn hold(kind: &str, end: &str) -> Result<()> {
    let kind: Kind = kind.parse()?;
    let signal = interrupted();
    let ground = Ground::open(Some(kind)).await?;
    let work = async {
        let vault = ground.vault(&VaultOptions::default()).await?;
        // A given Vault is all that there is of an `address` ground.
        let postgres = match kind {
            Kind::Address => None,
            _ => Some(ground.server(&ServerOptions::of(&POSTGRES)).await?),
        };
        let (_parent, child) = parent(&ground).await?;
        let of_postgres = postgres.as_ref().and_then(|postgres| postgres.process_id());
        let processes: Vec<u32> = [vault.process_id(), of_postgres].into_iter().flatten().collect();
        let run = ground.run().id().to_string();
        println!("{}", json!({ "run": run, "processes": processes, "child": child }));
        std::io::stdout()
            .flush()
            .map_err(|source| Error::Program { program: "stdout".into(), source })?;
        match end {
            "success" => Ok(()),
            "error" => {
                Err(Error::Ground { place: "hold-ground".into(), why: "told to fail".into() })
            }
            "panic" => panic!("told to panic"),
            _ => std::future::pending().await,
        }
    };
    ground.until_done(signal, work).await
}
