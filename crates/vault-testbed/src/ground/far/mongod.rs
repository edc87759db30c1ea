//! MongoDB itself: a `mongod` of this machine, or its official image.

use std::fs;

use bson::{Document, doc};
use serde_json::json;

use super::super::LOOPBACK;
use super::mongodb::{self, ADMIN, Start, speaks_mongodb};
use super::mongodb_wire::Connection;
use super::*;

pub static MONGOD: FarSide = speaks_mongodb(
    "MongoDB",
    Programs {
        source: Source::Debian("mongodb-org, from MongoDB's own archive"),
        names: &["mongod"],
        places: &[],
        users: &["mongodb", "nobody"],
        version_option: "--version",
        version_env: &[],
        before_version: "db version v",
        found: OnceLock::new(),
    },
    "mongo:{}",
    Recipe::NONE,
    Start {
        launch: |run, new| launch(run, new).boxed(),
        first: Some(|server, _| first(server).boxed()),
        container,
        prepare: |server, options| prepare(server, options).boxed(),
    },
);

/// For tests: little memory, and no figures of its own.
const SETTINGS: [&str; 6] = [
    "--auth",
    "--nounixsocket",
    "--wiredTigerCacheSizeGB",
    "0.25",
    "--setParameter",
    "diagnosticDataCollectionEnabled=false",
];

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let data = new.folder.join("data");
    fs::create_dir(&data).map_err(Error::file("create", &data))?;
    new.installation.give(&data)?;
    let (data, port) = (data.display().to_string(), new.port.to_string());
    let own = ["--dbpath", &data, "--bind_ip", LOOPBACK, "--port", &port];
    Ok(new.launch("mongod", own.iter().chain(&SETTINGS).map(|it| (*it).to_owned()).collect()))
}

/// Until there is a user, whoever comes from this machine may make one, and may do nothing else.
async fn first(server: &mut Server) -> Result<()> {
    let superuser = server.superuser("");
    let command = doc! {
        "createUser": &superuser.user,
        "pwd": superuser.password.expose_secret(),
        "roles": ["root"],
        "$db": ADMIN,
    };
    server.until_answered(|| say_unknown(&superuser.address, &command).boxed()).await
}

async fn say_unknown(address: &str, command: &Document) -> std::result::Result<(), NoAnswer> {
    let mut connection = Connection::open(address).await?;
    Ok(connection.say(command.clone()).await.map(drop)?)
}

fn container(_: &ServerOptions, passwords: &Passwords) -> Contained {
    let environment = vec![
        ("MONGO_INITDB_ROOT_USERNAME".into(), MONGOD.superuser.to_owned().into()),
        ("MONGO_INITDB_ROOT_PASSWORD".into(), passwords.superuser.clone()),
    ];
    Contained { environment, ..Contained::default() }
}

async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    if server.admin_user != MONGOD.superuser {
        let (user, password) = (&server.admin_user, server.admin_password.expose_secret());
        let create = format!(
            r#"{{ "createUser": {}, "pwd": {}, "roles": ["root"] }}"#,
            json!(user),
            json!(password)
        );
        server.run(&server.superuser(""), "creating the admin", &create).await?;
    }
    mongodb::prepare(server, options).await
}
