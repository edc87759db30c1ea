//! All that is wrong with a spec, at once, for people and for programs.

use std::fmt::{self, Write};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::{
    excerpt::{excerpt, visible},
    source::{Mistake, Place, Severity, Sources},
};

/// In the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub fn list(&self) -> &[Mistake] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|it| it.severity == severity).count()
    }

    /// Whether there is more than warnings.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Each with the line that it is about, and an empty line after each.
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        self.0.iter().map(|it| it.render(sources, colour) + "\n\n").collect()
    }

    /// A list of `{severity, lint, file, line, column, message, help, also: [{file, line, column, message}]}`; what is
    /// not known is left out.
    pub fn to_json(&self, sources: &Sources) -> Value {
        self.0.iter().map(|it| it.to_json(sources)).collect()
    }
}

/// Sorts them, and drops what was found twice.
impl FromIterator<Mistake> for Mistakes {
    fn from_iter<T: IntoIterator<Item = Mistake>>(mistakes: T) -> Mistakes {
        let mut all: Vec<Mistake> = mistakes.into_iter().collect();
        all.sort_by(|a, b| {
            let key = |it: &Mistake| (it.place.is_some(), it.place, it.severity);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        all.dedup();
        Mistakes(all)
    }
}

impl From<Vec<Mistake>> for Mistakes {
    fn from(mistakes: Vec<Mistake>) -> Mistakes {
        mistakes.into_iter().collect()
    }
}

impl Mistake {
    /// `error: message`, ` --> file:line:column`, the line with what is meant underlined, ` = help: …`.
    ///
    /// The layout is rustc's and drawn here: crates that draw it tell the column by the line that they are given, and
    /// ours is masked and cut.
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        let mut drawing = Drawing { text: String::new(), colour, margin: self.margin() };
        // Writing to a string can't fail.
        let _ = self.draw(sources, &mut drawing);
        drawing.text
    }

    fn draw(&self, sources: &Sources, to: &mut Drawing) -> fmt::Result {
        let (name, style, mark) = match self.severity {
            Severity::Error => ("error", ERROR, '^'),
            Severity::Warning => ("warning", WARNING, '^'),
        };
        let lint = self.lint.map_or(String::new(), |it| format!("[{it}]"));
        to.put(style, &format!("{name}{lint}"))?;
        to.put(BOLD, &format!(": {}", visible(&self.message)))?;
        if let Some(place) = self.place {
            to.place("-->", sources, place)?;
            to.excerpt(sources, place, (style, mark), "")?;
        }
        for (place, note) in &self.also {
            to.place(":::", sources, *place)?;
            to.excerpt(sources, *place, (FRAME, '-'), note)?;
        }
        if let Some(help) = &self.help {
            to.bar(Some("|").filter(|_| self.place.is_some() || !self.also.is_empty()))?;
            for (at, line) in visible(help).lines().enumerate() {
                to.text.push('\n');
                let sign = if at == 0 { "=" } else { " " };
                to.put(FRAME, &format!("{:1$} {sign} ", "", to.margin))?;
                to.put(BOLD, if at == 0 { "help" } else { "    " })?;
                write!(to.text, "{}{line}", if at == 0 { ": " } else { "  " })?;
            }
        }
        Ok(())
    }

    /// The digits of its greatest line number.
    fn margin(&self) -> usize {
        let places = self.place.iter().chain(self.also.iter().map(|(it, _)| it));
        places.map(|it| it.line.to_string().len()).max().unwrap_or(1)
    }

    fn to_json(&self, sources: &Sources) -> Value {
        let mut all = at(sources, self.place);
        all["severity"] = json!(self.severity);
        all["message"] = json!(self.message);
        if let Some(it) = self.lint {
            all["lint"] = json!(it);
        }
        if let Some(it) = &self.help {
            all["help"] = json!(it);
        }
        if !self.also.is_empty() {
            let each = |(place, note): &(Place, String)| {
                let mut it = at(sources, Some(*place));
                it["message"] = json!(note);
                it
            };
            all["also"] = self.also.iter().map(each).collect();
        }
        all
    }
}

fn at(sources: &Sources, place: Option<Place>) -> Value {
    match place.map(|it| (it, sources.file(it.file))) {
        Some((place, Some(file))) => {
            json!({ "file": file.name, "line": place.line, "column": place.column })
        }
        _ => json!({}),
    }
}

const ERROR: &str = "\x1b[1;91m";
const WARNING: &str = "\x1b[1;93m";
const FRAME: &str = "\x1b[1;94m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

struct Drawing {
    text: String,
    colour: bool,
    margin: usize,
}

impl Drawing {
    fn put(&mut self, style: &str, what: &str) -> fmt::Result {
        match self.colour {
            true => write!(self.text, "{style}{what}{PLAIN}"),
            false => self.text.write_str(what),
        }
    }

    fn place(&mut self, arrow: &str, sources: &Sources, place: Place) -> fmt::Result {
        self.text.push('\n');
        self.put(FRAME, &format!("{:1$}{arrow}", "", self.margin))?;
        write!(self.text, " {}", visible(&sources.describe(place)))
    }

    fn bar(&mut self, sign: Option<&str>) -> fmt::Result {
        let Some(sign) = sign else { return Ok(()) };
        self.text.push('\n');
        self.put(FRAME, &format!("{:1$} {sign}", "", self.margin))
    }

    /// The line, and under it what is meant.
    fn excerpt(
        &mut self,
        sources: &Sources,
        place: Place,
        (style, mark): (&str, char),
        note: &str,
    ) -> fmt::Result {
        let Some(excerpt) = excerpt(sources, place) else { return Ok(()) };
        let before = excerpt.text[..excerpt.marked.start].width();
        let marks = excerpt.text[excerpt.marked].width().max(1);
        self.bar(Some("|"))?;
        self.text.push('\n');
        self.put(FRAME, &format!("{:>1$} |", excerpt.line, self.margin))?;
        write!(self.text, " {}", excerpt.text)?;
        self.bar(Some("|"))?;
        write!(self.text, " {:before$}", "")?;
        let underline: String = std::iter::repeat_n(mark, marks).collect();
        let note = visible(note);
        let gap = if note.is_empty() { "" } else { " " };
        self.put(style, &format!("{underline}{gap}{note}"))
    }
}
