//! Reading YAML: what comes out, with its places, and what is refused.

mod hostile;
mod mistakes;
mod properties;
mod values;

use std::fmt::Write;

use expect_test::Expect;
use vault_model::{
    mistakes::Mistakes,
    node::{Node, NodeValue},
    source::Sources,
    yaml,
};

/// Every value with its line, column and the text that its place spans.
#[track_caller]
fn check(text: &str, wanted: Expect) {
    let mut sources = Sources::default();
    let shown = match yaml::read(&mut sources, "spec.yaml", text.as_bytes()) {
        Ok(root) => tree(&sources, &root),
        Err(it) => Mistakes::from(it).render(&sources, false),
    };
    wanted.assert_eq(&shown);
}

fn tree(sources: &Sources, root: &Node) -> String {
    let mut shown = String::new();
    describe(sources, root, "$", &mut shown);
    shown
}

fn describe(sources: &Sources, node: &Node, path: &str, shown: &mut String) {
    let said = sources.text(node.place).expect("every value stands somewhere");
    writeln!(shown, "{path} {}:{} {} {said:?}", node.place.line, node.place.column, value(node))
        .expect("a string takes all");
    for (key, it) in node.as_map().unwrap_or_default() {
        assert!(sources.text(key.place).is_some());
        describe(sources, it, &format!("{path}.{}", key.text), shown);
    }
    for (at, it) in node.as_list().unwrap_or_default().iter().enumerate() {
        describe(sources, it, &format!("{path}[{at}]"), shown);
    }
}

fn value(node: &Node) -> String {
    match &node.value {
        NodeValue::List(_) | NodeValue::Map(_) => node.kind_name().to_string(),
        _ => node.to_json().to_string(),
    }
}
