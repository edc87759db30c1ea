//! A Vault that people use: what a proof may send there, and the end of all that was issued.
//!
//! All leases belong to one token that soon ends by itself; what a login makes is kept in mind and revoked.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use serde_json::{Value, json};
use tokio::sync::RwLock;
use vault_client::{Answer, Auth, ExposeSecret, Failure, SecretString, Vault, VaultError};
use vault_model::{
    Body,
    request::{Method, Request},
    select::matches,
    spec::Spec,
};
use vault_provision::{PrepareError, Prepared, prepare};

/// One proof of a Vault that is given. Whatever happens to the proof, `end` is called.
pub struct Live {
    /// As whoever started the proof.
    login: Vault,
    /// Whether passwords that others use may be replaced.
    pub rotates: bool,
    own: OnceLock<Vault>,
    issued: Mutex<Issued>,
    /// Held for reading by each request that issues something.
    under_way: Arc<RwLock<()>>,
}

#[derive(Default)]
struct Issued {
    tokens: Vec<SecretString>,
    /// A batch token takes none along when the proof ends.
    leases: Vec<String>,
    /// Role and accessor.
    secret_ids: Vec<(String, String)>,
    /// Role and wrapping token: what it holds may never have been unwrapped.
    wrapped: Vec<(String, SecretString)>,
}

/// What was taken back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub tokens: usize,
    pub secret_ids: usize,
    /// What could not be revoked, and why.
    pub left: Vec<String>,
}

/// All that may be sent: it reads, or issues and takes back what is the proof's own.
const SAFE: &[(Method, &str)] = &[
    (Method::Get, "*"),
    (Method::List, "*"),
    (Method::Post, "sys/capabilities"),
    (Method::Post, "sys/leases/lookup"),
    (Method::Post, "sys/leases/renew"),
    (Method::Post, "sys/leases/revoke"),
    // Whether a rotation could be recorded: a question.
    (Method::Post, "sys/capabilities-self"),
    (Method::Post, "sys/wrapping/unwrap"),
    (Method::Post, "auth/token/create"),
    (Method::Post, "auth/token/create/*"),
    (Method::Post, "auth/token/lookup"),
    (Method::Post, "auth/token/renew"),
    (Method::Post, "auth/token/revoke"),
    (Method::Post, "auth/*/login"),
    (Method::Post, "auth/*/role/*/secret-id"),
    (Method::Post, "auth/*/role/*/secret-id-accessor/destroy"),
];

/// What `--rotate` adds.
const ROTATES: &[(Method, &str)] =
    &[(Method::Post, "*/rotate-role/*"), (Method::Post, "*/rotate-root/*")];

/// The life of the token that all leases belong to: after a SIGKILL, that of the leases.
const LIFE: &str = "20m";

/// The longest life of a secret-id that a proof makes.
pub const SECRET_ID_SECONDS: u64 = 300;

impl Live {
    pub fn new(login: &Vault, rotates: bool) -> Arc<Live> {
        let refuses = move |request: &Request| {
            let mut safe = SAFE.iter().chain(ROTATES.iter().filter(|_| rotates));
            let is_it = |(method, glob): &(Method, &str)| {
                *method == request.method && matches(glob, &request.path)
            };
            match safe.any(is_it) {
                true => Ok(()),
                false => Err("it would change a Vault that people use, and is not sent".to_owned()),
            }
        };
        let login = login.clone().guarded_by(Arc::new(refuses));
        let (own, issued, under_way) = Default::default();
        Arc::new(Live { login, rotates, own, issued, under_way })
    }

    /// What applying the spec would do: what is proven is what is there.
    pub async fn plan(&self, spec: &Spec) -> Result<Prepared, PrepareError> {
        prepare(&self.login, spec).await
    }

    /// Gets the token that all leases belong to.
    pub async fn begin(self: &Arc<Self>) -> Result<(), VaultError> {
        let body = json!({ "ttl": LIFE, "renewable": false, "display_name": "vaultwright-prove" });
        let body = body.as_object().cloned().unwrap_or_default();
        let request = Request::post("auth/token/create", body);
        let auth = self.issue(&self.login, request.clone(), "").await?.auth;
        let Auth { client_token, .. } = auth.ok_or_else(|| VaultError {
            method: request.method,
            path: request.path,
            status: None,
            reasons: Vec::new(),
            failure: Failure::Decode { problem: "the answer holds no token".into() },
        })?;
        // It is asked for once.
        let _ = self.own.set(self.login.with_token(client_token));
        Ok(())
    }

    /// As the token that all leases belong to.
    pub fn vault(&self) -> Option<&Vault> {
        self.own.get()
    }

    /// Keeps in mind what comes of it, also when nobody waits for it any more. `role`: whose secret-id it is.
    pub async fn issue(
        self: &Arc<Self>,
        vault: &Vault,
        request: Request,
        role: &str,
    ) -> Result<Answer, VaultError> {
        let (live, vault, role) = (self.clone(), vault.clone(), role.to_owned());
        let (method, path) = (request.method, request.path.clone());
        let under_way = self.under_way.clone().read_owned().await;
        let asked = tokio::spawn(async move {
            let _under_way = under_way;
            let answer = vault.send_once(&request).await?;
            live.keep(&answer, role);
            Ok(answer)
        });
        asked.await.unwrap_or_else(|_| {
            let problem = "the request was given up".into();
            let failure = Failure::Unsendable { problem };
            Err(VaultError { method, path, status: None, reasons: Vec::new(), failure })
        })
    }

    fn keep(&self, answer: &Answer, role: String) {
        let mut issued = self.issued();
        // A batch token can only run out.
        let service = answer.auth.iter().filter(|it| it.token_type != "batch");
        issued.tokens.extend(service.map(|it| it.client_token.clone()));
        issued.leases.extend(answer.lease.iter().map(|it| it.id.clone()));
        let wrapped = answer.wrap_info.iter().map(|it| (role.clone(), it.token.clone()));
        issued.wrapped.extend(wrapped);
        let data = answer.data.as_ref();
        let accessor = data.and_then(|it| it.get("secret_id_accessor")).and_then(Value::as_str);
        issued.secret_ids.extend(accessor.map(|it| (role, it.to_owned())));
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back all that was issued, the token of all leases last.
    pub async fn end(&self) -> Ended {
        let _all_answered = self.under_way.write().await;
        let wrapped = std::mem::take(&mut self.issued().wrapped);
        for (role, token) in wrapped {
            // Most were unwrapped by the proof.
            if let Ok(answer) = self.login.unwrap(token).await {
                self.keep(&answer, role);
            }
        }
        let issued = std::mem::take(&mut *self.issued());
        let mut ended = Ended::default();
        for id in issued.leases {
            let body = Body::from_iter([("lease_id".to_owned(), json!(id))]);
            if let Err(err) = self.login.write("sys/leases/revoke", body).await {
                ended.left.push(format!("the lease {id}: {err}"));
            }
        }
        for (role, accessor) in issued.secret_ids {
            let path = format!("{role}/secret-id-accessor/destroy");
            let body = [("secret_id_accessor".to_owned(), json!(accessor))];
            match self.login.write(&path, Body::from_iter(body)).await {
                Ok(_) => ended.secret_ids += 1,
                // Its uses were used up.
                Err(err) if is_unknown(&err) => {}
                Err(err) => ended.left.push(format!("a secret-id of {role}: {err}")),
            }
        }
        for token in issued.tokens.iter().rev() {
            let body = Body::from_iter([("token".to_owned(), json!(token.expose_secret()))]);
            match self.login.write("auth/token/revoke", body).await {
                Ok(_) => ended.tokens += 1,
                Err(err) if is_unknown(&err) => {}
                Err(err) => ended.left.push(format!("a token: {err}")),
            }
        }
        ended
    }
}

/// It has ended by itself.
fn is_unknown(err: &VaultError) -> bool {
    let signs = ["token not found", "failed to find accessor", "invalid token", "bad token"];
    err.is_absence() || err.reasons.iter().any(|it| signs.iter().any(|sign| it.contains(sign)))
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("login", &self.login).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use vault_client::Settings;

    use super::*;

    /// Nothing listens there: a request that passes fails at the door, and one that does not names the reason.
    async fn is_withheld(rotates: bool, method: Method, path: &str) -> bool {
        let mut settings = Settings::new("http://127.0.0.1:1").expect("an address");
        settings.max_retries = 0;
        let vault = Vault::new(&settings).expect("a client");
        let live = Live::new(&vault, rotates);
        let request = Request::new(method, path, Body::new());
        let err = live.login.send_once(&request).await.expect_err("nothing listens");
        matches!(err.failure, Failure::Unsendable { .. })
    }

    #[tokio::test]
    async fn what_writes_is_never_sent() {
        for path in [
            "secret/data/app",
            "sys/policies/acl/app",
            "database/roles/app",
            "auth/approle/role/app",
        ] {
            assert!(is_withheld(true, Method::Post, path).await, "{path}");
            assert!(is_withheld(true, Method::Delete, path).await, "{path}");
            assert!(is_withheld(true, Method::Patch, path).await, "{path}");
            assert!(!is_withheld(true, Method::Get, path).await, "{path}");
        }
    }

    #[tokio::test]
    async fn what_is_the_proof_s_own_is_sent() {
        for path in ["auth/approle/login", "auth/approle/role/app/secret-id", "sys/leases/revoke"] {
            assert!(!is_withheld(false, Method::Post, path).await, "{path}");
        }
    }

    #[tokio::test]
    async fn rotations_are_sent_only_where_they_are_asked_for() {
        for path in ["database/rotate-role/app", "database/rotate-root/app"] {
            assert!(is_withheld(false, Method::Post, path).await, "{path}");
            assert!(!is_withheld(true, Method::Post, path).await, "{path}");
        }
    }
}
