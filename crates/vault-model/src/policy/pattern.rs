//! Paths of rules: what they match, and what two of them have in common.

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};
use std::fmt;

use super::template;

/// Longer than any path that Vault serves.
pub(super) const MAX_PATH_BYTES: usize = 4096;

/// The path of a rule: `a/b`, `a/*`, `a/+/b`, with templates such as `{{identity.entity.name}}` in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// Without a leading slash, templates without blanks.
    text: String,
    kind: PatternKind,
}

/// Which of Vault's three ways of looking a path up a rule belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatternKind {
    /// Nothing but this path.
    Exact,
    /// All paths that begin so: `a/*`.
    Prefix,
    /// With `+` for one segment, and perhaps `*` at the end.
    Segments,
}

/// How Vault ranks the rules that match one path and aren't exact: the greatest decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank<'a> {
    first_wildcard: usize,
    ends_itself: bool,
    wildcard_segments: Reverse<usize>,
    length: usize,
    text: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Token {
    Letter(char),
    /// Text that only the server knows: at least one letter of any kind.
    Template(String),
    /// Any letters but `/`, or none.
    Segment,
    /// Any letters, or none: always the last.
    Rest,
}

/// What a word of a pattern's language is spelled with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Letter {
    Char(char),
    Template(String),
    /// A letter that neither pattern names.
    Other,
}

impl Pattern {
    pub fn new(text: &str) -> Pattern {
        let text = template::normalized(text.strip_prefix('/').unwrap_or(text));
        let kind = if text == "+" || text.contains("/+") || text.starts_with("+/") {
            PatternKind::Segments
        } else if text.ends_with('*') {
            PatternKind::Prefix
        } else {
            PatternKind::Exact
        };
        Pattern { text, kind }
    }

    /// Without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As a policy writes it: Vault takes one leading slash off.
    pub(super) fn written(&self) -> String {
        let slash = if self.text.starts_with('/') { "/" } else { "" };
        format!("{slash}{}", self.text)
    }

    pub fn kind(&self) -> PatternKind {
        self.kind
    }

    pub fn is_templated(&self) -> bool {
        self.text.contains("{{")
    }

    /// Without the `*` at its end, if there is one that counts.
    pub fn stem(&self) -> &str {
        match self.kind {
            PatternKind::Exact => &self.text,
            PatternKind::Prefix | PatternKind::Segments => {
                self.text.strip_suffix('*').unwrap_or(&self.text)
            }
        }
    }

    /// Whether Vault takes this rule into account for `path`. Templates match only themselves.
    pub fn matches(&self, path: &str) -> bool {
        match self.kind {
            PatternKind::Exact => path == self.text,
            PatternKind::Prefix => path.starts_with(self.stem()),
            PatternKind::Segments => self.matches_segments(path),
        }
    }

    /// Whether it may match `path` once Vault has filled in the templates.
    pub fn could_match(&self, path: &str) -> bool {
        self.matches(path) || self.is_templated() && self.overlaps(&Pattern::exact(path))
    }

    /// Whether there is a path that both match, once Vault has filled in the templates.
    pub fn overlaps(&self, other: &Pattern) -> bool {
        overlap(&self.steps(), &other.steps())
    }

    /// Whether it matches every path that `other` matches.
    pub fn covers(&self, other: &Pattern) -> bool {
        includes(&self.tokens(), &other.tokens())
    }

    /// Its place among the rules that match the same path. Only for those with wildcards.
    pub(super) fn rank(&self) -> Rank<'_> {
        let stem = self.stem();
        match self.kind {
            PatternKind::Exact | PatternKind::Prefix => Rank {
                first_wildcard: stem.len(),
                ends_itself: false,
                wildcard_segments: Reverse(0),
                length: stem.len(),
                text: stem,
            },
            PatternKind::Segments => Rank {
                first_wildcard: self.text.find('+').unwrap_or(self.text.len()),
                ends_itself: stem.len() == self.text.len(),
                wildcard_segments: Reverse(stem.split('/').filter(|it| *it == "+").count()),
                length: stem.len(),
                text: stem,
            },
        }
    }

    /// A path and nothing else, whatever stands in it.
    fn exact(path: &str) -> Pattern {
        Pattern { text: template::normalized(path), kind: PatternKind::Exact }
    }

    fn matches_segments(&self, path: &str) -> bool {
        let stem = self.stem();
        let is_prefix = stem.len() < self.text.len();
        let mut parts = path.split('/');
        let mut wanted = stem.split('/').peekable();
        while let Some(segment) = wanted.next() {
            let Some(part) = parts.next() else { return false };
            let is_last = wanted.peek().is_none();
            if segment == "+"
                || segment == part
                || is_prefix && is_last && part.starts_with(segment)
            {
                continue;
            }
            return false;
        }
        is_prefix || parts.next().is_none()
    }

    fn tokens(&self) -> Vec<Token> {
        let stem = self.stem();
        let mut tokens = Vec::with_capacity(self.text.len());
        for (index, segment) in stem.split('/').enumerate() {
            if index > 0 {
                tokens.push(Token::Letter('/'));
            }
            if segment == "+" && self.kind == PatternKind::Segments {
                tokens.push(Token::Segment);
            } else {
                push_segment(segment, &mut tokens);
            }
        }
        if stem.len() < self.text.len() {
            tokens.push(Token::Rest);
        }
        tokens
    }

    /// Its tokens with a template as one letter and then any others.
    fn steps(&self) -> Vec<Step> {
        let steps = |token| match token {
            Token::Letter(c) => vec![Step::Letter(c)],
            Token::Template(_) => vec![Step::One, Step::Any],
            Token::Segment => vec![Step::AnyButSlash],
            Token::Rest => vec![Step::Any],
        };
        self.tokens().into_iter().flat_map(steps).collect()
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Pattern {
        Pattern::new(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a rule for `pattern` may match `path`; a template is text that nobody knows yet.
pub fn matches(pattern: &str, path: &str) -> bool {
    Pattern::new(pattern).could_match(path.trim_start_matches('/'))
}

/// Whether every path that `narrow` matches is one that `wide` matches. A template is covered by itself and by a `*`.
pub fn covers(wide: &str, narrow: &str) -> bool {
    Pattern::new(wide).covers(&Pattern::new(narrow))
}

/// Whether some path is matched by both; a template is text that nobody knows yet.
pub fn overlaps(a: &str, b: &str) -> bool {
    Pattern::new(a).overlaps(&Pattern::new(b))
}

fn push_segment(segment: &str, tokens: &mut Vec<Token>) {
    for piece in template::pieces(segment) {
        match piece {
            template::Piece::Text(text) => tokens.extend(text.chars().map(Token::Letter)),
            template::Piece::Template(name) => tokens.push(Token::Template(name.to_string())),
        }
    }
}

/// Tokens read letter by letter: what comes next is never in doubt, since a segment ends at its slash.
fn step(tokens: &[Token], at: usize, letter: &Letter) -> Option<usize> {
    match (tokens.get(at)?, letter) {
        (Token::Rest, _) => Some(at),
        (Token::Segment, Letter::Char('/') | Letter::Template(_)) => step(tokens, at + 1, letter),
        (Token::Segment, _) => Some(at),
        (Token::Letter(token), Letter::Char(c)) if token == c => Some(at + 1),
        (Token::Template(token), Letter::Template(name)) if token == name => Some(at + 1),
        _ => None,
    }
}

fn may_end(tokens: &[Token], at: usize) -> bool {
    match tokens.get(at) {
        None | Some(Token::Rest) => true,
        Some(Token::Segment) => at + 1 == tokens.len(),
        _ => false,
    }
}

/// Whether all that `narrow` spells is spelled by `wide`.
fn includes(wide: &[Token], narrow: &[Token]) -> bool {
    if differ_before_wildcards(wide, narrow) {
        return false;
    }
    let alphabet = alphabet(wide, narrow);
    let mut seen = HashSet::from([(0, 0)]);
    let mut waiting = VecDeque::from([(0, 0)]);
    while let Some((w, n)) = waiting.pop_front() {
        if may_end(narrow, n) && !may_end(wide, w) {
            return false;
        }
        // From here both spell everything, or `wide` does.
        if wide.get(w) == Some(&Token::Rest) {
            continue;
        }
        for letter in &alphabet {
            let Some(n) = step(narrow, n, letter) else { continue };
            let Some(w) = step(wide, w, letter) else { return false };
            if seen.insert((w, n)) {
                waiting.push_back((w, n));
            }
        }
    }
    true
}

/// Then no word is spelled by both. Most rules of a policy are told apart by this.
fn differ_before_wildcards(a: &[Token], b: &[Token]) -> bool {
    let is_wildcard = |it: &Token| matches!(it, Token::Segment | Token::Rest);
    let mut pairs = a.iter().zip(b).take_while(|(a, b)| !is_wildcard(a) && !is_wildcard(b));
    pairs.any(|(a, b)| a != b)
}

fn alphabet(a: &[Token], b: &[Token]) -> HashSet<Letter> {
    let letters = a.iter().chain(b).filter_map(|it| match it {
        Token::Letter(c) => Some(Letter::Char(*c)),
        Token::Template(name) => Some(Letter::Template(name.clone())),
        Token::Segment | Token::Rest => None,
    });
    letters.chain([Letter::Other, Letter::Char('/')]).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Letter(char),
    One,
    AnyButSlash,
    Any,
}

impl Step {
    fn repeats(self) -> bool {
        matches!(self, Step::Any | Step::AnyButSlash)
    }

    fn shares_a_letter_with(self, other: Step) -> bool {
        match (self, other) {
            (Step::Letter(a), Step::Letter(b)) => a == b,
            (Step::Letter(c), Step::AnyButSlash) | (Step::AnyButSlash, Step::Letter(c)) => c != '/',
            _ => true,
        }
    }
}

/// Whether both spell some word.
fn overlap(a: &[Step], b: &[Step]) -> bool {
    let mut seen = HashSet::from([(0, 0)]);
    let mut waiting = vec![(0, 0)];
    while let Some((i, j)) = waiting.pop() {
        let (x, y) = (a.get(i).copied(), b.get(j).copied());
        if x.is_none() && y.is_none() {
            return true;
        }
        let mut next = Vec::with_capacity(3);
        if x.is_some_and(Step::repeats) {
            next.push((i + 1, j));
        }
        if y.is_some_and(Step::repeats) {
            next.push((i, j + 1));
        }
        if let (Some(x), Some(y)) = (x, y)
            && x.shares_a_letter_with(y)
        {
            next.push((i + usize::from(!x.repeats()), j + usize::from(!y.repeats())));
        }
        waiting.extend(next.into_iter().filter(|it| seen.insert(*it)));
    }
    false
}
