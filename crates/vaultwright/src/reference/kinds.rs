//! The page of the kinds: what a spec may describe, out of the table of kinds.

use std::fmt::Write as _;

use vault_model::{
    kind::{Engine, Field, Kind, Part, Shape},
    kinds::{AUTH, ENGINES, METHODS, SECRETS},
};

use super::{cell, head};

const DOCS: &str = "https://developer.hashicorp.com/vault/api-docs/";

pub fn page() -> String {
    let mut text = head("Kinds");
    text.push_str(
        "Whatever a spec describes is of a kind. A field has the name that Vault's API gives it. What no kind knows goes \
         under `paths:`, any path with any body.\n\nWords in the tables: *required* must be said; *fixed* is never changed \
         by Vault once it is written; *secret* is never shown; *never read back* is written when the object is made, and \
         compared with nothing; *names* says the path that the value must be found at.\n",
    );
    text.push_str("\n## Mounts\n");
    kind(&SECRETS, "secrets", "`secrets: { MOUNT: … }`", &mut text);
    kind(&AUTH, "auth", "`auth: { MOUNT: … }`", &mut text);
    for engine in ENGINES {
        engine_of("secrets", engine, &mut text);
    }
    for method in METHODS {
        engine_of("auth", method, &mut text);
    }
    text
}

fn engine_of(under: &str, engine: &Engine, text: &mut String) {
    let is_built_in = matches!(engine.name, "sys" | "identity");
    let title = match (under, is_built_in) {
        (_, true) => format!("`{}:`", engine.name),
        ("auth", _) => format!("Auth method `{}`", engine.name),
        _ => format!("Secrets engine `{}`", engine.name),
    };
    let _ = write!(text, "\n## {title}\n");
    for row in engine.kinds {
        let entry = if row.one_per_mount() { "" } else { " { NAME: … }" };
        let place = match is_built_in {
            true => format!("`{}: {{ {}:{entry} }}`", engine.name, row.section),
            false => format!("`{under}: {{ MOUNT: {{ {}:{entry} }} }}`", row.section),
        };
        kind(row, row.section, &place, text);
    }
}

fn kind(row: &Kind, title: &str, place: &str, text: &mut String) {
    let _ = write!(text, "\n### {title}\n\n{place}, in Vault at `{}`", row.path);
    let _ = writeln!(text, " ([Vault's page]({DOCS}{})).", row.docs);
    if let Some(rotation) = row.rotate_root {
        let _ =
            writeln!(text, "`rotate_root: once` lets Vault replace the password at `{rotation}`.");
    }
    table(row.fields, text);
    let Some(variants) = &row.variants else { return };
    for (value, groups) in variants.of {
        let _ = write!(text, "\nWith `{}: {value}`:\n", variants.by);
        let fields: Vec<Field> = groups.iter().copied().flatten().copied().collect();
        table(&fields, text);
    }
}

fn table(fields: &[Field], text: &mut String) {
    if fields.is_empty() {
        return;
    }
    text.push_str("\n| field | value | |\n| --- | --- | --- |\n");
    rows("", fields, text);
}

/// A body within a body has its fields below it, with a dot.
fn rows(within: &str, fields: &[Field], text: &mut String) {
    for field in fields {
        let name = format!("{within}{}", field.name);
        let value = match field.values {
            [] => field.shape.described().to_owned(),
            values => {
                let shown = values
                    .iter()
                    .map(|it| format!("`{it:?}`").replace("`\"", "`").replace("\"`", "`"));
                let shown: Vec<String> =
                    shown.map(|it| if it == "``" { "empty".to_owned() } else { it }).collect();
                format!("one of {}", shown.join(", "))
            }
        };
        let _ =
            writeln!(text, "| `{name}` | {} | {} |", cell(&value), cell(&words(field).join("; ")));
        if let Shape::Body(inner) = field.shape {
            rows(&format!("{name}."), inner, text);
        }
    }
}

fn words(field: &Field) -> Vec<String> {
    let flags = [
        (field.required, "required"),
        (field.fixed, "fixed"),
        (field.secret, "secret"),
        (field.write_only, "never read back"),
        (field.life, "a life: proofs scale it down"),
        (field.lasting, "once true, always true"),
        (field.enterprise, "Vault Enterprise only"),
    ];
    let mut words: Vec<String> =
        flags.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned()).collect();
    match field.part {
        Part::Body => {}
        Part::Seed => words.push("written only where nothing is there yet".to_owned()),
        Part::Generate => words.push(
            "values that Vault makes up, by a password policy, where none is there yet".to_owned(),
        ),
        Part::RotateRoot => {
            words.push("Vault replaces the password after the first write".to_owned())
        }
    }
    words.extend(field.renamed.map(|it| format!("the old name of `{it}`")));
    words.extend(field.belongs_to.map(|it| format!("belongs to `{it}`")));
    words.extend(field.names.map(|it| format!("names `{}`", it.replace("{}", "VALUE"))));
    words
}
