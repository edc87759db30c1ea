//! One line of a spec as a mistake shows it: secrets masked, control characters visible, cut around the place.

use std::{borrow::Cow, ops::Range};

use crate::source::{Place, Sources};

/// What stands for a secret.
pub const MASK: &str = "***";

/// Longer lines are cut.
const WIDTH: usize = 110;
/// What is left to see before the place, in a line that is cut.
const BEFORE: usize = 40;

#[derive(Debug, PartialEq)]
pub(crate) struct Excerpt {
    pub line: usize,
    pub text: String,
    /// The place's own bytes in `text`.
    pub marked: Range<usize>,
}

/// The first line of a place.
pub(crate) fn excerpt(sources: &Sources, place: Place) -> Option<Excerpt> {
    let text = &sources.file(place.file)?.text;
    let at = place.start as usize;
    let start = text.get(..at)?.rfind('\n').map_or(0, |it| it + 1);
    let end = text.get(at..)?.find('\n').map_or(text.len(), |it| at + it);
    let line = text[start..end].trim_end_matches('\r').trim_start_matches('\u{feff}');
    let start = end - text[start..end].trim_start_matches('\u{feff}').len();
    let marked =
        at.max(start) - start..(place.end as usize).clamp(start, start + line.len()) - start;

    let mut hidden = secrets(line);
    let inside = |it: Range<usize>| it.start.max(start) - start..it.end.clamp(start, end) - start;
    hidden.extend(
        sources.hidden(place.file).filter(|it| it.start < end && it.end > start).map(inside),
    );
    let (text, marked) = show(line, marked, &hidden);
    Some(Excerpt { line: place.line as usize, text, marked })
}

/// The same line alone, without the space around it.
pub fn shown(sources: &Sources, place: Place) -> Option<String> {
    Some(excerpt(sources, place)?.text.trim().to_owned())
}

/// Control characters and those that turn the direction of text, written out.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let each = |it: char| match is_unseen(it) {
        true => it.escape_default().to_string(),
        false => it.to_string(),
    };
    Cow::Owned(text.chars().map(each).collect())
}

fn is_unseen(it: char) -> bool {
    match it {
        '\n' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        it => it.is_control(),
    }
}

fn show(line: &str, marked: Range<usize>, hidden: &[Range<usize>]) -> (String, Range<usize>) {
    let window = window(line, marked.start);
    let mut shown = String::new();
    let (mut from, mut to) = (None, None);
    let mut masking = false;
    if window.start > 0 {
        shown.push('…');
    }
    for (at, it) in line[window.clone()].char_indices() {
        let at = window.start + at;
        let secret = hidden.iter().any(|it| it.contains(&at));
        let before = match secret && masking {
            true => shown.len() - MASK.len(),
            false => shown.len(),
        };
        if at >= marked.start {
            from.get_or_insert(before);
        }
        if at >= marked.end {
            to.get_or_insert(shown.len());
        }
        match (secret, it) {
            (true, _) if masking => {}
            (true, _) => shown.push_str(MASK),
            (false, '\t') => shown.push_str("    "),
            (false, it) => shown.push_str(&visible(it.encode_utf8(&mut [0; 4]))),
        }
        masking = secret;
    }
    let from = from.unwrap_or(shown.len());
    let to = to.unwrap_or(shown.len()).max(from);
    if window.end < line.len() {
        shown.push('…');
    }
    (shown, from..to)
}

/// The bytes of a line that are shown.
fn window(line: &str, at: usize) -> Range<usize> {
    let start = match line.len() - at.min(line.len()) < WIDTH - BEFORE {
        true => back(line, line.len(), WIDTH),
        false => back(line, at, BEFORE),
    };
    let end = line[start..].char_indices().nth(WIDTH).map_or(line.len(), |(it, _)| start + it);
    start..end
}

/// So many characters before a byte.
fn back(line: &str, at: usize, characters: usize) -> usize {
    line[..at].char_indices().rev().nth(characters - 1).map_or(0, |(it, _)| it)
}

/// What looks secret in a line, also where nobody could say so yet: a file that isn't YAML has no fields.
fn secrets(line: &str) -> Vec<Range<usize>> {
    match line.len() > LONGEST || is_key(line.trim()) {
        true => std::iter::once(0..line.len()).collect(),
        false => named(line).chain(in_urls(line)).chain(random(line)).collect(),
    }
}

/// A longer line is data, and not worth the search.
const LONGEST: usize = 1 << 16;

/// A line of base64, as in a PEM block.
fn is_key(line: &str) -> bool {
    let base64 = line.bytes().all(|it| it.is_ascii_alphanumeric() || b"+/=".contains(&it));
    line.len() >= 40 && base64 && is_random(line)
}

/// Values of keys with telling names.
fn named(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices(':').filter_map(move |(colon, _)| {
        let name = line[..colon].trim_end_matches(['"', '\'']);
        let name = name.rsplit(|it| !is_name(it)).next().unwrap_or_default();
        let rest = &line[colon + 1..];
        let value = rest.trim_start();
        let said = value.trim_start_matches(['"', '\'']);
        let start = line.len() - value.len();
        let open = ["((", "{", "[", "|", ">", "*", "&", "${", "true", "false", "null", "~", "#"];
        let shows = said.is_empty() || open.iter().any(|it| said.starts_with(it));
        (tells(name) && !shows && rest.len() > value.len())
            .then(|| start..start + length(line, start))
    })
}

fn is_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_' || it == '-'
}

fn tells(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let words = [
        "password",
        "passwd",
        "pass",
        "passphrase",
        "secret",
        "secret_id",
        "secret_key",
        "token",
        "private_key",
        "api_key",
        "access_key",
        "apikey",
        "bindpass",
        "credential",
        "credentials",
        "jwt",
        "hmac_key",
        "pin",
        "seed_key",
    ];
    words
        .iter()
        .any(|it| name.strip_suffix(it).is_some_and(|it| it.is_empty() || it.ends_with('_')))
}

/// Up to the end of the line or, between brackets, to the next comma or bracket.
fn length(line: &str, start: usize) -> usize {
    let value = &line[start..];
    let quote = value.chars().next().filter(|it| "\"'".contains(*it));
    if let Some(end) = quote.and_then(|it| value[1..].find(it)) {
        return end + 2;
    }
    match line[..start].contains('{') {
        true => value.find([',', '}']).unwrap_or(value.len()),
        false => value.len(),
    }
}

/// `://user:password@`
fn in_urls(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("://").filter_map(move |(at, _)| {
        let start = at + 3;
        let host = &line[start..];
        let host = &host[..host.find([' ', '/', '"', '\'']).unwrap_or(host.len())];
        let (who, _) = host.rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        let template = password.starts_with("{{") || password.starts_with("((");
        (!template).then(|| start + user.len() + 1..start + who.len())
    })
}

/// Long words that nobody made up: tokens, keys.
fn random(line: &str) -> impl Iterator<Item = Range<usize>> {
    let is_word = |it: char| it.is_ascii_alphanumeric() || "+=_.-".contains(it);
    line.split(move |it| !is_word(it)).filter(|it| it.len() >= 24 && is_random(it)).map(|word| {
        let start = word.as_ptr() as usize - line.as_ptr() as usize;
        start..start + word.len()
    })
}

fn is_random(word: &str) -> bool {
    let has = |it: fn(&u8) -> bool| word.as_bytes().iter().filter(|byte| it(byte)).count() >= 2;
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}
