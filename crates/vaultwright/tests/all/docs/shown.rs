//! Whether what was shown is what a page says: `...` stands for lines, `[..]` for a part of a line.

/// `None` where it is; else what was shown, marked where the page is another.
pub fn difference(said: &[String], shown: &str) -> Option<String> {
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    // Empty lines at the end are no one's business.
    let end = shown.iter().rposition(|it| !it.is_empty()).map_or(0, |it| it + 1);
    let said: Vec<&str> = said.iter().map(|it| it.trim_end()).collect();
    let said_end = said.iter().rposition(|it| !it.is_empty()).map_or(0, |it| it + 1);
    if same(&said[..said_end], &shown[..end]) {
        return None;
    }
    Some(format!("said:\n{}\nshown:\n{}", said.join("\n"), shown.join("\n")))
}

fn same(said: &[&str], shown: &[&str]) -> bool {
    match said {
        [] => shown.is_empty(),
        ["...", rest @ ..] => (0..=shown.len()).any(|skipped| same(rest, &shown[skipped..])),
        [line, rest @ ..] => {
            shown.first().is_some_and(|it| is_line(line, it)) && same(rest, &shown[1..])
        }
    }
}

fn is_line(said: &str, shown: &str) -> bool {
    let Some((before, after)) = said.split_once("[..]") else { return said == shown };
    let Some(rest) = shown.strip_prefix(before) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.into_iter().any(|at| is_line(after, &rest[at..]))
}

/// Whether `part` stands in `text`, in this order, `...` or `# ...` for what is left out; indentation as in the file, or
/// all of it less.
pub fn is_part(part: &str, text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let wanted: Vec<&str> = part.lines().map(str::trim_end).collect();
    let is_gap = |it: &str| matches!(it.trim(), "..." | "# ..." | "// ...");
    let mut from = 0;
    for chunk in wanted.split(|it| is_gap(it)).filter(|it| !it.is_empty()) {
        let fits = |at: &usize| is_chunk(chunk, &lines[*at..]);
        let Some(at) = (from..lines.len()).find(fits) else { return false };
        from = at + chunk.len();
    }
    true
}

fn is_chunk(chunk: &[&str], lines: &[&str]) -> bool {
    let Some(first) = chunk.iter().position(|it| !it.is_empty()) else { return true };
    let Some(indent) = lines.get(first).and_then(|it| it.strip_suffix(chunk[first])) else {
        return false;
    };
    indent.trim().is_empty()
        && chunk.len() <= lines.len()
        && chunk.iter().zip(lines).all(|(part, line)| match part.is_empty() {
            true => line.is_empty(),
            false => line.strip_prefix(indent) == Some(part),
        })
}
