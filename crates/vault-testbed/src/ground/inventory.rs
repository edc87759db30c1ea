//! What this machine has for grounds: for people to read.

use std::fmt;

use super::docker::Engine;
use super::error::Result;
use super::far::{FAR_SIDES, FarSide, Installation, STAND_INS};
use super::images;
use super::servers::{self, Found, VERSIONS};

/// Everything that a ground could use, had or not.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub what: String,
    pub is_there: bool,
    /// Where it is, or how to get it.
    pub detail: String,
}

impl Inventory {
    /// Looks, and changes nothing.
    pub async fn take() -> Result<Self> {
        let mut inventory = Self::default();
        inventory.servers().await?;
        inventory.far_sides();
        inventory.engine().await?;
        Ok(inventory)
    }

    async fn servers(&mut self) -> Result<()> {
        let Some(binary) = servers::find()? else {
            self.add("Vault server", false, servers::none_to_be_had("none is here").to_string());
            return Ok(());
        };
        let how = match binary.found {
            Found::Given => format!("given by {}", servers::GIVEN),
            Found::OnPath => "on PATH".into(),
            Found::Built => "built from its pinned module".into(),
        };
        let version = binary.version().await?;
        self.add(&version, true, format!("{}, {how}", binary.path.display()));
        Ok(())
    }

    fn far_sides(&mut self) {
        for side in all_sides() {
            let installations = Installation::all(side);
            if installations.is_empty() {
                let remedy = format!("{}, or a container engine", side.programs.source.remedy());
                self.add(side.title, false, remedy);
            }
            for one in installations {
                let what = format!("{} {}", side.title, one.version);
                self.add(&what, true, one.folder.display().to_string());
            }
        }
    }

    async fn engine(&mut self) -> Result<()> {
        let engine = match Engine::connect().await {
            Ok(engine) => engine,
            Err(error) => {
                self.add("container engine", false, error.to_string());
                return Ok(());
            }
        };
        self.add("container engine", true, engine.version().await?);
        let official = VERSIONS
            .iter()
            .map(|version| version.image.to_owned())
            .chain(all_sides().map(|side| side.image.replace("{}", side.version)))
            .filter(|image| !image.is_empty());
        for image in official {
            let is_there = images::has(&engine, &image).await?;
            let detail = if is_there { "official" } else { "official: pulled when it is needed" };
            self.add(&format!("image {image}"), is_there, detail.into());
        }
        for recipe in images::local_images() {
            let is_there = images::has(&engine, &recipe).await?;
            let detail = if is_there { "built here" } else { "built by `cargo xtask images`" };
            self.add(&format!("image {recipe}"), is_there, detail.into());
        }
        Ok(())
    }

    fn add(&mut self, what: &str, is_there: bool, detail: String) {
        self.lines.push(Line { what: what.to_owned(), is_there, detail });
    }
}

fn all_sides() -> impl Iterator<Item = &'static FarSide> {
    let originals = STAND_INS.iter().map(|(_, original)| *original);
    FAR_SIDES.iter().copied().chain(originals)
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            self.lines.iter().map(|line| line.what.chars().count()).max().unwrap_or_default();
        for Line { what, is_there, detail } in &self.lines {
            let sign = if *is_there { '+' } else { '-' };
            writeln!(f, "{sign} {what:width$}  {detail}")?;
        }
        Ok(())
    }
}
