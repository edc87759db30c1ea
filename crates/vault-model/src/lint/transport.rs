//! Addresses that are reached without TLS.

use serde_json::Value;

use crate::{
    object::Object,
    source::{Mistake, Place},
    vars::STAND_IN,
};

use super::Seen;

/// Fields that hold an address.
const ADDRESSES: &[&str] = &[
    "address",
    "connection_url",
    "host",
    "hosts",
    "iam_endpoint",
    "kubernetes_host",
    "sts_endpoint",
    "url",
];

/// Words in an address that turn TLS, or its point, off.
const OFF: &[&str] =
    &["sslmode=disable", "ssl=false", "tls=false", "tls=skip-verify", "encrypt=disable"];

/// Fields that turn the check of the certificate off when they are true.
const INSECURE: &[&str] = &["insecure", "insecure_tls", "insecure_skip_verify", "tls_skip_verify"];

pub fn tls_off(seen: &Seen<'_>) -> Vec<Mistake> {
    seen.objects.iter().flat_map(|it| in_object(seen, it)).collect()
}

fn in_object(seen: &Seen<'_>, object: &Object) -> Vec<Mistake> {
    let said = ADDRESSES.iter().map(|it| (*it, object.said.get(*it).and_then(Value::as_str)));
    let addresses: Vec<(&str, &str)> = said.filter_map(|(name, it)| Some((name, it?))).collect();
    let mut mistakes = Vec::new();
    for (name, text) in &addresses {
        let place = object.field_place(name);
        if text.contains("${") || is_loopback(text) {
            continue;
        }
        if text.starts_with("http://") {
            let mistake = off(seen, place, "http://", name, text);
            mistakes.push(mistake.help("write `https://`: only a loopback address needs no TLS"));
        }
        mistakes.extend(
            OFF.iter().filter(|it| text.contains(**it)).map(|it| off(seen, place, it, name, text)),
        );
    }
    let is_far = addresses.iter().any(|(_, it)| !is_loopback(it));
    for name in INSECURE.iter().filter(|it| object.said.get(**it) == Some(&Value::Bool(true))) {
        if is_far || addresses.is_empty() {
            let message = format!("`{name}` lets anybody answer for the server");
            mistakes.push(Mistake::error(object.field_place(name), message));
        }
    }
    mistakes
}

fn off(seen: &Seen<'_>, place: Place, word: &str, name: &str, address: &str) -> Mistake {
    let host = hosts(address).join(", ");
    let message = format!("`{name}` reaches {host} without TLS (`{word}`)");
    let at = seen.place_of(place, word);
    // An address that a variable brings may be another where the spec is used.
    match seen.sources.text(place).is_some_and(|it| it.contains("((")) {
        true => Mistake::warning(at, message),
        false => Mistake::error(at, message),
    }
}

fn is_loopback(address: &str) -> bool {
    let hosts = hosts(address);
    let is_near = |it: &String| {
        it == "localhost"
            || it == "::1"
            || it == STAND_IN
            || it.starts_with("127.")
            || it.starts_with('/')
    };
    !hosts.is_empty() && hosts.iter().all(is_near)
}

/// Of `scheme://user:password@host:port/…`, of `user@tcp(host:port)/…`, of `host=… port=…`, of `host:port,host:port`.
fn hosts(address: &str) -> Vec<String> {
    if let Some(at) = address.find("host=").filter(|_| !address.contains("://")) {
        let rest = &address[at + "host=".len()..];
        return vec![rest.split([' ', ';']).next().unwrap_or_default().to_owned()];
    }
    let rest = address.split_once("://").map_or(address, |(_, it)| it);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, it)| it);
    let rest = rest.strip_prefix("tcp(").unwrap_or(rest);
    let rest = rest.split(['/', '?', ')', ';']).next().unwrap_or_default();
    rest.split(',').map(host).filter(|it| !it.is_empty()).collect()
}

fn host(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default().to_owned(),
        None => text.split(':').next().unwrap_or_default().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_found_in_all_its_forms() {
        let check = |address: &str, expected: &[&str]| assert_eq!(hosts(address), expected);
        check("postgresql://{{username}}:{{password}}@127.0.0.1:5432/demo", &["127.0.0.1"]);
        check("{{username}}:{{password}}@tcp(db.example:3306)/", &["db.example"]);
        check("host=db.example user=vault", &["db.example"]);
        check("a.example,b.example:9042", &["a.example", "b.example"]);
        check("https://[::1]:6443", &["::1"]);
        check("https://kubernetes.default.svc", &["kubernetes.default.svc"]);
    }
}
