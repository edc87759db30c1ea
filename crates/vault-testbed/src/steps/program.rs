//! Programs of this machine that ask on a person's behalf, such as ssh: what each was told and what it said is kept.

use std::{path::Path, process::Output};

use tokio::process::Command;

use super::SOON;
use crate::world::{Failure, Result, World};

/// To its end, in `folder`, so that what it is told names files without their place. It asks `server` as `user`.
pub async fn run(
    world: &World,
    (server, user): (&'static str, &str),
    folder: &Path,
    mut command: Command,
) -> Result<Output> {
    command.current_dir(folder).kill_on_drop(true);
    let text = told(command.as_std());
    let program = command.as_std().get_program().to_owned();
    let asked = async {
        match tokio::time::timeout(SOON, command.output()).await {
            Ok(output) => Ok(output?),
            Err(_) => Err(Failure(format!("{} comes to no end", program.display()))),
        }
    };
    world.statements.noting(server, user, &text, asked).await
}

/// As one would write it in a shell, as far as these go.
fn told(command: &std::process::Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|it| it.to_string_lossy()).collect();
    words.join(" ")
}
