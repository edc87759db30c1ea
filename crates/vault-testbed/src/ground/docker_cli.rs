//! The engine's own command line, for what makes images.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::build::{Caller, Progress, watch};
use super::error::{Error, Result};

/// What an image was made of: the same again needs no build.
const HASH_LABEL: &str = "dev.vaultwright.image";

/// It knows which engine is meant.
pub(super) struct Docker {
    program: &'static str,
    /// Debian's package has the classic builder only; newer ones warn about it.
    is_classic: bool,
}

impl Docker {
    pub fn find() -> Result<Self> {
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

    pub fn has(&self, image: &str, hash: &str) -> bool {
        let format = format!("{{{{index .Config.Labels \"{HASH_LABEL}\"}}}}");
        let output = self.command(&["image", "inspect", "--format", &format, image]).output();
        output.is_ok_and(|output| {
            output.status.success() && String::from_utf8_lossy(&output.stdout).trim() == hash
        })
    }

    pub fn has_any(&self, image: &str) -> bool {
        self.command(&["image", "inspect", image])
            .output()
            .is_ok_and(|output| output.status.success())
    }

    pub fn build(
        &self,
        context: &Context,
        image: &str,
        hash: &str,
        base: Option<&str>,
    ) -> Result<()> {
        let mut command = self.command(&["build", "--force-rm", "--tag", image]);
        command.arg("--label").arg(format!("{HASH_LABEL}={hash}"));
        if let Some(base) = base {
            command.arg("--build-arg").arg(format!("BASE={base}"));
        }
        command.arg(&context.folder);
        let mut progress = Progress::begin(&format!("image {image}"), "some seconds");
        let former = self.id(image);
        watch(command, &mut progress, &Caller::default(), |_| None)?;
        progress.end(None);
        if former.is_some() && former != self.id(image) {
            self.remove(&former.unwrap_or_default());
        }
        Ok(())
    }

    fn id(&self, image: &str) -> Option<String> {
        output_of(self.command(&["image", "inspect", "--format", "{{.Id}}", image])).ok()
    }

    /// Where nothing uses it.
    fn remove(&self, image: &str) {
        let _ = self.command(&["image", "rm", "--force", image.trim()]).output();
    }

    /// Images of the same name with other tags: what earlier recipes have made.
    pub fn remove_others(&self, image: &str) {
        let name = image.split(':').next().unwrap_or(image);
        let list =
            output_of(self.command(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name]));
        for other in list.unwrap_or_default().lines().filter(|other| *other != image) {
            self.remove(other);
        }
    }

    pub fn tag(&self, image: &str, name: &str) -> Result<()> {
        output_of(self.command(&["tag", image, name])).map(drop)
    }

    pub fn run(&self, image: &str, shell: &str) -> Result<String> {
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
    pub fn import(&self, mut producer: Command, image: &str) -> Result<()> {
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
                output: super::process::log_tail(&log_path),
            });
        }
        checked("docker import", imported).map(drop)
    }
}

/// A folder of its own for one build, removed with it.
pub(super) struct Context {
    pub folder: PathBuf,
    _guard: tempfile::TempDir,
}

impl Context {
    /// In the cache: a binary of hundreds of megabytes can be linked there, and needn't be copied.
    pub fn new() -> Result<Self> {
        let cache = super::cache_folder();
        fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
        let guard = tempfile::Builder::new().prefix("image-").tempdir_in(&cache);
        let guard = guard.map_err(Error::file("create a folder in", &cache))?;
        Ok(Self { folder: guard.path().to_owned(), _guard: guard })
    }

    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))
    }

    pub fn link(&self, name: &str, file: &Path) -> Result<()> {
        let path = self.folder.join(name);
        let file = file.canonicalize().map_err(Error::file("find", file))?;
        fs::hard_link(&file, &path)
            .or_else(|_| fs::copy(&file, &path).map(drop))
            .map_err(Error::file("copy to", &path))
    }
}

fn output_of(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|source| Error::Program { program: name.clone(), source })?;
    checked(&name, output)
}

pub(super) fn checked(program: &str, output: std::process::Output) -> Result<String> {
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Error::Failed {
            program: program.to_owned(),
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}

pub(super) fn missing_tool(name: &str, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::Missing {
            what: name.to_owned(),
            remedy: format!("images are built from Debian packages: apt-get install {name}"),
        },
        _ => Error::Program { program: name.to_owned(), source: error },
    }
}
