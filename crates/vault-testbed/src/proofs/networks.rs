//! Logins that are bound to networks: whoever asks from one of them gets in as if there were no bound.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use vault_model::object::Object;

/// Newest names last.
pub const BOUNDS: &[&str] =
    &["token_bound_cidrs", "secret_id_bound_cidrs", "bound_cidrs", "bound_cidr_list"];

/// The same objects without the bounds that have all of `networks`, from which their Vault is asked. Where none is known,
/// each bound stays.
pub fn opened(objects: &[Arc<Object>], networks: &[IpNet]) -> Vec<Arc<Object>> {
    let open = |object: &Arc<Object>| {
        let mut said = object.said.clone();
        said.retain(|name, _| !BOUNDS.contains(&&**name) || !has_all(object.texts(name), networks));
        match said.len() == object.said.len() {
            true => object.clone(),
            false => Arc::new(object.saying(said)),
        }
    };
    objects.iter().map(open).collect()
}

fn has_all(bound: Vec<&str>, networks: &[IpNet]) -> bool {
    let bound: Vec<IpNet> = bound.into_iter().filter_map(network).collect();
    let is_in = |network: &IpNet| bound.iter().any(|it| it.contains(network));
    !networks.is_empty() && networks.iter().all(is_in)
}

/// The mask of a single address may be left out.
fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).ok()
}
