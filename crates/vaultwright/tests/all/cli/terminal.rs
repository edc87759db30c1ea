//! What differs on a terminal, in a pipe and where nothing can be written.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use vault_testbed::ground::VaultOptions;

use super::{Bed, pty::OnTerminal};

#[test]
fn on_a_terminal_an_apply_asks_and_does_what_is_answered() {
    let name = "on_a_terminal_an_apply_asks_and_does_what_is_answered";
    let Some(bed) = Bed::new(name, &VaultOptions::default()) else { return };
    for (keys, code, differs, told) in [
        ("no\r", 1, true, "nothing was changed"),
        ("\r", 1, true, "nothing was changed"),
        ("yesterday\r", 1, true, "nothing was changed"),
        // Ctrl-D and Ctrl-C.
        ("\x04", 1, true, "nothing was changed"),
        ("\x03", 130, true, "interrupted by Ctrl-C"),
        ("yes\r", 0, false, "4 done"),
    ] {
        let apply = OnTerminal::start(&bed, "apply SPEC", &[]);
        apply.until("Apply this? [y/N]");
        apply.say(keys);
        let (ended, shown) = apply.end();
        assert_eq!(ended, Some(code), "{keys:?} {shown}");
        assert!(shown.contains(told), "{keys:?} {shown}");
        let left = bed.run("plan SPEC --exit-code").code();
        assert_eq!(left == 2, differs, "{keys:?}");
    }
    let destroy = OnTerminal::start(&bed, "destroy SPEC", &[]);
    destroy.until("Delete this? [y/N]");
    destroy.say("Y\r");
    assert_eq!(destroy.end().0, Some(0));
}

#[test]
fn on_a_terminal_a_yes_is_not_asked_for_twice() {
    let name = "on_a_terminal_a_yes_is_not_asked_for_twice";
    let Some(bed) = Bed::new(name, &VaultOptions::default()) else { return };
    let (code, shown) = OnTerminal::start(&bed, "apply SPEC --yes", &[]).end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("[y/N]"), "{shown}");
    let (code, shown) = OnTerminal::start(&bed, "apply SPEC", &[]).end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("[y/N]"), "what is as it should be needs no answer: {shown}");
}

#[test]
fn colours_are_for_terminals_whose_owners_want_them() {
    let name = "colours_are_for_terminals_whose_owners_want_them";
    let Some(bed) = Bed::new(name, &VaultOptions::default()) else { return };
    bed.write("typo.yaml", "name: shop\nsys: { polices: {} }\n");
    for words in ["plan SPEC", "verify SPEC", "check typo.yaml", "plan typo.yaml"] {
        let coloured = |environment: &[(&str, &str)]| {
            OnTerminal::start(&bed, words, environment).end().1.contains("\x1b[")
        };
        assert!(coloured(&[]), "{words}");
        assert!(coloured(&[("NO_COLOR", "")]), "{words}: empty is unset");
        assert!(!coloured(&[("NO_COLOR", "1")]), "{words}");
        assert!(!bed.run(words).shown().contains('\x1b'), "{words}");
    }
}

#[test]
fn who_reads_one_line_only_ends_no_command_in_a_panic() {
    let name = "who_reads_one_line_only_ends_no_command_in_a_panic";
    let Some(bed) = Bed::new(name, &VaultOptions::default()) else { return };
    let reads_one_line = |words: &str| {
        let mut command = bed.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // The pipe is closed with the reader.
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_ne!(line, "", "{words}");
        let ended = child.wait_with_output().unwrap();
        let problem = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(problem, "", "{words}");
        ended.status.code()
    };
    for words in [
        "lints",
        "schema",
        "check SPEC",
        "plan SPEC",
        "plan SPEC --format json",
        "apply SPEC --yes",
        "verify SPEC",
        "completions bash",
        "man",
        "help",
    ] {
        assert_eq!(reads_one_line(words), Some(0), "{words}");
    }
    assert_eq!(bed.run("verify SPEC").code(), 0, "the apply was carried out to its end");
}

#[test]
fn what_could_not_be_written_is_no_success() {
    let name = "what_could_not_be_written_is_no_success";
    let Some(bed) = Bed::new(name, &VaultOptions::default()) else { return };
    for words in ["plan SPEC", "check SPEC", "schema"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = bed.command(words).stdout(full).output().unwrap();
        let problem = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{words} {problem}");
        assert!(problem.contains("could not be written"), "{words} {problem}");
    }
}
