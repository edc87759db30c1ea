//! What proofs of audit devices are told: which of them can be read here, and what to do under their eyes.

use serde_json::{Value, json};
use vault_model::{object::Object, spec::Spec};

use super::{
    facts::{Fit, ROWS, is_login, shut_out, unproven_login},
    identity::objects,
};

/// Not to be waited for: each login is a request or two.
const MOST_LOGINS: usize = 8;

pub fn device(_: &Spec, device: &Object) -> Fit {
    let option = |name: &str| option(device, name);
    let path = [option("file_path"), option("path")].into_iter().flatten().next();
    let reason = match device.said.get("type").and_then(Value::as_str) {
        Some("file") if option("format").is_some_and(|it| it != "json") => {
            "only logs in JSON are proven yet"
        }
        Some("file") => match path {
            Some("stdout" | "discard") | None => "it writes to no file that could be read here",
            Some(_) => return Fit::Proven,
        },
        _ => "only devices that write to a file are proven yet",
    };
    Fit::Unproven(reason.to_owned())
}

/// For the template.
pub fn more(spec: &Spec, device: &Object) -> Value {
    let is_open = |it: &&Object| {
        is_login(it) && unproven_login(spec, it).is_none() && shut_out(spec, it).is_none()
    };
    let logins = objects(spec).filter(is_open).map(|it| &it.path).take(MOST_LOGINS);
    let issues = ROWS.iter().filter_map(|row| Some((row, row.issues?))).flat_map(|(row, path)| {
        let proven =
            move |it: &&Object| row.is_of(it) && matches!((row.fits)(spec, it), Fit::Proven);
        objects(spec).filter(proven).map(move |it| it.at(path))
    });
    json!({
        "logins": logins.collect::<Vec<_>>(),
        "issues": issues.take(MOST_LOGINS).collect::<Vec<_>>(),
        "shows_accessors": option(device, "hmac_accessor") == Some("false"),
    })
}

fn option<'d>(device: &'d Object, name: &str) -> Option<&'d str> {
    device.said.get("options")?.get(name)?.as_str().filter(|it| !it.is_empty())
}
