//! Builds images without any registry: Debian packages from this machine's own archives, static server binaries, pinned
//! Python packages.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::build::Progress;
use super::docker_cli::{Context, Docker, checked, missing_tool};
use super::error::{Error, Result};
use super::far::{FAR_SIDES, FarSide, Source};
use super::images_python;
use super::process::User;
use super::python::{self, Requirements};
use super::servers::{self, VERSIONS};

/// Files of `fixtures/servers/images/`, and what is below them.
pub(super) struct Recipe {
    /// Debian packages of the base. Without any, the image is a program that is built here, and nothing else.
    pub packages: &'static [&'static str],
    /// In the base, before its packages are configured.
    pub hook: &'static str,
    pub dockerfile: &'static str,
    pub entrypoint: Option<&'static str>,
    /// Prints the version that becomes the tag. Of a Python environment its requirements say it.
    pub version_command: &'static str,
}

const VAULT_DOCKERFILE: &str = include_str!("../../../../fixtures/servers/images/vault/Dockerfile");

/// Left out of every image.
const EXCLUDED: [&str; 4] =
    ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];

/// What one build did.
#[derive(Clone, Debug)]
pub struct Built {
    pub image: String,
    pub was_there: bool,
}

/// Vault and every far side. Blocks for minutes the first time, and for a moment afterwards.
pub fn build_all(server: &servers::Binary) -> Result<Vec<Built>> {
    let docker = Docker::find()?;
    let image = VERSIONS[0].local_image.unwrap_or("vaultwright/vault:latest");
    let mut built = vec![build_binary(&docker, image, VAULT_DOCKERFILE, "vault", &server.path)?];
    for side in FAR_SIDES.iter().copied() {
        built.push(match &side.programs.source {
            // There was nothing to build it with.
            Source::Go(pinned) if !pinned.binary().exists() => continue,
            Source::Python { environment, .. } if python::programs(environment).is_none() => {
                continue;
            }
            Source::Go(pinned) => {
                let image = latest(side);
                let binary = pinned.binary();
                build_binary(&docker, &image, side.recipe.dockerfile, pinned.name, &binary)?
            }
            _ => side.recipe.build(&docker, side)?,
        });
    }
    Ok(built)
}

/// The names that `build_all` makes, apart from the versions that a distribution decides.
pub(super) fn names() -> impl Iterator<Item = String> {
    let vault = VERSIONS.iter().filter_map(|version| version.local_image.map(str::to_owned));
    vault.chain(FAR_SIDES.iter().copied().map(latest))
}

fn latest(side: &FarSide) -> String {
    format!("{}:latest", side.local_image())
}

/// A static binary, and nothing else.
fn build_binary(
    docker: &Docker,
    image: &str,
    dockerfile: &str,
    name: &str,
    binary: &Path,
) -> Result<Built> {
    let metadata = fs::metadata(binary).map_err(Error::file("read", binary))?;
    // Hashing hundreds of megabytes would be the longest part: a binary that changes, changes one of these.
    let changed_at = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    let hash =
        hash_of(&[dockerfile, &metadata.len().to_string(), &changed_at.as_nanos().to_string()]);
    let was_there = docker.has(image, &hash);
    if !was_there {
        let context = Context::new()?;
        context.write("Dockerfile", dockerfile)?;
        context.link(name, binary)?;
        docker.build(&context, image, &hash, None)?;
    }
    Ok(Built { image: image.to_owned(), was_there })
}

impl Recipe {
    pub const NONE: Self = Self::of_binary("");

    /// Their scripts and settings are handed in.
    pub const OF_PYTHON: Self = Self {
        // The library is what packages may expect of any Linux.
        packages: &["python3", "libstdc++6"],
        hook: "true",
        dockerfile: include_str!("../../../../fixtures/servers/images/python/Dockerfile"),
        entrypoint: None,
        version_command: "",
    };

    pub const fn of_binary(dockerfile: &'static str) -> Self {
        Self { packages: &[], hook: "", dockerfile, entrypoint: None, version_command: "" }
    }

    fn build(&self, docker: &Docker, side: &FarSide) -> Result<Built> {
        let python = python_of(side);
        let packages = self.packages.join(" ");
        let of_base = [self.hook, &packages];
        let mut parts = vec![self.dockerfile, self.entrypoint.unwrap_or_default()];
        parts.extend(of_base);
        parts.extend(python.map(|(requirements, _)| requirements.text));
        let hash = hash_of(&parts);
        let latest = latest(side);
        if docker.has(&latest, &hash) {
            return Ok(Built { image: latest, was_there: true });
        }
        // All that are made of Python packages have one base.
        let base_of = if python.is_some() { "python" } else { side.word };
        let base = format!("vaultwright/{base_of}-base:{}", hash_of(&of_base));
        if !docker.has_any(&base) {
            self.build_base(docker, base_of, &base)?;
        }
        let context = Context::new()?;
        context.write("Dockerfile", self.dockerfile)?;
        if let Some(entrypoint) = self.entrypoint {
            context.write("entrypoint.sh", entrypoint)?;
        }
        if let Some((requirements, _)) = python {
            images_python::install(docker, &base, requirements, &context.folder)?;
        }
        docker.build(&context, &latest, &hash, Some(&base))?;
        let version = match python {
            Some((_, version)) => version.to_owned(),
            None => docker.run(&latest, self.version_command)?,
        };
        let image = format!("{}:{version}", side.local_image());
        docker.tag(&latest, &image)?;
        docker.remove_others(&base);
        Ok(Built { image, was_there: false })
    }

    /// Packages of this machine's own release, from where this machine's apt gets its own.
    fn build_base(&self, docker: &Docker, base_of: &str, base: &str) -> Result<()> {
        let sources = apt_sources()?;
        let mut command = as_root("mmdebstrap");
        command.args(["--variant=essential", "--format=tar", "--quiet"]);
        command.arg(format!("--include={}", self.packages.join(",")));
        command.arg(format!("--essential-hook={}", self.hook));
        command.args(EXCLUDED.iter().map(|path| format!("--dpkgopt=path-exclude={path}")));
        command.arg("--dpkgopt=force-confold");
        command.args(apt_options().iter().map(|option| format!("--aptopt={option}")));
        // Proxies and mirrors of this machine are nobody else's.
        command.arg("--customize-hook=rm -f \"$1\"/etc/apt/apt.conf.d/99mmdebstrap \"$1\"/etc/apt/sources.list");
        command.args(["", "-"]).args(sources);
        let mut progress =
            Progress::begin(&format!("the Debian base of {base_of}"), "about 40 seconds");
        progress.say("installing packages");
        docker.import(command, base)?;
        progress.end(None);
        Ok(())
    }
}

/// `deb` lines of the distribution's own archives, main and security and updates, as this machine's apt has them.
fn apt_sources() -> Result<Vec<String>> {
    let format = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)";
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", format, "Created-By: Packages"]).stdin(Stdio::null());
    let listed = command.output().map_err(|error| missing_tool("apt-get", error))?;
    let mut sources = sources_of(&checked("apt-get indextargets", listed)?);
    sources.dedup();
    match sources.is_empty() {
        false => Ok(sources),
        true => Err(Error::Missing {
            what: "a Debian or Ubuntu archive".into(),
            remedy: "apt knows none yet: run apt-get update".into(),
        }),
    }
}

/// One line for each archive of the distribution itself.
fn sources_of(listing: &str) -> Vec<String> {
    let line = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [uri, codename, component, "Debian" | "Ubuntu"] => {
            Some(format!("deb {uri} {codename} {component}"))
        }
        _ => None,
    };
    listing.lines().filter_map(line).collect()
}

/// How this machine's apt reaches its archives: proxies, authorities.
fn apt_options() -> Vec<String> {
    let output =
        Command::new("apt-config").args(["dump", "--format", "%f \"%v\";%n", "Acquire"]).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let is_wanted = |line: &&str| {
        let name = line.split(' ').next().unwrap_or_default().to_lowercase();
        ["acquire::http::", "acquire::https::"].iter().any(|prefix| name.starts_with(prefix))
            && !line.contains("\"\"")
    };
    text.lines().filter(is_wanted).map(str::to_owned).collect()
}

/// Device files and chroot want root; without it, and without sudo, the tool tries by itself.
fn as_root(program: &str) -> Command {
    let has_sudo = || {
        let sudo = Command::new("sudo")
            .args(["-n", "true"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        sudo.is_ok_and(|status| status.success())
    };
    if User::is_root() || !has_sudo() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", "-E", program]);
    command
}

/// The packages that it is made of, and the version of the one that it is.
fn python_of(side: &FarSide) -> Option<(&'static Requirements, &'static str)> {
    let Source::Python { environment, package } = &side.programs.source else { return None };
    Some((python::row(environment)?, python::version(environment, package)?))
}

fn hash_of(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_distributions_own_archives_are_sources() {
        let listing = "http://mirror/debian/ bookworm main Debian\nhttp://mirror/debian/ bookworm-updates main Debian\n\
                       https://packages.example.com/apt stable main Somebody\nhttps://nothing.example.com/apt x main \n";
        let expected = [
            "deb http://mirror/debian/ bookworm main",
            "deb http://mirror/debian/ bookworm-updates main",
        ];
        assert_eq!(sources_of(listing), expected);
    }

    #[test]
    fn a_recipe_that_changes_has_another_hash() {
        assert_ne!(hash_of(&["ab", "c"]), hash_of(&["a", "bc"]));
        assert_eq!(hash_of(&["ab", "c"]), hash_of(&["ab", "c"]));
    }
}
