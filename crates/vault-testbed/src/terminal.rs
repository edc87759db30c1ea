//! Printing that outlives its reader: `print!` and its sisters of the standard library panic where nobody reads on.
//!
//! The macros below stand in for those in every module after this one.

use std::{
    fmt, io,
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
};

static LOST: AtomicBool = AtomicBool::new(false);

/// On standard output. Who closes a pipe has seen enough; anything else that goes wrong is kept for `is_lost`.
pub fn print(text: fmt::Arguments<'_>) {
    if let Err(err) = io::stdout().lock().write_fmt(text)
        && err.kind() != io::ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// On standard error. What cannot be said there can be said nowhere.
pub fn remark(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// Whether something that was printed is on no disk and no terminal.
pub fn is_lost() -> bool {
    if io::stdout().flush().is_err_and(|err| err.kind() != io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
    LOST.load(Ordering::Relaxed)
}

#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::terminal::print(format_args!($($text)*)) };
}

#[macro_export]
macro_rules! println {
    () => { $crate::terminal::print(format_args!("\n")) };
    ($($text:tt)*) => { $crate::terminal::print(format_args!("{}\n", format_args!($($text)*))) };
}

#[macro_export]
macro_rules! eprint {
    ($($text:tt)*) => { $crate::terminal::remark(format_args!($($text)*)) };
}

#[macro_export]
macro_rules! eprintln {
    () => { $crate::terminal::remark(format_args!("\n")) };
    ($($text:tt)*) => { $crate::terminal::remark(format_args!("{}\n", format_args!($($text)*))) };
}
