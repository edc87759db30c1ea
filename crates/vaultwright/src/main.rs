//! The command line of vaultwright.

mod apply;
mod args;
mod bench;
mod check;
mod failure;
mod ground;
mod output;
mod pinned;
mod plan;
mod prove;
mod reports;
mod session;
mod test;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Vault configuration as code that proves itself
#[derive(Parser)]
#[command(name = "vaultwright", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::CheckArgs),
    /// Show what `check` looks for, why, and what to do instead
    Lints,
    /// Print the JSON Schema of a spec
    Schema,
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Verify(plan::VerifyArgs),
    Destroy(apply::DestroyArgs),
    Test(test::TestArgs),
    Prove(prove::ProveArgs),
    Up(up::UpArgs),
    #[command(flatten)]
    Ground(ground::GroundCommand),
    Bench(bench::BenchArgs),
    #[command(hide = true)]
    BenchMeasure(bench::MeasureArgs),
}

/// How a command ended, as CI reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    /// There are differences: `plan --exit-code`, `verify`.
    Differs,
}

fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => {
            let _ = err.print();
            // 2 means differences.
            return ExitCode::from(u8::from(err.use_stderr()));
        }
    };
    let filter =
        EnvFilter::try_from_env("VAULTWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let quiet = vault_client::QUIET.split(',').filter_map(|it| it.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("error: cannot start: {err}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Ok(Exit::Differs) => ExitCode::from(2),
        Err(err) => {
            eprintln!("{}", failure::show(&err));
            failure::code(&err)
        }
    }
}

async fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Check(args) => check::check(&args),
        Command::Lints => Ok(check::lints()),
        Command::Schema => Ok(check::schema()),
        Command::Plan(args) => plan::plan(args).await,
        Command::Apply(args) => apply::apply(args).await,
        Command::Verify(args) => plan::verify(args).await,
        Command::Destroy(args) => apply::destroy(args).await,
        Command::Test(args) => test::test(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::BenchMeasure(args) => bench::measure(&args),
        Command::Prove(args) => prove::prove(args).await,
        Command::Up(args) => up::up(args).await,
        Command::Ground(command) => command.run().await.map(|()| Exit::Done),
    }
}
