//! Policies that every server has from its first start.

use super::Capability::{self, Create, Delete, List, Read, Update};
use super::{Pattern, Permissions, Policy, Rule};

/// As Vault 1.21.1 makes it.
const DEFAULT: [(&str, &[Capability]); 18] = [
    ("auth/token/lookup-self", &[Read]),
    ("auth/token/renew-self", &[Update]),
    ("auth/token/revoke-self", &[Update]),
    ("cubbyhole/*", &[Create, Delete, List, Read, Update]),
    ("identity/entity/id/{{identity.entity.id}}", &[Read]),
    ("identity/entity/name/{{identity.entity.name}}", &[Read]),
    ("identity/oidc/provider/+/authorize", &[Read, Update]),
    ("sys/capabilities-self", &[Update]),
    ("sys/control-group/request", &[Update]),
    ("sys/internal/ui/resultant-acl", &[Read]),
    ("sys/leases/lookup", &[Update]),
    ("sys/leases/renew", &[Update]),
    ("sys/renew", &[Update]),
    ("sys/tools/hash", &[Update]),
    ("sys/tools/hash/*", &[Update]),
    ("sys/wrapping/lookup", &[Update]),
    ("sys/wrapping/unwrap", &[Update]),
    ("sys/wrapping/wrap", &[Update]),
];

/// What the policy `default` grants where nobody changed it: every token has it that isn't told otherwise. Its rules
/// stand in no text.
pub fn default_policy() -> Policy {
    let rule = |(path, capabilities): &(&str, &[Capability])| Rule {
        path: Pattern::new(path),
        permissions: Permissions {
            capabilities: capabilities.iter().copied().collect(),
            ..Permissions::default()
        },
        expiration: None,
        range: 0..0,
        path_range: 0..0,
    };
    Policy { rules: DEFAULT.iter().map(rule).collect(), ..Policy::default() }
}
