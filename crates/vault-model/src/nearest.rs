//! "Did you mean": the name that is nearest to a misspelt one.

/// The nearest of `names`, if one is near enough to be meant: a third of its letters may differ.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = name.chars().take(LONGEST).flat_map(char::to_lowercase).collect();
    let allowed = (letters.len() / 3).max(1);
    names
        .into_iter()
        .filter(|it| it.len().abs_diff(name.len()) <= 4 * allowed)
        .map(|it| (distance(&letters, it), it))
        .filter(|(distance, it)| *distance <= allowed && *distance < it.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, it)| it)
}

/// Nobody misspells a longer one.
const LONGEST: usize = 64;

/// Letters to put in, leave out, change or swap with their neighbour; case counts nothing.
fn distance(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().take(LONGEST).flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut least = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, names: &[&str], wanted: Option<&str>) {
        assert_eq!(nearest(name, names.iter().copied()), wanted);
    }

    #[test]
    fn a_missing_letter_is_near() {
        check("defaut_ttl", &["default_ttl", "max_ttl"], Some("default_ttl"));
    }

    #[test]
    fn two_swapped_letters_count_as_one() {
        check("tpye", &["type", "tape_deck"], Some("type"));
    }

    #[test]
    fn case_counts_nothing() {
        check("DB_URL", &["db_url"], Some("db_url"));
    }

    #[test]
    fn what_is_far_is_not_meant() {
        check("banana", &["default_ttl", "max_ttl"], None);
    }

    #[test]
    fn the_nearest_wins() {
        check("db_name", &["db_names", "db_nam_es"], Some("db_names"));
    }

    #[test]
    fn one_letter_is_not_replaced_by_another() {
        check("a", &["b", "c"], None);
    }

    #[test]
    fn letters_of_other_scripts_do_no_harm() {
        check("größe", &["grösse", "größen"], Some("größen"));
    }
}
