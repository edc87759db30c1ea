//! Free ports of this machine's loopback.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

use super::error::{Error, Result};

/// Free at this moment, and not handed out before by this process: the system would offer the same one again.
pub(crate) fn free_port() -> Result<u16> {
    static HANDED_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let failed = |source| Error::Program { program: "a listener on 127.0.0.1".into(), source };
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let mut handed_out = HANDED_OUT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ports = handed_out.get_or_insert_default();
        if ports.insert(port) || ports.len() > 20_000 {
            return Ok(port);
        }
    }
}
