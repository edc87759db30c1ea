//! Free ports of this machine's loopback.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::Mutex;

use super::error::{Error, Result};
use super::random;

/// Below these are ports of well-known services.
const LOWEST: u16 = 10_240;
/// Where Linux begins with those of connections that go out, unless it is told otherwise.
const EPHEMERAL: u16 = 32_768;
/// How often another one is tried.
const TRIES: usize = 1000;

/// Free at this moment, and not handed out before by this process. None of those that the system gives to connections
/// that go out: a server that takes seconds to start would find its port taken by one of them.
pub(crate) fn free_port() -> Result<u16> {
    static HANDED_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let failed = |source| Error::Program { program: "a listener on 127.0.0.1".into(), source };
    for _ in 0..TRIES {
        let port = candidate()?;
        let mut handed_out = HANDED_OUT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ports = handed_out.get_or_insert_default();
        let is_free = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if !ports.contains(&port) && is_free() {
            ports.insert(port);
            return Ok(port);
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}

/// By chance: other processes choose as well.
fn candidate() -> Result<u16> {
    let Range { start, end } = ours();
    Ok(start + u16::from_ne_bytes(random()?) % (end - start))
}

fn ours() -> Range<u16> {
    let said = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    LOWEST..lowest_ephemeral(&said.unwrap_or_default()).unwrap_or(EPHEMERAL)
}

/// The first of the two numbers. None where it leaves too few below it.
fn lowest_ephemeral(said: &str) -> Option<u16> {
    let lowest = said.split_whitespace().next()?.parse().ok()?;
    (lowest > LOWEST + 2 * TRIES as u16).then_some(lowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_none_of_those_that_connections_going_out_get() {
        let ports: Vec<u16> = (0..100).map(|_| free_port().unwrap()).collect();
        assert!(ports.iter().all(|it| ours().contains(it)), "{ports:?}");
        let different: HashSet<&u16> = ports.iter().collect();
        assert_eq!(different.len(), ports.len());
    }

    #[test]
    fn a_port_that_is_taken_is_not_free() {
        let Range { start, .. } = ours();
        let taken = (start..).find_map(|it| TcpListener::bind((Ipv4Addr::LOCALHOST, it)).ok());
        let taken = taken.unwrap().local_addr().unwrap().port();
        assert!((0..200).all(|_| free_port().unwrap() != taken));
    }

    #[test]
    fn the_system_says_where_its_own_begin() {
        assert_eq!(lowest_ephemeral("32768\t60999\n"), Some(32_768));
        assert_eq!(lowest_ephemeral("1024\t65535\n"), None);
        assert_eq!(lowest_ephemeral(""), None);
    }
}
