//! `ground.yaml` of a spec: which servers its far sides are, and what of them its variables are bound to.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use vault_model::mistakes::Mistakes;
use vault_model::nearest::nearest;
use vault_model::node::{Key, Node};
use vault_model::source::{Mistake, Place, Sources};
use vault_model::template::{Inputs, Templates};
use vault_model::vars::{Declared, Given, Vars, resolve};
use vault_model::yaml;
use vault_provision::ReadError;

use super::error::{Error, Result};
use super::far::{FAR_SIDES, FarSide, ServerOptions};
use super::vault_config::{Mode, Seal, VaultOptions};

/// What a spec needs around it, for one environment. Without a `ground.yaml`: a dev server and nothing else.
#[derive(Clone, Debug, Default)]
pub struct GroundSpec {
    pub vault: VaultOptions,
    /// In the order of the text.
    pub servers: Vec<(String, ServerOptions)>,
    /// Those that are not started: what is bound to them is made up.
    absent: Vec<(String, ServerOptions)>,
    vars: Option<Node>,
    sources: Arc<Sources>,
}

pub const FILE: &str = "ground.yaml";

const TOP: [&str; 4] = ["vault", "servers", "vars", "environments"];
const IN_ENVIRONMENT: [&str; 2] = ["vault", "vars"];
const VAULT: [&str; 5] = ["mode", "tls", "audit", "seal", "config"];

impl GroundSpec {
    /// Of a spec's folder. What is wrong comes all at once, with lines.
    pub fn read(folder: &Path, environment: Option<&str>) -> Result<Self> {
        let path = folder.join(FILE);
        let file = match vault_provision::read(&path) {
            Ok(file) => file,
            Err(ReadError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::Spec(error.to_string())),
        };
        let mut sources = Sources::default();
        let mut reader = Reader { folder, mistakes: Vec::new() };
        let spec = match yaml::read(&mut sources, file.name, &file.bytes) {
            Ok(root) => reader.ground(root, environment),
            Err(mistakes) => {
                reader.mistakes = mistakes;
                Self::default()
            }
        };
        let mut spec = Self { sources: Arc::new(sources), ..spec };
        if reader.mistakes.is_empty() {
            // With stand-ins for addresses: an unknown name is found before anything is started.
            reader.mistakes = spec.render(spec.known(None)).err().unwrap_or_default();
        }
        match reader.mistakes.is_empty() {
            true => Ok(spec),
            false => Err(spec.wrong(std::mem::take(&mut reader.mistakes))),
        }
    }

    /// Names and values for the spec's variables before any server runs: addresses and passwords are made up.
    pub fn stand_ins(&self) -> Result<Vec<(String, Value)>> {
        self.clone().vars(self.known(None))
    }

    /// The same, but that the address and the logins of one server are others.
    pub fn other_stand_ins(&self, server: &str) -> Result<Vec<(String, Value)>> {
        self.clone().vars(self.known(Some(server)))
    }

    /// Only these of its servers are started.
    pub fn with_only(mut self, names: &[&str]) -> Result<Self> {
        if let Some(name) = names.iter().find(|name| self.servers.iter().all(|it| it.0 != **name)) {
            return Err(Error::Spec(format!("{FILE} has no server `{name}`")));
        }
        let is_started = |(name, _): &(String, ServerOptions)| names.contains(&&**name);
        let (started, absent) = self.servers.into_iter().partition(is_started);
        (self.servers, self.absent) = (started, absent);
        Ok(self)
    }

    fn known(&self, other: Option<&str>) -> Vec<(String, Value)> {
        let stand_in = |(name, options): &(String, ServerOptions)| {
            let stood_in = if other == Some(name) { OTHER } else { SOME };
            (name.clone(), stand_in(options, stood_in))
        };
        let vault = meaning_of_vault("http://127.0.0.1:8200", "/vault/logs", "");
        let servers = self.servers.iter().map(stand_in).chain(self.of_absent());
        servers.chain([(VAULT_NAME.to_owned(), vault)]).collect()
    }

    /// What the names of servers mean that are not started.
    pub(super) fn of_absent(&self) -> impl Iterator<Item = (String, Value)> {
        self.absent.iter().map(|(name, options)| (name.clone(), stand_in(options, SOME)))
    }

    /// Names and values for the spec's variables. `known`: what each server's name means in a template.
    pub(super) fn vars(&mut self, known: Vec<(String, Value)>) -> Result<Vec<(String, Value)>> {
        self.render(known).map_err(|mistakes| self.wrong(mistakes))
    }

    fn render(
        &mut self,
        known: Vec<(String, Value)>,
    ) -> std::result::Result<Vec<(String, Value)>, Vec<Mistake>> {
        let Some(mut vars) = self.vars.clone() else { return Ok(Vec::new()) };
        let mut sources = (*self.sources).clone();
        let templates = Templates::new(Arc::new(Nothing));
        let known = meanings(known, vars.place, &templates, &mut sources)?;
        let mistakes = templates.render(&mut vars, &known, &sources);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let entries = vars.as_map().unwrap_or_default();
        Ok(entries.iter().map(|(name, value)| (name.text.to_string(), value.to_json())).collect())
    }

    fn wrong(&self, mistakes: Vec<Mistake>) -> Error {
        let text = mistakes.into_iter().collect::<Mistakes>().render(&self.sources, false);
        Error::Spec(text.trim_end().to_owned())
    }
}

/// What `demo.address` and the like are. A server's name is not declared in the file's `vars`: it is given.
pub(super) fn meaning(
    address: &str,
    from_here: &str,
    options: &ServerOptions,
    password: &str,
    given: impl Fn(&'static str) -> String,
) -> Value {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let mut meaning = json!({
        "address": address,
        "host": host,
        "port": port,
        "address_from_here": from_here,
        "database": options.database,
        "admin_user": options.admin_user,
        "admin_password": password,
    });
    for name in options.side.gives {
        meaning[name] = given(name).into();
    }
    meaning
}

/// What `vault.address` and the like are: what a spec says of the Vault that it describes.
pub(super) fn meaning_of_vault(address: &str, folder: &str, ca_certificate: &str) -> Value {
    json!({ "address": address, "folder": folder, "ca_certificate": ca_certificate })
}

pub(super) const VAULT_NAME: &str = "vault";

/// Host, and whatever else is not known before a server runs.
type StandIn = (&'static str, &'static str);

const SOME: StandIn = ("127.0.0.1", "not yet known");
const OTHER: StandIn = ("127.0.0.2", "not yet known either");

fn stand_in(options: &ServerOptions, (host, unknown): StandIn) -> Value {
    let address = format!("{host}:{}", options.side.port);
    meaning(&address, &address, options, unknown, |_| unknown.to_owned())
}

fn meanings(
    known: Vec<(String, Value)>,
    place: Place,
    templates: &Templates,
    sources: &mut Sources,
) -> std::result::Result<Vars, Vec<Mistake>> {
    let declared: Vec<Declared> = known
        .iter()
        // A password is among what a name means.
        .map(|(name, _)| Declared {
            name: name.clone(),
            place,
            default: None,
            secret: true,
            description: None,
        })
        .collect();
    // As a file of values: plain data, in which nothing is a template.
    let values = Node::from_json(place, Value::Object(known.into_iter().collect()));
    let given = Given { flags: Vec::new(), files: vec![values], env: &|_| None, environment: None };
    resolve(&declared, given, templates, sources)
}

/// A ground depends on nothing but its own file.
struct Nothing;

impl Inputs for Nothing {
    fn env(&self, _: &str) -> Option<OsString> {
        None
    }

    fn file(&self, _: &str) -> std::result::Result<String, String> {
        Err("a ground reads no files into its variables".into())
    }
}

struct Reader<'a> {
    folder: &'a Path,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn ground(&mut self, mut root: Node, environment: Option<&str>) -> GroundSpec {
        let mut spec = GroundSpec::default();
        self.keys(&root, FILE, &TOP);
        if let Some((_, vault)) = root.take("vault") {
            self.vault(&vault, &mut spec.vault);
        }
        if let Some((_, servers)) = root.take("servers") {
            for (name, server) in self.map(&servers, "`servers`") {
                self.name(name);
                spec.servers.extend(self.server(name, server));
            }
        }
        spec.vars = root.take("vars").map(|(_, vars)| vars);
        if let Some(vars) = &spec.vars {
            self.map(vars, "`vars`");
        }
        let Some((_, environments)) = root.take("environments") else { return spec };
        for (name, said) in self.map(&environments, "`environments`") {
            self.keys(said, &format!("environment `{}`", name.text), &IN_ENVIRONMENT);
            // Read in any case, so that a mistake is found whichever environment is asked for.
            let mut vault = spec.vault.clone();
            said.get("vault").inspect(|of_vault| self.vault(of_vault, &mut vault));
            if environment == Some(&name.text) {
                spec.vault = vault;
                spec.vars = said.get("vars").cloned().or(spec.vars.take());
            }
        }
        spec
    }

    fn vault(&mut self, said: &Node, options: &mut VaultOptions) {
        self.keys(said, "`vault`", &VAULT);
        if let Some(mode) = said.get("mode") {
            match mode.as_text() {
                Some("dev") => options.mode = Mode::Dev,
                Some("raft") => options.mode = Mode::Raft,
                _ => self.mistakes.push(mode.should_be("`mode`", "`dev` or `raft`")),
            }
        }
        if let Some(seal) = said.get("seal") {
            match seal.as_text() {
                Some("shamir") => options.seal = Seal::Shamir,
                Some("transit") => options.seal = Seal::Transit,
                _ => self.mistakes.push(seal.should_be("`seal`", "`shamir` or `transit`")),
            }
        }
        for (name, flag) in [("tls", &mut options.tls), ("audit", &mut options.audit)] {
            self.flag(said, name, flag);
        }
        self.text(said, "config", &mut options.config);
    }

    fn server(&mut self, name: &Key, said: &Node) -> Option<(String, ServerOptions)> {
        let what = format!("server `{}`", name.text);
        let sides = FAR_SIDES.iter().filter_map(|side| Some((*side, said.get(side.word)?)));
        let (side, version) = match sides.collect::<Vec<_>>()[..] {
            [one] => one,
            [] => {
                self.keys(said, &what, &all_keys());
                let mistake = Mistake::error(said.place, format!("{what} doesn't say what it is"));
                self.mistakes.push(mistake.help(format!("say one of {}", examples())));
                return None;
            }
            [(one, _), (other, second), ..] => {
                let (one, other) = (one.word, other.word);
                let message = format!("{what} is said to be `{one}` and `{other}`");
                let mistake = Mistake::error(second.place, message);
                self.mistakes.push(mistake.help("make it two servers"));
                return None;
            }
        };
        let known: Vec<&str> = [side.word].iter().chain(side.keys).copied().collect();
        self.keys(said, &what, &known);
        let mut options = ServerOptions::of(side);
        options.version = self.version(side, version)?;
        self.text(said, "database", &mut options.database);
        self.text(said, "admin_user", &mut options.admin_user);
        self.flag(said, "admin_superuser", &mut options.admin_is_superuser);
        options.init = said.get("init").and_then(|init| self.init(init));
        Some((name.text.to_string(), options))
    }

    fn version(&mut self, side: &FarSide, said: &Node) -> Option<String> {
        let is_version =
            |text: &&str| text.starts_with(|it: char| it.is_ascii_digit()) && is_dotted(text);
        let number = said.as_number().and_then(|number| number.as_u64());
        match (said.as_text().filter(is_version), number) {
            (Some(text), _) => Some(text.to_owned()),
            (_, Some(number)) => Some(number.to_string()),
            _ => {
                let wanted = format!("a version such as \"{}\"", side.version);
                self.mistakes.push(said.should_be(&format!("`{}`", side.word), &wanted));
                None
            }
        }
    }

    /// The text of a file in the spec's folder.
    fn init(&mut self, said: &Node) -> Option<String> {
        let Some(file) = said.as_text() else {
            self.mistakes.push(said.should_be("`init`", "a file in the spec's folder"));
            return None;
        };
        let path = self.folder.join(file);
        let is_outside = |path: PathBuf| Ok(!path.starts_with(self.folder.canonicalize()?));
        let text = match path.canonicalize().and_then(is_outside) {
            Ok(true) => Err("it is not in the spec's folder".to_owned()),
            Ok(false) => vault_provision::read_text(&path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let mistake =
            |error| Mistake::error(said.place, format!("`{file}` can't be read: {error}"));
        text.map_err(|error| self.mistakes.push(mistake(error))).ok()
    }

    fn flag(&mut self, said: &Node, name: &str, value: &mut bool) {
        let Some(node) = said.get(name) else { return };
        match node.as_bool() {
            Some(said) => *value = said,
            None => self.mistakes.push(node.should_be(&format!("`{name}`"), "true or false")),
        }
    }

    fn text(&mut self, said: &Node, name: &str, value: &mut String) {
        let Some(node) = said.get(name) else { return };
        match node.as_text() {
            Some(said) => *value = said.to_owned(),
            None => self.mistakes.push(node.should_be(&format!("`{name}`"), "text")),
        }
    }

    fn map<'n>(&mut self, said: &'n Node, what: &str) -> &'n [(Key, Node)] {
        if !said.is_null() && said.as_map().is_none() {
            self.mistakes.push(said.should_be(what, "a map"));
        }
        said.as_map().unwrap_or_default()
    }

    fn keys(&mut self, said: &Node, what: &str, known: &[&str]) {
        for (key, _) in self.map(said, what) {
            if !known.contains(&&*key.text) {
                let help = match nearest(&key.text, known.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("there are {}", known.join(", ")),
                };
                let message = format!("{what} has no key `{}`", key.text);
                self.mistakes.push(Mistake::error(key.place, message).help(help));
            }
        }
    }

    /// A name that a template can say.
    fn name(&mut self, key: &Key) {
        let mut letters = key.text.chars();
        let is_name = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !is_name {
            let mistake = Mistake::error(
                key.place,
                format!("server `{}` can't be named in a template", key.text),
            );
            self.mistakes.push(mistake.help("use letters, digits and `_`"));
        } else if &*key.text == VAULT_NAME {
            let message = "a server can't be called `vault`: that is the Vault itself";
            self.mistakes.push(Mistake::error(key.place, message).help("call it something else"));
        }
    }
}

/// Of any server.
fn all_keys() -> Vec<&'static str> {
    let keys =
        FAR_SIDES.iter().flat_map(|side| [side.word].into_iter().chain(side.keys.iter().copied()));
    let mut all: Vec<&str> = Vec::new();
    keys.for_each(|key| all.extend((!all.contains(&key)).then_some(key)));
    all
}

fn examples() -> String {
    let one = |side: &&FarSide| format!("`{}: \"{}\"`", side.word, side.version);
    FAR_SIDES.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn is_dotted(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests;
