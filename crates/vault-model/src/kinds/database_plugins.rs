//! What a connection says, by the plugin that makes it.

use crate::kind::*;

pub const PLUGINS: Variants = Variants {
    by: "plugin_name",
    of: &[
        (
            "postgresql-database-plugin",
            &[SQL, LOGIN, TEMPLATE, ESCAPING, GOOGLE, SELF_MANAGED, POSTGRESQL],
        ),
        ("mysql-database-plugin", MYSQL),
        ("mysql-aurora-database-plugin", MYSQL),
        ("mysql-rds-database-plugin", MYSQL),
        ("mysql-legacy-database-plugin", MYSQL),
        ("mssql-database-plugin", &[SQL, LOGIN, TEMPLATE, ESCAPING, &[flag("contained_db")]]),
        ("mongodb-database-plugin", &[LOGIN, TEMPLATE, MONGODB]),
        ("mongodbatlas-database-plugin", &[TEMPLATE, MONGODB_ATLAS]),
        ("cassandra-database-plugin", &[LOGIN, TEMPLATE, PEM, CASSANDRA]),
        ("elasticsearch-database-plugin", &[LOGIN, TEMPLATE, ELASTICSEARCH]),
        ("influxdb-database-plugin", &[LOGIN, TEMPLATE, PEM, INFLUXDB]),
        ("hana-database-plugin", &[SQL, LOGIN, TEMPLATE, ESCAPING]),
        ("redis-database-plugin", &[LOGIN, REDIS]),
        ("redis-elasticache-database-plugin", &[ELASTICACHE]),
        ("redshift-database-plugin", &[SQL, LOGIN, TEMPLATE, ESCAPING]),
        ("couchbase-database-plugin", &[LOGIN, TEMPLATE, COUCHBASE]),
        ("snowflake-database-plugin", &[SQL, LOGIN, TEMPLATE, ESCAPING, SNOWFLAKE]),
    ],
    others: &[LOGIN, &[url("connection_url"), text("private_key").secret().write_only()]],
};

const MYSQL: &[&[Field]] = &[
    SQL,
    LOGIN,
    TEMPLATE,
    GOOGLE,
    &[
        trimmed("tls_certificate_key").secret(),
        trimmed("tls_ca"),
        text("tls_server_name"),
        flag("tls_skip_verify"),
    ],
];

const SQL: &[Field] = &[
    url("connection_url").required(),
    number("max_open_connections"),
    number("max_idle_connections"),
    seconds("max_connection_lifetime"),
];

const LOGIN: &[Field] =
    &[text("username"), text("password").secret().write_only().belongs_to("username")];

const TEMPLATE: &[Field] = &[text("username_template")];

const ESCAPING: &[Field] = &[flag("disable_escaping")];

const GOOGLE: &[Field] = &[
    text("auth_type").values(&["", "gcp_iam"]),
    json("service_account_json").secret().write_only(),
    flag("use_private_ip"),
    flag("use_psc"),
];

const SELF_MANAGED: &[Field] = &[flag("self_managed").enterprise()];

const POSTGRESQL: &[Field] = &[
    text("password_authentication").values(&["password", "scram-sha-256"]),
    trimmed("tls_ca"),
    trimmed("tls_certificate"),
    text("private_key").secret().write_only().belongs_to("tls_certificate"),
];

const MONGODB: &[Field] = &[
    url("connection_url").required(),
    json("write_concern"),
    trimmed("tls_certificate_key").secret(),
    trimmed("tls_ca"),
    // Nanoseconds: the plugin takes the bare numbers of Go's durations.
    number("socket_timeout"),
    number("connect_timeout"),
    number("server_selection_timeout"),
];

const MONGODB_ATLAS: &[Field] = &[
    text("public_key").required(),
    text("private_key").secret().write_only().belongs_to("public_key"),
    text("project_id"),
];

const PEM: &[Field] = &[trimmed("pem_bundle").secret(), json("pem_json").secret()];

const CASSANDRA: &[Field] = &[
    text("hosts").required(),
    number("port"),
    number("protocol_version"),
    flag("tls"),
    flag("insecure_tls"),
    text("tls_server_name"),
    text("tls_min_version").values(TLS_VERSIONS),
    seconds("connect_timeout"),
    seconds("socket_keep_alive"),
    text("consistency"),
    text("local_datacenter"),
    flag("skip_verification"),
];

const ELASTICSEARCH: &[Field] = &[
    url("url").required(),
    text("ca_cert"),
    text("ca_path"),
    text("client_cert"),
    text("client_key"),
    text("tls_server_name"),
    flag("insecure"),
    flag("use_old_xpack"),
];

const INFLUXDB: &[Field] = &[
    text("host").required(),
    number("port"),
    flag("tls"),
    flag("insecure_tls"),
    text("tls_min_version").values(TLS_VERSIONS),
    seconds("connect_timeout"),
];

const REDIS: &[Field] = &[
    text("host").required(),
    number("port").required(),
    flag("tls"),
    flag("insecure_tls"),
    trimmed("ca_cert"),
];

const ELASTICACHE: &[Field] = &[
    text("url").required(),
    text("region"),
    text("access_key_id"),
    text("secret_access_key").secret(),
    text("username").renamed("access_key_id"),
    text("password").secret().write_only().renamed("secret_access_key").belongs_to("username"),
];

const COUCHBASE: &[Field] = &[
    text("hosts").required(),
    flag("tls"),
    flag("insecure_tls"),
    text("base64pem"),
    text("bucket_name"),
];

const SNOWFLAKE: &[Field] = &[text("private_key").secret().write_only().belongs_to("username")];

const TLS_VERSIONS: &[&str] = &["tls10", "tls11", "tls12", "tls13"];
