//! `(( ))` in the scalars of a spec. `{{ }}` belongs to Vault and is left alone.
//!
//! - A scalar is a template if it has `((`, or a block such as `(% if x %)`. Comments are `(# #)`. Keys are plain.
//! - A scalar that is exactly one `(( expression ))` takes the value's own type: a number, true or false, a list, a map.
//! - Within text, numbers, `true` and `false` print as JSON has them (in `~` and `join` as minijinja has: `True`); null, lists and maps don't print and are
//!   mistakes: say `| default("…", true)`, `| join(",")` or `| tojson`.
//! - `env("X")` and `file("x")` are what the caller lets them be; `env("X", "y")` has a default.
//! - A literal `((` is `(( "((" ))`; brackets of SQL may also be written apart, `( (`.
//! - What comes from a secret variable is secret.

use std::{collections::HashSet, ffi::OsString, ops::Range, sync::Arc};

use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Value, ValueKind},
};

use crate::{
    nearest::nearest,
    node::{Key, Node, NodeValue},
    source::{Mistake, Place, Sources},
    vars::Vars,
};

/// What templates may read of the world.
pub trait Inputs: Send + Sync {
    fn env(&self, name: &str) -> Option<OsString>;

    /// The text of a file in the spec's folder, or why not: lowercase, no full stop.
    fn file(&self, path: &str) -> Result<String, String>;
}

/// Renders templates. One does for a whole spec.
pub struct Templates {
    engine: Environment<'static>,
}

/// What a scalar may grow to.
pub const MAX_RESULT_BYTES: usize = 1 << 20;

/// Instructions of a template and, each for 64, bytes that it makes.
const FUEL: u64 = 200_000;

impl Templates {
    pub fn new(inputs: Arc<dyn Inputs>) -> Templates {
        let mut engine = Environment::new();
        // It prints all variables, whichever are secret.
        engine.remove_global("debug");
        // In each build: its errors name what is undefined then.
        engine.set_debug(true);
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        engine.set_fuel(Some(FUEL));
        engine.set_formatter(print);
        engine.set_syntax(syntax());
        let files = inputs.clone();
        engine.add_function("env", move |name: &str, default: Option<Value>| {
            match (inputs.env(name), default) {
                (Some(it), _) => it.into_string().map(Value::from).map_err(|_| {
                    Trouble::error(
                        format!("the environment variable `{name}` is not UTF-8"),
                        "give it text".to_string(),
                    )
                }),
                (None, Some(default)) => Ok(default),
                (None, None) => Err(Trouble::error(
                    format!("the environment variable `{name}` isn't set"),
                    format!("set it, or give a default: `env(\"{name}\", \"…\")`"),
                )),
            }
        });
        engine.add_function("file", move |path: &str| {
            files.file(path).map(Value::from).map_err(|why| {
                Trouble::error(
                    format!("`{path}` can't be read: {why}"),
                    "name a file in the spec's folder".to_string(),
                )
            })
        });
        Templates { engine }
    }

    /// Renders every scalar of a tree in place. A scalar with a mistake stays as it was.
    pub fn render(&self, node: &mut Node, vars: &Vars, sources: &Sources) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        self.each(node, vars, sources, &mut mistakes);
        mistakes
    }

    fn each(&self, node: &mut Node, vars: &Vars, sources: &Sources, mistakes: &mut Vec<Mistake>) {
        match &mut node.value {
            NodeValue::List(it) => {
                it.iter_mut().for_each(|it| self.each(it, vars, sources, mistakes))
            }
            NodeValue::Map(it) => {
                for (key, it) in it {
                    mistakes.extend(key.text.contains("((").then(|| templated_key(key)));
                    self.each(it, vars, sources, mistakes);
                }
            }
            NodeValue::Text(text) if is_template(text) => {
                let scalar = Scalar { text, place: node.place, sources };
                match self.scalar(&scalar, vars) {
                    Ok((value, secret)) => {
                        let mut rendered = Node::from_json(node.place, value);
                        rendered.secret = node.secret;
                        if secret || node.secret {
                            rendered.make_secret();
                        }
                        *node = rendered;
                    }
                    Err(more) => mistakes.extend(more),
                }
            }
            _ => {}
        }
    }

    fn scalar(
        &self,
        scalar: &Scalar<'_>,
        vars: &Vars,
    ) -> Result<(serde_json::Value, bool), Vec<Mistake>> {
        let one = |it| vec![it];
        let compiled = self.compile(scalar.text).map_err(|it| one(scalar.syntax_mistake(&it)))?;
        let unknown: Vec<Mistake> = self
            .free(compiled.names())
            .filter(|it| vars.get(it).is_none())
            .map(|it| scalar.unknown(&it, vars))
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let secret = compiled.names().iter().any(|it| vars.is_secret(it));
        let value = compiled.value(vars);
        let value = value.map_err(|it| one(scalar.mistake(&it, compiled.offset(), vars)))?;
        if value.as_str().is_some_and(|it| it.len() > MAX_RESULT_BYTES) {
            return Err(one(scalar.too_long()));
        }
        Ok((value, secret))
    }

    /// The variables that a text refers to, functions such as `env` among them. None if it is no template.
    pub(crate) fn names(&self, text: &str) -> HashSet<String> {
        match is_template(text) {
            true => self.compile(text).map(|it| it.names()).unwrap_or_default(),
            false => HashSet::new(),
        }
    }

    /// Those of the names that no function has, in order.
    fn free(&self, names: HashSet<String>) -> impl Iterator<Item = String> + use<> {
        let functions: HashSet<&str> = self.engine.globals().map(|(it, _)| it).collect();
        let mut names: Vec<String> =
            names.into_iter().filter(|it| !functions.contains(it.as_str())).collect();
        names.sort();
        names.into_iter()
    }

    fn compile<'a>(&'a self, text: &'a str) -> Result<Compiled<'a>, Error> {
        let engine: &'a Environment<'a> = &self.engine;
        if let Some(inner) = text.strip_prefix("((").and_then(|it| it.strip_suffix("))"))
            && let Ok(it) = engine.compile_expression(inner)
        {
            return Ok(Compiled::Expression(it));
        }
        engine.template_from_str(text).map(Compiled::Text)
    }
}

fn templated_key(key: &Key) -> Mistake {
    Mistake::error(key.place, "a key can't be a template")
        .help("write the key out, or make the map around it a template of its own")
}

/// Whether a text is rendered at all.
pub fn is_template(text: &str) -> bool {
    let block = |at: usize| {
        let rest = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        let word = rest.split(|it: char| !it.is_ascii_lowercase()).next();
        word.is_some_and(|it| BLOCKS.contains(&it))
    };
    text.contains("((") || text.match_indices("(%").any(|(at, _)| block(at))
}

/// Words that begin a block. `(%` before anything else is text.
const BLOCKS: [&str; 6] = ["filter", "for", "if", "raw", "set", "with"];

enum Compiled<'a> {
    /// The whole scalar is one expression.
    Expression(minijinja::Expression<'a, 'a>),
    Text(minijinja::Template<'a, 'a>),
}

impl Compiled<'_> {
    fn names(&self) -> HashSet<String> {
        match self {
            Compiled::Expression(it) => it.undeclared_variables(false),
            Compiled::Text(it) => it.undeclared_variables(false),
        }
    }

    /// Where the compiled text begins in the scalar.
    fn offset(&self) -> usize {
        match self {
            Compiled::Expression(_) => 2,
            Compiled::Text(_) => 0,
        }
    }

    fn value(&self, vars: &Vars) -> Result<serde_json::Value, Error> {
        let it = match self {
            Compiled::Expression(it) => it.eval(vars.context())?,
            Compiled::Text(it) => return Ok(it.render(vars.context())?.into()),
        };
        if it.is_undefined() {
            return Err(Error::new(ErrorKind::UndefinedError, "there is no such value"));
        }
        let json = serde_json::to_value(&it);
        match json {
            Ok(json) if json.is_null() && !it.is_none() => Err(Error::new(
                ErrorKind::BadSerialization,
                "the result is no number that JSON has",
            )),
            Ok(json) => Ok(json),
            Err(_) => Err(Error::new(
                ErrorKind::BadSerialization,
                "the result is nothing that a spec can hold",
            )),
        }
    }
}

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .variable_delimiters("((", "))")
        .block_delimiters("(%", "%)")
        .comment_delimiters("(#", "#)")
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters differ")
}

/// How a value prints within text.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let trouble = |what: &str, help: &str| {
        Err(Trouble::error(format!("{what} can't be part of a text"), help.to_string()))
    };
    match value.kind() {
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        ValueKind::None => trouble("null", "say what stands for it: `| default(\"…\", true)`"),
        ValueKind::Seq | ValueKind::Iterable => {
            trouble("a list", "join it, `| join(\",\")`, or print it as JSON, `| tojson`")
        }
        ValueKind::Map => {
            trouble("a map", "name one of its values, or print it as JSON, `| tojson`")
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// What a function has to say about its failure.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Trouble {
    message: String,
    help: String,
}

impl Trouble {
    fn error(message: String, help: String) -> Error {
        Error::new(ErrorKind::InvalidOperation, "").with_source(Trouble { message, help })
    }
}

/// A scalar and where it stands.
struct Scalar<'a> {
    text: &'a str,
    place: Place,
    sources: &'a Sources,
}

impl Scalar<'_> {
    fn unknown(&self, name: &str, vars: &Vars) -> Mistake {
        let at = find_name(self.text, name);
        let place = at.map_or(self.place, |at| self.at(at..at + name.len()));
        let help = match nearest(name, vars.names()) {
            Some(it) => format!("did you mean `{it}`?"),
            None => format!("declare it under `vars`; a literal `((` is {LITERAL}, or `( (`"),
        };
        Mistake::error(place, format!("no variable is called `{name}`")).help(help)
    }

    fn syntax_mistake(&self, error: &Error) -> Mistake {
        let what = error.detail().unwrap_or("it can't be read");
        let range = error.range().unwrap_or(0..0);
        Mistake::error(self.at(range), format!("this isn't a template: {what}"))
            .help(format!("a template is `(( name ))`; a literal `((` is {LITERAL}, or `( (`"))
    }

    /// A failure while it ran. Values in it are masked.
    fn mistake(&self, error: &Error, offset: usize, vars: &Vars) -> Mistake {
        let range = error.range().map(|it| it.start + offset..it.end + offset);
        let place = self.at(range.unwrap_or(0..self.text.len()));
        let trouble = std::error::Error::source(error).and_then(|it| it.downcast_ref::<Trouble>());
        if let Some(it) = trouble {
            let [message, help] =
                [&it.message, &it.help].map(|it| vars.redactor().mask(it).into_owned());
            return Mistake::error(place, message).help(help);
        }
        let detail = error.detail().map(|it| vars.redactor().mask(it).into_owned());
        let (message, help) = match error.kind() {
            ErrorKind::OutOfFuel => ("this takes too long".to_string(), "make it simpler"),
            ErrorKind::UndefinedError => (
                detail.unwrap_or("there is no such value".to_string()),
                "name one that is there, or give a default: `| default(\"…\")`",
            ),
            kind => (detail.unwrap_or(kind.to_string()), "mend the expression"),
        };
        Mistake::error(place, message).help(help)
    }

    fn too_long(&self) -> Mistake {
        let limit = MAX_RESULT_BYTES >> 20;
        Mistake::error(self.place, format!("the text grows to more than {limit} MiB"))
            .help("make it shorter")
    }

    /// The place of some bytes of the text.
    fn at(&self, range: Range<usize>) -> Place {
        let before = self.text.get(..range.start.min(self.text.len())).unwrap_or_default();
        let opened = before.rfind("((").max(before.rfind("(%"));
        let anchor = opened.or_else(|| self.text.find("((")).unwrap_or(0);
        match range.is_empty() {
            true => self.sources.within(self.place, self.text, anchor, anchor..anchor + 2),
            false => self.sources.within(self.place, self.text, anchor, range),
        }
    }
}

const LITERAL: &str = "`(( \"((\" ))`";

/// Where a template says a name: a word of its own, not a field, not in quotes.
fn find_name(text: &str, name: &str) -> Option<usize> {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let open = at + rest.find("((").into_iter().chain(rest.find("(%")).min()? + 2;
        let mut quote = None;
        let mut before = ' ';
        for (offset, it) in text[open..].char_indices() {
            let here = open + offset;
            at = here + it.len_utf8();
            match quote {
                Some(open) if open == it => quote = None,
                Some(_) => {}
                None if it == '"' || it == '\'' => quote = Some(it),
                None if text[here..].starts_with("))") || text[here..].starts_with("%)") => break,
                None => {
                    let after = text[here..].strip_prefix(name);
                    let whole = after.is_some_and(|it| !it.starts_with(is_word));
                    if whole && !is_word(before) && before != '.' {
                        return Some(here);
                    }
                }
            }
            before = it;
        }
    }
}
