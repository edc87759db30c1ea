//! Who a pod is to Vault: the role that it names, and the service account, namespace and audience that the role wants.

use crate::{
    nearest::nearest,
    object::Object,
    source::{Mistake, Place},
};

use super::{
    Known,
    pods::{self, Pod, is_true},
};

/// The role, where the spec has it, and all that keeps the pod from logging in to it.
pub(super) fn judge<'a>(known: &Known<'a>, pod: &Pod<'a>) -> (Option<&'a Object>, Vec<Mistake>) {
    if pod.says("auth-type").is_some_and(|it| it != "kubernetes")
        || pod.says("agent-configmap").is_some()
    {
        // It logs in by something else than its service account, or as a file says that isn't here.
        return (None, Vec::new());
    }
    let role = match role(known, pod) {
        Ok(role) => role,
        Err(mistake) => return (None, vec![mistake]),
    };
    let mut mistakes = Vec::new();
    mistakes.extend(account(known, pod, role));
    mistakes.extend(namespace(pod, role));
    mistakes.extend(token(known, pod, role));
    (Some(role), mistakes)
}

fn role<'a>(known: &Known<'a>, pod: &Pod<'a>) -> Result<&'a Object, Mistake> {
    let Some((_, said)) = pod.annotation("role") else {
        let place = pod.annotation("agent-inject").map_or(pod.place, |(key, _)| key.place);
        let message = format!("{} says no role: its agent can't log in", pod.title);
        return Err(Mistake::error(place, message).help("add `vault.hashicorp.com/role: …`"));
    };
    let name = said.as_text().unwrap_or_default();
    let mount = mount(known, pod)?;
    let path = format!("{mount}/role/{}", name.to_lowercase());
    known.object(&path).ok_or_else(|| {
        let names = known.names(mount, "roles");
        let help = match nearest(name, names.iter().copied()) {
            Some(it) => format!("did you mean `{it}`?"),
            None if names.is_empty() => {
                format!("describe it under `auth` in the spec, in the mount `{mount}`")
            }
            None => format!("there are `{}`", names.join("`, `")),
        };
        Mistake::error(said.place, format!("the spec has no role `{name}` at `{mount}`")).help(help)
    })
}

fn mount<'a>(known: &Known<'a>, pod: &Pod<'a>) -> Result<&'a str, Mistake> {
    let methods = known.mounts.iter().filter(|(_, it)| it.engine == "kubernetes");
    let methods: Vec<&str> = methods.map(|(path, _)| *path).collect();
    let said = pod.annotation("auth-path");
    let wanted =
        said.and_then(|(_, it)| it.as_text()).unwrap_or("auth/kubernetes").trim_matches('/');
    if let Some(mount) = methods.iter().find(|it| **it == wanted) {
        return Ok(mount);
    }
    let place = said
        .map_or(pod.annotation("role").map_or(pod.place, |(key, _)| key.place), |(_, it)| it.place);
    let with_auth = format!("auth/{wanted}");
    let near = methods.iter().copied().find(|it| *it == with_auth);
    let help = match near.or_else(|| nearest(wanted, methods.iter().copied())) {
        Some(it) => format!("did you mean `{it}`?"),
        None if methods.is_empty() => {
            "describe it under `auth: { kubernetes: { type: kubernetes, … } }`".to_owned()
        }
        None => format!("say one with `vault.hashicorp.com/auth-path`: `{}`", methods.join("`, `")),
    };
    Err(Mistake::error(place, format!("the spec mounts no Kubernetes method at `{wanted}`"))
        .help(help))
}

fn account(known: &Known<'_>, pod: &Pod<'_>, role: &Object) -> Vec<Mistake> {
    let (name, place) = pod.account();
    let mut mistakes = Vec::new();
    let bound = role.texts("bound_service_account_names");
    if !bound.iter().any(|it| fits(it, name)) {
        let message =
            format!("service account `{name}` may not log in to the role `{}`", role.name());
        let mistake =
            Mistake::error(place, message).help(said_with("serviceAccountName", &bound, name));
        mistakes.push(
            mistake.also(
                role.field_place("bound_service_account_names"),
                "the role is bound to these",
            ),
        );
    }
    let here = || known.accounts.iter().filter(|it| it.namespace == pod.namespace);
    let made = here().find(|it| it.name == name);
    if made.is_none() && name != "default" && known.is_complete {
        let message = format!(
            "no manifest makes the service account `{name}` in namespace `{}`",
            pod.namespace
        );
        let elsewhere = known.accounts.iter().find(|it| it.name == name);
        let help = match (elsewhere, nearest(name, here().map(|it| it.name))) {
            (Some(it), _) => {
                format!("there is one in namespace `{}`: a pod uses those of its own", it.namespace)
            }
            (None, Some(it)) => format!("did you mean `{it}`?"),
            (None, None) => "add a ServiceAccount, unless something else makes it".to_owned(),
        };
        let mistake = Mistake::warning(place, message).help(help);
        mistakes.push(elsewhere.map_or(mistake.clone(), |it| mistake.also(it.place, "this one")));
    }
    mistakes
}

fn namespace(pod: &Pod<'_>, role: &Object) -> Option<Mistake> {
    let bound = role.texts("bound_service_account_namespaces");
    let has_selector = role.said.get("bound_service_account_namespace_selector").is_some();
    if has_selector || bound.iter().any(|it| fits(it, pod.namespace)) {
        return None;
    }
    let message = format!(
        "pods of namespace `{}` may not log in to the role `{}`",
        pod.namespace,
        role.name()
    );
    let mistake = Mistake::error(pod.place, message).help(said_with(
        "metadata.namespace",
        &bound,
        pod.namespace,
    ));
    Some(
        mistake.also(
            role.field_place("bound_service_account_namespaces"),
            "the role is bound to these",
        ),
    )
}

/// The token that the agent logs in with: whether there is one, and for whom it is.
fn token(known: &Known<'_>, pod: &Pod<'_>, role: &Object) -> Option<Mistake> {
    let wanted = role.said.get("audience").and_then(|it| it.as_str()).filter(|it| !it.is_empty());
    let projected = "add a projected volume with `serviceAccountToken: { path: token, audience: … }`, mount it, and \
                     name it with `vault.hashicorp.com/agent-service-account-token-volume-name`";
    let Some((_, said)) = pod.annotation("agent-service-account-token-volume-name") else {
        if let Some(place) = without_token(known, pod) {
            let message =
                "the pod gets no token of its service account, and its agent needs one to log in";
            return Some(Mistake::error(place, message).help(projected));
        }
        // What tokens are for by default is the cluster's choice, and always an address.
        let wanted = wanted.filter(|it| !it.starts_with("https://"))?;
        let message = format!(
            "the role `{}` wants tokens for `{wanted}`, and a pod's own is for the cluster",
            role.name()
        );
        let place = pod.annotation("role").map_or(pod.place, |(_, it)| it.place);
        return Some(with_audience(Mistake::error(place, message).help(projected), role));
    };
    let name = said.as_text().unwrap_or_default();
    let sources =
        pod.volume(name).and_then(|it| pods::at(it, &["projected", "sources"])?.as_list());
    let token = sources.unwrap_or_default().iter().find_map(|it| it.get("serviceAccountToken"));
    let Some(token) = token else {
        let message =
            format!("no volume `{name}` of the pod projects a token of its service account");
        return Some(Mistake::error(said.place, message).help(projected));
    };
    let audience = token.get("audience");
    let (wanted, has) = (wanted?, audience.and_then(|it| it.as_text()));
    if has == Some(wanted) || has.is_none() && wanted.starts_with("https://") {
        return None;
    }
    let message = match has {
        Some(has) => format!(
            "this token is for `{has}`, and the role `{}` wants one for `{wanted}`",
            role.name()
        ),
        None => format!(
            "this token is for the cluster, and the role `{}` wants one for `{wanted}`",
            role.name()
        ),
    };
    let place = audience.map_or(token.place, |it| it.place);
    Some(with_audience(
        Mistake::error(place, message).help(format!("say `audience: {wanted}`")),
        role,
    ))
}

fn with_audience(mistake: Mistake, role: &Object) -> Mistake {
    mistake.also(role.field_place("audience"), "wanted here")
}

/// Where somebody says that the pod has no token.
fn without_token(known: &Known<'_>, pod: &Pod<'_>) -> Option<Place> {
    let of_pod = pod.spec.and_then(|it| it.get("automountServiceAccountToken"));
    if let Some(said) = of_pod {
        return (!is_true(said)).then_some(said.place);
    }
    let (name, _) = pod.account();
    let mut accounts = known.accounts.iter();
    let account = accounts.find(|it| it.name == name && it.namespace == pod.namespace)?;
    (account.mounts_token == Some(false)).then_some(account.place)
}

/// `*` at either end stands for anything.
fn fits(bound: &str, name: &str) -> bool {
    match (bound.strip_prefix('*'), bound.strip_suffix('*')) {
        _ if bound == "*" => true,
        (Some(rest), Some(_)) => name.contains(rest.trim_end_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => bound == name,
    }
}

fn said_with(field: &str, bound: &[&str], said: &str) -> String {
    let only = if let [only] = bound { Some(*only) } else { None };
    match nearest(said, bound.iter().copied()).or(only) {
        Some(it) => format!("say `{field}: {it}`, or bind the role to `{said}` too"),
        None => format!("say one of `{}`, or bind the role to `{said}` too", bound.join("`, `")),
    }
}
