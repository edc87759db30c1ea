//! The packages of a Python environment, for an image: they fit the Python of its base, which may not be this machine's.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::{Caller, Progress, watch};
use super::docker_cli::Docker;
use super::error::{Error, Result};
use super::python::{self, Requirements};

/// What decides which builds of a package fit.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// Such as `3.11`.
    python: String,
    /// Such as `x86_64`.
    machine: String,
    /// The second number of glibc's version.
    glibc: u32,
}

/// Its answer is `3.11 x86_64 2.36`.
const ASK: &str = "python3 -c 'import platform, sys; print(\"%d.%d\" % sys.version_info[:2], \
                   platform.machine(), platform.libc_ver()[1])'";

/// Below a folder for `docker build`. The environment is on this machine already: its pip is what fetches.
pub(super) fn install(
    docker: &Docker,
    base: &str,
    requirements: &Requirements,
    folder: &Path,
) -> Result<()> {
    let answer = docker.run(base, ASK)?;
    let target = Target::parse(&answer).ok_or_else(|| Error::Ground {
        place: format!("the Python of {base}"),
        why: format!("it says `{answer}`, which is neither its version nor a glibc's"),
    })?;
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements.text).map_err(Error::file("write", &list))?;
    let programs = python::programs(requirements.name).unwrap_or_default();
    let mut pip = target.pip(programs.join("python"));
    pip.arg("--target").arg(folder.join("packages")).arg("--requirement").arg(&list);
    let title = format!("packages of {} for Python {}", requirements.name, target.python);
    let mut progress = Progress::begin(&title, "about half a minute");
    progress.say("installing them");
    watch(pip, &mut progress, &Caller::default(), |_| None)?;
    progress.end(None);
    Ok(())
}

impl Target {
    fn parse(answer: &str) -> Option<Self> {
        let [python, machine, glibc] = answer.split_whitespace().collect::<Vec<_>>()[..] else {
            return None;
        };
        let glibc = glibc.strip_prefix("2.")?.parse().ok()?;
        Some(Self { python: python.to_owned(), machine: machine.to_owned(), glibc })
    }

    /// What is said for an environment of this machine is said here, too. Compiled is what it installs in the image.
    fn pip(&self, python: PathBuf) -> Command {
        let mut pip = Command::new(python);
        python::isolate(&mut pip);
        pip.args(python::PIP_INSTALL).args(["--no-compile", "--implementation", "cp"]);
        pip.args(["--python-version", &self.python]);
        pip.args(self.platforms().iter().flat_map(|it| ["--platform", it]));
        pip
    }

    /// Names of what Linux's packages are built for, the newest first.
    fn platforms(&self) -> Vec<String> {
        let since = (5..=self.glibc).rev().map(|it| format!("manylinux_2_{it}"));
        let named_before = ["manylinux2014", "manylinux2010", "manylinux1"].map(String::from);
        since.chain(named_before).map(|it| format!("{it}_{}", self.machine)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_of_the_python_and_the_glibc_that_the_base_has() {
        let target = Target::parse("3.13 aarch64 2.41\n").unwrap();
        let platforms = target.platforms();
        assert_eq!(platforms[0], "manylinux_2_41_aarch64");
        assert!(platforms.iter().any(|it| it == "manylinux2014_aarch64"), "{platforms:?}");
        assert!(!platforms.iter().any(|it| it.contains("_2_42_")), "{platforms:?}");
        let pip = target.pip("python".into());
        let said: Vec<_> = pip.get_args().map(|it| it.to_string_lossy()).collect();
        assert!(said.join(" ").contains("--python-version 3.13 --platform"), "{said:?}");
    }

    #[test]
    fn a_base_with_another_c_library_is_not_guessed_at() {
        assert_eq!(Target::parse("3.13 x86_64"), None);
        assert_eq!(Target::parse("sh: python3: not found"), None);
    }
}
