//! What a rule lets its holder do, and what a request asks for.

use std::fmt;
use std::str::FromStr;

/// One word of `capabilities = [...]`, or of what `sys/capabilities` answers. In Vault's order, which is the alphabet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    Create,
    Delete,
    Deny,
    List,
    Patch,
    Read,
    Recover,
    /// Never written in a policy: what Vault answers for the policy of that name.
    Root,
    /// OpenBao only.
    Scan,
    Subscribe,
    Sudo,
    Update,
}

/// A set of capabilities. Shown as Vault lists them: `create, read, update`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

/// What a request wants to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    Create,
    Delete,
    List,
    Patch,
    Read,
    Recover,
    /// OpenBao only.
    Scan,
    Subscribe,
    /// Not a request of its own: the right to use a path that Vault protects.
    Sudo,
    Update,
}

/// A word that names no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no operation: it is one of create, delete, list, patch, read, recover, scan, subscribe, sudo, update"
)]
pub struct UnknownOperation(pub String);

impl Capability {
    pub const ALL: [Capability; 12] = [
        Capability::Create,
        Capability::Delete,
        Capability::Deny,
        Capability::List,
        Capability::Patch,
        Capability::Read,
        Capability::Recover,
        Capability::Root,
        Capability::Scan,
        Capability::Subscribe,
        Capability::Sudo,
        Capability::Update,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Capability::Create => "create",
            Capability::Delete => "delete",
            Capability::Deny => "deny",
            Capability::List => "list",
            Capability::Patch => "patch",
            Capability::Read => "read",
            Capability::Recover => "recover",
            Capability::Root => "root",
            Capability::Scan => "scan",
            Capability::Subscribe => "subscribe",
            Capability::Sudo => "sudo",
            Capability::Update => "update",
        }
    }

    /// The capability that a policy may write so; `root` is none.
    pub fn in_policy(name: &str) -> Option<Capability> {
        Capability::writable().find(|it| it.name() == name)
    }

    /// All that a policy may write.
    pub fn writable() -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(|it| *it != Capability::Root)
    }
}

impl Capabilities {
    pub const NONE: Capabilities = Capabilities(0);

    pub fn only(capability: Capability) -> Capabilities {
        Capabilities(1 << capability as u16)
    }

    pub fn contains(self, capability: Capability) -> bool {
        self.0 & Capabilities::only(capability).0 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn insert(&mut self, capability: Capability) {
        self.0 |= Capabilities::only(capability).0;
    }

    #[must_use]
    pub fn union(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }

    #[must_use]
    pub fn without(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 & !other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |it| self.contains(*it))
    }

    /// As `sys/capabilities` lists them.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Capability::name).collect()
    }
}

impl Operation {
    pub const ALL: [Operation; 10] = [
        Operation::Create,
        Operation::Delete,
        Operation::List,
        Operation::Patch,
        Operation::Read,
        Operation::Recover,
        Operation::Scan,
        Operation::Subscribe,
        Operation::Sudo,
        Operation::Update,
    ];

    pub fn name(self) -> &'static str {
        self.needs().name()
    }

    /// The capability without which Vault refuses it.
    pub fn needs(self) -> Capability {
        match self {
            Operation::Create => Capability::Create,
            Operation::Delete => Capability::Delete,
            Operation::List => Capability::List,
            Operation::Patch => Capability::Patch,
            Operation::Read => Capability::Read,
            Operation::Recover => Capability::Recover,
            Operation::Scan => Capability::Scan,
            Operation::Subscribe => Capability::Subscribe,
            Operation::Sudo => Capability::Sudo,
            Operation::Update => Capability::Update,
        }
    }

    /// Vault asks for the contents of `a/b` as `a/b/`.
    pub(super) fn ends_in_slash(self) -> bool {
        matches!(self, Operation::List | Operation::Scan)
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Capabilities {
        let mut set = Capabilities::NONE;
        capabilities.into_iter().for_each(|it| set.insert(it));
        set
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Operation, UnknownOperation> {
        Operation::ALL
            .into_iter()
            .find(|it| it.name() == name)
            .ok_or_else(|| UnknownOperation(name.to_string()))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_shown_in_vaults_order() {
        let set =
            Capabilities::from_iter([Capability::Update, Capability::Read, Capability::Create]);
        assert_eq!(set.to_string(), "create, read, update");
        assert_eq!(set.names(), ["create", "read", "update"]);
    }

    #[test]
    fn every_capability_is_its_own_bit() {
        for (index, capability) in Capability::ALL.into_iter().enumerate() {
            assert_eq!(capability as usize, index);
            assert_eq!(Capabilities::only(capability).iter().collect::<Vec<_>>(), [capability]);
        }
    }

    #[test]
    fn names_are_in_the_alphabets_order() {
        assert!(Capability::ALL.is_sorted_by_key(|it| it.name()));
    }

    #[test]
    fn an_operation_is_read_by_its_name_and_nothing_else() {
        for operation in Operation::ALL {
            assert_eq!(operation.name().parse(), Ok(operation));
        }
        assert_eq!("write".parse::<Operation>(), Err(UnknownOperation("write".to_string())));
    }

    #[test]
    fn root_is_not_for_policies() {
        assert_eq!(Capability::in_policy("root"), None);
        assert_eq!(Capability::in_policy("sudo"), Some(Capability::Sudo));
    }
}
