//! What a template of Vault Agent asks for, and which fields of the answers it uses.
//!
//! Templates are Go's; only the words that speak of secrets are looked at, and what is not understood is let be.

use std::{collections::HashMap, ops::Range};

#[derive(Debug, Default, PartialEq)]
pub(super) struct Template {
    pub calls: Vec<Call>,
    pub uses: Vec<Use>,
    pub mistake: Option<(Range<usize>, &'static str)>,
}

/// `secret "PATH" "name=value"`
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    pub path: String,
    pub range: Range<usize>,
    /// Parameters make it a write.
    pub writes: bool,
    pub lists: bool,
}

/// `.Data.username`: keys of the answer of a call.
#[derive(Debug, PartialEq)]
pub(super) struct Use {
    pub call: usize,
    pub keys: Vec<String>,
    pub range: Range<usize>,
}

/// What the dot is within a block.
#[derive(Clone, Default)]
struct Dot(Option<(usize, Vec<String>)>);

#[derive(Clone, Debug, PartialEq)]
enum Word<'t> {
    Text(String),
    Plain(&'t str),
    Open,
    Close,
}

type Found<'t> = (Word<'t>, Range<usize>);

pub(super) fn read(text: &str) -> Template {
    let mut reader = Reader::default();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|it| at + it) {
        let Some(close) = end_of(text, open + 2) else {
            reader.read.mistake = Some((open..open + 2, "this action is never closed by `}}`"));
            return reader.read;
        };
        let inside = text[open + 2..close].trim_start_matches('-').trim_start();
        if !inside.starts_with("/*") {
            reader.action(open..close + 2, &words(text, open + 2, close));
        }
        at = close + 2;
    }
    if let (None, Some((_, opened))) = (&reader.read.mistake, reader.blocks.pop()) {
        reader.read.mistake = Some((opened, "this block is never closed by `{{ end }}`"));
    }
    reader.read
}

#[derive(Default)]
struct Reader {
    read: Template,
    /// With where each was opened; the innermost last.
    blocks: Vec<(Dot, Range<usize>)>,
    variables: HashMap<String, Dot>,
}

impl Reader {
    fn action(&mut self, whole: Range<usize>, words: &[Found<'_>]) {
        let keyword = match words.first() {
            Some((Word::Plain(it), _)) => *it,
            _ => "",
        };
        match keyword {
            "end" => {
                if self.blocks.pop().is_none() {
                    self.read.mistake.get_or_insert((whole, "nothing is open that this could end"));
                }
            }
            "with" | "range" => {
                let value = self.pipeline(&words[1..]);
                let dot = if keyword == "with" { value } else { Dot::default() };
                self.blocks.push((dot, whole));
            }
            "if" | "block" | "define" => {
                self.pipeline(&words[1..]);
                let dot = if keyword == "if" { self.dot() } else { Dot::default() };
                self.blocks.push((dot, whole));
            }
            _ => {
                self.pipeline(words);
            }
        }
    }

    fn dot(&self) -> Dot {
        self.blocks.last().map(|(dot, _)| dot.clone()).unwrap_or_default()
    }

    /// What it comes to, where that is an answer of Vault or a part of one.
    fn pipeline(&mut self, words: &[Found<'_>]) -> Dot {
        let (variable, words) = match words {
            [(Word::Plain(name), _), (Word::Plain(":=" | "="), _), rest @ ..]
                if name.starts_with('$') =>
            {
                (Some(*name), rest)
            }
            _ => (None, words),
        };
        let mut value = Dot::default();
        let mut called = None;
        for (at, (word, range)) in words.iter().enumerate() {
            let Word::Plain(word) = word else { continue };
            match *word {
                "secret" | "secrets" => {
                    if let Some((Word::Text(path), range)) = words.get(at + 1) {
                        let writes = matches!(words.get(at + 2), Some((Word::Text(_), _)));
                        let lists = *word == "secrets";
                        let (path, range) = (path.clone(), range.clone());
                        self.read.calls.push(Call { path, range, writes, lists });
                        called = Some(self.read.calls.len() - 1);
                        value = Dot(called.map(|it| (it, Vec::new())));
                    }
                }
                field => {
                    let after_call = at > 0
                        && words[at - 1].0 == Word::Close
                        && words[at - 1].1.end == range.start;
                    let from = match field.split_once('.') {
                        Some(("", _)) if after_call => Dot(called.map(|it| (it, Vec::new()))),
                        Some(("", _)) => self.dot(),
                        Some((variable, _)) => {
                            self.variables.get(variable).cloned().unwrap_or_default()
                        }
                        None => continue,
                    };
                    value = self.used(
                        from,
                        field,
                        range,
                        words.get(at + 1),
                        at > 0 && words[at - 1].0 == Word::Plain("index"),
                    );
                }
            }
        }
        if let Some(name) = variable {
            self.variables.insert(name.to_owned(), value.clone());
        }
        value
    }

    fn used(
        &mut self,
        from: Dot,
        field: &str,
        range: &Range<usize>,
        next: Option<&Found<'_>>,
        is_indexed: bool,
    ) -> Dot {
        let Some((call, mut keys)) = from.0 else { return Dot::default() };
        let path = field.split_once('.').map_or("", |(_, it)| it);
        keys.extend(path.split('.').filter(|it| !it.is_empty()).map(str::to_owned));
        let mut range = range.clone();
        if let (true, Some((Word::Text(key), at))) = (is_indexed, next) {
            keys.push(key.clone());
            range.end = at.end;
        }
        self.read.uses.push(Use { call, keys: keys.clone(), range });
        Dot(Some((call, keys)))
    }
}

/// Where the action that begins before `from` ends: `}}` outside of any text.
fn end_of(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at + 1 < bytes.len() {
        match bytes[at] {
            b'}' if bytes[at + 1] == b'}' => return Some(at),
            quote @ (b'"' | b'`') => at = end_of_text(text, at, quote)?,
            _ => at += 1,
        }
    }
    None
}

/// The byte behind the closing quote.
fn end_of_text(text: &str, open: usize, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 2,
            it if it == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn words(text: &str, from: usize, to: usize) -> Vec<Found<'_>> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut at = from;
    while at < to {
        match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b'|' | b',' => at += 1,
            b'-' if at == from || at + 1 == to => at += 1,
            b'(' => {
                words.push((Word::Open, at..at + 1));
                at += 1;
            }
            b')' => {
                words.push((Word::Close, at..at + 1));
                at += 1;
            }
            quote @ (b'"' | b'`') => {
                let end = end_of_text(text, at, quote).unwrap_or(to).min(to);
                let inside = &text[at + 1..end.saturating_sub(1).max(at + 1)];
                words.push((Word::Text(inside.replace("\\\"", "\"")), at + 1..end - 1));
                at = end;
            }
            _ => {
                let is_end = |it: char| it.is_whitespace() || "()|,\"`".contains(it);
                let end = text[at..to].find(is_end).map_or(to, |it| at + it);
                words.push((Word::Plain(&text[at..end]), at..end));
                at = end;
            }
        }
    }
    words
}
