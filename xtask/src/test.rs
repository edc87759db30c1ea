//! `cargo xtask test`: every test there is, and one count over all of them.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::ops::AddAssign;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

/// Run every test: cargo's own, then the features on real servers
#[derive(Args)]
pub struct TestArgs {
    /// `--only cargo` or `--only features` for the one half; the rest is for `vaultwright test`: paths, --on, --tags,
    /// --name, --concurrency, --junit, --json
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Cargo,
    Features,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// True if nothing has failed.
pub fn test(args: &TestArgs) -> Result<bool> {
    let (only, arguments) = only(&args.arguments)?;
    let mut counts = Counts::default();
    let mut succeeded = true;
    let mut failures = Failures::default();
    if only != Some(Half::Features) {
        if !build()? {
            writeln!(std::io::stdout(), "{}", Counts { failed: 1, ..counts })?;
            return Ok(false);
        }
        let mut command = crate::cargo();
        // What a test says of itself is shown, else nobody would see why one was skipped.
        command.args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"]);
        command.current_dir(crate::root());
        if std::env::var_os(THREADS).is_none() {
            command.env(THREADS, threads().to_string());
        }
        let status = count(&mut command, |line| {
            counts += of_cargo(line);
            failures.hear(line);
        })?;
        // A test that skips itself passes for cargo.
        counts.passed -= counts.passed.min(counts.skipped);
        succeeded &= status.success();
    }
    if only != Some(Half::Cargo) {
        let mut features = crate::vaultwright("debug");
        features.args(["--", "test"]).args(arguments).current_dir(crate::root());
        let mut of_features = Counts::default();
        let status =
            count(&mut features, |line| of_features = of_suite(line).unwrap_or(of_features))?;
        // What has not even begun counts, too.
        of_features.failed += usize::from(!status.success() && of_features.failed == 0);
        counts += of_features;
        succeeded &= status.success();
    }
    counts.failed += usize::from(!succeeded && counts.failed == 0);
    write!(std::io::stdout(), "{failures}")?;
    writeln!(std::io::stdout(), "{counts}")?;
    Ok(succeeded)
}

/// Builds servers that are missing where its progress is seen: a test that began it would keep minutes of it to itself.
/// What can't be had the tests themselves say. False if the tests don't compile.
fn build() -> Result<bool> {
    let mut tests = crate::cargo();
    tests.args(["test", "--workspace", "--no-run"]).current_dir(crate::root());
    let is_built = tests.status()?.success();
    if is_built {
        crate::vaultwright("debug").args(["--", "servers"]).stdout(Stdio::null()).status()?;
    }
    Ok(is_built)
}

/// What cargo's tests that failed have said: it stands far above by the time that all have run.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    is_listed: bool,
}

impl Failures {
    fn hear(&mut self, line: &str) {
        match line {
            // Of the two lists the second has the names alone.
            "failures:" => self.is_listed = !self.is_listed,
            _ if line.starts_with("test result: ") => self.is_listed = false,
            _ if self.is_listed => self.lines.push(line.to_owned()),
            _ => {}
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lines.join("\n");
        match text.trim() {
            "" => Ok(()),
            text => writeln!(f, "\nfailed, once more:\n\n{text}\n"),
        }
    }
}

/// How many tests of one binary are under way at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// Those that take long wait for servers to start and for lives to end, or each keep a core busy with them. More at once
/// take no less time, and shorten the lives of what they prove.
fn threads() -> usize {
    2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// `--only HALF`, wherever it stands, and all the rest.
fn only(arguments: &[OsString]) -> Result<(Option<Half>, Vec<OsString>)> {
    let mut rest = arguments.to_vec();
    let Some(at) = rest.iter().position(|it| it == "--only") else { return Ok((None, rest)) };
    let said: Vec<OsString> = rest.drain(at..rest.len().min(at + 2)).collect();
    let half = match said.get(1).and_then(|it| it.to_str()) {
        Some("cargo") => Half::Cargo,
        Some("features") => Half::Features,
        _ => bail!("--only is followed by `cargo` or `features`"),
    };
    Ok((Some(half), rest))
}

/// Shows each line of the command's output as it comes, and hands it on without colours.
fn count(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let name = command.get_program().display().to_string();
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("can't run {name}"))?;
    let mut lines = BufReader::new(child.stdout.take().context("its output isn't there")?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        each(&plain(String::from_utf8_lossy(&line).trim_end()));
        line.clear();
    }
    Ok(child.wait()?)
}

/// `test result: ok. 5 passed; 0 failed; 0 ignored; …`, and `SKIPPED name: reason` of a test that then passes.
fn of_cargo(line: &str) -> Counts {
    if line.starts_with("SKIPPED") && line.contains(": ") {
        return Counts { skipped: 1, ..Counts::default() };
    }
    let Some((_, counted)) = line.strip_prefix("test result: ").and_then(|it| it.split_once(". "))
    else {
        return Counts::default();
    };
    let number = |what: &str| {
        let part = counted.split("; ").find_map(|it| it.strip_suffix(what));
        part.and_then(|it| it.trim().parse().ok()).unwrap_or(0)
    };
    Counts { passed: number("passed"), failed: number("failed"), skipped: number("ignored") }
}

/// `12 passed, 0 failed, 1 skipped`
fn of_suite(line: &str) -> Option<Counts> {
    let mut parts = line.split(", ");
    let mut number = |what: &str| parts.next()?.strip_suffix(what)?.trim().parse().ok();
    Some(Counts {
        passed: number("passed")?,
        failed: number("failed")?,
        skipped: number("skipped")?,
    })
}

fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        text.push_str(before);
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, it)| it);
    }
    text + rest
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_counts_are_read_in_colour_and_without() {
        let wanted = Counts { passed: 5, failed: 1, skipped: 2 };
        let line = "test result: FAILED. 5 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(of_cargo(line), wanted);
        let coloured = "test result: \x1b[32mok\x1b[m. 3 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(of_cargo(&plain(coloured)), Counts { passed: 3, ..Counts::default() });
        assert_eq!(of_cargo("test a ... ok"), Counts::default());
    }

    #[test]
    fn a_test_that_skips_itself_is_counted_as_skipped() {
        for line in ["SKIPPED a_dev_server on docker: no engine answers", "SKIPPED: no Vault"] {
            assert_eq!(of_cargo(line), Counts { skipped: 1, ..Counts::default() });
        }
    }

    #[test]
    fn what_failed_is_said_once_more() {
        let mut failures = Failures::default();
        for line in ["test a ... ok", "test b ... FAILED", "", "successes:", "    a", ""] {
            failures.hear(line);
        }
        assert_eq!(failures.to_string(), "");
        let said =
            ["failures:", "", "---- b stdout ----", "1 is not 2", "", "failures:", "    b", ""];
        for line in said.into_iter().chain(["test result: FAILED. 1 passed; 1 failed", "test c"]) {
            failures.hear(line);
        }
        let wanted = "\nfailed, once more:\n\n---- b stdout ----\n1 is not 2\n\n";
        assert_eq!(failures.to_string(), wanted);
    }

    #[test]
    fn the_half_may_be_named_anywhere() {
        let words = |it: &[&str]| it.iter().map(OsString::from).collect::<Vec<_>>();
        let (half, rest) = only(&words(&["--on", "docker", "--only", "features", "a"])).unwrap();
        assert_eq!((half, rest), (Some(Half::Features), words(&["--on", "docker", "a"])));
        assert_eq!(only(&words(&["a"])).unwrap(), (None, words(&["a"])));
        assert!(only(&words(&["--only"])).is_err());
    }

    #[test]
    fn the_suite_s_last_line_is_read() {
        let wanted = Some(Counts { passed: 12, failed: 0, skipped: 1 });
        assert_eq!(of_suite("12 passed, 0 failed, 1 skipped"), wanted);
        assert_eq!(of_suite("12 passed, of which 3 slowly"), None);
    }
}
