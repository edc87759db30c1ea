//! Commands about grounds: what there is, what can be built, what dead runs have left.

use anyhow::Result;
use clap::Subcommand;
use vault_testbed::ground::{
    FAR_SIDES, Inventory, Run,
    far::{Installation, Source},
    images, python, servers,
};

#[derive(Subcommand)]
pub enum GroundCommand {
    /// List the servers, databases and images that are here, and build those servers that can be built and are missing
    Servers {
        /// Build nothing
        #[arg(long)]
        list: bool,
    },
    /// Build images of Vault and of its far sides without a registry; VAULTWRIGHT_IMAGES=local chooses them
    Images,
    /// Make the pinned Python environments of the programs that features run against a Vault
    Consumers,
    /// End and remove what runs that are no longer alive have left: processes, containers, networks, folders
    Clean,
}

impl GroundCommand {
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Servers { list } => {
                if !list {
                    build_servers().await?;
                }
                print!("{}", Inventory::take().await?);
            }
            Self::Images => {
                let server = build_servers().await?;
                for built in
                    tokio::task::spawn_blocking(move || images::build_all(&server)).await??
                {
                    println!(
                        "{} {}",
                        if built.was_there { "is there:" } else { "built:" },
                        built.image
                    );
                }
            }
            Self::Consumers => {
                for requirements in python::REQUIREMENTS {
                    match requirements.make().await {
                        Ok(made) => {
                            let how = if made.was_there { "is there:" } else { "made:" };
                            println!("{how} {}", made.folder.display());
                        }
                        Err(missing) if missing.is_missing() => {
                            eprintln!("{}: {missing}", requirements.name);
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Self::Clean => println!("{}", Run::sweep().await?),
        }
        Ok(())
    }
}

/// Vault, and the far sides that no Debian package has. Where there is nothing to make these with, all else is of use.
async fn build_servers() -> Result<servers::Binary> {
    let server = servers::find_or_build().await?;
    for side in FAR_SIDES.iter().filter(|it| !matches!(it.programs.source, Source::Debian(_))) {
        match Installation::obtain(side, side.version).await {
            Err(missing) if missing.is_missing() => eprintln!("{}: {missing}", side.title),
            other => drop(other?),
        }
    }
    Ok(server)
}
