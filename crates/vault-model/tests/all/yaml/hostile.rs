//! Bytes, bombs, depth and length.

use std::fmt::Write;

use expect_test::{Expect, expect};
use vault_model::{mistakes::Mistakes, source::Sources, yaml};

/// What a file of bytes comes to, in a line.
#[track_caller]
fn check_bytes(bytes: &[u8], wanted: Expect) {
    let mut sources = Sources::default();
    let shown = match yaml::read(&mut sources, "spec.yaml", bytes) {
        Ok(_) => "read\n".to_string(),
        Err(it) => Mistakes::from(it).render(&sources, false),
    };
    wanted.assert_eq(&shown);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    check_bytes(
        b"a: 1\nb: \xff\xfe\n",
        expect![[r#"
        error: the file isn't UTF-8: it can't be read from here on
         --> spec.yaml:2:4
          |
        2 | b: ��
          |    ^
          |
          = help: save it as UTF-8

    "#]],
    );
    check_bytes(
        b"\xff\xfea\0:\0",
        expect![[r#"
        error: the file is UTF-16
         --> spec.yaml:1:1
          |
        1 | ��a\u{0}:\u{0}
          | ^
          |
          = help: save it as UTF-8

    "#]],
    );
}

#[test]
fn a_file_that_is_too_long_is_refused_unread() {
    check_bytes(
        &vec![b'a'; 100 << 20],
        expect![[r#"
        error: the file has 100 MiB, and a spec's file may have 16
         --> spec.yaml:1:1
          |
        1 | 
          | ^
          |
          = help: split it into several files: a spec can be a folder

    "#]],
    );
}

#[test]
fn brackets_in_brackets_have_an_end() {
    check_bytes(
        "[".repeat(100_000).as_bytes(),
        expect![[r#"
        error: more than 100 lists and maps in each other
         --> spec.yaml:1:256
          |
        1 | …***…
          |  ^^^
          |
          = help: say it flatter

    "#]],
    );
    check_bytes(
        "- ".repeat(100_000).as_bytes(),
        expect![[r#"
        error: more than 100 lists and maps in each other
         --> spec.yaml:1:203
          |
        1 | …***…
          |  ^^^
          |
          = help: say it flatter

    "#]],
    );
    check_bytes(
        ("[".repeat(90) + &"]".repeat(90)).as_bytes(),
        expect![[r#"
        read
    "#]],
    );
}

#[test]
fn depth_counts_through_aliases() {
    let nest = |inner: &str| "[".repeat(60) + inner + &"]".repeat(60);
    let text = format!("a: &a {}\nb: &b {}\n", nest("1"), nest("*a"));
    check_bytes(
        text.as_bytes(),
        expect![[r#"
        error: more than 100 lists and maps in each other
         --> spec.yaml:2:67
          |
        2 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
          |                                                  ^^
          |
          = help: say it flatter

    "#]],
    );
}

#[test]
fn a_bomb_of_aliases_does_not_go_off() {
    let mut text = "a0: &a0 [x]\n".to_string();
    for i in 1..30 {
        let inner = vec![format!("*a{}", i - 1); 10].join(", ");
        writeln!(text, "a{i}: &a{i} [{inner}]").expect("a string takes all");
    }
    check_bytes(
        text.as_bytes(),
        expect![[r#"
        error: the file says more than 1000000 values, aliases counted
         --> spec.yaml:7:20
          |
        7 | a6: &a6 [*a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5]
          |                    ^^^
          |
          = help: split it into several files, or repeat less by aliases

    "#]],
    );
}

#[test]
fn a_long_text_is_not_repeated_for_ever() {
    let text = format!("a: &a \"{}\"\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(1000));
    check_bytes(
        text.as_bytes(),
        expect![[r#"
        error: the file says more than 1000000 values, aliases counted
         --> spec.yaml:2:65
          |
        2 | …*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a…
          |                                          ^^
          |
          = help: split it into several files, or repeat less by aliases

    "#]],
    );
}

#[test]
fn mistakes_have_an_end() {
    let mut sources = Sources::default();
    let found = yaml::read(&mut sources, "spec.yaml", "a: 1\n".repeat(1000).as_bytes());
    assert_eq!(found.map_err(|it| it.len()), Err(100));
}
