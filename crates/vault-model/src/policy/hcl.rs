//! HCL text to a tree. One mistake does not hide the next: reading goes on with the next line that begins with a word.

use std::collections::HashSet;
use std::ops::Range;

use super::lexer::{Kind, Lexer, Token};
use super::tree::{Content, Item, Key, MAX_NESTING, Mistakes, Node};

/// What was wrong stands among the mistakes already.
struct Told;

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Token,
    mistakes: &'a mut Mistakes,
}

/// Always ends, never deeper than `MAX_NESTING`.
pub(super) fn parse(text: &str, mistakes: &mut Mistakes) -> Vec<Item> {
    let mut lexer = Lexer::new(text);
    let next = lexer.next_token();
    Parser { lexer, next, mistakes }.items(None, 0).0
}

impl Parser<'_> {
    /// Up to the brace that closes the one at `open`, or to the end of the text; and where that was.
    fn items(&mut self, open: Option<&Range<usize>>, depth: usize) -> (Vec<Item>, usize) {
        let mut items: Vec<Item> = Vec::new();
        let mut assigned = HashSet::new();
        loop {
            match (&self.next.kind, open) {
                (Kind::End, None) => return (items, self.next.range.end),
                (Kind::End, Some(open)) => {
                    let help = "each `{` needs its `}`".to_string();
                    self.mistakes.add(open.clone(), "this brace is never closed", help);
                    return (items, self.next.range.end);
                }
                (Kind::CloseBrace, Some(_)) => return (items, self.advance().range.end),
                _ => match self.item(depth) {
                    Ok((item, is_assigned)) => {
                        self.note_repetition(&item, is_assigned, &mut assigned);
                        items.push(item);
                        if self.next.kind == Kind::Comma {
                            self.advance();
                        }
                    }
                    Err(Told) => self.skip_to_next_item(open.is_some()),
                },
            }
        }
    }

    /// Vault refuses the same `name =` twice in a block; blocks may come again.
    fn note_repetition(&mut self, item: &Item, is_assigned: bool, assigned: &mut HashSet<String>) {
        if !is_assigned {
            return;
        }
        if !assigned.insert(item.word().to_string()) {
            let message = format!("`{}` is said twice in this block", item.word());
            let help = "say it once, with all that belongs to it".to_string();
            self.mistakes.add(item.name_range(), message, help);
        }
    }

    /// Whether it was `name = value`. Takes at least one token.
    fn item(&mut self, depth: usize) -> Result<(Item, bool), Told> {
        let mut keys = Vec::new();
        loop {
            if self.next.kind == Kind::CloseBrace && !keys.is_empty() {
                return Err(self.no_item(&keys, Kind::CloseBrace, self.next.range.clone()));
            }
            let token = self.advance();
            match token.kind {
                Kind::Word(text) | Kind::Text(text) => keys.push(Key { text, range: token.range }),
                Kind::Assign if keys.len() == 1 => {
                    let value = self.value(depth)?;
                    return Ok((finished(keys, value), true));
                }
                Kind::OpenBrace if !keys.is_empty() => {
                    let value = self.object(token.range, depth)?;
                    return Ok((finished(keys, value), false));
                }
                kind => return Err(self.no_item(&keys, kind, token.range)),
            }
        }
    }

    fn no_item(&mut self, keys: &[Key], kind: Kind, range: Range<usize>) -> Told {
        let words = keys.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join(" ");
        let (range, message, help) = match (keys.last(), kind) {
            (_, Kind::Illegal(why)) => (range, why.to_string(), None),
            (None, Kind::CloseBrace) => (range, "this `}` closes nothing".to_string(), None),
            (None, kind) => {
                (range, format!("a name should stand here, not {}", kind.describe()), None)
            }
            (Some(_), Kind::Assign) => {
                let help = format!("write `{words} {{ … }}` without `=`");
                (range, format!("`{words}` is more than one word before `=`"), Some(help))
            }
            (Some(last), _) => {
                let help = "a name is followed by `= value` or by `{ … }`".to_string();
                (last.range.clone(), format!("`{words}` has neither value nor block"), Some(help))
            }
        };
        self.mistakes.add(range, message, help);
        Told
    }

    fn value(&mut self, depth: usize) -> Result<Node, Told> {
        if matches!(self.next.kind, Kind::CloseBrace | Kind::End) {
            let (kind, range) = (self.next.kind.clone(), self.next.range.clone());
            return Err(self.no_value(kind, range));
        }
        let token = self.advance();
        let range = token.range.clone();
        let content = match token.kind {
            Kind::Text(text) => Content::Text(text),
            Kind::Integer(number) => Content::Integer(number),
            Kind::Float(number) => Content::Float(number),
            Kind::Bool(truth) => Content::Bool(truth),
            Kind::OpenBrace => return self.object(range, depth),
            Kind::OpenBracket => return self.list(range, depth),
            kind => return Err(self.no_value(kind, range)),
        };
        self.refuse_unit(&range)?;
        Ok(Node { content, range })
    }

    fn no_value(&mut self, kind: Kind, range: Range<usize>) -> Told {
        match kind {
            Kind::Illegal(why) => self.mistakes.add(range, why, None),
            Kind::Word(word) => {
                let help = format!("write \"{word}\"");
                self.mistakes.add(range, format!("`{word}` needs quotes"), help);
            }
            kind => self.mistakes.add(
                range,
                format!("a value should stand here, not {}", kind.describe()),
                None,
            ),
        }
        Told
    }

    /// `10s` is a number with a word behind it.
    fn refuse_unit(&mut self, value: &Range<usize>) -> Result<(), Told> {
        match &self.next.kind {
            Kind::Word(_) if self.next.range.start == value.end => {
                let range = value.start..self.next.range.end;
                let help = format!("write \"{}\"", self.lexer.slice(&range));
                self.mistakes.add(range, "a value with a unit is a text", help);
                Err(Told)
            }
            _ => Ok(()),
        }
    }

    fn object(&mut self, open: Range<usize>, depth: usize) -> Result<Node, Told> {
        self.check_depth(&open, depth)?;
        let (items, end) = self.items(Some(&open), depth + 1);
        Ok(Node { content: Content::Object(items), range: open.start..end })
    }

    fn list(&mut self, open: Range<usize>, depth: usize) -> Result<Node, Told> {
        self.check_depth(&open, depth)?;
        let mut nodes = Vec::new();
        let mut comma_due = false;
        loop {
            match &self.next.kind {
                Kind::CloseBracket => {
                    let end = self.advance().range.end;
                    return Ok(Node { content: Content::List(nodes), range: open.start..end });
                }
                Kind::Comma => {
                    self.advance();
                    comma_due = false;
                }
                Kind::End | Kind::CloseBrace | Kind::Assign => {
                    let help = "each `[` needs its `]`".to_string();
                    self.mistakes.add(open, "this list is never closed", help);
                    return Err(Told);
                }
                _ if comma_due => {
                    let range = self.next.range.clone();
                    let help = "put a comma between the entries of a list".to_string();
                    self.mistakes.add(
                        range,
                        format!("a comma is missing before {}", self.next.kind.describe()),
                        help,
                    );
                    comma_due = false;
                }
                Kind::Word(word) => {
                    let (word, range) = (Kind::Word(word.clone()), self.next.range.clone());
                    self.no_value(word, range);
                    self.advance();
                    comma_due = true;
                }
                _ => {
                    nodes.push(self.value(depth + 1)?);
                    comma_due = true;
                }
            }
        }
    }

    fn check_depth(&mut self, open: &Range<usize>, depth: usize) -> Result<(), Told> {
        if depth < MAX_NESTING {
            return Ok(());
        }
        self.mistakes.add(open.clone(), format!("nested deeper than {MAX_NESTING} levels"), None);
        Err(Told)
    }

    /// To the next word that begins a line, or to the brace that closes the block that we are in.
    fn skip_to_next_item(&mut self, inside: bool) {
        let mut depth = 0_usize;
        loop {
            match &self.next.kind {
                Kind::End => return,
                Kind::CloseBrace if depth == 0 && inside => return,
                Kind::Word(_) if depth == 0 && self.next.starts_line => return,
                Kind::Word(word) if word == "path" && self.next.starts_line => return,
                Kind::OpenBrace => depth += 1,
                Kind::CloseBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.advance();
        }
    }

    fn advance(&mut self) -> Token {
        let next = self.lexer.next_token();
        std::mem::replace(&mut self.next, next)
    }
}

fn finished(keys: Vec<Key>, value: Node) -> Item {
    let start = keys.first().map_or(value.range.start, |it| it.range.start);
    Item { range: start..value.range.end, keys, value }
}
