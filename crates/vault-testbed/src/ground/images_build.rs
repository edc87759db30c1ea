//! Builds images without any registry: Debian packages from this machine's own archives, and a static server binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::build::{Progress, watch};
use super::error::{Error, Result};
use super::process::User;
use super::servers::{self, VERSIONS};

/// Files of `fixtures/servers/images/`, and what is below them.
struct Recipe {
    /// `vaultwright/<name>`
    name: &'static str,
    /// Debian packages of the base; none for a binary alone.
    packages: &'static [&'static str],
    /// In the base, before its packages are configured.
    hook: &'static str,
    dockerfile: &'static str,
    entrypoint: Option<&'static str>,
    /// Prints the version that becomes the tag.
    version_command: &'static str,
}

const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "postgres",
        packages: &["postgresql"],
        hook: "mkdir -p \"$1/etc/postgresql-common\" && \
               echo 'create_main_cluster = false' >\"$1/etc/postgresql-common/createcluster.conf\"",
        dockerfile: include_str!("../../../../fixtures/servers/images/postgres/Dockerfile"),
        entrypoint: Some(include_str!(
            "../../../../fixtures/servers/images/postgres/entrypoint.sh"
        )),
        version_command: "ls /usr/lib/postgresql",
    },
    Recipe {
        name: "mariadb",
        packages: &["mariadb-server"],
        hook: "true",
        dockerfile: include_str!("../../../../fixtures/servers/images/mariadb/Dockerfile"),
        entrypoint: Some(include_str!("../../../../fixtures/servers/images/mariadb/entrypoint.sh")),
        version_command: "mariadbd --version | sed 's/.*Ver \\([0-9]*\\.[0-9]*\\).*/\\1/'",
    },
];

const VAULT_DOCKERFILE: &str = include_str!("../../../../fixtures/servers/images/vault/Dockerfile");

/// What an image was made of: the same again needs no build.
const HASH_LABEL: &str = "dev.vaultwright.image";
/// Left out of every image.
const EXCLUDED: [&str; 4] =
    ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"];

/// What one build did.
#[derive(Clone, Debug)]
pub struct Built {
    pub image: String,
    pub was_there: bool,
}

/// Vault, PostgreSQL and MariaDB. Blocks for about two minutes the first time, and for a moment afterwards.
pub fn build_all(server: &servers::Binary) -> Result<Vec<Built>> {
    let docker = Docker::find()?;
    let mut built = vec![build_vault(&docker, server)?];
    for recipe in &RECIPES {
        built.push(recipe.build(&docker)?);
    }
    Ok(built)
}

/// The names that `build_all` makes, apart from the versions that a distribution decides.
pub(super) fn names() -> impl Iterator<Item = String> {
    let vault = VERSIONS.iter().filter_map(|version| version.local_image.map(str::to_owned));
    vault.chain(RECIPES.iter().map(|recipe| format!("vaultwright/{}:latest", recipe.name)))
}

fn build_vault(docker: &Docker, server: &servers::Binary) -> Result<Built> {
    let image = VERSIONS[0].local_image.unwrap_or("vaultwright/vault:latest").to_owned();
    let metadata = fs::metadata(&server.path).map_err(Error::file("read", &server.path))?;
    // Hashing hundreds of megabytes would be the longest part: a binary that changes, changes one of these.
    let changed_at = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    let hash =
        hash(&[VAULT_DOCKERFILE, &metadata.len().to_string(), &changed_at.as_nanos().to_string()]);
    if docker.has(&image, &hash) {
        return Ok(Built { image, was_there: true });
    }
    let context = Context::new()?;
    context.write("Dockerfile", VAULT_DOCKERFILE)?;
    context.link("vault", &server.path)?;
    docker.build(&context, &image, &hash, None)?;
    Ok(Built { image, was_there: false })
}

impl Recipe {
    fn build(&self, docker: &Docker) -> Result<Built> {
        let hash = hash(&[
            self.dockerfile,
            self.entrypoint.unwrap_or_default(),
            self.hook,
            &self.packages.join(" "),
        ]);
        let latest = format!("vaultwright/{}:latest", self.name);
        if docker.has(&latest, &hash) {
            return Ok(Built { image: latest, was_there: true });
        }
        let base = format!("vaultwright/{}-base:{hash}", self.name);
        if !docker.has_any(&base) {
            self.build_base(docker, &base)?;
        }
        let context = Context::new()?;
        context.write("Dockerfile", self.dockerfile)?;
        if let Some(entrypoint) = self.entrypoint {
            context.write("entrypoint.sh", entrypoint)?;
        }
        docker.build(&context, &latest, &hash, Some(&base))?;
        let version = docker.run(&latest, self.version_command)?;
        let image = format!("vaultwright/{}:{version}", self.name);
        docker.tag(&latest, &image)?;
        Ok(Built { image, was_there: false })
    }

    /// Packages of this machine's own release, from where this machine's apt gets its own.
    fn build_base(&self, docker: &Docker, base: &str) -> Result<()> {
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
            Progress::begin(&format!("the Debian base of {}", self.name), "about 40 seconds");
        progress.say("installing packages");
        docker.import(command, base)?;
        progress.end(None);
        Ok(())
    }
}

/// The engine's own command line: it knows which engine is meant.
struct Docker {
    program: &'static str,
    /// Debian's package has the classic builder only; newer ones warn about it.
    is_classic: bool,
}

impl Docker {
    fn find() -> Result<Self> {
        let succeeds = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let program =
            ["docker", "podman"].into_iter().find(|program| succeeds(program, &["version"]));
        let program = program.ok_or_else(|| Error::Missing {
            what: "docker".into(),
            remedy: "no engine answers `docker version`: install and start one (on Debian: apt-get install docker.io)"
                .into(),
        })?;
        Ok(Self {
            program,
            is_classic: program == "docker" && !succeeds(program, &["buildx", "version"]),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments).stdin(Stdio::null());
        if self.is_classic {
            command.env("DOCKER_BUILDKIT", "0");
        }
        command
    }

    fn has(&self, image: &str, hash: &str) -> bool {
        let format = format!("{{{{index .Config.Labels \"{HASH_LABEL}\"}}}}");
        let output = self.command(&["image", "inspect", "--format", &format, image]).output();
        output.is_ok_and(|output| {
            output.status.success() && String::from_utf8_lossy(&output.stdout).trim() == hash
        })
    }

    fn has_any(&self, image: &str) -> bool {
        self.command(&["image", "inspect", image])
            .output()
            .is_ok_and(|output| output.status.success())
    }

    fn build(&self, context: &Context, image: &str, hash: &str, base: Option<&str>) -> Result<()> {
        let mut command = self.command(&["build", "--force-rm", "--tag", image]);
        command.arg("--label").arg(format!("{HASH_LABEL}={hash}"));
        if let Some(base) = base {
            command.arg("--build-arg").arg(format!("BASE={base}"));
        }
        command.arg(&context.folder);
        let mut progress = Progress::begin(&format!("image {image}"), "some seconds");
        watch(command, &mut progress, |_| None)?;
        progress.end(None);
        Ok(())
    }

    fn tag(&self, image: &str, name: &str) -> Result<()> {
        output_of(self.command(&["tag", image, name])).map(drop)
    }

    fn run(&self, image: &str, shell: &str) -> Result<String> {
        let command = self.command(&[
            "run",
            "--rm",
            "--network=none",
            "--entrypoint=/bin/sh",
            image,
            "-c",
            shell,
        ]);
        output_of(command).map(|text| text.trim().to_owned())
    }

    /// Standard output of `producer`, a tar archive, becomes an image.
    fn import(&self, mut producer: Command, image: &str) -> Result<()> {
        let name = producer.get_program().to_string_lossy().into_owned();
        let program = |program: &str| {
            let program = program.to_owned();
            move |source| Error::Program { program, source }
        };
        let log = Context::new()?;
        let log_path = log.folder.join("log");
        let log_file = fs::File::create(&log_path).map_err(Error::file("create", &log_path))?;
        let mut producer = producer
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .map_err(|error| missing_tool(&name, error))?;
        let archive = producer.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let mut import = self.command(&["import", "-", image]);
        let imported = import.stdin(archive).output().map_err(program(self.program))?;
        let status = producer.wait().map_err(program(&name))?;
        if !status.success() {
            // The engine has made an image of half an archive.
            let _ = self.command(&["image", "rm", image]).output();
            return Err(Error::Failed {
                program: name,
                status: status.to_string(),
                output: log_tail(&log_path),
            });
        }
        checked("docker import", imported).map(drop)
    }
}

/// A folder of its own for one build, removed with it.
struct Context {
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

impl Context {
    /// In the cache: a binary of hundreds of megabytes can be linked there, and needn't be copied.
    fn new() -> Result<Self> {
        let cache = super::cache_folder();
        fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
        let guard = tempfile::Builder::new().prefix("image-").tempdir_in(&cache);
        let guard = guard.map_err(Error::file("create a folder in", &cache))?;
        Ok(Self { folder: guard.path().to_owned(), _guard: guard })
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))
    }

    fn link(&self, name: &str, file: &Path) -> Result<()> {
        let path = self.folder.join(name);
        let file = file.canonicalize().map_err(Error::file("find", file))?;
        fs::hard_link(&file, &path)
            .or_else(|_| fs::copy(&file, &path).map(drop))
            .map_err(Error::file("copy to", &path))
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

fn output_of(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|source| Error::Program { program: name.clone(), source })?;
    checked(&name, output)
}

fn checked(program: &str, output: std::process::Output) -> Result<String> {
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Error::Failed {
            program: program.to_owned(),
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}

fn missing_tool(name: &str, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::Missing {
            what: name.to_owned(),
            remedy: format!("images are built from Debian packages: apt-get install {name}"),
        },
        _ => Error::Program { program: name.to_owned(), source: error },
    }
}

fn log_tail(path: &Path) -> String {
    super::process::log_tail(path)
}

fn hash(parts: &[&str]) -> String {
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
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
    }
}
