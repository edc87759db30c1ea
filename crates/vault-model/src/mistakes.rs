//! All that is wrong with a spec, at once, for people and for programs.

use std::fmt::{self, Write};

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::{
    excerpt::{excerpt, visible},
    source::{Mistake, Place, Severity, Sources},
};

/// The shape of `ToldMistakes`; it changes only together with this name.
pub const MISTAKES_FORMAT: &str = "vaultwright/mistakes/1";

/// What `--format json` of `vaultwright check` and `check-manifests` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "vaultwright mistakes", extend("additionalProperties" = false))]
struct ToldMistakes<'a> {
    /// The name of this shape.
    #[schemars(extend("const" = MISTAKES_FORMAT))]
    format: &'static str,
    /// In the order of the text.
    mistakes: Vec<ToldMistake<'a>>,
}

/// What is not known is left out.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Mistake", extend("unevaluatedProperties" = false))]
struct ToldMistake<'a> {
    #[serde(flatten)]
    at: Option<ToldPlace<'a>>,
    severity: Severity,
    message: &'a str,
    /// The lint that found it: what a comment names to silence it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lint: Option<&'a str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    /// Other places that have to do with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    also: Vec<ToldNote<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Note", extend("unevaluatedProperties" = false))]
struct ToldNote<'a> {
    #[serde(flatten)]
    at: Option<ToldPlace<'a>>,
    message: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct ToldPlace<'a> {
    file: &'a str,
    /// From 1, as is the column.
    line: u32,
    /// In characters.
    column: u32,
}

/// Of what `Mistakes::to_json` gives.
pub fn schema() -> Schema {
    schema_for!(ToldMistakes<'static>)
}

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

    /// For programs. `format` names the shape.
    pub fn to_json(&self, sources: &Sources) -> Value {
        let mistakes = self.0.iter().map(|it| it.told(sources)).collect();
        json!(ToldMistakes { format: MISTAKES_FORMAT, mistakes })
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

    fn told<'a>(&'a self, sources: &'a Sources) -> ToldMistake<'a> {
        let note = |(place, note): &'a (Place, String)| ToldNote {
            at: told_place(sources, *place),
            message: note,
        };
        ToldMistake {
            at: self.place.and_then(|it| told_place(sources, it)),
            severity: self.severity,
            message: &self.message,
            lint: self.lint,
            help: self.help.as_deref(),
            also: self.also.iter().map(note).collect(),
        }
    }
}

fn told_place(sources: &Sources, place: Place) -> Option<ToldPlace<'_>> {
    let file = &sources.file(place.file)?.name;
    Some(ToldPlace { file, line: place.line, column: place.column })
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
