//! Which servers of its ground each object of a spec works with.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use vault_model::{Path, object::Object, spec::Spec};

use crate::ground::{self, GroundSpec};

/// Names of servers.
pub type Servers = BTreeSet<String>;

/// By the paths of objects; those that work with Vault alone are not among them.
#[derive(Debug, Default)]
pub struct Bindings {
    all: Servers,
    of: BTreeMap<Path, Servers>,
}

impl Bindings {
    /// `read` reads the spec with these values for its variables. An object works with a server if it comes out otherwise
    /// once the server's address and logins are others; and so does what needs such an object.
    pub fn of<E: From<ground::Error>>(
        ground: &GroundSpec,
        read: impl Fn(Vec<(String, Value)>) -> Result<Spec, E>,
    ) -> Result<Bindings, E> {
        let all: Servers = ground.servers.iter().map(|(name, _)| name.clone()).collect();
        if all.is_empty() {
            return Ok(Bindings::default());
        }
        let spec = read(ground.stand_ins()?)?;
        let mut bindings = Bindings { all, of: BTreeMap::new() };
        for (server, _) in &ground.servers {
            let other = read(ground.other_stand_ins(server)?)?;
            for path in differing(&spec, &other) {
                bindings.of.entry(path).or_default().insert(server.clone());
            }
        }
        bindings.follow(&spec);
        Ok(bindings)
    }

    /// Of the whole ground.
    pub fn all(&self) -> &Servers {
        &self.all
    }

    pub fn of_object(&self, path: &str) -> Option<&Servers> {
        self.of.get(path)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Servers)> {
        self.of.iter()
    }

    /// From what works with a server to what needs that, until there is no more.
    fn follow(&mut self, spec: &Spec) {
        let configs: Vec<&Object> = spec.objects.iter().map(|it| &**it).filter(is_config).collect();
        let gives =
            |it: &Object| it.gives().map(|path| (path, it.path.clone())).collect::<Vec<_>>();
        let given: BTreeMap<Path, Path> = spec.objects.iter().flat_map(|it| gives(it)).collect();
        loop {
            let mut more: BTreeMap<Path, Servers> = BTreeMap::new();
            for object in &spec.objects {
                let needs = object.needs().into_iter().filter_map(|it| given.get(&it));
                // Who can do nothing without its mount's configuration may not name it.
                let config = configs.iter().filter(|it| it.mount() == object.mount());
                let needed =
                    needs.chain(config.map(|it| &it.path)).filter_map(|it| self.of.get(it));
                let servers: Servers = needed.flatten().cloned().collect();
                if self.of.get(&object.path).is_none_or(|it| !it.is_superset(&servers)) {
                    more.insert(object.path.clone(), servers);
                }
            }
            more.retain(|_, servers| !servers.is_empty());
            if more.is_empty() {
                return;
            }
            for (path, servers) in more {
                self.of.entry(path).or_default().extend(servers);
            }
        }
    }
}

/// Those of the specs that a run has asked for: they are the same in each of its scenarios.
#[derive(Clone, Default)]
pub struct KnownBindings(Arc<Mutex<BTreeMap<InEnvironment, Arc<Bindings>>>>);

/// A spec's path, and the environment.
type InEnvironment = (PathBuf, Option<String>);

impl KnownBindings {
    pub fn of<E>(
        &self,
        spec: InEnvironment,
        find: impl FnOnce() -> Result<Bindings, E>,
    ) -> Result<Arc<Bindings>, E> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bindings) = known().get(&spec) {
            return Ok(bindings.clone());
        }
        let found = Arc::new(find()?);
        known().insert(spec, found.clone());
        Ok(found)
    }
}

/// There is one of it for a mount.
fn is_config(object: &&Object) -> bool {
    object.kind.path.starts_with("{mount}/") && !object.kind.path.contains("{name}")
}

/// Paths of objects that are in one only, or not the same in both.
fn differing(one: &Spec, other: &Spec) -> Vec<Path> {
    let by_path = |spec: &Spec| -> BTreeMap<Path, vault_model::Body> {
        spec.objects.iter().map(|it| (it.path.clone(), it.said.clone())).collect()
    };
    let (one, other) = (by_path(one), by_path(other));
    let paths: BTreeSet<&Path> = one.keys().chain(other.keys()).collect();
    paths.into_iter().filter(|it| one.get(*it) != other.get(*it)).cloned().collect()
}

#[cfg(test)]
pub mod tests {
    use expect_test::expect;
    use vault_provision::{ReadError, SpecInputs, load};

    use super::*;

    const GROUND: &str = r#"
servers:
  shop: { postgres: "15" }
  archive: { mariadb: "10.11" }
  cluster: { kubernetes: "1.35" }
vars:
  shop_url: (( shop.host )):(( shop.port ))
  archive_address: (( archive.address ))
  cluster_address: https://(( cluster.address ))
"#;

    const SPEC: &str = r#"
name: shop
vars: { shop_url: {}, archive_address: {}, cluster_address: {} }
secrets:
  database:
    type: database
    connections:
      shop:
        plugin_name: postgresql-database-plugin
        connection_url: "postgresql://{{username}}:{{password}}@(( shop_url ))/shop"
        allowed_roles: [reader]
      archive:
        plugin_name: mysql-database-plugin
        connection_url: "{{username}}:{{password}}@tcp((( archive_address )))/"
        allowed_roles: [archive-reader]
    roles:
      reader: { db_name: shop, creation_statements: 'CREATE ROLE "{{name}}"' }
      archive-reader: { db_name: archive, creation_statements: 'CREATE USER "{{name}}"' }
  secret:
    type: kv-v2
    data:
      reads: { data: { role: "${database/roles/reader#db_name}" } }
      alone: { data: { a: b } }
auth:
  kubernetes:
    type: kubernetes
    config: { kubernetes_host: (( cluster_address )), disable_local_ca_jwt: true }
    roles:
      app:
        bound_service_account_names: [app]
        bound_service_account_namespaces: [shop]
        token_policies: [app]
sys:
  policies:
    app: { policy: 'path "database/creds/reader" { capabilities = ["read"] }' }
"#;

    pub fn shop() -> (Spec, Bindings) {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, text) in [("ground.yaml", GROUND), ("spec.yaml", SPEC)] {
            std::fs::write(folder.path().join(file), text).expect("a file");
        }
        let ground = GroundSpec::read(folder.path(), None).expect("a ground");
        let read = |bound: Vec<(String, Value)>| -> Result<Spec, ground::Error> {
            let text = |it: Value| it.as_str().unwrap_or_default().to_owned();
            let vars = bound.into_iter().map(|(name, value)| (name, text(value))).collect();
            let inputs = SpecInputs { vars, ..SpecInputs::default() };
            Ok(load(folder.path(), &inputs).unwrap_or_else(|err| match err {
                ReadError::Refused(it) => panic!("{}", it.mistakes.render(&it.sources, false)),
                other => panic!("{other}"),
            }))
        };
        let spec = read(ground.stand_ins().expect("values")).expect("a spec");
        (spec, Bindings::of(&ground, read).expect("bindings"))
    }

    #[test]
    fn an_object_works_with_the_servers_of_its_variables_and_of_what_it_needs() {
        let (_, bindings) = shop();
        let names = |it: &Servers| it.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let lines = bindings.iter().map(|(path, servers)| format!("{path}: {}\n", names(servers)));
        expect![[r#"
            auth/kubernetes/config: cluster
            auth/kubernetes/role/app: cluster
            database/config/archive: archive
            database/config/shop: shop
            database/roles/archive-reader: archive
            database/roles/reader: shop
            secret/data/reads: shop
        "#]]
        .assert_eq(&lines.collect::<String>());
    }
}
