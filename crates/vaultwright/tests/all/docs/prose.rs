//! What a page says in passing: commands and options in its sentences exist, and so does what it links to.

use std::{collections::BTreeMap, path::Path};

use crate::program;

/// Options that belong to `cargo xtask` itself, and its commands.
const OF_XTASK: [&str; 3] = ["ci", "help", "test"];

pub fn problems(root: &Path, page: &str, prose: &[(usize, String)]) -> Vec<String> {
    let folder = root.join(page).parent().map(Path::to_owned).unwrap_or_default();
    let mut helps = BTreeMap::new();
    let mut found = Vec::new();
    for (line, text) in prose {
        let commands = text.split('`').skip(1).step_by(2);
        let wrong = commands.filter_map(|it| unknown(it, &mut helps));
        found.extend(wrong.map(|it| format!("{line}: {it}")));
        for target in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let is_elsewhere = file.contains("://") || file.is_empty();
            if !is_elsewhere && !folder.join(file).exists() {
                found.push(format!("{line}: there is no {target}"));
            }
        }
    }
    found
}

/// What is wrong with `vaultwright plan --out`, if anything.
fn unknown(code: &str, helps: &mut BTreeMap<String, Option<String>>) -> Option<String> {
    let rest = ["vaultwright ", "cargo xtask "].iter().find_map(|it| code.strip_prefix(it))?;
    let mut words = rest.split_whitespace();
    let command = words.next()?;
    let is_command = command.chars().all(|it| it.is_ascii_lowercase() || it == '-');
    if !is_command || OF_XTASK.contains(&command) && code.starts_with("cargo") {
        return None;
    }
    let help = helps.entry(command.to_owned()).or_insert_with(|| help(command));
    let Some(help) = help else { return Some(format!("there is no command `{command}`")) };
    let options = words.filter(|it| it.starts_with("--"));
    let mut missing = options.filter(|it| !help.contains(it.split('=').next().unwrap_or(it)));
    missing.next().map(|it| format!("`{command}` has no `{it}`"))
}

fn help(command: &str) -> Option<String> {
    let output = program().args([command, "--help"]).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

mod tests {
    use super::*;
    use crate::root;

    #[track_caller]
    fn check(text: &str, wanted: &[&str]) {
        let found = problems(root(), "docs/page.md", &[(3, text.to_owned())]);
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_command_or_an_option_that_does_not_exist_is_found() {
        check("say `vaultwright plan SPEC --out FILE`, or `cargo xtask up`", &[]);
        check("say `vaultwright paln SPEC`", &["3: there is no command `paln`"]);
        check("say `cargo xtask plan --ouput x`", &["3: `plan` has no `--ouput`"]);
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        check("[a](../README.md#licence), [b](https://example.com), [c](#here)", &[]);
        check("[a](nowhere.md#x)", &["3: there is no nowhere.md#x"]);
    }
}
