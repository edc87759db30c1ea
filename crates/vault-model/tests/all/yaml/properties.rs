//! What holds for any text.

use proptest::prelude::*;
use vault_model::{
    mistakes::Mistakes,
    source::{FileId, Sources},
    yaml,
};

use super::describe;

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        render(&text);
    }

    #[test]
    fn no_text_that_looks_like_yaml_makes_it_panic(text in "([a-c&*!|>'\"{}\\[\\],:#%@~<é0-9. \n\t-]|: |- |\n  |<<: |: &a |: \\*a|!!str |---\n){0,40}") {
        render(&text);
    }

    #[test]
    fn any_json_reads_as_itself(value in json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("it is JSON")] {
            let root = yaml::parse(FileId(0), &text).map(|it| it.into_json());
            prop_assert_eq!(root, Ok(value.clone()));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        let mut sources = Sources::default();
        if let Err(it) = yaml::read(&mut sources, "spec.yaml", &bytes) {
            prop_assert!(!Mistakes::from(it).render(&sources, true).is_empty());
        }
    }
}

/// Reads a text, and looks at every place of what comes out.
fn render(text: &str) {
    let mut sources = Sources::default();
    match yaml::read(&mut sources, "spec.yaml", text.as_bytes()) {
        Ok(root) => describe(&sources, &root, "$", &mut String::new()),
        Err(it) => {
            let mistakes = Mistakes::from(it);
            mistakes.render(&sources, false);
            mistakes.to_json(&sources);
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let text = "[^\\x00-\\x1f\\x7f-\u{9f}\u{fffe}\u{ffff}]{0,12}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        text.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(text, inner, 0..6)
                .prop_map(|it| serde_json::Value::Object(it.into_iter().collect())),
        ]
    })
}
