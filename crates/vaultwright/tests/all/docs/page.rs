//! A page of the documentation as its blocks: what is run, what is written to a file, what is looked up in one.

/// A page that holds anything else than such blocks is refused: nothing in it goes unchecked.
#[derive(Debug)]
pub struct Page {
    /// What the machine must have, by `<!-- needs: server, postgres -->`.
    pub needs: Vec<String>,
    pub blocks: Vec<Block>,
    /// All that stands outside of blocks, with the numbers of the lines.
    pub prose: Vec<(usize, String)>,
}

#[derive(Debug)]
pub struct Block {
    /// Of its fence, from 1.
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Commands and what they show. The last one ends with `code`, the others with 0.
    Console { commands: Vec<Command>, code: i32 },
    /// A command that stays, as in a terminal of its own. What it says to export is exported for what follows.
    Stays(Command),
    /// Commands that this machine must not run: their syntax and their arguments are checked.
    Script(String),
    /// A file that is written as it stands here.
    File { path: String, text: String },
    /// A part of a file that is there.
    Part { path: String, text: String },
}

#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// From 1.
    pub line: usize,
    pub text: String,
    pub output: Vec<String>,
}

impl Page {
    pub fn parse(text: &str) -> Result<Page, String> {
        let mut page = Page { needs: Vec::new(), blocks: Vec::new(), prose: Vec::new() };
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            if let Some(needs) = line.strip_prefix("<!-- needs: ") {
                let needs = needs.strip_suffix(" -->").ok_or(format!("{}: no `-->`", at + 1))?;
                page.needs = needs.split(", ").map(str::to_owned).collect();
                continue;
            }
            let Some(info) = line.trim_start().strip_prefix("```") else {
                page.prose.push((at + 1, line.to_owned()));
                continue;
            };
            if line.starts_with(' ') || info.starts_with('`') {
                return Err(format!(
                    "{}: a block begins with three signs at the line's start",
                    at + 1
                ));
            }
            let mut inside = Vec::new();
            loop {
                let (_, line) = lines.next().ok_or(format!("{}: a block without end", at + 1))?;
                if line == "```" {
                    break;
                }
                inside.push(line);
            }
            let kind = kind(info, at + 2, &inside).map_err(|why| format!("{}: {why}", at + 1))?;
            page.blocks.push(Block { line: at + 1, kind });
        }
        Ok(page)
    }
}

fn kind(info: &str, first: usize, lines: &[&str]) -> Result<Kind, String> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let text = || lines.iter().map(|it| format!("{it}\n")).collect::<String>();
    let path_after = |sign: &str| match words[..] {
        [word] => word.strip_prefix(sign).map(str::to_owned),
        _ => None,
    };
    if let ("console", Some(code)) = (language, path_after("exit=")) {
        let code = code.parse().map_err(|_| format!("`{code}` is no exit code"))?;
        return Ok(Kind::Console { commands: commands(first, lines)?, code });
    }
    match (language, &words[..]) {
        ("console", []) => Ok(Kind::Console { commands: commands(first, lines)?, code: 0 }),
        ("console", ["stays"]) => {
            let mut commands = commands(first, lines)?;
            match (commands.pop(), commands.is_empty()) {
                (Some(command), true) => Ok(Kind::Stays(command)),
                _ => Err("a block that stays has one command".into()),
            }
        }
        ("sh", []) => Ok(Kind::Script(text())),
        _ => match (path_after("file="), path_after("in=")) {
            (Some(path), _) => Ok(Kind::File { path, text: text() }),
            (_, Some(path)) => Ok(Kind::Part { path, text: text() }),
            _ => Err(format!(
                "a block `{info}` would be neither run nor checked: there are `console`, `console exit=N`, \
                 `console stays`, `sh`, and any other with file=PATH or in=PATH"
            )),
        },
    }
}

/// `$ ` begins a command, `> ` goes on with it, all else is what it shows.
fn commands(first: usize, lines: &[&str]) -> Result<Vec<Command>, String> {
    let mut commands: Vec<Command> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(text) = line.strip_prefix("$ ") {
            commands.push(Command { line: first + at, text: text.to_owned(), output: Vec::new() });
            continue;
        }
        let command = commands.last_mut().ok_or("a console begins with `$ `".to_owned())?;
        match line.strip_prefix("> ").filter(|_| command.output.is_empty()) {
            Some(more) => command.text.push_str(&format!("\n{more}")),
            None => command.output.push((*line).to_owned()),
        }
    }
    if commands.is_empty() { Err("an empty console".into()) } else { Ok(commands) }
}
