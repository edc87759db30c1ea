//! Where a configuration of Vault's looks for people in a directory, and the one entry that it finds.

use serde_json::Value;
use vault_model::Body;

use crate::{
    ground::far::{Login, directory},
    world::{Result, failure},
};

/// The people of a directory, as `config` has them, and who may look for them.
pub struct People {
    pub superuser: Login,
    pub config: Body,
}

impl People {
    pub fn text<'a>(&'a self, key: &str, otherwise: &'a str) -> &'a str {
        let said = self.config.get(key).and_then(Value::as_str);
        said.filter(|it| !it.is_empty()).unwrap_or(otherwise)
    }

    /// The entry that all of them stand below.
    pub fn base(&self) -> &str {
        self.text("userdn", &self.superuser.database)
    }

    /// What they are called by.
    pub fn attribute(&self) -> &str {
        self.text("userattr", "cn")
    }

    /// Where one stands.
    pub async fn find(&self, name: &str) -> Result<String> {
        let (base, filter) = (self.base(), directory::with(self.attribute(), name));
        match &directory::find(&self.superuser, base, &filter).await?[..] {
            [one] => Ok(one.clone()),
            found => failure(format!(
                "{} entries of the directory below {base} are {filter}, not one",
                found.len()
            )),
        }
    }
}
