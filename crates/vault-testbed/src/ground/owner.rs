//! Who a process is, beyond its number: numbers are used again, start times aren't.

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

/// One process of one boot. `start` is field 22 of `/proc/PID/stat`, in clock ticks since boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub boot: String,
    /// Process numbers mean something only within their namespace.
    pub namespace: String,
    pub pid: u32,
    pub start: u64,
}

impl Identity {
    /// `None` when there is no such process.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { boot: boot(), namespace: namespace(), pid, start: stat(pid)?.start })
    }

    pub fn of_this_process() -> Self {
        let pid = std::process::id();
        Self {
            boot: boot(),
            namespace: namespace(),
            pid,
            start: stat(pid).map_or(0, |stat| stat.start),
        }
    }

    /// `None` where it can't be known from here: another boot's or another namespace's process.
    pub fn is_alive(&self) -> Option<bool> {
        if self.boot != boot() || self.namespace != namespace() {
            return None;
        }
        Some(stat(self.pid).is_some_and(|stat| stat.start == self.start && !stat.is_zombie))
    }

    /// The inverse of `Display`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let identity = Self {
            boot: parts.next()?.to_owned(),
            namespace: parts.next()?.to_owned(),
            pid: parts.next()?.parse().ok()?,
            start: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(identity)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.boot, self.namespace, self.pid, self.start)
    }
}

/// The numbers of the living processes of a process group.
pub fn of_group(group: u32) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(move |pid| stat(*pid).is_some_and(|stat| stat.group == group && !stat.is_zombie))
}

/// Whether a process was started with such a variable. Those of other users keep theirs to themselves.
pub fn has_variable(pid: u32, name: &str, value: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let wanted = format!("{name}={value}");
    environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes())
}

struct Stat {
    is_zombie: bool,
    group: u32,
    start: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in brackets, may hold spaces and brackets: what counts begins after the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let is_zombie = matches!(fields.next()?, "Z" | "X");
    let group = fields.nth(1)?.parse().ok()?;
    Some(Stat { is_zombie, group, start: fields.nth(16)?.parse().ok()? })
}

fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().replace('-', "")
}

fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_may_hold_brackets_and_spaces() {
        let stat = "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
        assert_eq!(
            parse_stat(stat).map(|stat| (stat.start, stat.group, stat.is_zombie)),
            Some((987_654, 4242, false))
        );
    }

    #[test]
    fn an_identity_survives_being_written_down() {
        let identity = Identity::of_this_process();
        assert_eq!(Identity::parse(&identity.to_string()), Some(identity.clone()));
        assert_eq!(identity.is_alive(), Some(true));
    }

    #[test]
    fn a_number_used_again_is_another_process() {
        let earlier = Identity { start: 1, ..Identity::of_this_process() };
        assert_eq!(earlier.is_alive(), Some(false));
    }

    #[test]
    fn another_boot_is_not_judged_from_here() {
        let elsewhere = Identity { boot: "elsewhere".into(), ..Identity::of_this_process() };
        assert_eq!(elsewhere.is_alive(), None);
    }
}
