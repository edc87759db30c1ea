//! Templates in the paths of rules: `{{identity.entity.name}}`.

use crate::nearest::nearest;

pub(super) enum Piece<'a> {
    Text(&'a str),
    /// With its braces.
    Template(&'a str),
}

/// Why Vault would refuse the text, or drop its rule whenever it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Vault refuses the policy.
    Unbalanced,
    /// Vault takes the policy and then leaves the rule out: nobody is granted what it says.
    Unknown { name: String, help: String },
}

const ENTITY: [&str; 2] = ["id", "name"];
const KNOWN: [&str; 10] = [
    "identity.entity.id",
    "identity.entity.name",
    "identity.entity.metadata.KEY",
    "identity.entity.aliases.ACCESSOR.id",
    "identity.entity.aliases.ACCESSOR.name",
    "identity.entity.aliases.ACCESSOR.metadata.KEY",
    "identity.entity.aliases.ACCESSOR.custom_metadata.KEY",
    "identity.groups.ids.ID.name",
    "identity.groups.names.NAME.id",
    "time.now",
];

/// Text and templates in turn. What has no end is text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((start, length)) =
        rest.find("{{").and_then(|it| Some((it, rest[it..].find("}}")? + 2)))
    {
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(Piece::Template(&rest[start..start + length]));
        rest = &rest[start + length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// With each template replaced by what `meaning` says that its name stands for, and left as it is where nothing is said.
pub fn filled(text: &str, meaning: impl Fn(&str) -> Option<String>) -> String {
    let one = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Template(template) => {
            meaning(template[2..template.len() - 2].trim()).unwrap_or_else(|| template.to_owned())
        }
    };
    pieces(text).into_iter().map(one).collect()
}

/// With no blanks around the names of its templates.
pub(super) fn normalized(text: &str) -> String {
    let normal = |piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Template(template) => format!("{{{{{}}}}}", template[2..template.len() - 2].trim()),
    };
    pieces(text).into_iter().map(normal).collect()
}

pub(super) fn flaws(text: &str) -> Vec<Flaw> {
    let mut parts = text.split("{{");
    let balanced = parts.next().is_none_or(|it| !it.contains("}}"))
        && parts.all(|it| it.matches("}}").count() == 1);
    if !balanced {
        return vec![Flaw::Unbalanced];
    }
    let names = pieces(text).into_iter().filter_map(|it| match it {
        Piece::Template(template) => Some(template[2..template.len() - 2].trim()),
        Piece::Text(_) => None,
    });
    names.filter(|it| !is_known(it)).map(unknown).collect()
}

fn unknown(name: &str) -> Flaw {
    let help = match nearest(name, KNOWN) {
        Some(known) => format!("did you mean `{{{{{known}}}}}`?"),
        None => format!("Vault knows {}", KNOWN.join(", ")),
    };
    Flaw::Unknown { name: name.to_string(), help }
}

fn is_known(name: &str) -> bool {
    if let Some(entity) = name.strip_prefix("identity.entity.") {
        return ENTITY.contains(&entity) || has_key(entity, "metadata.") || is_alias(entity);
    }
    if let Some(group) = name.strip_prefix("identity.groups.") {
        return is_group(group);
    }
    name.strip_prefix("time.").is_some_and(|it| it == "now" || is_shifted(it))
}

fn is_alias(name: &str) -> bool {
    let Some((_, field)) = name.strip_prefix("aliases.").and_then(|it| it.split_once('.')) else {
        return false;
    };
    ENTITY.contains(&field) || has_key(field, "metadata.") || has_key(field, "custom_metadata.")
}

fn is_group(name: &str) -> bool {
    let group = name.strip_prefix("ids.").or(name.strip_prefix("names."));
    let Some((_, field)) = group.and_then(|it| it.split_once('.')) else { return false };
    ENTITY.contains(&field) || has_key(field, "metadata.")
}

fn is_shifted(name: &str) -> bool {
    let shift = name.strip_prefix("now.plus.").or(name.strip_prefix("now.minus."));
    shift.is_some_and(|it| super::ttl::parse_text(it).is_some())
}

fn has_key(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|it| !it.is_empty())
}
