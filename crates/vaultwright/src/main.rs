//! The command line of vaultwright.

#[macro_use(print, println, eprint, eprintln)]
extern crate vault_testbed;

mod applied;
mod apply;
mod args;
mod bench;
mod check;
mod exits;
mod failure;
mod ground;
mod live;
mod manifests;
mod output;
mod pages;
mod pinned;
mod plan;
mod prove;
mod reference;
mod render;
mod reports;
mod session;
mod test;
mod under_way;
mod up;
mod variables;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;
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
    Render(render::RenderArgs),
    CheckManifests(manifests::CheckManifestsArgs),
    /// Show what `check` looks for, why, and what to do instead
    Lints,
    Schema(pages::SchemaArgs),
    Completions(pages::CompletionsArgs),
    Man(pages::ManArgs),
    Reference(reference::ReferenceArgs),
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

impl Command {
    /// Those that speak with one Vault wait for its answers most of the time: threads would wake each other for nothing.
    fn runtime(&self) -> Builder {
        match self {
            Command::Plan(_) | Command::Apply(_) | Command::Verify(_) | Command::Destroy(_) => {
                Builder::new_current_thread()
            }
            _ => Builder::new_multi_thread(),
        }
    }
}

/// How a command ended, as CI reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    /// There are differences: `plan --exit-code`, `verify`.
    Differs,
    /// By a signal, with its exit code; what was under way is finished.
    Interrupted(u8),
}

fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => {
            let _ = err.print();
            // 2 means differences.
            let code = if err.use_stderr() { exits::FAILED } else { exits::DONE };
            return code.into();
        }
    };
    let filter =
        EnvFilter::try_from_env("VAULTWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // As these do, the client of AMQP reports every expected refusal.
    let quiet = vault_client::QUIET.split(',').chain(["lapin=off"]);
    let quiet = quiet.filter_map(|it| it.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match cli.command.runtime().enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("error: cannot start: {err}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(cli.command));
    if ended.is_ok() && vault_testbed::terminal::is_lost() {
        eprintln!("error: what was printed could not be written: is the disk full?");
        return exits::FAILED.into();
    }
    match ended {
        Ok(Exit::Done) => exits::DONE.into(),
        Ok(Exit::Failed) => exits::FAILED.into(),
        Ok(Exit::Differs) => exits::DIFFERS.into(),
        Ok(Exit::Interrupted(code)) => code.into(),
        Err(err) => {
            eprintln!("{}", failure::show(&err));
            failure::code(&err)
        }
    }
}

async fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Check(args) => check::check(&args),
        Command::Render(args) => render::render(&args),
        Command::CheckManifests(args) => manifests::check(&args),
        Command::Lints => Ok(check::lints()),
        Command::Schema(args) => Ok(pages::schema(&args)),
        Command::Completions(args) => pages::completions(&args),
        Command::Man(args) => pages::man(&args),
        Command::Reference(args) => reference::reference(&args),
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
