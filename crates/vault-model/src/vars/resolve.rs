//! From what is declared and given to values.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Declared, Given, Var, Vars, env_name, says_literally};
use crate::{
    nearest::nearest,
    node::{Node, NodeValue},
    source::{Mistake, Place, Sources},
    template::{Templates, is_template},
    yaml,
};

/// The values of a run, or all that is wrong with them.
pub fn resolve(
    declared: &[Declared],
    given: Given<'_>,
    templates: &Templates,
    sources: &mut Sources,
) -> Result<Vars, Vec<Mistake>> {
    hide(declared, &given, sources);
    let mut mistakes = unknown(declared, &given);
    let mut pending = BTreeMap::new();
    for one in declared {
        match choose(one, &given) {
            Ok(it) => {
                pending.insert(one.name.as_str(), it);
            }
            Err(it) => mistakes.push(it),
        }
    }
    let mut vars = Vars::default();
    vars.values.extend(declared.iter().map(|it| (it.name.clone(), None)));
    let mut resolving = Resolving { declared, templates, sources, vars, mistakes };
    resolving.all(pending);
    match resolving.mistakes.is_empty() {
        true => Ok(resolving.vars),
        false => Err(resolving.mistakes),
    }
}

/// A value as it was given, and whether the spec says it, so that it may hold templates.
struct Chosen {
    node: Node,
    of_spec: bool,
}

/// Hides all values in files that are secret or, under a name that no variable has, may be meant to be. One that only
/// says where to get it may be seen.
fn hide(declared: &[Declared], given: &Given<'_>, sources: &mut Sources) {
    let open: HashSet<&str> =
        declared.iter().filter(|it| !it.secret).map(|it| it.name.as_str()).collect();
    for root in given.files.iter().chain(&given.environment) {
        match root.as_map() {
            Some(entries) => entries
                .iter()
                .filter(|(key, it)| !open.contains(&*key.text) && says_literally(it))
                .for_each(|(_, it)| sources.hide(it.place)),
            None => sources.hide(root.place),
        }
    }
}

/// Names that are given and that no variable has.
fn unknown(declared: &[Declared], given: &Given<'_>) -> Vec<Mistake> {
    let names: HashSet<&str> = declared.iter().map(|it| it.name.as_str()).collect();
    let mut mistakes = Vec::new();
    let mut check = |name: &str, place: Option<Place>| {
        if !names.contains(name) {
            let said = if place.is_some() { "" } else { "--var: " };
            let help = match nearest(name, declared.iter().map(|it| it.name.as_str())) {
                Some(it) => format!("did you mean `{it}`?"),
                None => "declare it under `vars`, or leave it out".to_string(),
            };
            let message = format!("{said}the spec has no variable `{name}`");
            mistakes.push(Mistake::error(place, message).help(help));
        }
    };
    given.flags.iter().for_each(|(name, _)| check(name, None));
    let maps = given.files.iter().chain(&given.environment);
    for (key, _) in maps.clone().flat_map(|it| it.as_map().unwrap_or_default()) {
        check(&key.text, Some(key.place));
    }
    mistakes.extend(maps.filter(|it| it.as_map().is_none() && !it.is_null()).map(|it| {
        it.should_be("a file of variables", "a map").help("write each as `name: value`")
    }));
    mistakes
}

/// The value that wins.
fn choose(one: &Declared, given: &Given<'_>) -> Result<Chosen, Mistake> {
    let text = |it: &str| Node::new(Place::default(), NodeValue::Text(it.to_string()));
    let flag = given.flags.iter().rev().find(|(name, _)| *name == one.name);
    if let Some((_, it)) = flag {
        return one.fit(text(it), &format!("--var {}", one.name), None).map(Chosen::data);
    }
    if let Some(it) = given.files.iter().rev().find_map(|it| it.get(&one.name)) {
        return one.fit(it.clone(), &format!("`{}`", one.name), Some(it.place)).map(Chosen::data);
    }
    let variable = env_name(&one.name);
    if let Some(it) = (given.env)(&variable) {
        let it = it.into_string().map_err(|_| {
            Mistake::error(None, format!("{variable} is not UTF-8")).help("give it text")
        })?;
        return one.fit(text(&it), &variable, None).map(Chosen::data);
    }
    if let Some(it) = given.environment.as_ref().and_then(|it| it.get(&one.name)) {
        let fits = match it.as_text() {
            Some(text) if is_template(text) => it.clone(),
            _ => one.fit(it.clone(), &format!("`{}`", one.name), Some(it.place))?,
        };
        return Ok(Chosen { node: fits, of_spec: true });
    }
    match &one.default {
        Some(it) => Ok(Chosen { node: it.clone(), of_spec: true }),
        None => Err(one.missing()),
    }
}

impl Chosen {
    fn data(node: Node) -> Chosen {
        Chosen { node, of_spec: false }
    }
}

impl Declared {
    /// The given value as what the default is: text from a command line becomes a number where the default is one.
    fn fit(&self, given: Node, said: &str, place: Option<Place>) -> Result<Node, Mistake> {
        let Some(default) = &self.default else { return Ok(given) };
        let computed = default.as_text().is_some_and(is_template) || default.is_null();
        if computed || default.kind_name() == given.kind_name() {
            return Ok(given);
        }
        let place_of_value = given.place;
        let fitted = match (&default.value, given.value) {
            (NodeValue::Text(_), NodeValue::Number(it)) => Some(NodeValue::Text(it.to_string())),
            (NodeValue::Text(_), NodeValue::Bool(it)) => Some(NodeValue::Text(it.to_string())),
            (_, NodeValue::Text(it)) if place.is_none() => {
                yaml::parse_scalar(Place::default(), &it).ok().map(|it| it.value)
            }
            (_, other) => Some(other),
        };
        let fitted = Node::new(place_of_value, fitted.unwrap_or(NodeValue::Null));
        match fitted.kind_name() == default.kind_name() {
            true => Ok(fitted),
            false => Err(Mistake::error(
                place,
                format!("{said} should be {}, not {}", default.kind_name(), fitted.kind_name()),
            )
            .help("give what the default is")
            .also(default.place, "the default")),
        }
    }

    fn missing(&self) -> Mistake {
        let env = env_name(&self.name);
        let help = match self.secret {
            true => format!("give it by {env}, --var-file or environments/<name>.yaml"),
            false => format!(
                "give it by --var {}=…, {env}, --var-file, environments/<name>.yaml or a default",
                self.name
            ),
        };
        let about = self.description.as_ref().map_or(String::new(), |it| format!(" ({it})"));
        Mistake::error(self.place, format!("the variable `{}`{about} has no value", self.name))
            .help(help)
    }
}

struct Resolving<'a> {
    declared: &'a [Declared],
    templates: &'a Templates,
    sources: &'a mut Sources,
    vars: Vars,
    mistakes: Vec<Mistake>,
}

impl<'a> Resolving<'a> {
    /// Each after those that it refers to.
    fn all(&mut self, pending: BTreeMap<&'a str, Chosen>) {
        let declared: HashMap<&str, &Declared> =
            self.declared.iter().map(|it| (it.name.as_str(), it)).collect();
        let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, chosen) in &pending {
            let mut names = HashSet::new();
            if chosen.of_spec {
                names_in(&chosen.node, self.templates, &mut names);
            }
            let mut names: Vec<&str> = names
                .iter()
                .filter_map(|it| Some(declared.get(it.as_str())?.name.as_str()))
                .collect();
            names.sort();
            needs.insert(name, names);
        }
        let (order, cycle) = order(&needs);
        let mut pending = pending;
        for name in order {
            let ready = needs[name].iter().all(|it| self.vars.get(it).is_some());
            if let (true, Some(it), Some(one)) = (ready, pending.remove(name), declared.get(name)) {
                self.one(one, it);
            }
        }
        if let Some(one) = cycle.first().and_then(|it| declared.get(it)) {
            let names: Vec<String> = cycle.iter().map(|it| format!("`{it}`")).collect();
            let place = pending.get(one.name.as_str()).map_or(one.place, |it| it.node.place);
            self.mistakes.push(
                Mistake::error(place, format!("variables need each other: {}", names.join(" → ")))
                    .help("give one of them a value of its own"),
            );
        }
    }

    fn one(&mut self, one: &Declared, chosen: Chosen) {
        let mut node = chosen.node;
        if chosen.of_spec {
            let mistakes = self.templates.render(&mut node, &self.vars, self.sources);
            if !mistakes.is_empty() {
                return self.mistakes.extend(mistakes);
            }
        }
        let secret = one.secret || node.holds_secret();
        let value = node.into_json();
        if secret {
            self.vars.redactor.add_value(&value);
        }
        self.vars.set(&one.name, Var { value, secret });
    }
}

fn names_in(node: &Node, templates: &Templates, names: &mut HashSet<String>) {
    match &node.value {
        NodeValue::Text(it) => names.extend(templates.names(it)),
        NodeValue::List(it) => it.iter().for_each(|it| names_in(it, templates, names)),
        NodeValue::Map(it) => it.iter().for_each(|(_, it)| names_in(it, templates, names)),
        _ => {}
    }
}

/// Names after those that they need, and one cycle, closed, if there is any. What needs something that isn't there
/// comes too.
fn order<'a>(needs: &BTreeMap<&'a str, Vec<&'a str>>) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    let mut needed_by: HashMap<&str, Vec<&'a str>> = HashMap::new();
    for (name, all) in needs {
        let there: Vec<&&str> = all.iter().filter(|it| needs.contains_key(**it)).collect();
        waits.insert(name, there.len());
        there.into_iter().for_each(|it| needed_by.entry(it).or_default().push(name));
    }
    let mut order: Vec<&'a str> = needs.keys().copied().filter(|it| waits[it] == 0).collect();
    let mut at = 0;
    while let Some(name) = order.get(at).copied() {
        at += 1;
        for next in needed_by.remove(name).unwrap_or_default() {
            let left = waits.entry(next).or_default();
            *left -= 1;
            if *left == 0 {
                order.push(next);
            }
        }
    }
    let stuck = |it: &&&'a str| waits.get(**it).is_some_and(|left| *left > 0);
    let mut walk: Vec<&'a str> = needs.keys().find(|it| stuck(it)).copied().into_iter().collect();
    while let Some(last) = walk.last() {
        let Some(next) = needs[last].iter().find(|it| stuck(it)).copied() else { break };
        if let Some(at) = walk.iter().position(|it| *it == next) {
            walk.drain(..at);
            walk.push(next);
            break;
        }
        walk.push(next);
    }
    (order, walk)
}
