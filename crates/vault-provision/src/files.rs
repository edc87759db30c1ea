//! From the disk to a spec: which files belong to it, and what its templates may read.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use vault_model::{
    node::Node,
    source::Sources,
    spec::{self, Reading, Refused, Spec, SpecFile},
    template::Inputs,
    yaml,
};

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is a {what} and no file", path = path.display())]
    NoFile { path: PathBuf, what: &'static str },
    #[error("{path} holds no spec: no file in it ends in .yaml", path = path.display())]
    Empty { path: PathBuf },
    #[error("{path} holds no manifest: no file below it ends in .yaml, .yml or .json", path = path.display())]
    NoManifests { path: PathBuf },
    #[error("there is no environment `{name}`: {known}")]
    NoEnvironment { name: String, known: String },
    #[error("{} has mistakes", .0.sources.file(Default::default()).map_or("the spec", |it| it.name.as_str()))]
    Refused(Box<Refused>),
}

/// What a person says about variables when they name a spec.
#[derive(Clone, Debug, Default)]
pub struct SpecInputs {
    /// `NAME=VALUE`
    pub vars: Vec<(String, String)>,
    pub var_files: Vec<PathBuf>,
    /// One of the spec's `environments/`.
    pub environment: Option<String>,
    /// Secret variables without a value get one that means nothing: enough to find mistakes.
    pub has_stand_ins: bool,
}

const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Reads the spec at `path`: a file, or a folder whose .yaml files, `ground.yaml` excepted, are one spec.
pub fn load(path: &Path, inputs: &SpecInputs) -> Result<Spec, ReadError> {
    let is_folder = path.is_dir();
    let folder = if is_folder { path } else { path.parent().unwrap_or(Path::new(".")) };
    let files = if is_folder { spec_files(path)? } else { vec![read(path)?] };
    let environment = inputs.environment.as_ref().map(|it| environment(folder, it)).transpose()?;
    let reading = Reading {
        files,
        vars: inputs.vars.clone(),
        var_files: inputs.var_files.iter().map(|it| read(it)).collect::<Result<_, _>>()?,
        environment,
        env: &|name| env::var_os(name),
        has_stand_ins: inputs.has_stand_ins,
        init: if is_folder { init(folder) } else { Vec::new() },
        inputs: Arc::new(Disk { folder: folder.to_owned() }),
    };
    spec::read(reading).map_err(|it| ReadError::Refused(Box::new(it)))
}

/// Every YAML and JSON file below a folder, in the order of their names.
pub fn manifests(folder: &Path) -> Result<Vec<SpecFile>, ReadError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| ReadError::Io { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            // A link may lead back up.
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|it| ["yaml", "yml", "json"].iter().any(|of| it == *of))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(ReadError::NoManifests { path: folder.to_owned() }),
        false => found.iter().map(|it| read(it)).collect(),
    }
}

fn spec_files(folder: &Path) -> Result<Vec<SpecFile>, ReadError> {
    let failed = |source| ReadError::Io { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        let is_ground = path.file_stem().is_some_and(|it| it == "ground");
        // A link to nowhere and a pipe are left in: what is passed over in silence would be missing from the spec.
        if is_yaml && !is_ground && !is_editors_lock(&path) && !path.is_dir() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(ReadError::Empty { path: folder.to_owned() });
    }
    paths.sort();
    paths.iter().map(|it| read(it)).collect()
}

/// Emacs marks what is being edited by a link to nowhere.
fn is_editors_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(b".#"))
}

/// The SQL that the servers of a spec's ground begin with. What is wrong with it is for the ground to say.
fn init(folder: &Path) -> Vec<String> {
    let Ok(file) = read(&folder.join("ground.yaml")) else { return Vec::new() };
    let Ok(ground) = yaml::read(&mut Sources::default(), file.name, &file.bytes) else {
        return Vec::new();
    };
    let servers = ground.get("servers").and_then(Node::as_map).unwrap_or_default();
    let disk = Disk { folder: folder.to_owned() };
    let names = servers.iter().filter_map(|(_, it)| it.get("init")?.as_text());
    names.filter_map(|it| disk.file(it).ok()).collect()
}

/// No more than the limit, whatever the path is: a pipe doesn't say how long it is.
pub fn read(path: &Path) -> Result<SpecFile, ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    if let Some(what) = endless(path, fs::metadata(path).map_err(failed)?.file_type()) {
        return Err(ReadError::NoFile { path: path.to_owned(), what });
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        let problem = format!("a spec's file has at most {LARGEST_FILE} bytes, and it has more");
        return Err(failed(io::Error::other(problem)));
    }
    Ok(SpecFile { name: path.display().to_string(), bytes })
}

/// The same of a file that is text.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    String::from_utf8(read(path)?.bytes).map_err(|_| ReadError::Io {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"),
    })
}

/// What may never end, or never begin. A pipe that the shell has opened, as `<(…)` does, has somebody who writes it.
fn endless(path: &Path, it: fs::FileType) -> Option<&'static str> {
    let is_open = ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|of| path.starts_with(of));
    match it {
        it if it.is_fifo() && !is_open => Some("pipe"),
        it if it.is_socket() => Some("socket"),
        it if it.is_char_device() || it.is_block_device() => Some("device"),
        _ => None,
    }
}

fn environment(folder: &Path, name: &str) -> Result<SpecFile, ReadError> {
    let folder = folder.join("environments");
    let path = folder.join(format!("{name}.yaml"));
    if path.is_file() && !name.contains(['/', '\\']) {
        return read(&path);
    }
    let mut known: Vec<String> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|it| Some(it.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    known.sort();
    let known = match known.is_empty() {
        true => format!("the spec has no {}", folder.display()),
        false => format!("{} has {}", folder.display(), known.join(", ")),
    };
    Err(ReadError::NoEnvironment { name: name.to_owned(), known })
}

/// Answers templates from the process environment and from files of the spec's own folder.
struct Disk {
    folder: PathBuf,
}

impl Inputs for Disk {
    fn env(&self, name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn file(&self, name: &str) -> Result<String, String> {
        let failed = |err: io::Error| format!("cannot read `{name}`: {err}");
        let folder = self.folder.canonicalize().or_else(|_| env::current_dir()).map_err(failed)?;
        let path = folder.join(name).canonicalize().map_err(failed)?;
        if !path.starts_with(&folder) {
            return Err(format!(
                "`{name}` is outside the spec's folder: copy it into {}",
                self.folder.display()
            ));
        }
        if !path.is_file() {
            return Err(format!("`{name}` is not a file"));
        }
        let file = read(&path).map_err(|err| err.to_string())?;
        String::from_utf8(file.bytes).map_err(|_| format!("`{name}` is not UTF-8"))
    }
}
