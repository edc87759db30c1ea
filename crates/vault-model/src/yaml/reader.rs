//! From the events of a parser to a tree.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{
    MAX_ALIASED_BYTES, MAX_DEPTH, MAX_MISTAKES, MAX_NODES,
    plain::plain,
    syntax::{self, too_deep, too_much},
};
use crate::{
    nearest::nearest,
    node::{Key, Node, NodeValue, said_twice},
    source::{FileId, Mistake, Place},
};

/// Anchors that an unknown alias is compared with.
const MAX_NEAR: usize = 1000;

/// One document, or all that is wrong with it.
pub(super) fn read(file: FileId, text: &str) -> Result<Node, Vec<Mistake>> {
    let mut reader = Reader::new(file, text);
    match (reader.document(), reader.mistakes.is_empty()) {
        (Ok(root), true) => Ok(root),
        _ => Err(reader.mistakes),
    }
}

/// Every document of a file.
pub(super) fn read_all(file: FileId, text: &str) -> Result<Vec<Node>, Vec<Mistake>> {
    let mut reader = Reader::new(file, text);
    match (reader.documents(), reader.mistakes.is_empty()) {
        (Ok(roots), true) => Ok(roots),
        _ => Err(reader.mistakes),
    }
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Anchored>,
    keys: HashSet<Arc<str>>,
    nodes: usize,
    repeated_bytes: usize,
    /// Where the last thing that was read ends.
    end: u32,
    mistakes: Vec<Mistake>,
}

struct Anchored {
    node: Node,
    weight: Weight,
}

/// What it costs to repeat a node.
#[derive(Clone, Copy, Default)]
struct Weight {
    depth: usize,
    nodes: usize,
    bytes: usize,
}

/// The rest of the document can't be read; the mistake is noted.
struct Stopped;

type Read<T> = Result<T, Stopped>;

impl<'a> Reader<'a> {
    fn new(file: FileId, text: &'a str) -> Reader<'a> {
        let mut options = granit_parser::options! { emit_unresolved_aliases: true };
        options.set_emit_comments(false);
        Reader {
            file,
            text,
            events: Parser::new_from_str_with_options(text, options),
            anchors: HashMap::new(),
            keys: HashSet::new(),
            nodes: 0,
            repeated_bytes: 0,
            end: 0,
            mistakes: Vec::new(),
        }
    }

    fn document(&mut self) -> Read<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    let place = self.place(span);
                    return self.stop(
                        Mistake::error(place, "a second document begins here")
                            .help("keep one document in a file: a spec can be a folder of files"),
                    );
                }
                Event::DocumentStart(..) => {}
                Event::StreamEnd => break,
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        let nothing = Place { file: self.file, line: 1, column: 1, start: 0, end: 0 };
        Ok(root.unwrap_or(Node::new(nothing, NodeValue::Null)))
    }

    fn documents(&mut self) -> Read<Vec<Node>> {
        let mut roots = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                // Anchors are each document's own.
                Event::DocumentEnd => self.anchors.clear(),
                Event::StreamEnd => return Ok(roots),
                event => roots.push(self.node(event, span, 0)?),
            }
        }
    }

    fn next(&mut self) -> Read<(Event<'a>, Span)> {
        match self.events.next_event() {
            Some(Ok(it)) => Ok(it),
            Some(Err(it)) => self.stop(syntax::mistake(self.file, self.text, &it)),
            None => Err(Stopped),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Read<Node> {
        let place = self.place(span);
        let tagged = span.tag_span().map_or(place, |it| self.place(it));
        self.count(1, place)?;
        if depth > MAX_DEPTH {
            return self.stop(too_deep(place));
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "str", tagged)?;
                (self.scalar(&text, style, tag.is_some(), place), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", tagged)?;
                (self.list(place, depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", tagged)?;
                (self.map(place, depth)?, anchor)
            }
            Event::Alias(id) => return self.alias(id, place, depth),
            Event::UnresolvedAlias(name) => return self.unknown_alias(&name, place),
            _ => return Err(Stopped),
        };
        if anchor != 0 {
            self.keep_anchor(anchor, &node)?;
        }
        Ok(node)
    }

    fn list(&mut self, mut place: Place, depth: usize) -> Read<Node> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if let Event::SequenceEnd = event {
                place.end = self.end_of(place, span);
                items.shrink_to_fit();
                return Ok(Node::new(place, NodeValue::List(items)));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, mut place: Place, depth: usize) -> Read<Node> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if let Event::MappingEnd = event {
                place.end = self.end_of(place, span);
                self.no_key_twice(&mut entries)?;
                self.merge(&mut entries, merged)?;
                entries.shrink_to_fit();
                return Ok(Node::new(place, NodeValue::Map(entries)));
            }
            let is_merge =
                matches!(&event, Event::Scalar(it, ScalarStyle::Plain, _, None) if it == "<<");
            let key = self.key(event, span, depth)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            match key {
                Some(_) if is_merge => merged.push(value),
                Some(key) => entries.push((key, value)),
                None => {}
            }
        }
    }

    /// A key is a word as it was written: `404:` and `"404":` are the same.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Read<Option<Key>> {
        let place = self.place(span);
        self.end = self.end.max(place.end);
        if let Event::Scalar(text, style, anchor, tag) = &event {
            self.check_tag(tag.as_deref(), "str", place)?;
            let null = *style == ScalarStyle::Plain && plain(text) == NodeValue::Null;
            if !null {
                if *anchor != 0 {
                    self.keep_anchor(*anchor, &text_node(place, text))?;
                }
                return Ok(Some(Key { text: self.shared(text), place }));
            }
        }
        let is_alias = matches!(event, Event::Alias(_));
        let node = self.node(event, span, depth + 1)?;
        if let (true, Some(text)) = (is_alias, node.as_text()) {
            return Ok(Some(Key { text: self.shared(text), place }));
        }
        let mistake =
            Mistake::error(node.place, format!("a key should be text, not {}", node.kind_name()));
        let start = node.place.start as usize;
        let vaults = start > 0 && self.text.get(start - 1..start + 1) == Some("{{");
        self.note(match vaults {
            true => mistake.help("put text that begins with `{{` in quotes"),
            false => mistake.help("put the key in quotes"),
        })?;
        Ok(None)
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        match self.keys.get(text) {
            Some(it) => it.clone(),
            None => {
                let it: Arc<str> = text.into();
                self.keys.insert(it.clone());
                it
            }
        }
    }

    fn no_key_twice(&mut self, entries: &mut Vec<(Key, Node)>) -> Read<()> {
        let mut seen: HashMap<Arc<str>, Place> = HashMap::with_capacity(entries.len());
        let mut twice = Vec::new();
        entries.retain(|(key, _)| match seen.get(&key.text) {
            Some(first) => {
                twice.push((key.clone(), *first));
                false
            }
            None => {
                seen.insert(key.text.clone(), key.place);
                true
            }
        });
        twice.iter().try_for_each(|(key, first)| self.note(said_twice(key, *first)))
    }

    /// `<<`: what the map says itself wins, then the earlier of those merged.
    fn merge(&mut self, entries: &mut Vec<(Key, Node)>, merged: Vec<Node>) -> Read<()> {
        if merged.is_empty() {
            return Ok(());
        }
        let mut said: HashSet<Arc<str>> = entries.iter().map(|(key, _)| key.text.clone()).collect();
        for node in merged.into_iter().flat_map(|it| match it.value {
            NodeValue::List(it) => it,
            _ => vec![it],
        }) {
            let place = node.place;
            let NodeValue::Map(more) = node.value else {
                self.note(
                    Mistake::error(place, "`<<` merges maps, and this isn't one")
                        .help("give it an alias of a map, such as `<<: *defaults`"),
                )?;
                continue;
            };
            entries.extend(more.into_iter().filter(|(key, _)| said.insert(key.text.clone())));
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tagged: bool, mut place: Place) -> Node {
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let said = self.text.get(place.start as usize..place.end as usize).unwrap_or_default();
            place.end = place.start + said.trim_end().len() as u32;
        }
        self.end = self.end.max(place.end);
        match style {
            ScalarStyle::Plain if !tagged => Node::new(place, plain(text)),
            _ => text_node(place, text),
        }
    }

    fn alias(&mut self, id: usize, place: Place, depth: usize) -> Read<Node> {
        self.end = place.end;
        let Some(anchored) = self.anchors.get(&id) else {
            return self.stop(
                Mistake::error(place, "an alias stands inside what it stands for")
                    .help("write out what is meant"),
            );
        };
        let weight = anchored.weight;
        if depth + weight.depth > MAX_DEPTH {
            return self.stop(too_deep(place));
        }
        self.count_repeated(weight, place)?;
        match self.anchors.get(&id) {
            Some(it) => Ok(it.node.clone()),
            None => Err(Stopped),
        }
    }

    fn unknown_alias(&mut self, name: &str, place: Place) -> Read<Node> {
        let names: Vec<&str> = syntax::anchors(self.text).take(MAX_NEAR).collect();
        let help = match nearest(name, names) {
            Some(it) => format!("did you mean `*{it}`?"),
            None => "put text that begins with `*` in quotes".to_string(),
        };
        self.note(Mistake::error(place, format!("no anchor is called `{name}`")).help(help))?;
        Ok(Node::new(place, NodeValue::Null))
    }

    fn keep_anchor(&mut self, id: usize, node: &Node) -> Read<()> {
        let weight = weigh(node);
        self.count_repeated(weight, node.place)?;
        self.anchors.insert(id, Anchored { node: node.clone(), weight });
        Ok(())
    }
    /// Tags say what YAML can tell without them; only `!!str` has a use, and a core tag that is true does no harm.
    fn check_tag(&mut self, tag: Option<&Tag>, fits: &str, place: Place) -> Read<()> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema_tag(fits) => self.note(
                Mistake::error(place, format!("the tag `{}` means nothing here", tag.original()))
                    .help("leave it out; put text in quotes"),
            ),
            _ => Ok(()),
        }
    }

    /// Where a list or map ends: at its bracket, or with the last thing in it.
    fn end_of(&mut self, whole: Place, end: Span) -> u32 {
        let end = self.place(end);
        if end.start < end.end {
            self.end = end.end;
        }
        self.end.max(whole.start)
    }

    fn place(&self, span: Span) -> Place {
        syntax::place(self.file, span)
    }

    fn count(&mut self, nodes: usize, place: Place) -> Read<()> {
        self.nodes += nodes;
        match self.nodes > MAX_NODES {
            true => self.stop(too_much(place)),
            false => Ok(()),
        }
    }

    fn count_repeated(&mut self, weight: Weight, place: Place) -> Read<()> {
        self.repeated_bytes += weight.bytes;
        match self.repeated_bytes > MAX_ALIASED_BYTES {
            true => self.stop(too_much(place)),
            false => self.count(weight.nodes, place),
        }
    }

    fn note(&mut self, mistake: Mistake) -> Read<()> {
        self.mistakes.push(mistake);
        match self.mistakes.len() < MAX_MISTAKES {
            true => Ok(()),
            false => Err(Stopped),
        }
    }

    fn stop<T>(&mut self, mistake: Mistake) -> Read<T> {
        self.mistakes.push(mistake);
        Err(Stopped)
    }
}

fn text_node(place: Place, text: &str) -> Node {
    Node::new(place, NodeValue::Text(text.to_owned()))
}

fn weigh(node: &Node) -> Weight {
    let mut all = Weight { depth: 0, nodes: 1, bytes: 0 };
    let mut add = |inner: &Node| {
        let it = weigh(inner);
        all.depth = all.depth.max(it.depth + 1);
        all.nodes += it.nodes;
        all.bytes += it.bytes;
    };
    match &node.value {
        NodeValue::List(it) => it.iter().for_each(add),
        NodeValue::Map(it) => it.iter().for_each(|(_, it)| add(it)),
        NodeValue::Text(it) => all.bytes = it.len(),
        _ => {}
    }
    all
}
