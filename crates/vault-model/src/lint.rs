//! What a spec says well-formed and wrongly: one table of lints, and the way to silence one with a reason.
//!
//! Lints know engines by name, which nothing else outside `kinds` does: what they find is wrong because of what the
//! fields of that engine mean.

mod accounts;
mod allow;
mod audit;
mod grants;
mod lives;
mod names;
mod policies;
mod secrets;
mod seen;
mod statements;
mod transport;

use rayon::prelude::*;

pub(crate) use grants::{DEFAULT_POLICY, names as policy_names};
pub(crate) use seen::{Mount, mount};
pub use seen::{Parts, Seen};

use crate::source::{Mistake, Place, Severity};

/// A row of the table.
#[derive(Debug)]
pub struct Lint {
    /// What a person writes to silence it: `# allow NAME: reason`.
    pub name: &'static str,
    /// A finding of it may be milder.
    pub severity: Severity,
    /// Why it matters.
    pub reason: &'static str,
    /// What to do instead, where the finding has nothing better to say.
    pub remedy: &'static str,
    pub find: fn(&Seen<'_>) -> Vec<Mistake>,
}

impl Lint {
    fn found(&self, seen: &Seen<'_>) -> Vec<Mistake> {
        let told = |it: Mistake| Mistake {
            severity: self.severity.max(it.severity),
            lint: Some(self.name),
            help: it.help.or_else(|| Some(self.remedy.to_owned())),
            ..it
        };
        (self.find)(seen).into_iter().map(told).collect()
    }
}

/// The folder of `fixtures/mistakes` that shows a lint has the lint's name.
pub const LINTS: &[Lint] = &[
    Lint {
        name: "dangling-name",
        severity: Severity::Error,
        reason: "a name that nothing has makes an object that fails when it is used",
        remedy: "describe it in the spec, or correct the name",
        find: names::dangling_names,
    },
    Lint {
        name: "dangling-reference",
        severity: Severity::Error,
        reason: "a reference to an object that the spec's own mount lacks stops the apply half-way",
        remedy: "describe the object that it refers to, or correct the path",
        find: names::dangling_references,
    },
    Lint {
        name: "unknown-policy",
        severity: Severity::Warning,
        reason: "Vault takes the name of a policy that does not exist, and the token gets nothing from it",
        remedy: "describe the policy under `sys: { policies: … }`, or say why another spec does",
        find: names::unknown_policies,
    },
    Lint {
        name: "unknown-role",
        severity: Severity::Warning,
        reason: "a connection that allows a role which does not exist is open to whoever makes one of that name",
        remedy: "describe the role, or take its name out of `allowed_roles`",
        find: names::unknown_roles,
    },
    Lint {
        name: "unlisted-role",
        severity: Severity::Error,
        reason: "a role issues nothing unless its connection allows it",
        remedy: "add the role's name to the connection's `allowed_roles`",
        find: names::unlisted_roles,
    },
    Lint {
        name: "unknown-login",
        severity: Severity::Error,
        reason: "a static role keeps the password of a login that is there already: Vault makes none",
        remedy: "create the login in the database first, or correct `username`",
        find: statements::unknown_logins,
    },
    Lint {
        name: "wrong-database",
        severity: Severity::Error,
        reason: "a role whose connection leads into another database issues logins that the application can't use",
        remedy: "let `db_name` of the role name the connection into the application's database",
        find: statements::wrong_databases,
    },
    Lint {
        name: "default-above-max",
        severity: Severity::Error,
        reason: "Vault refuses some lives that are longer than their maximum and silently cuts others",
        remedy: "raise the maximum or shorten the life",
        find: lives::default_above_max,
    },
    Lint {
        name: "ttl-above-mount",
        severity: Severity::Warning,
        reason: "Vault silently cuts a life to the `max_lease_ttl` of its mount",
        remedy: "raise `tune: { max_lease_ttl: … }` of the mount or shorten the life",
        find: lives::ttl_above_mount,
    },
    Lint {
        name: "short-secret-id",
        severity: Severity::Warning,
        reason: "who holds a secret-id that ends before the token does can't log in again after the token's end",
        remedy: "let the secret-id live longer than the token, or say that each is used for one login only",
        find: lives::short_secret_ids,
    },
    Lint {
        name: "delivery-login-ends",
        severity: Severity::Error,
        reason: "a delivery logs in again whenever its token reaches the maximum: its secret-id must still be good",
        remedy: "leave `secret_id_ttl` and `secret_id_num_uses` at 0, or renew the secret-id by other means",
        find: lives::delivery_login_ends,
    },
    Lint {
        name: "lease-outlives-token",
        severity: Severity::Error,
        reason: "a lease ends with the token that made it, however long its own life is",
        remedy: "give the login's token a longer life than the lease, or a `token_period`",
        find: lives::lease_outlives_token,
    },
    Lint {
        name: "delivery-not-granted",
        severity: Severity::Error,
        reason: "a delivery reads its credential and writes its targets with the policies of its login",
        remedy: "grant it in a policy of the login's role",
        find: grants::deliveries,
    },
    Lint {
        name: "unmet-claim",
        severity: Severity::Error,
        reason: "what the policies say is not what the spec claims of them",
        remedy: "change the policy, or the claim",
        find: grants::claims,
    },
    Lint {
        name: "account-claim",
        severity: Severity::Error,
        reason: "who is bound to the role is not whom the spec claims",
        remedy: "bind the role to other accounts, or change the claim",
        find: accounts::claims,
    },
    Lint {
        name: "policy-syntax",
        severity: Severity::Error,
        reason: "Vault refuses the policy, or loses a part of it",
        remedy: "write it as Vault's documentation of policies says",
        find: policies::syntax,
    },
    Lint {
        name: "kv-without-data",
        severity: Severity::Error,
        reason: "the secrets of a KV mount of version 2 lie below `data/`: a rule without it grants nothing",
        remedy: "write `MOUNT/data/NAME` for the secret itself, `MOUNT/metadata/NAME` to list",
        find: policies::kv_without_data,
    },
    Lint {
        name: "mount-twice",
        severity: Severity::Error,
        reason: "a path has its mount once, at the beginning",
        remedy: "take the second one out",
        find: policies::mount_twice,
    },
    Lint {
        name: "unknown-mount",
        severity: Severity::Warning,
        reason: "a rule for a mount that does not exist grants nothing",
        remedy: "describe the mount, or correct the path",
        find: policies::unknown_mounts,
    },
    Lint {
        name: "misspelt-type",
        severity: Severity::Warning,
        reason: "Vault mounts only what it has a plugin for, and a type that almost has the name of one of its own is \
                 probably that",
        remedy: "correct the type, or silence this where a plugin of that name is registered",
        find: names::misspelt_types,
    },
    Lint {
        name: "duplicate-rule",
        severity: Severity::Warning,
        reason: "Vault joins the rules for one path: whoever reads only one of them is wrong about what is granted",
        remedy: "make one rule of them",
        find: policies::duplicate_rules,
    },
    Lint {
        name: "shadowed-rule",
        severity: Severity::Warning,
        reason: "for each path only the most exact rule counts: it also takes away what a wider one grants",
        remedy: "repeat the capabilities in the more exact rule, or write `deny` if nothing is to be granted",
        find: policies::shadowed_rules,
    },
    Lint {
        name: "literal-wildcard",
        severity: Severity::Warning,
        reason: "Vault takes `*` for a letter unless it ends the path, and `+` unless it is a whole segment",
        remedy: "put `*` at the end, or use `+` for a segment",
        find: policies::literal_wildcards,
    },
    Lint {
        name: "dead-rule",
        severity: Severity::Warning,
        reason: "Vault takes the rule without a word, and it does nothing",
        remedy: "take it out or correct it",
        find: policies::dead_rules,
    },
    Lint {
        name: "wide-rule",
        severity: Severity::Warning,
        reason: "a rule for every path makes its holder nearly root",
        remedy: "name the paths that are meant",
        find: policies::wide_rules,
    },
    Lint {
        name: "old-name",
        severity: Severity::Warning,
        reason: "Vault still takes the name and documents another",
        remedy: "use the new name",
        find: names::old_names,
    },
    Lint {
        name: "plain-secret",
        severity: Severity::Warning,
        reason: "what is written in a spec is in its history for ever, for everybody who can read it",
        remedy: "use a variable with `secret: true`, `env(…)` or `file(…)`",
        find: secrets::plain_secrets,
    },
    Lint {
        name: "plain-token",
        severity: Severity::Error,
        reason: "a token in a spec is good for everybody who can read the spec, until somebody revokes it",
        remedy: "revoke it, and use a variable with `secret: true` for its successor",
        find: secrets::plain_tokens,
    },
    Lint {
        name: "plain-kv-secret",
        severity: Severity::Warning,
        reason: "a password under `data` is readable by everybody who can read the spec",
        remedy: "use a variable with `secret: true`, `generate`, or `seed` with a value to be replaced",
        find: secrets::plain_kv_secrets,
    },
    Lint {
        name: "tls-off",
        severity: Severity::Error,
        reason: "passwords cross the network in clear, or to whoever answers",
        remedy: "use TLS and verify the certificate; only a loopback address needs none",
        find: transport::tls_off,
    },
    Lint {
        name: "valid-until-not-renewed",
        severity: Severity::Warning,
        reason: "a renewed lease is of no use if the database ends the login at the moment said at its creation",
        remedy: "`renew_statements: ['ALTER ROLE \"{{name}}\" VALID UNTIL ''{{expiration}}'';']`",
        find: statements::valid_until,
    },
    Lint {
        name: "unreadable-role",
        severity: Severity::Warning,
        reason: "with an audit device on, Vault 1.21.1 answers 500 to whoever reads a role of RabbitMQ that has topics: \
                 once the role is there, no plan can be made",
        remedy: "say `vhosts` alone, or silence this where your Vault has been seen to read such a role",
        find: audit::unreadable_roles,
    },
    Lint {
        name: "login-owns-objects",
        severity: Severity::Error,
        reason: "a login that owns objects can't be dropped: its revocation fails for ever",
        remedy: "let it act as a lasting owner (`ALTER ROLE \"{{name}}\" SET ROLE app_owner`), or hand over in \
                 `revocation_statements` (`REASSIGN OWNED BY \"{{name}}\" TO app_owner; DROP OWNED BY \"{{name}}\"`)",
        find: statements::login_owns_objects,
    },
    Lint {
        name: "bare-allow",
        severity: Severity::Error,
        reason: "who silences a lint says why, for the next reader",
        remedy: "write `# allow LINT: reason`",
        find: allow::without_reason,
    },
    Lint {
        name: "idle-allow",
        severity: Severity::Warning,
        reason: "a comment that silences nothing hides the next mistake of its kind",
        remedy: "take it out",
        find: |_| Vec::new(),
    },
];

/// All that the lints find and nobody silences. They look side by side: of a large spec this is most of its check.
pub fn lint(seen: &Seen<'_>) -> Vec<Mistake> {
    let found = LINTS.par_iter().flat_map(|it| it.found(seen)).collect();
    allow::silenced(found, seen)
}

/// Where a lint found a secret that stands in the spec: it is not to be shown with the mistake.
pub fn secret_places(mistakes: &[Mistake]) -> impl Iterator<Item = Place> {
    let is_secret = |it: &&Mistake| it.lint.is_some_and(|it| it.starts_with("plain-"));
    mistakes.iter().filter(is_secret).filter_map(|it| it.place)
}

pub fn named(name: &str) -> Option<&'static Lint> {
    LINTS.iter().find(|it| it.name == name)
}
