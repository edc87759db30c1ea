//! The text that a spec was written in, and mistakes that point into it.

use std::{fmt, ops::Range};

use schemars::JsonSchema;
use serde::Serialize;

/// All the files of one spec. A `Place` points into one of them.
#[derive(Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    hidden: Vec<Place>,
}

#[derive(Clone)]
pub struct SourceFile {
    /// As the user would name it, relative to where they stand.
    pub name: String,
    pub text: String,
}

/// Where something was said. Lines and columns count from 1, in characters; `start..end` are bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: FileId,
    pub line: u32,
    pub column: u32,
    pub start: u32,
    pub end: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// One thing that is wrong with a spec. Its texts never hold a secret value.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    pub severity: Severity,
    /// The lint that found it, if one did: what a person names to silence it.
    pub lint: Option<&'static str>,
    pub place: Option<Place>,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
    /// Other places that belong to it, each with what is there.
    pub also: Vec<(Place, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

impl Sources {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(SourceFile { name: name.into(), text: text.into() });
        FileId(self.files.len() as u32 - 1)
    }

    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// Files are named as whoever stands in `folder` would name them.
    pub fn seen_from(&mut self, folder: &str) {
        let folder = format!("{}/", folder.trim_end_matches('/'));
        for file in &mut self.files {
            if let Some(rest) = file.name.strip_prefix(&folder) {
                file.name = rest.to_owned();
            }
        }
    }

    /// Every file's text.
    pub fn texts(&self) -> impl Iterator<Item = (FileId, &str)> {
        self.files.iter().enumerate().map(|(at, it)| (FileId(at as u32), it.text.as_str()))
    }

    /// What stands at a place, as it was written.
    pub fn text(&self, place: Place) -> Option<&str> {
        self.file(place.file)?.text.get(place.start as usize..place.end as usize)
    }

    /// Where a part of a scalar's value stands. `anchor..part.end` is looked for in the text as it was written, so the
    /// answer is exact unless an escape or a fold lies in it; then it is the anchor's place, or the whole scalar's.
    pub fn within(&self, scalar: Place, value: &str, anchor: usize, part: Range<usize>) -> Place {
        let Some(said) = self.text(scalar) else { return scalar };
        let found = |wanted: Range<usize>| {
            let before = value.get(..wanted.start)?;
            let wanted = value.get(wanted).filter(|it| !it.is_empty())?;
            let (at, _) = said.match_indices(wanted).nth(before.matches(wanted).count())?;
            Some(at)
        };
        if let Some(at) = found(anchor..part.end) {
            let from = at + part.start.saturating_sub(anchor);
            return inside(scalar, said, from..from + part.len());
        }
        match found(anchor..anchor + 2) {
            Some(at) => inside(scalar, said, at..at + 2),
            None => scalar,
        }
    }

    /// What stands here is secret: it is never shown again.
    pub fn hide(&mut self, place: Place) {
        if place.start < place.end {
            self.hidden.push(place);
        }
    }

    /// Nothing in this file is shown: it holds values and can't be read well enough to tell the secret ones.
    pub fn hide_file(&mut self, file: FileId) {
        let end = self.file(file).map_or(0, |it| it.text.len() as u32);
        self.hide(Place { file, line: 1, column: 1, start: 0, end });
    }

    /// The bytes of a file that are never shown.
    pub fn hidden(&self, file: FileId) -> impl Iterator<Item = Range<usize>> {
        let here = self.hidden.iter().filter(move |it| it.file == file);
        here.map(|it| it.start as usize..it.end as usize)
    }

    /// `file:line:column`.
    pub fn describe(&self, place: Place) -> String {
        let name = self.file(place.file).map_or("?", |it| it.name.as_str());
        format!("{name}:{}:{}", place.line, place.column)
    }
}

/// The place of some bytes of what stands at a place.
fn inside(whole: Place, said: &str, part: Range<usize>) -> Place {
    let Some(before) = said.get(..part.start) else { return whole };
    let lines = before.matches('\n').count() as u32;
    let last = before.rfind('\n').map_or(before, |it| &before[it + 1..]);
    let column = last.chars().count() as u32 + 1;
    Place {
        file: whole.file,
        line: whole.line + lines,
        column: if lines == 0 { whole.column - 1 + column } else { column },
        start: whole.start + part.start as u32,
        end: whole.start + part.end as u32,
    }
}

impl Mistake {
    pub fn error(place: impl Into<Option<Place>>, message: impl Into<String>) -> Mistake {
        Mistake {
            severity: Severity::Error,
            lint: None,
            place: place.into(),
            message: message.into(),
            help: None,
            also: Vec::new(),
        }
    }

    pub fn warning(place: impl Into<Option<Place>>, message: impl Into<String>) -> Mistake {
        Mistake { severity: Severity::Warning, ..Mistake::error(place, message) }
    }

    pub fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }

    pub fn also(mut self, place: Place, note: impl Into<String>) -> Mistake {
        self.also.push((place, note.into()));
        self
    }
}

/// Texts of a spec can hold secrets: only the names of the files are shown.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.files.iter().map(|it| &it.name)).finish()
    }
}
