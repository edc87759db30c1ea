//! A far side that is a script and Python packages: the packages come from its environment, or are in its image.

use serde_json::Value;

use super::{Contained, Launch, New, Result};

const PROGRAM: &str = "server.py";
/// They hold passwords: a file, and neither an argument nor part of an image.
const SETTINGS: &str = "settings.json";
/// Isolated: nothing else on the machine says what is imported.
const ISOLATED: &str = "-I";
/// Of the image.
const FOLDER: &str = "/server";
/// Of the image: what its user may write to, kept from one start to the next.
pub(super) const DATA: &str = "/data";

/// As a process, in the server's own folder.
pub(super) fn launch(new: &New<'_>, script: &str, settings: &Value) -> Result<Launch> {
    let [program, told] = [PROGRAM, SETTINGS].map(|name| new.folder.join(name));
    new.installation.write(&program, script)?;
    new.installation.write(&told, &settings.to_string())?;
    let files = [program, told].map(|file| file.display().to_string());
    Ok(new.launch("python", [ISOLATED.to_owned()].into_iter().chain(files).collect()))
}

/// In a container.
pub(super) fn contained(script: &str, settings: &Value) -> Contained {
    let [program, told] = [PROGRAM, SETTINGS].map(|name| format!("{FOLDER}/{name}"));
    Contained {
        command: ["python3", ISOLATED, &program, &told].map(String::from).to_vec(),
        files: vec![(program, script.into()), (told, settings.to_string().into_bytes())],
        ..Contained::default()
    }
}
