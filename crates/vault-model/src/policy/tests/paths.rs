//! Patterns, what they match and what they share.

use super::*;

#[track_caller]
fn check_matches(pattern: &str, yes: &[&str], no: &[&str]) {
    let pattern = Pattern::new(pattern);
    for path in yes {
        assert!(pattern.matches(path), "{pattern} should match {path}");
        assert!(pattern.could_match(path));
    }
    for path in no {
        assert!(!pattern.matches(path), "{pattern} should not match {path}");
    }
}

#[track_caller]
fn check_covers(wide: &str, narrow: &str, expected: bool) {
    assert_eq!(covers(wide, narrow), expected, "{wide} covers {narrow}");
}

#[track_caller]
fn check_overlap(a: &str, b: &str, expected: bool) {
    assert_eq!(overlaps(a, b), expected, "{a} and {b}");
    assert_eq!(overlaps(b, a), expected, "{b} and {a}");
}

#[test]
fn an_exact_path_matches_itself() {
    check_matches("a/b", &["a/b"], &["a/b/", "a/bc", "a", ""]);
}

#[test]
fn a_star_matches_all_that_begins_so() {
    check_matches("a/b*", &["a/b", "a/bc", "a/b/c"], &["a/", "a"]);
    check_matches("*", &["", "a", "a/b"], &[]);
}

#[test]
fn a_plus_matches_one_segment() {
    check_matches("a/+/c", &["a/b/c", "a//c"], &["a/c", "a/b/d/c", "a/b/c/", "a/b/cd"]);
    check_matches("+", &["", "a"], &["a/", "a/b"]);
    check_matches("a/+/b*", &["a/x/b", "a/x/bc/d"], &["a/x", "a/x/", "a/x/c"]);
    check_matches("a/+/*", &["a/b/", "a/b/c/d"], &["a/b", "a"]);
}

#[test]
fn wildcards_elsewhere_are_letters() {
    check_matches("a+", &["a+"], &["ab", "a"]);
    check_matches("b/+c", &["b/+c"], &["b/xc"]);
    check_matches("a/*/c", &["a/*/c"], &["a/b/c"]);
}

#[test]
fn a_template_matches_itself_and_could_match_anything() {
    check_matches("a/{{ identity.entity.name }}/*", &["a/{{identity.entity.name}}/x"], &["a/b/x"]);
    assert!(matches("a/{{identity.entity.name}}/*", "a/b/x"));
    assert!(matches("a/{{identity.entity.name}}", "a/b/c"));
    assert!(matches("a/x{{identity.entity.name}}y", "a/x-y"));
    assert!(!matches("a/x{{identity.entity.name}}y", "a/xy"));
    assert!(!matches("a/{{identity.entity.name}}", "b/c"));
    assert!(!matches("a/{{identity.entity.name}}", "a/"));
}

#[test]
fn a_leading_slash_does_not_count() {
    assert!(matches("/a/*", "a/b"));
    assert!(matches("a/*", "/a/b"));
}

#[test]
fn wide_patterns_cover_narrow_ones() {
    check_covers("*", "a/+/c", true);
    check_covers("a/*", "a/b", true);
    check_covers("a/*", "a", false);
    check_covers("a/*", "a/+", true);
    check_covers("a/+", "a/*", false);
    check_covers("a/+", "a/b", true);
    check_covers("a/+", "a/b/c", false);
    check_covers("a/+/c", "a/b/c", true);
    check_covers("a/b/c", "a/+/c", false);
    check_covers("a/+/*", "a/+/b*", true);
    check_covers("a/+/b*", "a/x/bc/+", true);
    check_covers("a/b*", "a/+", false);
    check_covers("+/+", "a/b", true);
    check_covers("+/+", "a/*", false);
    check_covers("a", "a", true);
}

#[test]
fn a_template_is_covered_by_itself_and_by_a_star() {
    check_covers("a/*", "a/{{identity.entity.name}}/b", true);
    check_covers("a/{{identity.entity.name}}/*", "a/{{ identity.entity.name }}/b", true);
    check_covers("a/{{identity.entity.id}}/*", "a/{{identity.entity.name}}/b", false);
    check_covers("a/{{identity.entity.name}}", "a/b", false);
    check_covers("a/+/b", "a/{{identity.entity.name}}/b", false);
}

#[test]
fn patterns_overlap_where_some_path_fits_both() {
    check_overlap("a/+/c", "a/b/*", true);
    check_overlap("a/+/c", "a/b/d*", false);
    check_overlap("a/*", "b/*", false);
    check_overlap("a/b", "a/+", true);
    check_overlap("+/b", "a/+", true);
    check_overlap("+", "a/*", false);
    check_overlap("a*", "*", true);
    check_overlap("a/{{identity.entity.name}}", "a/b/c", true);
    check_overlap("a/{{identity.entity.name}}/x", "a/+/y", false);
}

#[test]
fn hard_patterns_are_decided_at_once() {
    let many = "+/".repeat(600) + "a";
    let other = "+/".repeat(600) + "b";
    assert!(!overlaps(&many, &other));
    assert!(covers(&("+/".repeat(600) + "*"), &many));
    let templates = "{{identity.entity.id}}x".repeat(60);
    assert!(overlaps(&templates, &("x".repeat(300) + "*")));
}
