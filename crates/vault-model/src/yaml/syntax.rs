//! What is wrong with text that isn't YAML, in words that say what to do.

use granit_parser::{ErrorKind, ScanError, Span};

use super::{MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES};
use crate::source::{FileId, Mistake, Place};

pub(super) fn place(file: FileId, span: Span) -> Place {
    let bytes = span.byte_range().unwrap_or(0..0);
    Place {
        file,
        line: span.start.line() as u32,
        column: span.start.col() as u32 + 1,
        start: bytes.start as u32,
        end: bytes.end as u32,
    }
}

/// The character that stands at this byte.
pub(super) fn place_at(text: &str, start: usize) -> Place {
    let before = text.get(..start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |it| it + 1);
    let end = start + text.get(start..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8);
    Place {
        file: FileId::default(),
        line: before.bytes().filter(|it| *it == b'\n').count() as u32 + 1,
        column: before[line_start..].chars().count() as u32 + 1,
        start: start as u32,
        end: end as u32,
    }
}

pub(super) fn too_long(file: FileId, bytes: usize) -> Mistake {
    let place = Place { file, line: 1, column: 1, start: 0, end: 0 };
    let (mib, limit) = (bytes.div_ceil(1 << 20), MAX_FILE_BYTES >> 20);
    Mistake::error(place, format!("the file has {mib} MiB, and a spec's file may have {limit}"))
        .help("split it into several files: a spec can be a folder")
}

pub(super) fn too_deep(place: Place) -> Mistake {
    Mistake::error(place, format!("more than {MAX_DEPTH} lists and maps in each other"))
        .help("say it flatter")
}

pub(super) fn too_much(place: Place) -> Mistake {
    Mistake::error(place, format!("the file says more than {MAX_NODES} values, aliases counted"))
        .help("split it into several files, or repeat less by aliases")
}

pub(super) fn not_utf8(place: Place, bytes: &[u8]) -> Mistake {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let message = match utf16 {
        true => "the file is UTF-16",
        false => "the file isn't UTF-8: it can't be read from here on",
    };
    Mistake::error(place, message).help("save it as UTF-8")
}

/// YAML has no control characters, and a parser may take NUL for the end of the file.
pub(super) fn control_character(file: FileId, text: &str) -> Option<Mistake> {
    let (at, it) = text.char_indices().find(|(_, it)| !is_printable(*it))?;
    let place = Place { file, ..place_at(text, at) };
    let code = u32::from(it);
    let escape = match code {
        ..=0xff => format!("\\x{code:02x}"),
        _ => format!("\\u{code:04x}"),
    };
    Some(
        Mistake::error(place, format!("a control character (U+{code:04X}) stands in the file"))
            .help(format!("remove it, or write \"{escape}\" in double quotes")),
    )
}

fn is_printable(it: char) -> bool {
    match it {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        it => !it.is_control(),
    }
}

/// The names after `&`, for "did you mean": what looks like one.
pub(super) fn anchors(text: &str) -> impl Iterator<Item = &str> {
    text.split('&')
        .skip(1)
        .filter_map(|it| it.split(|it: char| it.is_whitespace() || ",[]{}".contains(it)).next())
}

/// A syntax error of the parser, at the character where it was noticed.
pub(super) fn mistake(file: FileId, text: &str, error: &ScanError) -> Mistake {
    let mark = error.marker();
    let start = mark.byte_offset().unwrap_or(text.len()).min(text.len());
    let one = text.get(start..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8);
    let place = Place {
        file,
        line: mark.line() as u32,
        column: mark.col() as u32 + 1,
        start: start as u32,
        end: (start + one) as u32,
    };
    let (message, help) = words(error.kind());
    let mistake = Mistake::error(place, message);
    let line = text[..start].rfind('\n').map_or(0, |it| it + 1);
    let template =
        text[line..].lines().next().is_some_and(|it| it.contains("((") || it.contains("{{"));
    match (help, template) {
        ("", false) => mistake,
        (_, true) => mistake.help("put text that has a template, `((` or `{{`, in quotes"),
        (help, false) => mistake.help(help),
    }
}

fn words(kind: &ErrorKind) -> (String, &'static str) {
    use ErrorKind as E;
    let quotes = "put the whole text in quotes";
    let tabs = "indent with spaces";
    let (message, help) = match kind {
        E::UnexpectedCharacter { character } => {
            return (format!("text can't begin with `{character}`"), quotes);
        }
        E::UnclosedFlowCollection { open } => {
            return (format!("`{open}` is never closed"), "close it, or put the text in quotes");
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            return (
                format!("`{open}` is closed by `{close}`"),
                "close each bracket by its own kind",
            );
        }
        E::MappingValueNotAllowed | E::InvalidColonPlacement => (
            "a `:` isn't expected here",
            "text that holds `: ` goes in quotes; a key stands in the column of the keys beside it",
        ),
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart => ("a tab indents this line", tabs),
        E::UnclosedQuotedScalar => ("this quote is never closed", "close it on the same line"),
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            ("a `:` is missing after this key", "write `key: value`, with a space after the colon")
        }
        E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry
        | E::ExpectedDocumentStart
        | E::InvalidIndentation => (
            "this doesn't continue what stands above it",
            "let it begin in the column of the keys or list items beside it",
        ),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            ("text goes on after its closing quote", quotes)
        }
        E::UnknownQuotedScalarEscape => {
            ("no such `\\` escape", "write `\\\\` for a backslash, or use single quotes")
        }
        E::ExpectedFlowMappingSeparator | E::UnexpectedEofFlowMapping => {
            ("a `,` or `}` is missing before this", "text that holds brackets goes in quotes")
        }
        E::ExpectedFlowSequenceSeparator | E::UnexpectedEofFlowSequence => {
            ("a `,` or `]` is missing before this", "text that holds brackets goes in quotes")
        }
        E::MisplacedFlowCollectionEnd => ("this bracket closes nothing", quotes),
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => {
            ("a list item can't begin here", "begin it on a line of its own")
        }
        E::RecursionLimitExceeded => {
            return (
                format!("more than {MAX_DEPTH} lists and maps in each other"),
                "say it flatter",
            );
        }
        E::ExpectedNodeContent => ("a value is missing here", quotes),
        E::MissingAnchorOrAliasName => ("a name is missing after this", quotes),
        E::BomInsideDocument => ("a byte order mark stands inside the file", "remove it"),
        other => return (other.to_string(), ""),
    };
    (message.to_string(), help)
}
