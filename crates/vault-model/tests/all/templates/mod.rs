//! Templates in scalars, and the variables that they see.

mod secrets;
mod text;
mod variables;

use std::{collections::BTreeMap, ffi::OsString, os::unix::ffi::OsStringExt, sync::Arc};

use expect_test::Expect;
use proptest::prelude::*;
use vault_model::{
    mistakes::Mistakes,
    node::Node,
    source::Sources,
    template::{Inputs, Templates},
    vars::{self, Given, Vars},
    yaml,
};

/// A world with one file and one variable.
struct World;

impl Inputs for World {
    fn env(&self, name: &str) -> Option<OsString> {
        match name {
            "HOME" => Some("/home/vault".into()),
            "NO_TEXT" => Some(OsString::from_vec(b"hunter2\xff".to_vec())),
            _ => None,
        }
    }

    fn file(&self, path: &str) -> Result<String, String> {
        match path {
            "greeting.txt" => Ok("hello\n".to_string()),
            _ => Err("there is no such file".to_string()),
        }
    }
}

/// What a spec is given from outside.
#[derive(Default)]
struct Outside<'a> {
    flags: &'a [(&'a str, &'a str)],
    files: &'a [&'a str],
    env: &'a [(&'a str, &'a str)],
    environment: Option<&'a str>,
}

/// A spec with its variables rendered in, or what is wrong with it.
fn render(text: &str, outside: &Outside<'_>) -> (String, Option<(Node, Vars)>) {
    let mut sources = Sources::default();
    let result = spec(&mut sources, text, outside);
    match result {
        Ok((root, vars)) => (format!("{root:?}"), Some((root, vars))),
        Err(it) => (Mistakes::from(it).render(&sources, false), None),
    }
}

fn spec(
    sources: &mut Sources,
    text: &str,
    outside: &Outside<'_>,
) -> Result<(Node, Vars), Vec<vault_model::source::Mistake>> {
    let templates = Templates::new(Arc::new(World));
    let mut root = yaml::read(sources, "spec.yaml", text.as_bytes())?;
    let (declared, mistakes) = match root.take("vars") {
        Some((_, it)) => vars::declared(&it, sources),
        None => Default::default(),
    };
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let env: BTreeMap<_, _> = outside.env.iter().copied().collect();
    let mut file =
        |text: &&str| yaml::read(sources, "values.yaml", text.as_bytes()).expect("it is YAML");
    let given = Given {
        flags: outside.flags.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect(),
        files: outside.files.iter().map(&mut file).collect(),
        env: &|name| env.get(name).map(|it| OsString::from(*it)),
        environment: outside.environment.as_ref().map(&mut file),
    };
    let vars = vars::resolve(&declared, given, &templates, sources)?;
    let mistakes = templates.render(&mut root, &vars, sources);
    if mistakes.is_empty() { Ok((root, vars)) } else { Err(mistakes) }
}

#[track_caller]
fn check(text: &str, wanted: Expect) {
    wanted.assert_eq(&render(text, &Outside::default()).0);
}

#[track_caller]
fn check_given(text: &str, outside: Outside<'_>, wanted: Expect) {
    wanted.assert_eq(&render(text, &outside).0);
}

proptest! {
    #[test]
    fn no_template_makes_it_panic(text in "[(){}%# \"'a-c.|+é\n$1-]{0,40}") {
        let spec = serde_json::json!({ "vars": { "a": 1, "b": "x", "c": [1] }, "x": text });
        render(&spec.to_string(), &Outside::default());
    }

    #[test]
    fn text_without_brackets_stays_as_it_is(text in "[^(\\x7f-\u{9f}]{0,40}") {
        let spec = serde_json::json!({ "x": text });
        let (shown, rendered) = render(&spec.to_string(), &Outside::default());
        prop_assert_eq!(rendered.map(|(root, _)| root.to_json()), Some(spec), "{}", shown);
    }

    #[test]
    fn any_value_comes_out_as_it_went_in(value in any::<String>()) {
        let flags: &[(&str, &str)] = &[("v", value.as_str())];
        let (_, rendered) = render("vars: {v: x}\na: (( v ))\nb: <(( v ))>", &Outside { flags, ..Default::default() });
        let (root, _) = rendered.expect("it renders");
        prop_assert_eq!(root.to_json(), serde_json::json!({ "a": value, "b": format!("<{value}>") }));
    }
}
