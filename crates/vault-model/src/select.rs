//! Parts of a spec, by the paths of its objects.

use crate::{object::Object, spec::Spec};

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("no object's path matches `{glob}`; `*` stands for any text, such as in `auth/approle/*`")]
pub struct NothingMatches {
    glob: String,
}

impl Spec {
    /// Keeps the objects that match one of `targets` (all, where there are none) and none of `excludes`.
    pub fn select(
        &mut self,
        targets: &[String],
        excludes: &[String],
    ) -> Result<(), NothingMatches> {
        for glob in targets.iter().chain(excludes) {
            if !self.objects.iter().any(|it| matches(glob, &it.path)) {
                return Err(NothingMatches { glob: glob.clone() });
            }
        }
        let any =
            |globs: &[String], object: &Object| globs.iter().any(|it| matches(it, &object.path));
        self.objects.retain(|it| (targets.is_empty() || any(targets, it)) && !any(excludes, it));
        Ok(())
    }
}

/// Whether `path` is `glob`, in which each `*` stands for any text.
pub fn matches(glob: &str, path: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == path };
    let Some(mut left) = path.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.len() >= last.len() && left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("auth/approle/*", "auth/approle/role/app/role-id"));
        assert!(matches("*role*app", "auth/approle/role/app"));
        assert!(matches("a*", "a"));
    }

    #[test]
    fn all_else_stands_for_itself() {
        assert!(!matches("auth/approle", "auth/approle/role/app"));
        assert!(!matches("a*b*b", "ab"));
        assert!(!matches("", "a"));
    }
}
