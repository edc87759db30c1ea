//! The images that grounds start: official ones by default, or those that are built here.

use futures::TryStreamExt;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;

use super::docker::Engine;
use super::error::{Error, Result};
use super::far::{FarSide, POSTGRES};
use super::servers::VERSIONS;

pub use super::images_build::{Built, build_all};

pub const CHOICE: &str = "VAULTWRIGHT_IMAGES";

/// What `cargo xtask images` makes.
pub(super) fn local_images() -> Vec<String> {
    super::images_build::names().collect()
}

/// That an engine answers, and has (or pulls) what the docker ground needs.
pub async fn check() -> Result<()> {
    let engine = Engine::connect().await?;
    vault(&engine).await?;
    far_side(&engine, &POSTGRES, POSTGRES.version).await.map(drop)
}

/// The image of the default server, present on the engine.
pub(super) async fn vault(engine: &Engine) -> Result<String> {
    let version = &VERSIONS[0];
    ensure(engine, version.image, version.local_image.unwrap_or(version.image)).await
}

/// `postgres:15` and the like.
pub(super) async fn far_side(engine: &Engine, side: &FarSide, version: &str) -> Result<String> {
    let local = format!("{}:{version}", side.local_image());
    match side.image {
        "" => built_here(engine, &local).await,
        image => ensure(engine, &image.replace("{}", version), &local).await,
    }
}

/// What `VAULTWRIGHT_IMAGES` chooses.
pub fn is_local() -> Result<bool> {
    is_local_by(&std::env::var(CHOICE).unwrap_or_default())
}

fn is_local_by(choice: &str) -> Result<bool> {
    match choice {
        "local" => Ok(true),
        "official" | "" => Ok(false),
        other => Err(Error::Ground {
            place: format!("{CHOICE}={other}"),
            why: "there is no such choice; there are official and local".into(),
        }),
    }
}

/// Pulls an official image that isn't there; one that is built here must have been.
async fn ensure(engine: &Engine, official: &str, local: &str) -> Result<String> {
    if is_local()? {
        return built_here(engine, local).await;
    }
    if !has(engine, official).await? {
        pull(engine, official).await?;
    }
    Ok(official.to_owned())
}

/// A distribution decides which version it has: the one that it has is taken where the wanted one isn't there.
async fn built_here(engine: &Engine, image: &str) -> Result<String> {
    let name = image.split(':').next().unwrap_or(image);
    for image in [image.to_owned(), format!("{name}:latest")] {
        if has(engine, &image).await? {
            return Ok(image);
        }
    }
    Err(missing(image, "it has not been built: run `cargo xtask images`"))
}

pub(super) async fn has(engine: &Engine, image: &str) -> Result<bool> {
    match engine.docker().inspect_image(image).await {
        Ok(_) => Ok(true),
        Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(Error::engine(format!("look for image {image}"), error)),
    }
}

async fn pull(engine: &Engine, image: &str) -> Result<()> {
    let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    let options = CreateImageOptionsBuilder::new().from_image(name).tag(tag).build();
    eprintln!("pulling {image}");
    let pulled =
        engine.docker().create_image(Some(options), None, None).try_collect::<Vec<_>>().await;
    let remedy = "run `cargo xtask images` to build an equivalent without a registry, and set VAULTWRIGHT_IMAGES=local";
    pulled
        .map(drop)
        .map_err(|error| missing(image, &format!("it can't be pulled ({error}); {remedy}")))
}

fn missing(image: &str, remedy: &str) -> Error {
    Error::Missing { what: format!("image {image}"), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::is_local_by;

    #[test]
    fn images_are_official_unless_local_ones_are_chosen() {
        let of = |choice| is_local_by(choice).map_err(|it| it.to_string());
        assert_eq!(of(""), Ok(false));
        assert_eq!(of("official"), Ok(false));
        assert_eq!(of("local"), Ok(true));
        let told = of("loocal").unwrap_err();
        assert!(told.contains("VAULTWRIGHT_IMAGES=loocal"), "{told}");
        assert!(told.contains("there are official and local"), "{told}");
    }
}
