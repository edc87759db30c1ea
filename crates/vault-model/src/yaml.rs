//! YAML as a tree with places. The only module that knows who reads YAML for us.
//!
//! It sits on the parser that serde-saphyr is built on, and not on serde: a serde visitor ends at the first
//! mistake, merges before duplicates can be told with both of their places, and doesn't say how a scalar was
//! written. Which plain words are numbers is also ours to say (see `plain`).

mod plain;
mod reader;
mod syntax;

use crate::{
    node::Node,
    source::{FileId, Mistake, Place, Sources},
};

/// A file that is longer is refused before it is read.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// Lists and maps in each other.
pub const MAX_DEPTH: usize = 100;
/// Values in a file, those that come from aliases counted each time.
pub const MAX_NODES: usize = 1_000_000;
/// What aliases may add up to.
const MAX_ALIASED_BYTES: usize = MAX_FILE_BYTES;
/// Enough to work on, and no more of the same.
const MAX_MISTAKES: usize = 100;

/// Adds a file to the sources and parses it.
pub fn read(
    sources: &mut Sources,
    name: impl Into<String>,
    bytes: &[u8],
) -> Result<Node, Vec<Mistake>> {
    read_by(sources, name.into(), bytes, parse)
}

/// As `read_values`, for a file of several documents, such as Kubernetes' manifests are.
pub fn read_all(
    sources: &mut Sources,
    name: impl Into<String>,
    bytes: &[u8],
) -> Result<Vec<Node>, Vec<Mistake>> {
    let parse = |file, text: &str| {
        refuse_unreadable(file, text).and_then(|()| reader::read_all(file, text))
    };
    let roots = read_by(sources, name.into(), bytes, parse);
    if let Err(mistakes) = &roots {
        hide(sources, mistakes);
    }
    roots
}

fn read_by<T>(
    sources: &mut Sources,
    name: String,
    bytes: &[u8],
    parse: impl Fn(FileId, &str) -> Result<T, Vec<Mistake>>,
) -> Result<T, Vec<Mistake>> {
    if bytes.len() > MAX_FILE_BYTES {
        let file = sources.add(name, "");
        return Err(vec![syntax::too_long(file, bytes.len())]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let file = sources.add(name, text);
            parse(file, text)
        }
        Err(it) => {
            let text = String::from_utf8_lossy(bytes);
            let place = syntax::place_at(&text, it.valid_up_to());
            let file = sources.add(name, text);
            Err(vec![syntax::not_utf8(Place { file, ..place }, bytes)])
        }
    }
}

/// As `read`, for a file of values: if it can't be read, its lines aren't shown, since any may hold a secret.
pub fn read_values(
    sources: &mut Sources,
    name: impl Into<String>,
    bytes: &[u8],
) -> Result<Node, Vec<Mistake>> {
    let root = read(sources, name, bytes);
    if let Err(mistakes) = &root {
        hide(sources, mistakes);
    }
    root
}

fn hide(sources: &mut Sources, mistakes: &[Mistake]) {
    mistakes.iter().filter_map(|it| it.place).for_each(|it| sources.hide_file(it.file));
}

/// One document. Nothing is changed by being read: a plain word is a number only if that number is written so.
pub fn parse(file: FileId, text: &str) -> Result<Node, Vec<Mistake>> {
    refuse_unreadable(file, text)?;
    reader::read(file, text)
}

fn refuse_unreadable(file: FileId, text: &str) -> Result<(), Vec<Mistake>> {
    if text.len() > MAX_FILE_BYTES {
        return Err(vec![syntax::too_long(file, text.len())]);
    }
    match syntax::control_character(file, text) {
        Some(mistake) => Err(vec![mistake]),
        None => Ok(()),
    }
}

/// One value as the command line gives it: `8`, `true`, `[a, b]`, or text.
pub fn parse_scalar(place: Place, text: &str) -> Result<Node, Vec<Mistake>> {
    let here = |mut it: Mistake| {
        it.place = None;
        it.also.clear();
        it
    };
    let root =
        parse(place.file, text).map_err(|it| it.into_iter().map(here).collect::<Vec<_>>())?;
    Ok(Node::from_json(place, root.into_json()))
}
