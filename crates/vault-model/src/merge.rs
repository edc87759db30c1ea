//! Several files of a spec as one.

use std::{collections::HashMap, sync::Arc};

use crate::{
    node::{Key, Node, NodeValue, said_twice},
    source::Mistake,
};

/// Maps join, key by key and as deep as they go. Anything else may be said once: a list in two files is as much a
/// mistake as a number. Empty files say nothing.
pub fn merge(roots: Vec<Node>) -> Result<Node, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut merged: Option<Node> = None;
    for root in roots.into_iter().filter(|it| !it.is_null()) {
        match (&mut merged, root.value) {
            (None, NodeValue::Map(it)) => merged = Some(Node { value: NodeValue::Map(it), ..root }),
            (Some(Node { value: NodeValue::Map(into), .. }), NodeValue::Map(it)) => {
                join(into, it, &mut mistakes);
            }
            (_, value) => {
                let root = Node { value, ..root };
                mistakes.push(
                    root.should_be("a spec's file", "a map")
                        .help("begin it with a key, such as `secrets:`"),
                );
            }
        }
    }
    match mistakes.is_empty() {
        true => Ok(merged.unwrap_or_else(|| Node::new(Default::default(), NodeValue::Null))),
        false => Err(mistakes),
    }
}

fn join(into: &mut Vec<(Key, Node)>, from: Vec<(Key, Node)>, mistakes: &mut Vec<Mistake>) {
    let mut said: HashMap<Arc<str>, usize> =
        into.iter().enumerate().map(|(at, (key, _))| (key.text.clone(), at)).collect();
    for (key, node) in from {
        let Some(at) = said.get(&key.text) else {
            said.insert(key.text.clone(), into.len());
            into.push((key, node));
            continue;
        };
        let (first, there) = &mut into[*at];
        match (&mut there.value, node.value) {
            (NodeValue::Map(into), NodeValue::Map(from)) => join(into, from, mistakes),
            _ => mistakes.push(said_twice(&key, first.place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::{mistakes::Mistakes, source::Sources, yaml};

    #[track_caller]
    fn check(files: &[&str], wanted: Expect) {
        let mut sources = Sources::default();
        let names = ('a'..='z').map(|it| format!("{it}.yaml"));
        let roots = files.iter().zip(names).map(|(text, name)| {
            yaml::read(&mut sources, name, text.as_bytes()).expect("the files are YAML")
        });
        let roots = roots.collect();
        let shown = match merge(roots) {
            Ok(it) => it.to_json().to_string(),
            Err(it) => Mistakes::from(it).render(&sources, false),
        };
        wanted.assert_eq(&shown);
    }

    #[test]
    fn maps_join_as_deep_as_they_go() {
        check(
            &["a: {b: {c: 1}}", "a: {b: {d: 2}, e: [3]}", "f: 4"],
            expect![[r#"{"a":{"b":{"c":1,"d":2},"e":[3]},"f":4}"#]],
        );
    }

    #[test]
    fn a_list_in_two_files_is_a_mistake() {
        check(
            &["a: {b: [1]}", "\na:\n  b: [2]"],
            expect![[r#"
            error: `b` is said twice
             --> b.yaml:3:3
              |
            3 |   b: [2]
              |   ^
             ::: a.yaml:1:5
              |
            1 | a: {b: [1]}
              |     - first said here
              |
              = help: keep one of them

        "#]],
        );
    }

    #[test]
    fn a_map_and_a_scalar_do_not_join() {
        check(
            &["a: {b: 1}", "a: 1"],
            expect![[r#"
            error: `a` is said twice
             --> b.yaml:1:1
              |
            1 | a: 1
              | ^
             ::: a.yaml:1:1
              |
            1 | a: {b: 1}
              | - first said here
              |
              = help: keep one of them

        "#]],
        );
    }

    #[test]
    fn every_file_is_a_map_or_empty() {
        check(
            &["a: 1", "", "# nothing\n", "[1]", "text"],
            expect![[r#"
            error: a spec's file should be a map, not a list
             --> d.yaml:1:1
              |
            1 | [1]
              | ^^^
              |
              = help: begin it with a key, such as `secrets:`

            error: a spec's file should be a map, not text
             --> e.yaml:1:1
              |
            1 | text
              | ^^^^
              |
              = help: begin it with a key, such as `secrets:`

        "#]],
        );
    }

    #[test]
    fn nothing_at_all_is_null() {
        check(&[], expect!["null"]);
        check(&[""], expect!["null"]);
    }
}
