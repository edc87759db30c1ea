//! JSON text to the tree that Vault makes of it, in which nested objects are blocks with several names.
//!
//! Stricter than Vault, which stops reading at a missing comma without a word.

use std::collections::HashSet;
use std::ops::Range;

use super::tree::{Content, Item, Key, MAX_NESTING, Mistakes, Node};

/// What was wrong stands among the mistakes already.
struct Told;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    mistakes: &'a mut Mistakes,
}

/// Always ends, never deeper than `MAX_NESTING`.
pub(super) fn parse(text: &str, mistakes: &mut Mistakes) -> Vec<Item> {
    let mut parser = Parser { text, at: 0, mistakes };
    let Ok(node) = parser.document() else { return Vec::new() };
    match node.content {
        Content::Object(items) => flatten(items),
        _ => Vec::new(),
    }
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Node, Told> {
        let node = self.value(0)?;
        self.skip_blanks();
        match self.at == self.text.len() {
            true => Ok(node),
            false => Err(self.wrong("the JSON ended before this", None)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Told> {
        self.skip_blanks();
        let start = self.at;
        if depth > MAX_NESTING {
            return Err(self.wrong(&format!("nested deeper than {MAX_NESTING} levels"), None));
        }
        let content = match self.peek() {
            Some(b'{') => Content::Object(self.object(depth)?),
            Some(b'[') => Content::List(self.list(depth)?),
            Some(b'"') => Content::Text(self.text()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ if self.take("true") => Content::Bool(true),
            _ if self.take("false") => Content::Bool(false),
            // Vault takes it for an empty text.
            _ if self.take("null") => Content::Text(String::new()),
            None => return Err(self.wrong("the JSON ends too early", None)),
            Some(_) => {
                return Err(
                    self.wrong("no JSON value begins so", Some("texts stand in double quotes"))
                );
            }
        };
        Ok(Node { content, range: start..self.at })
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Item>, Told> {
        let open = self.at..self.at + 1;
        self.at += 1;
        let mut items = Vec::new();
        let mut names = HashSet::new();
        loop {
            self.skip_blanks();
            if self.take("}") {
                return Ok(items);
            }
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.no_entry(&open, "a name in double quotes, or `}`"));
            }
            let key = Key { text: self.text()?, range: start..self.at };
            if !names.insert(key.text.clone()) {
                let help = "JSON readers keep only one of them".to_string();
                self.mistakes.add(
                    key.range.clone(),
                    format!("`{}` is said twice in this object", key.text),
                    help,
                );
            }
            self.skip_blanks();
            if !self.take(":") {
                return Err(self.no_entry(&open, "`:`"));
            }
            let value = self.value(depth + 1)?;
            items.push(Item { keys: vec![key], range: start..self.at, value });
            self.separator(b'}', &open)?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Told> {
        let open = self.at..self.at + 1;
        self.at += 1;
        let mut nodes = Vec::new();
        loop {
            self.skip_blanks();
            if self.take("]") {
                return Ok(nodes);
            }
            let node = self.value(depth + 1)?;
            if matches!(node.content, Content::Bool(_) | Content::List(_)) {
                let help = "write it as a text, or write the policy in HCL".to_string();
                self.mistakes.add(
                    node.range.clone(),
                    format!("Vault drops {} in a JSON list", node.shape()),
                    help,
                );
            }
            nodes.push(node);
            self.separator(b']', &open)?;
        }
    }

    /// A comma, or the end ahead. A comma before the end is as good.
    fn separator(&mut self, end: u8, open: &Range<usize>) -> Result<(), Told> {
        self.skip_blanks();
        if self.take(",") || self.peek() == Some(end) {
            return Ok(());
        }
        Err(self.no_entry(open, "a comma"))
    }

    fn no_entry(&mut self, open: &Range<usize>, expected: &str) -> Told {
        if self.peek().is_none() {
            self.mistakes.add(open.clone(), "this bracket is never closed", None);
            return Told;
        }
        self.wrong(&format!("{expected} should stand here"), None)
    }

    fn text(&mut self) -> Result<String, Told> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let mut escaped = false;
        let end = rest.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end else {
            return Err(self.wrong("this text has no closing quote", None));
        };
        let quoted = &self.text[start..start + end + 2];
        match serde_json::from_str(quoted) {
            // Vault knows every escape of JSON but this one.
            Ok(_) if has_escaped_slash(quoted) => Err(self
                .wrong("Vault refuses `\\/` in a text", Some("write `/` without the backslash"))),
            Ok(text) => {
                self.at += quoted.len();
                Ok(text)
            }
            Err(_) => Err(self.wrong(
                "this text holds a line end or a backslash that means nothing in JSON",
                None,
            )),
        }
    }

    fn number(&mut self) -> Result<Content, Told> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let number: Option<serde_json::Number> = serde_json::from_str(&rest[..length]).ok();
        let content = number
            .and_then(|it| it.as_i64().map(Content::Integer).or(it.as_f64().map(Content::Float)));
        match content {
            Some(content) => {
                self.at += length;
                Ok(content)
            }
            None => Err(self.wrong("no JSON number is written so", None)),
        }
    }

    fn wrong(&mut self, message: &str, help: Option<&str>) -> Told {
        let width = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.mistakes.add(self.at..self.at + width, message, help.map(str::to_string));
        Told
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.text[self.at..].starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }
}

fn has_escaped_slash(quoted: &str) -> bool {
    quoted.replace(r"\\", "").contains(r"\/")
}

/// An object that holds nothing but objects, and a list of nothing but objects, become blocks of their own, as often
/// as it goes: `{"path": {"a": {…}}}` reads as `path "a" { … }`.
fn flatten(items: Vec<Item>) -> Vec<Item> {
    let mut flat = Vec::with_capacity(items.len());
    let mut waiting: Vec<Item> = items.into_iter().rev().collect();
    while let Some(item) = waiting.pop() {
        match parts(item) {
            Ok(parts) => waiting.extend(parts.into_iter().rev()),
            Err(item) => flat.push(Item { value: flatten_inside(item.value), ..item }),
        }
    }
    flat
}

fn flatten_inside(node: Node) -> Node {
    let content = match node.content {
        Content::Object(items) => Content::Object(flatten(items)),
        Content::List(nodes) => Content::List(nodes.into_iter().map(flatten_inside).collect()),
        content => content,
    };
    Node { content, ..node }
}

/// The item itself where it has no parts.
fn parts(item: Item) -> Result<Vec<Item>, Item> {
    let Item { keys, value, range } = item;
    match value.content {
        Content::Object(items)
            if !items.is_empty() && items.iter().all(|it| it.value.items().is_some()) =>
        {
            Ok(items
                .into_iter()
                .map(|it| Item { keys: [&keys[..], &it.keys].concat(), ..it })
                .collect())
        }
        Content::List(nodes)
            if !nodes.is_empty() && nodes.iter().all(|it| it.items().is_some()) =>
        {
            Ok(nodes
                .into_iter()
                .map(|value| Item { keys: keys.clone(), range: range.clone(), value })
                .collect())
        }
        content => Err(Item { keys, value: Node { content, range: value.range }, range }),
    }
}
