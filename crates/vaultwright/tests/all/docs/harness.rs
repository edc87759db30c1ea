//! One block of a page, run or looked up; and what shows that a page that is wrong is found out.

use std::path::Path;

use super::{
    page::{Block, Command, Kind},
    scratch::Scratch,
    shown::{difference, is_part},
};

use crate::root;

/// What is wrong with a block, with its line.
pub fn problem(block: &Block, scratch: &mut Scratch) -> Option<String> {
    let found = match &block.kind {
        Kind::Console { commands, code } => return console(commands, *code, scratch),
        Kind::Stays(command) => scratch.stay(&command.text, &command.output).err(),
        Kind::Script(script) => wrong_in(script, scratch),
        Kind::File { path, text } => {
            scratch.write(path, text);
            None
        }
        Kind::Part { path, text } => match std::fs::read_to_string(root().join(path)) {
            Ok(file) if is_part(text, &file) => None,
            Ok(_) => Some(format!("{path} has no such part")),
            Err(err) => Some(format!("{path}: {err}")),
        },
    };
    found.map(|why| format!("{}: {why}", block.line))
}

fn console(commands: &[Command], code: i32, scratch: &mut Scratch) -> Option<String> {
    for (at, command) in commands.iter().enumerate() {
        let (ended, shown) = scratch.run(&command.text);
        let wanted = if at + 1 == commands.len() { code } else { 0 };
        let place = format!("{}: `{}`", command.line, command.text);
        if let Some(difference) = difference(&command.output, &shown) {
            return Some(format!("{place} (exit {ended})\n{difference}"));
        }
        if ended != wanted {
            return Some(format!("{place} ends with {ended}, not with {wanted}:\n{shown}"));
        }
    }
    None
}

/// Bash reads it, and each command of ours in it takes its arguments: all but `--help` is left undone.
fn wrong_in(script: &str, scratch: &mut Scratch) -> Option<String> {
    scratch.write("../script", script);
    let (code, said) = scratch.run("bash -n ../script");
    if code != 0 {
        return Some(said);
    }
    ours(script).find_map(|command| {
        let (code, said) = scratch.run(&format!("{command} --help"));
        (code != 0).then(|| format!("`{command}`:\n{said}"))
    })
}

/// Each command of ours in a script, up to where another one begins.
fn ours(script: &str) -> impl Iterator<Item = String> {
    let joined = script.replace("\\\n", " ");
    let lines: Vec<String> = joined.lines().map(|it| it.trim().to_owned()).collect();
    lines.into_iter().filter_map(|line| {
        ["vaultwright ", "cargo xtask "].into_iter().find(|it| line.starts_with(it))?;
        let end = line.find(['|', '>', '&', ';', '#']).unwrap_or(line.len());
        let command = line[..end].trim();
        // These are of xtask itself; the rest of their arguments goes to others.
        let own = ["cargo xtask test", "cargo xtask ci"];
        (!own.iter().any(|it| command.starts_with(it))).then(|| command.to_owned())
    })
}

mod tests {
    use super::*;
    use crate::docs::page::Page;

    #[track_caller]
    fn check(page: &str, wanted: Option<&str>) {
        let page = Page::parse(page).unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_vaultwright"));
        let mut scratch = Scratch::new(root(), binary, None);
        let found = page.blocks.iter().find_map(|it| problem(it, &mut scratch));
        match (wanted, found) {
            (None, found) => assert_eq!(found, None),
            (Some(wanted), Some(found)) => assert!(found.contains(wanted), "{found}"),
            (Some(wanted), None) => panic!("nothing is found wrong, but {wanted}"),
        }
        assert!(scratch.end());
    }

    #[test]
    fn a_right_output_passes() {
        check("```console\n$ echo one; echo two\none\ntwo\n```", None);
        check("```console\n$ echo one; echo two; echo 3\none\n...\n```", None);
        check("```console\n$ echo took 12 s\ntook [..] s\n```", None);
    }

    #[test]
    fn a_wrong_output_fails_with_its_line() {
        check(
            "text\n\n```console\n$ echo one\ntwo\n```",
            Some("4: `echo one` (exit 0)\nsaid:\ntwo\nshown:\none"),
        );
        check("```console\n$ echo one; echo two\none\n```", Some("2: "));
        check("```console\n$ true\nsomething\n```", Some("2: "));
        check("```console\n$ echo more\n```", Some("2: "));
    }

    #[test]
    fn a_wrong_exit_code_fails() {
        check("```console\n$ false\n```", Some("ends with 1, not with 0"));
        check("```console exit=1\n$ false\n```", None);
        check("```console exit=1\n$ true\n```", Some("ends with 0, not with 1"));
        check("```console exit=2\n$ (exit 2)\n```\n```console\n$ echo $?\n2\n```", None);
    }

    #[test]
    fn commands_share_a_folder_and_variables() {
        check("```console\n$ mkdir a\n$ cd a\n$ export B=1\n$ echo $B ${PWD##*/}\n1 a\n```", None);
        check("```yaml file=x/a.yaml\na: 1\n```\n```console\n$ cat x/a.yaml\na: 1\n```", None);
    }

    #[test]
    fn cargo_xtask_is_the_program() {
        check("```console\n$ cargo xtask --version\nvaultwright [..]\n```", None);
        check("```console\n$ cargo build\n```", Some("a page runs cargo build"));
    }

    #[test]
    fn what_stays_says_its_exports_and_ends_at_the_end() {
        let page = "```console stays\n$ bash -c 'echo \"  export A=7\"; trap \"exit 0\" INT; while :; do sleep 0.1; done'\n  export A=[..]\n```\n";
        check(&format!("{page}```console\n$ echo $A\n7\n```"), None);
        check("```console stays\n$ echo other\nwanted\n```", Some("said:\nwanted\nshown:\nother"));
    }

    #[test]
    fn a_part_of_a_file_is_in_it() {
        let part = |text: &str| format!("```yaml in=specs/django-handler/spec.yaml\n{text}\n```");
        check(&part("auth:\n  approle:"), None);
        check(&part("approle:\n  type: approle"), None);
        check(&part("sys:\n# ...\nclaims:"), None);
        check(&part("claims:\n# ...\nsys:"), Some("has no such part"));
        check(&part("django: { token_policies: [other] }"), Some("has no such part"));
        check("```yaml in=specs/none.yaml\na: 1\n```", Some("specs/none.yaml"));
    }

    #[test]
    fn a_script_is_read_and_its_arguments_are_checked() {
        check("```sh\nvaultwright plan spec --out plan | tee x\nmake install\n```", None);
        check("```sh\nvaultwright plan spec --no-such\n```", Some("--no-such"));
        check("```sh\ncargo xtask plna spec\n```", Some("plna"));
        check("```sh\nif true; then\n```", Some("syntax error"));
    }

    #[test]
    fn a_block_that_would_go_unchecked_is_refused() {
        let refused = |page: &str| Page::parse(page).unwrap_err();
        assert!(refused("```yaml\na: 1\n```").contains("neither run nor checked"));
        assert!(refused("```\na\n```").contains("neither run nor checked"));
        assert!(refused("```console later\n$ a\n```").contains("neither run nor checked"));
        assert!(refused("  ```console\n$ a\n```").contains("line's start"));
        assert!(refused("```console\nshown\n```").contains("begins with `$ `"));
        assert!(refused("```console\n$ a").contains("without end"));
        assert!(refused("```console stays\n$ a\n$ b\n```").contains("one command"));
    }
}
