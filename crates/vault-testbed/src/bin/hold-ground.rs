//! Starts a Vault and a PostgreSQL, says what it started, and then ends in the way that it is told: for the tests that
//! prove that nothing is left behind.

use std::io::Write;

use serde_json::json;
use vault_testbed::ground::{
    Error, Ground, Kind, POSTGRES, Result, Run, ServerOptions, VaultOptions,
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

/// `end`: `success`, `error`, `panic`, or `wait` for a signal.
async fn hold(kind: &str, end: &str) -> Result<()> {
    let kind: Kind = kind.parse()?;
    let ground = Ground::open(Some(kind)).await?;
    let work = async {
        let vault = ground.vault(&VaultOptions::default()).await?;
        // A given Vault is all that there is of an `address` ground.
        let postgres = match kind {
            Kind::Address => None,
            _ => Some(ground.server(&ServerOptions::of(&POSTGRES)).await?),
        };
        let of_postgres = postgres.as_ref().and_then(|postgres| postgres.process_id());
        let processes: Vec<u32> = [vault.process_id(), of_postgres].into_iter().flatten().collect();
        println!("{}", json!({ "run": ground.run().id().to_string(), "processes": processes }));
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
    ground.until_done(work).await
}
