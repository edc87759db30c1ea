//! Exit codes: the table that says what each means.

pub struct ExitCode {
    pub code: u8,
    pub meaning: &'static str,
}

/// Every code that a command ends with.
pub const EXITS: &[ExitCode] = &[
    ExitCode { code: DONE, meaning: "done" },
    ExitCode {
        code: FAILED,
        meaning: "an error: mistakes in a spec, a refusal of Vault, a scenario that failed, a wrong argument",
    },
    ExitCode {
        code: DIFFERS,
        meaning: "there are differences: `plan --exit-code` would change something, `verify` found something",
    },
    ExitCode { code: HANGUP, meaning: "interrupted by SIGHUP; what was started is ended" },
    ExitCode { code: INTERRUPT, meaning: "interrupted by Ctrl-C; what was started is ended" },
    ExitCode { code: TERMINATE, meaning: "interrupted by SIGTERM; what was started is ended" },
];

pub const DONE: u8 = 0;
pub const FAILED: u8 = 1;
pub const DIFFERS: u8 = 2;

// 128 and the number of the signal, as a shell has it.
pub const HANGUP: u8 = 129;
pub const INTERRUPT: u8 = 130;
pub const TERMINATE: u8 = 143;

/// Of a signal by its name, as `interrupted` tells it.
pub fn of_signal(name: &str) -> u8 {
    match name {
        "SIGHUP" => HANGUP,
        "SIGTERM" => TERMINATE,
        _ => INTERRUPT,
    }
}
