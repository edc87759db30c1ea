//! Variables of a spec: what it declares, and the values they have in a run.

mod resolve;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fmt,
    sync::OnceLock,
};

use minijinja::value::Serde;
use serde_json::Value;

use crate::{
    excerpt::MASK,
    nearest::nearest,
    node::{Key, Node, NodeValue},
    redact::Redactor,
    source::{Mistake, Place, Sources},
    template::is_template,
};

pub use resolve::resolve;

/// A variable as `vars` of a spec declares it.
#[derive(Clone, Debug)]
pub struct Declared {
    pub name: String,
    pub place: Place,
    /// Rendered when variables are resolved: it may use `env()`, `file()` and other variables.
    pub default: Option<Node>,
    pub secret: bool,
    pub description: Option<String>,
}

/// What a run is given. The first that has a value wins, in this order.
pub struct Given<'a> {
    /// `--var name=value`, the later the stronger. Plain data, as all but the environment.
    pub flags: Vec<(String, String)>,
    /// `--var-file`, the later the stronger: maps from name to value.
    pub files: Vec<Node>,
    /// `VAULTWRIGHT_VAR_NAME`.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// `environments/<name>.yaml`: a map from name to value. A part of the spec, so it may hold templates.
    pub environment: Option<Node>,
}

/// Every variable with its value. `Debug` shows no secret one.
#[derive(Clone, Default)]
pub struct Vars {
    /// `None` while it isn't known yet.
    values: BTreeMap<String, Option<Var>>,
    context: OnceLock<minijinja::Value>,
    redactor: Redactor,
}

#[derive(Clone)]
struct Var {
    value: Value,
    secret: bool,
}

/// What a secret is whose value is not known.
pub const STAND_IN: &str = "not-yet-known";

/// The same variables, with a default for each secret that has none.
pub fn stand_ins(declared: &[Declared]) -> Vec<Declared> {
    let unknown = |place| Node::from_json(place, STAND_IN.into());
    let one = |it: &Declared| {
        let default = it.default.clone();
        let default = default.or_else(|| it.secret.then(|| unknown(it.place)));
        Declared { default, ..it.clone() }
    };
    declared.iter().map(one).collect()
}

/// The environment variable that gives a variable its value.
pub fn env_name(name: &str) -> String {
    format!("VAULTWRIGHT_VAR_{}", name.replace('-', "_").to_uppercase())
}

/// What stands under `vars`: `name: default`, or `name: { default, secret, description }`.
pub fn declared(vars: &Node, sources: &mut Sources) -> (Vec<Declared>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let entries = match &vars.value {
        NodeValue::Null => &[][..],
        NodeValue::Map(it) => it,
        _ => {
            let help = "write each as `name: default`, or `name: { default: …, secret: true }`";
            return (Vec::new(), vec![vars.should_be("`vars`", "a map").help(help)]);
        }
    };
    let mut declared: Vec<Declared> = Vec::new();
    let mut env_names: HashMap<String, Place> = HashMap::new();
    for (key, said) in entries {
        mistakes.extend(name_mistake(key));
        if let Some(first) = env_names.insert(env_name(&key.text), key.place) {
            mistakes.push(
                Mistake::error(
                    key.place,
                    format!("`{}` differs from another variable by case alone", key.text),
                )
                .help(format!("call them differently: `{}` would be both", env_name(&key.text)))
                .also(first, "the other"),
            );
        }
        let (one, more) = declare(key, said);
        mistakes.extend(more);
        mistakes.extend(secret_in_spec(&one, sources));
        declared.push(one);
    }
    (declared, mistakes)
}

/// Keys of a declaration.
const KEYS: [&str; 3] = ["default", "secret", "description"];

/// Words of the template language, and functions that a variable would cover.
const TAKEN: [&str; 21] = [
    "and",
    "dict",
    "else",
    "env",
    "false",
    "False",
    "file",
    "if",
    "in",
    "is",
    "loop",
    "namespace",
    "none",
    "None",
    "not",
    "or",
    "range",
    "self",
    "super",
    "true",
    "True",
];

fn name_mistake(key: &Key) -> Option<Mistake> {
    let name = &*key.text;
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_';
    let plain =
        name.starts_with(is_letter) && name.chars().all(|it| is_letter(it) || it.is_ascii_digit());
    if !plain {
        let help = match name.contains('-') {
            true => format!("call it `{}`: in a template `-` subtracts", name.replace('-', "_")),
            false => "use letters, digits and `_`, and begin with a letter".to_string(),
        };
        return Some(
            Mistake::error(key.place, format!("`{name}` is no name for a variable")).help(help),
        );
    }
    TAKEN.contains(&name).then(|| {
        Mistake::error(key.place, format!("`{name}` means something else in a template"))
            .help("call the variable something else")
    })
}

fn declare(key: &Key, said: &Node) -> (Declared, Vec<Mistake>) {
    let name = key.text.to_string();
    let mut mistakes = Vec::new();
    let mut one =
        Declared { name, place: key.place, default: None, secret: false, description: None };
    let NodeValue::Map(entries) = &said.value else {
        one.default = (!said.is_null()).then(|| said.clone());
        return (one, mistakes);
    };
    for (key, it) in entries {
        match (&*key.text, &it.value) {
            ("default", _) => one.default = Some(it.clone()),
            ("secret", NodeValue::Bool(yes)) => one.secret = *yes,
            ("secret", _) => mistakes.push(it.should_be("`secret`", "true or false")),
            ("description", NodeValue::Text(text)) => one.description = Some(text.clone()),
            ("description", _) => mistakes.push(it.should_be("`description`", "text")),
            (other, _) => mistakes.push(
                Mistake::error(key.place, format!("a variable has no `{other}`")).help(
                    match nearest(other, KEYS) {
                        Some(it) => format!("did you mean `{it}`?"),
                        None => "a map as a default goes under `default`".to_string(),
                    },
                ),
            ),
        }
    }
    if let (true, Some(default)) = (one.secret, &mut one.default) {
        default.make_secret();
    }
    (one, mistakes)
}

/// A default that says a secret, and doesn't say where to get it.
fn secret_in_spec(one: &Declared, sources: &mut Sources) -> Option<Mistake> {
    let default = one.default.as_ref().filter(|it| one.secret && says_literally(it))?;
    sources.hide(default.place);
    let env = env_name(&one.name);
    Some(
        Mistake::error(default.place, format!("`{}` is secret, and its value stands in the spec", one.name))
            .help(format!("leave the default out and give it by {env} or --var-file, or take it from `(( env(\"…\") ))`")),
    )
}

fn says_literally(node: &Node) -> bool {
    match &node.value {
        NodeValue::Null => false,
        NodeValue::Text(it) => !it.is_empty() && !is_template(it),
        NodeValue::Bool(_) | NodeValue::Number(_) => true,
        NodeValue::List(it) => it.iter().any(says_literally),
        NodeValue::Map(it) => it.iter().any(|(_, it)| says_literally(it)),
    }
}

impl Vars {
    /// A variable's value. `None` if there is no such variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        Some(&self.values.get(name)?.as_ref()?.value)
    }

    /// Whether a value must not be shown: its variable is secret, or one that it was made from.
    pub fn is_secret(&self, name: &str) -> bool {
        self.values.get(name).and_then(Option::as_ref).is_some_and(|it| it.secret)
    }

    /// All names that are declared.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Knows all secret values.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// With one more, that isn't of a spec: what a ground knows of its servers.
    pub fn with(mut self, name: &str, value: Value, secret: bool) -> Vars {
        if secret {
            self.redactor.add_value(&value);
        }
        self.set(name, Var { value, secret });
        self
    }

    /// What templates see.
    pub(crate) fn context(&self) -> minijinja::Value {
        let value = |it: &Var| minijinja::Value::from(Serde(&it.value));
        let known =
            || self.values.iter().filter_map(|(name, it)| Some((name.clone(), it.as_ref()?)));
        let all = || minijinja::Value::from_pairs(known().map(|(name, it)| (name, value(it))));
        self.context.get_or_init(all).clone()
    }

    fn set(&mut self, name: &str, var: Var) {
        self.values.insert(name.to_string(), Some(var));
        self.context = OnceLock::new();
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().map(|(name, it)| match it {
            Some(it) if !it.secret => (name, it.value.to_string()),
            _ => (name, MASK.to_string()),
        });
        f.debug_map().entries(shown).finish()
    }
}
