//! Each scenario starts the servers that it names something of, and no others.

use vault_model::spec::Spec;

use super::facts;
use crate::bindings::{Bindings, Servers};

/// The feature, of which each scenario says after `stands` which servers it needs, unless it needs all.
pub fn only_named(text: &str, stands: &str, spec: &Spec, bindings: &Bindings) -> String {
    let said = |scenario: &str| {
        let needed: Servers =
            named(scenario).flat_map(|it| of(it, spec, bindings)).cloned().collect();
        match phrase(&needed, bindings.all()) {
            Some(phrase) => scenario.replacen(stands, &format!("{stands} with {phrase}"), 1),
            None => scenario.to_owned(),
        }
    };
    let mut scenarios = text.split("  Scenario: ");
    let head = scenarios.next().unwrap_or_default().to_owned();
    scenarios.fold(head, |text, it| text + "  Scenario: " + &said(it))
}

fn phrase(needed: &Servers, all: &Servers) -> Option<String> {
    let names: Vec<&str> = needed.iter().map(String::as_str).collect();
    match names.len() {
        count if count == all.len() => None,
        0 => Some("no server".to_owned()),
        _ => Some(format!("only \"{}\"", names.join(", "))),
    }
}

/// What may be a path or a server: texts in quotes, and cells of tables.
fn named(scenario: &str) -> impl Iterator<Item = &str> {
    scenario.lines().flat_map(|line| {
        let is_row = line.trim_start().starts_with('|');
        let (sign, every) = if is_row { ('|', 1) } else { ('"', 2) };
        line.split(sign).skip(1).step_by(every).map(str::trim)
    })
}

/// The server of that name, else what is at that path works with.
fn of<'b>(
    named: &str,
    spec: &Spec,
    bindings: &'b Bindings,
) -> impl Iterator<Item = &'b String> + use<'b> {
    let server = bindings.all().get(named);
    let of_path = server.is_none().then(|| of_path(named, spec, bindings));
    server.into_iter().chain(of_path.into_iter().flatten())
}

/// Of the object that is there or answers there; of a path that is nobody's, all that its mount works with.
fn of_path<'b>(
    path: &str,
    spec: &Spec,
    bindings: &'b Bindings,
) -> impl Iterator<Item = &'b String> + use<'b> {
    let object = spec.objects.iter().find(|it| it.path == path).map(|it| &**it);
    let object = object.or_else(|| facts::issuer(spec, path).map(|(_, object)| object));
    let is_beside = |mount: &str| path.strip_prefix(mount).is_some_and(|it| it.starts_with('/'));
    let objects: Vec<&str> = match object {
        Some(object) => vec![&object.path],
        None => {
            spec.objects.iter().filter(|it| is_beside(it.mount())).map(|it| &*it.path).collect()
        }
    };
    let servers: Vec<&Servers> =
        objects.into_iter().filter_map(|it| bindings.of_object(it)).collect();
    servers.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::tests::shop;

    #[track_caller]
    fn check(steps: &str, wanted: &str) {
        let (spec, bindings) = shop();
        let text = format!("Feature: F\n\n  Scenario: S\n    Given it stands\n{steps}\n");
        let text = only_named(&text, "it stands", &spec, &bindings);
        let given = text.lines().find_map(|it| it.trim().strip_prefix("Given it stands"));
        assert_eq!(given, Some(wanted));
    }

    #[test]
    fn an_object_is_named_by_its_path_or_by_where_it_answers() {
        check("And \"database/roles/reader\" could be made", " with only \"shop\"");
        check(
            "When a login is issued from \"database/creds/archive-reader\"",
            " with only \"archive\"",
        );
        check("When someone logs in by \"auth/kubernetes/role/app\"", " with only \"cluster\"");
    }

    #[test]
    fn cells_of_a_table_name_objects_too() {
        let table = "| read | database/creds/reader |\n| read | database/creds/archive-reader |";
        check(table, " with only \"archive, shop\"");
    }

    #[test]
    fn a_server_is_named_by_its_name_on_the_ground() {
        check(
            "Then the kubernetes \"cluster\", which is asked, is there",
            " with only \"cluster\"",
        );
        let both = "When \"secret/data/reads\" is read\nThen the mariadb \"archive\" has it";
        check(both, " with only \"archive, shop\"");
    }

    #[test]
    fn what_works_with_vault_alone_needs_no_server() {
        check("And \"secret/data/alone\" could be made", " with no server");
    }

    #[test]
    fn a_path_that_is_nobody_s_needs_all_that_its_mount_works_with() {
        check("| read | database/creds/other |", " with only \"archive, shop\"");
        let all = "| read | database/creds/other |\n| read | auth/kubernetes/config/other |";
        check(all, "");
    }

    #[test]
    fn each_scenario_has_its_own() {
        let (spec, bindings) = shop();
        let text = "  Scenario: A\n    Given it stands, divided\n    Then \"database/roles/reader\"\n  \
                    Scenario: B\n    Given it stands\n    Then \"secret/data/alone\"\n";
        let text = only_named(text, "it stands", &spec, &bindings);
        let given: Vec<&str> =
            text.lines().filter(|it| it.contains("Given")).map(str::trim).collect();
        assert_eq!(
            given,
            ["Given it stands with only \"shop\", divided", "Given it stands with no server"]
        );
    }
}
