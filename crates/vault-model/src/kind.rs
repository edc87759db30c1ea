//! How one sort of Vault object is named, found, compared and written.

pub use crate::field::*;

use crate::Body;

/// What `type:` names in a spec: the kinds that live under one sort of mount.
#[derive(Debug)]
pub struct Engine {
    pub name: &'static str,
    pub kinds: &'static [Kind],
    /// Deleting such a mount deletes what nobody can make again.
    pub bears_data: bool,
}

/// A row of the table. In path templates stand `{mount}` (for `sys` and `identity` their own name) and `{name}`.
#[derive(Debug)]
pub struct Kind {
    /// The key under which a spec lists objects of this kind.
    pub section: &'static str,
    /// Where the object is. Without `{name}` there is one per mount.
    pub path: &'static str,
    /// Vault writes the names of such objects in lower case.
    pub lower_names: bool,
    pub fields: &'static [Field],
    /// Further fields, by what one field says.
    pub variants: Option<Variants>,
    /// Fields beyond these are taken as they are.
    pub open: bool,
    pub read: Read,
    /// What to LIST to learn which of them exist, up to the last `/` of the object's name.
    pub list: Option<&'static str>,
    /// What Vault says, with 400, where nothing is.
    pub absent: Option<&'static str>,
    /// Paths of what is made before it, where a spec has that too.
    pub after: &'static [&'static str],
    /// Other paths that can be read once it is made: who refers to them comes after it.
    pub gives: &'static [&'static str],
    pub update: Update,
    /// Vault fails requests that are under way while it changes: it is changed by itself.
    pub alone: bool,
    pub delete: Delete,
    /// Where Vault replaces the root password of this object.
    pub rotate_root: Option<&'static str>,
    /// Fields that people look for here, and what they mean.
    pub mistaken: &'static [(&'static str, &'static str)],
    /// Rewords an answer as it would have been written.
    pub decode: fn(Body) -> Body,
    /// What should be there, given what a spec says and what is there (decoded): the left side of the comparison.
    pub desire: fn(&Body, Option<&Body>) -> Body,
    /// The writes that make it so, given what should be there and what is there.
    pub writes: fn(&Kind, Body, Option<&Body>) -> Vec<Write>,
    /// The page that documents it, below `https://developer.hashicorp.com/vault/api-docs/`.
    pub docs: &'static str,
}

/// The fields that a spec may say depend on what the field `by` says.
#[derive(Debug)]
pub struct Variants {
    pub by: &'static str,
    pub of: &'static [(&'static str, &'static [&'static [Field]])],
    /// A value that is not in `of` allows all fields; of these we know what they are.
    pub others: &'static [&'static [Field]],
}

/// One write, its path still a template.
pub struct Write {
    pub path: &'static str,
    pub body: Body,
}

#[derive(Debug)]
pub enum Read {
    /// Read the object's own path.
    Here,
    /// Another path tells how it is; whether it is, too.
    At(&'static str),
    /// It is an entry, `name/`, in what another path answers.
    In(&'static str),
    /// Vault names it by an id of its own: it is the entry of the `key_info` that a LIST of `list` answers which is
    /// the same in the fields `by`, whatever their case. The entry's key is read as its field `id`.
    Listed { list: &'static str, by: &'static [&'static str] },
    /// Vault never shows it: it is as the ledger says that it was written last, and written anew where that is not known.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// A write changes what it names and leaves the rest.
    Merge,
    /// A write replaces all: secrets must be sent again.
    Whole,
    /// Delete it and write it anew.
    Replace,
    /// Once it exists, leave it alone.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// Delete its own path.
    Here,
    /// It cannot be deleted alone: it goes with what it belongs to, or stays.
    WithParent,
    /// Delete another path. In it `{id}` stands for the field `id` of what is there.
    At(&'static str),
}

impl Kind {
    /// Most kinds are this with a section, a path and fields.
    pub const PLAIN: Kind = Kind {
        section: "",
        path: "",
        lower_names: false,
        fields: &[],
        variants: None,
        open: false,
        read: Read::Here,
        list: None,
        absent: None,
        after: &[],
        gives: &[],
        update: Update::Merge,
        alone: false,
        delete: Delete::Here,
        rotate_root: None,
        mistaken: &[],
        decode: |body| body,
        desire: |said, _| said.clone(),
        writes: |kind, body, _| vec![Write { path: kind.path, body: kind.written(&body) }],
        docs: "",
    };

    pub fn one_per_mount(&self) -> bool {
        !self.path.contains("{name}")
    }

    /// The field `name`, where `variant` is what the field `variants.by` says.
    pub fn field(&self, name: &str, variant: Option<&str>) -> Option<&'static Field> {
        field(self.fields, name).or_else(|| {
            let groups = self.variant_fields(variant?)?;
            groups.iter().find_map(|it| field(it, name))
        })
    }

    /// All fields that may be said, where `variant` is what the field `variants.by` says.
    pub fn fields_of(&self, variant: Option<&str>) -> impl Iterator<Item = &'static Field> {
        let more = variant.and_then(|it| self.variant_fields(it)).unwrap_or_default();
        self.fields.iter().chain(more.iter().copied().flatten())
    }

    /// Whether a field that is not in the row may be said all the same.
    pub fn is_open(&self, variant: Option<&str>) -> bool {
        let is_known = |it: &Variants, value: &str| it.of.iter().any(|(known, _)| *known == value);
        let is_other = |it: &Variants| variant.is_some_and(|value| !is_known(it, value));
        self.open || self.variants.as_ref().is_some_and(is_other)
    }

    /// `body` as Vault's API takes it.
    pub fn written(&self, body: &Body) -> Body {
        let by = self.variants.as_ref().and_then(|it| body.get(it.by)?.as_str());
        written(body, |name| self.field(name, by))
    }

    fn variant_fields(&self, variant: &str) -> Option<&'static [&'static [Field]]> {
        let variants = self.variants.as_ref()?;
        let known = variants.of.iter().find(|(it, _)| *it == variant);
        Some(known.map_or(variants.others, |(_, groups)| *groups))
    }
}

impl Engine {
    pub fn kind(&self, section: &str) -> Option<&'static Kind> {
        self.kinds.iter().find(|it| it.section == section)
    }
}
