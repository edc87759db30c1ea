//! `# allow LINT: reason`, before a line or at its end.

use crate::{
    nearest::nearest,
    source::{FileId, Mistake, Place, Severity, Sources},
};

use super::{LINTS, Seen, named};

struct Allow<'a> {
    name: &'a str,
    has_reason: bool,
    place: Place,
    /// The line that it speaks of.
    line: u32,
}

/// The mistakes without those that are allowed where they are, and with the comments that allow nothing.
pub fn silenced(mistakes: Vec<Mistake>, seen: &Seen<'_>) -> Vec<Mistake> {
    let allows = allows(seen.sources);
    if allows.is_empty() {
        return mistakes;
    }
    let mut used = vec![false; allows.len()];
    let mut kept = Vec::new();
    for mistake in mistakes {
        let is_meant = |it: &Allow<'_>| {
            let is_here = |at: Place| (at.file, at.line) == (it.place.file, it.line);
            it.has_reason && mistake.lint == Some(it.name) && mistake.place.is_some_and(is_here)
        };
        let at = allows.iter().position(is_meant);
        at.into_iter().for_each(|it| used[it] = true);
        // Another comment for the same line and lint is idle.
        if at.is_none() {
            kept.push(mistake);
        }
    }
    if seen.is_complete {
        let idle = allows.iter().zip(used).filter(|(it, used)| !used && it.has_reason);
        kept.extend(idle.map(|(it, _)| idle_allow(it)));
    }
    kept
}

pub fn without_reason(seen: &Seen<'_>) -> Vec<Mistake> {
    let bare = |it: &Allow<'_>| {
        let message = format!("`{}` is silenced without a reason", it.name);
        Mistake::error(it.place, message).help(format!("write `# allow {}: reason`", it.name))
    };
    allows(seen.sources).iter().filter(|it| !it.has_reason).map(bare).collect()
}

fn idle_allow(allow: &Allow<'_>) -> Mistake {
    let (message, help) = match named(allow.name) {
        Some(_) => (format!("nothing here is found by `{}`", allow.name), "take it out".to_owned()),
        None => {
            let near = nearest(allow.name, LINTS.iter().map(|it| it.name)).unwrap_or_default();
            (format!("there is no lint `{}`", allow.name), format!("did you mean `{near}`?"))
        }
    };
    Mistake {
        severity: Severity::Warning,
        lint: Some("idle-allow"),
        ..Mistake::error(allow.place, message).help(help)
    }
}

fn allows(sources: &Sources) -> Vec<Allow<'_>> {
    let mut all = Vec::new();
    for (file, text) in sources.texts().filter(|(_, it)| it.contains("allow ")) {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut start = 0;
        for (at, line) in lines.iter().enumerate() {
            if let Some((comment, name, has_reason)) = comment(line) {
                let is_alone = line[..comment].trim().is_empty();
                let next = || lines[at + 1..].iter().position(|it| !is_idle(it));
                let skipped = if is_alone { next().map_or(0, |it| it + 1) } else { 0 };
                let place = place(file, at, line, start, comment);
                all.push(Allow { name, has_reason, place, line: (at + skipped) as u32 + 1 });
            }
            start += line.len() + 1;
        }
    }
    all
}

fn place(file: FileId, at: usize, line: &str, start: usize, comment: usize) -> Place {
    Place {
        file,
        line: at as u32 + 1,
        column: line[..comment].chars().count() as u32 + 1,
        start: (start + comment) as u32,
        end: (start + line.trim_end().len()) as u32,
    }
}

/// Where the comment begins, the lint that it names, and whether it says why. Prose that begins with the same word is
/// none of ours: a lint, or something near to one, has to follow.
fn comment(line: &str) -> Option<(usize, &str, bool)> {
    let starts = line.match_indices(['#', '/']).map(|(at, _)| at);
    starts.filter(|at| line[..*at].ends_with([' ', '\t']) || *at == 0).find_map(|at| {
        let rest = line[at..].strip_prefix('#').or_else(|| line[at..].strip_prefix("//"))?;
        let rest = rest.trim_start().strip_prefix("allow ")?.trim();
        let (name, reason) = rest.split_once(':').unwrap_or((rest, ""));
        let is_name = |it: char| it.is_ascii_lowercase() || it == '-';
        let is_near = || named(name).is_some() || (rest.contains(':') && near(name));
        (name.chars().all(is_name) && is_near()).then(|| (at, name, !reason.trim().is_empty()))
    })
}

fn near(name: &str) -> bool {
    name.contains('-') && nearest(name, LINTS.iter().map(|it| it.name)).is_some()
}

/// Nothing but blanks and a comment.
fn is_idle(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#') || line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[(&str, bool, u32)]) {
        let mut sources = Sources::default();
        sources.add("spec.yaml", text);
        let found: Vec<_> =
            allows(&sources).iter().map(|it| (it.name, it.has_reason, it.line)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_comment_at_the_end_of_a_line_speaks_of_that_line() {
        check("a: 1\nb: 2 # allow old-name: a test\n", &[("old-name", true, 2)]);
    }

    #[test]
    fn a_comment_of_its_own_speaks_of_the_next_line_that_says_something() {
        let text = "# allow old-name: a test\n// allow wide-rule: too\n\n# more\nb: 2\n";
        check(text, &[("old-name", true, 5), ("wide-rule", true, 5)]);
    }

    #[test]
    fn a_reason_that_is_missing_is_seen() {
        check(
            "a: 1 # allow old-name\nb: 2 # allow old-name: \n",
            &[("old-name", false, 1), ("old-name", false, 2)],
        );
    }

    #[test]
    fn prose_allows_nothing() {
        check("# allow everything\n# allow airflow: it reads\na#allow old-name: x\n", &[]);
    }
}
