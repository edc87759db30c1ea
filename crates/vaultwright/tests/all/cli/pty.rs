//! A command on a terminal of its own.

use std::{
    io::{Read, Write},
    path::Path,
    process::Child,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use vault_client::ExposeSecret;

use super::Bed;

pub struct OnTerminal {
    child: Child,
    pty: Arc<pty_process::blocking::Pty>,
    shown: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

const DEADLINE: Duration = Duration::from_secs(30);

impl OnTerminal {
    /// `SPEC` in words stands for the spec's path.
    pub fn start(bed: &Bed, words: &str, environment: &[(&str, &str)]) -> OnTerminal {
        let token = bed.vault.root_token.expose_secret();
        let vault = [("VAULT_ADDR", bed.vault.address.as_str()), ("VAULT_TOKEN", token)];
        let environment: Vec<_> = vault.iter().chain(environment).copied().collect();
        OnTerminal::of(bed.folder.path(), &words.replace("SPEC", "spec.yaml"), &environment)
    }

    pub fn of(folder: &Path, words: &str, environment: &[(&str, &str)]) -> OnTerminal {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(24, 80)).unwrap();
        let command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_vaultwright"));
        let child = command
            .args(words.split(' '))
            .current_dir(folder)
            .env_clear()
            .env("TERM", "xterm")
            .envs(environment.iter().copied())
            .spawn(pts)
            .unwrap();
        let (pty, shown) = (Arc::new(pty), Arc::new(Mutex::new(String::new())));
        let (from, to) = (pty.clone(), shown.clone());
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error once nobody has the terminal open.
            while let Ok(count) = (&*from).read(&mut bytes) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        OnTerminal { child, pty, shown, reader }
    }

    /// Waits until `text` is on the terminal.
    #[track_caller]
    pub fn until(&self, text: &str) {
        let began = Instant::now();
        while !self.shown.lock().unwrap().contains(text) {
            assert!(began.elapsed() < DEADLINE, "no {text} in {:?}", self.shown.lock().unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn say(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// The exit code, and all that was shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > DEADLINE {
                self.child.kill().unwrap();
                panic!("it goes on: {:?}", self.shown.lock().unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.reader.join().unwrap();
        (status.code(), self.shown.lock().unwrap().clone())
    }
}
