//! The injector's annotations of one pod: their names, the paths that they inject and the templates that render them.

use crate::{
    nearest::nearest,
    node::{Key, Node},
    object::Object,
    policy::Operation,
    source::{Mistake, Severity},
};

use super::{
    Known,
    access::Access,
    answers, identity,
    pods::Pod,
    template::{self, Call, Template, Use},
};

/// What the injector's annotations begin with.
pub const PREFIX: &str = "vault.hashicorp.com/";

/// All that it reads. With `-` at the end: the name of a secret follows.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "agent-inject", "agent-inject-status", "agent-inject-secret-", "agent-inject-template-",
    "agent-inject-template-file-", "agent-inject-file-", "agent-inject-perms-", "agent-inject-command-",
    "agent-inject-containers", "agent-inject-default-template", "agent-inject-token", "error-on-missing-key-",
    "role", "service", "namespace", "auth-type", "auth-path", "auth-config-", "auth-min-backoff", "auth-max-backoff",
    "agent-auto-auth-exit-on-err", "agent-service-account-token-volume-name", "agent-configmap", "agent-extra-secret",
    "agent-pre-populate", "agent-pre-populate-only", "agent-init-first", "agent-revoke-on-shutdown",
    "agent-revoke-grace", "agent-image", "agent-request-namespace", "agent-run-as-user", "agent-run-as-group",
    "agent-run-as-same-user", "agent-set-security-context", "agent-share-process-namespace",
    "agent-copy-volume-mounts", "agent-limits-cpu", "agent-limits-mem", "agent-limits-ephemeral",
    "agent-requests-cpu", "agent-requests-mem", "agent-requests-ephemeral", "agent-cache-enable",
    "agent-cache-use-auto-auth-token", "agent-cache-listener-port", "agent-cache-exit-on-err", "agent-enable-quit",
    "agent-json-patch", "agent-init-json-patch", "agent-disable-idle-connections", "agent-disable-keep-alives",
    "agent-telemetry-", "secret-volume-path", "secret-volume-path-", "preserve-secret-case", "preserve-secret-case-",
    "tls-skip-verify", "tls-secret", "tls-server-name", "ca-cert", "ca-key", "client-cert", "client-key",
    "client-max-retries", "client-timeout", "proxy-address", "log-level", "log-format", "go-max-procs",
    "template-config-exit-on-retry-failure", "template-static-secret-render-interval",
    "template-max-connections-per-host",
];

const SECRET: &str = "agent-inject-secret-";
const TEMPLATE: &str = "agent-inject-template-";
const TEMPLATE_FILE: &str = "agent-inject-template-file-";

pub(super) fn judge(known: &Known<'_>, pod: &Pod<'_>) -> Vec<Mistake> {
    let ours = || pod.annotations.iter().filter(|(key, _)| key.text.starts_with(PREFIX));
    let mut mistakes: Vec<Mistake> =
        ours().filter_map(|(key, said)| unknown_or_untyped(key, said)).collect();
    let Some((first, _)) = ours().next() else { return mistakes };
    if !pod.asks_for_an_agent() {
        if pod.annotation("agent-inject").is_none() {
            let message = format!("{} asks for no agent: these annotations do nothing", pod.title);
            let mistake = Mistake::warning(first.place, message);
            mistakes.push(mistake.help("add `vault.hashicorp.com/agent-inject: \"true\"`"));
        }
        return mistakes;
    }
    let (role, found) = identity::judge(known, pod);
    mistakes.extend(found);
    let reader = Reader { known, pod, role: role.map(|it| (it, Access::of(known, it))) };
    mistakes.extend(ours().flat_map(|(key, said)| reader.annotation(key, said)));
    mistakes
}

fn unknown_or_untyped(key: &Key, said: &Node) -> Option<Mistake> {
    let name = key.text.strip_prefix(PREFIX)?;
    if said.as_text().is_none() {
        let mistake = said.should_be(&format!("the annotation `{name}`"), "text");
        return Some(mistake.help("put it in quotes: Kubernetes refuses the manifest otherwise"));
    }
    let is_known = |it: &&&str| match it.strip_suffix('-') {
        Some(_) => name.len() > it.len() && name.starts_with(**it),
        None => name == **it,
    };
    if KNOWN.iter().find(is_known).is_some() {
        return None;
    }
    // Of a name that ends in a secret's own, only the beginning is misspelt.
    let near = KNOWN.iter().find_map(|it| match it.strip_suffix('-') {
        None => nearest(name, [*it]).map(str::to_owned),
        Some(_) => {
            let at = name
                .match_indices('-')
                .map(|(at, _)| at + 1)
                .min_by_key(|at| at.abs_diff(it.len()))?;
            nearest(&name[..at], [*it]).map(|it| format!("{it}{}", &name[at..]))
        }
    });
    let mistake = Mistake::error(key.place, format!("the injector knows no annotation `{name}`"));
    Some(match near {
        Some(it) => mistake.help(format!("did you mean `{PREFIX}{it}`?")),
        None => Mistake {
            severity: Severity::Warning,
            ..mistake.help("it does nothing: take it out, unless a newer injector knows it")
        },
    })
}

struct Reader<'k, 'a> {
    known: &'k Known<'a>,
    pod: &'k Pod<'a>,
    role: Option<(&'a Object, Access<'a>)>,
}

impl Reader<'_, '_> {
    fn annotation(&self, key: &Key, said: &Node) -> Vec<Mistake> {
        let (Some(name), Some(text)) = (key.text.strip_prefix(PREFIX), said.as_text()) else {
            return Vec::new();
        };
        if let Some(secret) = name.strip_prefix(SECRET) {
            return self.secret(secret, said, text);
        }
        match name.strip_prefix(TEMPLATE) {
            Some(secret) if !name.starts_with(TEMPLATE_FILE) => {
                self.template(secret, key, said, text)
            }
            _ => Vec::new(),
        }
    }

    /// Without a template of its own, the path is read as it is.
    fn secret(&self, name: &str, said: &Node, text: &str) -> Vec<Mistake> {
        if self.pod.says(&format!("{TEMPLATE_FILE}{name}")).is_some() || text == "true" {
            return Vec::new();
        }
        let call =
            Call { path: text.to_owned(), range: 0..text.len(), writes: false, lists: false };
        let Some(template) = self.pod.says(&format!("{TEMPLATE}{name}")).map(template::read) else {
            return self.call(said, &call).err().into_iter().collect();
        };
        let is_read =
            template.calls.iter().any(|it| it.path.trim_matches('/') == text.trim_matches('/'));
        if is_read || template.mistake.is_some() {
            return Vec::new();
        }
        // The agent reads only what the template says; people read this.
        let mut mistakes: Vec<Mistake> = self.call(said, &call).err().into_iter().collect();
        let message = format!(
            "the template of `{name}` doesn't ask for `{text}`, and the agent asks for nothing else"
        );
        mistakes.push(Mistake::warning(said.place, message).help("say the same path in both"));
        mistakes
    }

    fn template(&self, name: &str, key: &Key, said: &Node, text: &str) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if self.pod.annotation(&format!("{SECRET}{name}")).is_none() {
            let message = format!("no secret is called `{name}`: the template is never rendered");
            let names = self.pod.annotations.iter();
            let names =
                names.filter_map(|(key, _)| key.text.strip_prefix(PREFIX)?.strip_prefix(SECRET));
            let help = match nearest(name, names) {
                Some(it) => format!("did you mean `{PREFIX}{TEMPLATE}{it}`?"),
                None => format!("add `{PREFIX}{SECRET}{name}`"),
            };
            mistakes.push(Mistake::error(key.place, message).help(help));
        }
        let Template { calls, uses, mistake } = template::read(text);
        if let Some((range, message)) = mistake {
            let place = self.known.within(said, range);
            mistakes.push(
                Mistake::error(place, message).help("the agent renders nothing until it is right"),
            );
        }
        for (at, call) in calls.iter().enumerate() {
            match self.call(said, call) {
                Err(mistake) => mistakes.push(mistake),
                Ok(answer) => {
                    let of_it = uses.iter().filter(|it| it.call == at);
                    mistakes.extend(of_it.filter_map(|it| self.field(said, &answer, it)));
                }
            }
        }
        mistakes
    }

    /// What it answers, if the role may ask for it.
    fn call(&self, said: &Node, call: &Call) -> Result<answers::Answer, Mistake> {
        let place = self.known.within(said, call.range.clone());
        let answer = answers::of(self.known, &call.path)
            .map_err(|it| Mistake { place: Some(place), ..it })?;
        let operation = match call {
            Call { lists: true, .. } => Operation::List,
            Call { writes: true, .. } => Operation::Update,
            _ => Operation::Read,
        };
        let Some((role, access)) = &self.role else { return Ok(answer) };
        let path = match operation {
            Operation::List => {
                answer.path.replacen("/data/", "/metadata/", usize::from(answer.is_versioned))
            }
            _ => answer.path.clone(),
        };
        let Some(explain) = access.refusal(self.known, operation, &path) else { return Ok(answer) };
        let message = format!("{} may not {} `{path}`", role.path, operation.name());
        Err(explain(Mistake::error(place, message)))
    }

    fn field(&self, said: &Node, answer: &answers::Answer, used: &Use) -> Option<Mistake> {
        let place = || self.known.within(said, used.range.clone());
        let keys: Vec<&str> = used.keys.iter().map(String::as_str).collect();
        let versioned = answer.is_versioned;
        match (&keys[..], versioned) {
            (["Data", "data", key, ..], true) | (["Data", key, ..], false) => {
                let fields = answer.fields.as_ref().filter(|it| it.iter().all(|it| it != key))?;
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                let help = match nearest(key, fields.iter().copied()) {
                    Some(it) => format!("did you mean `{it}`?"),
                    None => format!("there are `{}`", fields.join("`, `")),
                };
                Some(
                    Mistake::error(place(), format!("`{}` answers no field `{key}`", answer.path))
                        .help(help),
                )
            }
            (["Data", key, ..], true) if !["data", "metadata"].contains(key) => {
                let message = format!(
                    "`{}` is of a KV mount of version 2, whose answer has `data` first",
                    answer.path
                );
                Some(Mistake::error(place(), message).help(format!("say `.Data.data.{key}`")))
            }
            ([key, ..], _) => {
                const OF_A_SECRET: [&str; 7] = [
                    "Data",
                    "LeaseID",
                    "LeaseDuration",
                    "Renewable",
                    "Auth",
                    "Warnings",
                    "WrapInfo",
                ];
                let is_known = OF_A_SECRET.contains(key) || *key == "RequestID";
                let near = nearest(key, OF_A_SECRET).map_or_else(
                    || format!("say `.Data.{key}`"),
                    |it| format!("did you mean `.{it}`?"),
                );
                (!is_known).then(|| {
                    Mistake::error(place(), format!("an answer of Vault has no `{key}`")).help(near)
                })
            }
            _ => None,
        }
    }
}
