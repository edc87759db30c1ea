//! The words of HCL in its first version, which is what Vault reads: not the HCL of Terraform.

use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Word(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Assign,
    /// Something that no value or name begins with, and why.
    Illegal(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
    /// Nothing stands before it on its line.
    pub starts_line: bool,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Kind {
    /// What a sentence calls it.
    pub fn describe(&self) -> String {
        match self {
            Kind::Word(word) => format!("`{word}`"),
            Kind::Text(_) => "a text".to_string(),
            Kind::Integer(_) | Kind::Float(_) => "a number".to_string(),
            Kind::Bool(truth) => format!("`{truth}`"),
            Kind::OpenBrace => "`{`".to_string(),
            Kind::CloseBrace => "`}`".to_string(),
            Kind::OpenBracket => "`[`".to_string(),
            Kind::CloseBracket => "`]`".to_string(),
            Kind::Comma => "`,`".to_string(),
            Kind::Assign => "`=`".to_string(),
            Kind::Illegal(_) => "something else".to_string(),
            Kind::End => "the end of the text".to_string(),
        }
    }
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    pub fn next_token(&mut self) -> Token {
        let starts_line = match self.skip_blanks_and_comments() {
            Ok(starts_line) => starts_line,
            Err(token) => return token,
        };
        let start = self.at;
        let kind = match self.peek() {
            None => Kind::End,
            Some(c) if is_letter(c) => self.word(),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some('-' | '.') if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.number()
            }
            Some('"') => self.text(),
            Some('<') => self.heredoc(),
            Some(c) => {
                self.at += c.len_utf8();
                punctuation(c)
            }
        };
        Token { kind, range: start..self.at, starts_line }
    }

    pub fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Whether a new line began on the way.
    fn skip_blanks_and_comments(&mut self) -> Result<bool, Token> {
        let mut starts_line = self.at == 0;
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            starts_line |= rest[..blanks].contains('\n');
            self.at += blanks;
            let rest = self.rest();
            if rest.starts_with('#') || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(end) => self.at += end + 4,
                    None => {
                        let range = self.at..self.at + 2;
                        self.at = self.text.len();
                        return Err(Token {
                            kind: Kind::Illegal("this comment has no end"),
                            range,
                            starts_line,
                        });
                    }
                }
            } else {
                return Ok(starts_line);
            }
        }
    }

    fn word(&mut self) -> Kind {
        let word = self.take_while(|c| is_letter(c) || c.is_numeric() || c == '-' || c == '.');
        match word {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ => Kind::Word(word.to_string()),
        }
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        self.take_if(|c| c == '-');
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            self.take_while(|c| c.is_ascii_hexdigit());
            return integer(&self.text[start..self.at]);
        }
        self.take_while(|c| c.is_ascii_digit());
        let mut float = self.take_if(|c| c == '.');
        self.take_while(|c| c.is_ascii_digit());
        if self.take_if(|c| c == 'e' || c == 'E') {
            float = true;
            self.take_if(|c| c == '-' || c == '+');
            self.take_while(|c| c.is_ascii_digit());
        }
        let number = &self.text[start..self.at];
        match float {
            true => number.parse().map_or(Kind::Illegal("no number is written so"), Kind::Float),
            false => integer(number),
        }
    }

    /// `"…"`. Between `${` and `}` quotes and backslashes are letters like any other.
    fn text(&mut self) -> Kind {
        self.at += 1;
        let mut value = String::new();
        let mut braces = 0_usize;
        let mut wrong = None;
        loop {
            let Some(c) = self.peek() else {
                return Kind::Illegal("this text has no closing quote");
            };
            if c == '\n' && braces == 0 {
                return Kind::Illegal("this text has no closing quote on its line");
            }
            self.at += c.len_utf8();
            match c {
                '"' if braces == 0 => break,
                '\\' if braces == 0 => match self.escape() {
                    Some(c) => value.push(c),
                    None => wrong = Some("this text holds a backslash that means nothing"),
                },
                '{' if braces > 0
                    || value.ends_with('$') && self.text[..self.at].ends_with("${") =>
                {
                    braces += 1;
                    value.push(c);
                }
                '}' => {
                    braces = braces.saturating_sub(1);
                    value.push(c);
                }
                _ => value.push(c),
            }
        }
        wrong.map_or_else(|| Kind::Text(value.replace("\r\n", "\n")), Kind::Illegal)
    }

    /// After the backslash.
    fn escape(&mut self) -> Option<char> {
        let c = self.peek()?;
        if c.is_digit(8) {
            return self.code(3, 8);
        }
        if c == '\n' {
            return None;
        }
        self.at += c.len_utf8();
        Some(match c {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' | '"' => c,
            'x' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            _ => return None,
        })
    }

    fn code(&mut self, digits: usize, radix: u32) -> Option<char> {
        let code = self.rest().get(..digits)?;
        let number = code
            .chars()
            .all(|c| c.is_digit(radix))
            .then(|| u32::from_str_radix(code, radix).ok())??;
        self.at += digits;
        char::from_u32(number)
    }

    /// `<<WORD` up to a line that is `WORD`. After `<<-` the indentation of that line is taken off all the others.
    fn heredoc(&mut self) -> Kind {
        let line = self.rest().find('\n').map_or(self.rest(), |end| &self.rest()[..end]);
        let anchor = line.trim_end_matches('\r').trim_start_matches("<<");
        let (anchor, indented) = anchor.strip_prefix('-').map_or((anchor, false), |it| (it, true));
        let well_formed = line.starts_with("<<") && !anchor.is_empty();
        self.at += line.len();
        if !well_formed || !anchor.chars().all(|c| is_letter(c) || c.is_numeric()) {
            return Kind::Illegal("a text of several lines begins with <<WORD");
        }
        // After `<<-` Vault wants some indentation of the last line.
        let blanks = [' ', '\t', '\r', '\x0b', '\x0c'];
        let ends = |line: &str| {
            line.trim_start_matches(blanks).trim_end_matches('\r') == anchor
                && line.len() >= anchor.len() + usize::from(indented)
        };
        let mut lines = Vec::new();
        for line in self.rest().strip_prefix('\n').unwrap_or_default().split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(last) if ends(last) => {
                    self.at +=
                        1 + lines.iter().map(|it: &&str| it.len() + 1).sum::<usize>() + line.len();
                    let margin = last.split_once(anchor).map_or("", |(margin, _)| margin);
                    return Kind::Text(
                        heredoc_value(&lines, margin, indented).replace("\r\n", "\n"),
                    );
                }
                Some(line) => lines.push(line),
                None => break,
            }
        }
        self.at = self.text.len();
        Kind::Illegal(
            "this text of several lines never ends: it needs a line with nothing but its word",
        )
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let c = self.peek().filter(|c| wanted(*c));
        self.at += c.map_or(0, char::len_utf8);
        c.is_some()
    }
}

fn heredoc_value(lines: &[&str], margin: &str, indented: bool) -> String {
    let whole = |lines: &[&str]| lines.iter().map(|it| format!("{it}\n")).collect::<String>();
    if !indented {
        return whole(lines) + margin;
    }
    match lines.iter().map(|it| it.strip_prefix(margin)).collect::<Option<Vec<_>>>() {
        Some(lines) => whole(&lines),
        None => whole(lines),
    }
}

fn integer(text: &str) -> Kind {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |it| (true, it));
    let parsed = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    match parsed {
        Ok(number) => Kind::Integer(if negative { -number } else { number }),
        Err(_) => Kind::Illegal("no number is written so, or it is too large"),
    }
}

fn punctuation(c: char) -> Kind {
    match c {
        '{' => Kind::OpenBrace,
        '}' => Kind::CloseBrace,
        '[' => Kind::OpenBracket,
        ']' => Kind::CloseBracket,
        ',' => Kind::Comma,
        '=' => Kind::Assign,
        ':' => Kind::Illegal("`:` belongs to JSON: here it is `=`"),
        '\'' => Kind::Illegal("texts stand in double quotes"),
        '\u{201c}' | '\u{201d}' => Kind::Illegal("texts stand in straight double quotes"),
        '\u{feff}' => Kind::Illegal("a byte order mark is no part of a policy"),
        '\0' => Kind::Illegal("a NUL is no part of a policy"),
        _ => Kind::Illegal("nothing begins with this character"),
    }
}

fn is_letter(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}
