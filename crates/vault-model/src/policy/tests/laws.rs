//! What holds for every policy, drawn by lot.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn segment() -> impl Strategy<Value = String> {
    const PIECES: [&str; 11] =
        ["a", "b", "ab", "+", "", "a+", "{{identity.entity.name}}", "é\"\\", "${x}", "\n", "c*"];
    select(&PIECES[..]).prop_map(String::from)
}

fn path() -> impl Strategy<Value = String> {
    let end = select(&["", "", "*", "/*", "/"][..]);
    let path = (vec(segment(), 1..4), end).prop_map(|(segments, end)| segments.join("/") + end);
    path.prop_filter("Vault refuses it", |it| !it.contains("+*"))
}

fn concrete_path() -> impl Strategy<Value = String> {
    vec(select(&["a", "b", "ab", "", "c"][..]), 1..4).prop_map(|it| it.join("/"))
}

fn texts(name: &'static str) -> impl Strategy<Value = String> {
    subsequence(vec!["x", "Y", "z"], 0..3).prop_map(move |it| {
        if it.is_empty() { String::new() } else { format!("{name} = {it:?}\n") }
    })
}

fn parameters(name: &'static str) -> impl Strategy<Value = String> {
    let values = select(&["[]", r#"["v"]"#, r#"["v", 1, true]"#, r#"[["n"], { "k" = 1 }]"#][..]);
    vec((select(&["x", "Y", "*"][..]), values), 0..3).prop_map(move |it| {
        let entries: String =
            it.iter().map(|(key, values)| format!("{name} {{ \"{key}\" = {values} }}\n")).collect();
        entries
    })
}

/// One rule in HCL. No event types: of joined rules only the first one's count.
fn rule() -> impl Strategy<Value = String> {
    let capabilities =
        subsequence(Capability::writable().map(Capability::name).collect::<Vec<_>>(), 0..4);
    let ttl = select(&["", "min_wrapping_ttl = 5\n", "max_wrapping_ttl = \"1h30m\"\n"][..]);
    let conditions = (
        texts("required_parameters"),
        parameters("allowed_parameters"),
        parameters("denied_parameters"),
    );
    (path(), capabilities, conditions, ttl).prop_map(|(path, capabilities, (required, allowed, denied), ttl)| {
        let path = path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace("${", "\\u0024{");
        format!("path \"{path}\" {{\ncapabilities = {capabilities:?}\n{required}{allowed}{denied}{ttl}}}\n")
    })
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    vec(rule(), 0..6)
}

fn meanings(policy: &Policy) -> Vec<(Pattern, Permissions)> {
    policy.rules.iter().map(|it| (it.path.clone(), it.permissions.clone())).collect()
}

proptest! {
    #[test]
    fn printing_and_reading_are_inverse(rules in rules()) {
        let read = policy(&rules.concat());
        prop_assert_eq!(meanings(&policy(&read.to_string())), meanings(&read));
    }

    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(rules in rules()) {
        let text = rules.concat();
        // Vault drops these from JSON.
        prop_assume!(!text.contains("true") && !text.contains("[["));
        let canonical = policy(&text).canonical();
        prop_assert_eq!(policy(&canonical.to_string()).canonical(), canonical);
    }

    #[test]
    fn a_printed_policy_has_the_same_meaning(rules in rules()) {
        let text = rules.concat();
        prop_assert!(same_meaning(&text, &policy(&text).to_string()));
    }

    #[test]
    fn the_order_of_rules_does_not_count(rules in rules(), shuffled in rules().prop_shuffle()) {
        let mut turned = rules.clone();
        turned.reverse();
        prop_assert!(same_meaning(&rules.concat(), &turned.concat()));
        prop_assert_eq!(
            same_meaning(&rules.concat(), &shuffled.concat()),
            same_meaning(&shuffled.concat(), &rules.concat())
        );
    }

    #[test]
    fn texts_of_the_same_meaning_get_the_same_answers(rules in rules(), path in concrete_path()) {
        let read = policy(&rules.concat());
        let mut same = read.clone();
        same.rules.reverse();
        let answers = |it: &Policy| capabilities(&[("p", it)], &path).capabilities;
        prop_assert_eq!(answers(&read), answers(&same));
    }

    #[test]
    fn rules_that_do_not_match_change_nothing(rules in rules(), more in rule(), path in concrete_path()) {
        let (few, many) = (policy(&rules.concat()), policy(&(rules.concat() + &more)));
        let last = &many.rules[many.rules.len() - 1].path;
        let path = path.trim_start_matches('/');
        let slashless = path.strip_suffix('/').unwrap_or(path);
        prop_assume!(!last.could_match(path) && !last.could_match(slashless));
        let (few, many) = (capabilities(&[("p", &few)], path), capabilities(&[("p", &many)], path));
        prop_assert_eq!(few.capabilities, many.capabilities);
    }

    #[test]
    fn one_policy_or_two_is_the_same(rules in rules(), more in rules(), path in concrete_path()) {
        let (a, b, both) = (policy(&rules.concat()), policy(&more.concat()), policy(&(rules.concat() + &more.concat())));
        let apart = capabilities(&[("a", &a), ("b", &b)], &path);
        let joined = capabilities(&[("both", &both)], &path);
        prop_assert_eq!(apart.capabilities, joined.capabilities);
    }

    #[test]
    fn a_second_policy_for_the_same_path_never_takes_away(
        path in concrete_path(), a in select(&["read", "list"][..]), b in select(&["read", "sudo"][..])
    ) {
        let one = |capability: &str| policy(&format!("path \"{path}\" {{ capabilities = [\"{capability}\"] }}"));
        let (a, b) = (one(a), one(b));
        let alone = capabilities(&[("a", &a)], &path).capabilities;
        let joined = capabilities(&[("a", &a), ("b", &b)], &path).capabilities;
        prop_assert_eq!(joined.union(alone), joined);
    }

    #[test]
    fn an_answer_of_vault_agrees_with_the_verdicts(rules in rules(), path in concrete_path()) {
        prop_assume!(!path.ends_with('/') && !path.is_empty());
        let policy = policy(&rules.concat());
        let acl = Acl::new(&[("p", &policy)]);
        for operation in Operation::ALL.into_iter().filter(|it| !it.ends_in_slash()) {
            let verdict = acl.may(operation, &path);
            let granted = acl.capabilities(&path).capabilities.contains(operation.needs());
            prop_assert!(verdict.outcome == Outcome::Depends || granted == verdict.is_allowed());
        }
    }

    #[test]
    fn what_covers_matches_all_that_it_covers(wide in path(), narrow in path(), path in concrete_path()) {
        let (wide, narrow) = (Pattern::new(&wide), Pattern::new(&narrow));
        if wide.covers(&narrow) && narrow.matches(&path) {
            prop_assert!(wide.matches(&path));
        }
        if narrow.matches(&path) && wide.matches(&path) {
            prop_assert!(wide.overlaps(&narrow));
        }
        prop_assert_eq!(wide.overlaps(&narrow), narrow.overlaps(&wide));
        prop_assert!(wide.covers(&wide) && wide.overlaps(&wide));
        if wide.covers(&narrow) {
            prop_assert!(wide.overlaps(&narrow));
        }
    }

    #[test]
    fn covering_goes_on(a in path(), b in path(), c in path()) {
        if covers(&a, &b) && covers(&b, &c) {
            prop_assert!(covers(&a, &c));
        }
    }

    #[test]
    fn no_text_brings_it_down(text in any::<String>(), other in "[a-z\"{}\\[\\]=,\\\\$<\n#/*: 0-9.+-]{0,60}") {
        for text in [&text, &other] {
            let _ = parse(text);
            let _ = parse(&format!("{{{text}"));
            let _ = parse(&format!("path \"a\" {{ {text}"));
            let _ = password::parse(text);
            matches(text, &other);
            overlaps(text, &other);
            covers(text, &other);
        }
    }

    #[test]
    fn mistakes_point_into_the_text(text in "[a-z\"{}\\[\\]=,\\\\$<\né#/*: 0-9.+-]{0,60}") {
        for mistake in parse(&text).err().into_iter().flatten() {
            prop_assert!(text.get(mistake.range.clone()).is_some(), "{:?}", mistake);
        }
    }
}
