//! Where Vault goes to for what it issues, and how the proofs get there themselves.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use crate::{
    ground::far::{AWS, Engine, FAR_SIDES, FarSide, Login, place_of_aws},
    steps::vault::there,
    world::{Failure, Result, World},
};

/// Where a connection of Vault leads, as this process reaches it.
#[derive(Clone)]
pub(super) struct Place {
    /// Anybody's.
    pub login: Login,
    /// The test bed's own way in, where it knows the server.
    pub superuser: Option<Login>,
}

impl Place {
    /// Through Vault's own configuration, not through the spec, unless Vault never shows it.
    pub async fn of_issuer(world: &World, path: &str) -> Result<Self> {
        let (mount, name, section) = parts(path)?;
        let configs = FAR_SIDES.iter().filter_map(|it| it.engine.as_ref());
        let mut configs = configs.map(|it| it.config.replace("{mount}", mount));
        if let Some(config) = configs.find(|it| engine_at(world, it).is_some()) {
            return Self::of_connection(world, &config).await;
        }
        let role = there(world, &format!("{mount}/{section}/{name}")).await?;
        // AWS's engine has one, and its roles don't name it.
        let connection = role.get("db_name").and_then(Value::as_str).unwrap_or("root");
        Self::of_connection(world, &format!("{mount}/config/{connection}")).await
    }

    pub async fn of_connection(world: &World, path: &str) -> Result<Self> {
        let object = world.proven.object(path).ok();
        let config = match object.filter(|it| it.is_never_shown()) {
            Some(object) => object.said.clone(),
            None => there(world, path).await?,
        };
        let (side, place) = match config.get("plugin_name").and_then(Value::as_str) {
            Some(plugin) => {
                let side = FarSide::of_plugin(plugin);
                let side =
                    side.ok_or_else(|| Failure(format!("nobody here speaks to a {plugin}")))?;
                let details = config.get("connection_details").and_then(Value::as_object);
                let place = details.zip(side.plugin.as_ref());
                (side, place.and_then(|(details, plugin)| (plugin.place)(details)))
            }
            None => match engine_at(world, path) {
                Some((side, engine)) => (side, (engine.place)(&config)),
                None => (&AWS, place_of_aws(&config)),
            },
        };
        let (address, database) =
            place.ok_or_else(|| Failure(format!("the connection of {path} names no host")))?;
        let mut servers = world.databases.values().filter(|it| it.side.word == side.word);
        let Some(server) = servers.find(|it| it.address_for_vault == address) else {
            let (user, password) = (String::new(), SecretString::default());
            let statements = world.statements.clone();
            let login = Login {
                side,
                address,
                second_address: None,
                database,
                user,
                password,
                session_token: None,
                ahead: Duration::ZERO,
                statements,
            };
            return Ok(Self { login, superuser: None });
        };
        // A directory has one base, and no configuration names it.
        let database = match database.is_empty() && side.engine.is_some() {
            true => server.admin().database,
            false => database,
        };
        let login = Login { database: database.clone(), ..server.admin() };
        Ok(Self { login, superuser: Some(server.superuser(&database)) })
    }
}

/// The far side whose own engine is configured at `path`.
fn engine_at(world: &World, path: &str) -> Option<(&'static FarSide, &'static Engine)> {
    let side = FarSide::of_engine(world.proven.object(path).ok()?.kind.docs)?;
    Some((side, side.engine.as_ref()?))
}

/// Of `database/creds/app`: the mount, the name, and the section of its role.
pub(super) fn parts(path: &str) -> Result<(&str, &str, &'static str)> {
    let sections = [
        ("/creds/", "roles"),
        ("/static-creds/", "static-roles"),
        ("/static-cred/", "static-role"),
        ("/library/", "library"),
    ];
    let found = sections.iter().find_map(|(word, section)| {
        path.split_once(word).map(|(mount, name)| (mount, name, *section))
    });
    found.ok_or_else(|| Failure(format!("{path} is no path that issues logins")))
}
