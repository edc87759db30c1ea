//! Users of a message broker.

use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "rabbitmq",
    bears_data: false,
    kinds: &[
        Kind {
            section: "config_connection",
            path: "{mount}/config/connection",
            fields: &[
                text("connection_uri").required(),
                text("username").required(),
                text("password").required().secret().write_only().belongs_to("username"),
                flag("verify_connection"),
                text("password_policy").names("sys/policies/password/{}"),
                text("username_template"),
            ],
            read: Read::Never,
            update: Update::Whole,
            delete: Delete::WithParent,
            mistaken: &[
                ("url", "`connection_uri`, of the management API,"),
                ("connection_url", "`connection_uri`, of the management API,"),
            ],
            docs: "secret/rabbitmq",
            ..Kind::PLAIN
        },
        Kind {
            section: "config_lease",
            path: "{mount}/config/lease",
            fields: &[life("ttl"), life("max_ttl")],
            update: Update::Whole,
            delete: Delete::WithParent,
            docs: "secret/rabbitmq",
            ..Kind::PLAIN
        },
        Kind {
            section: "roles",
            path: "{mount}/roles/{name}",
            // With an audit device on, 1.21.1 answers 500 to whoever reads a role that has topics.
            fields: &[commas("tags"), json("vhosts"), json("vhost_topics")],
            list: Some("{mount}/roles"),
            update: Update::Whole,
            mistaken: &[
                ("ttl", "`ttl` in `config_lease`"),
                ("default_ttl", "`ttl` in `config_lease`"),
                ("max_ttl", "`max_ttl` in `config_lease`"),
                ("permissions", "`vhosts`"),
                ("topic_permissions", "`vhost_topics`"),
            ],
            docs: "secret/rabbitmq",
            ..Kind::PLAIN
        },
    ],
};
