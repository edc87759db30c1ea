//! Kubernetes as far as logins ask it: an API server with its etcd, no nodes and no pods.
//!
//! A statement is a request: method and path, and below them a body of JSON. A password is a bearer token.

use std::sync::LazyLock;

use rcgen::KeyPair;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::super::build::{Module, Pinned};
use super::super::certificate::Authority;
use super::https::{client, silent};
use super::*;
use crate::statements::Heard;

pub static KUBERNETES: FarSide = FarSide {
    word: "kubernetes",
    title: "Kubernetes",
    version: "1.35",
    database: "",
    keys: &["admin_user"],
    port: 6443,
    second_port: None,
    superuser: "testbed",
    new_password: None,
    programs: Programs {
        source: Source::Go(Pinned {
            name: "kubernetes",
            version: "1.35.8",
            module: Module {
                package: "kubernetes-under-test",
                go_mod: include_str!("../../../../../fixtures/servers/kubernetes/go.mod"),
                go_sum: include_str!("../../../../../fixtures/servers/kubernetes/go.sum"),
                main: Some(include_str!("../../../../../fixtures/servers/kubernetes/main.go")),
                go: "1.25.3",
                takes: "4 minutes",
            },
        }),
        names: &["kubernetes"],
        places: &[],
        users: &[],
        version_option: "--version",
        version_env: &[],
        before_version: "Kubernetes v",
        found: OnceLock::new(),
    },
    image: "",
    recipe: Recipe::of_binary(include_str!(
        "../../../../../fixtures/servers/images/kubernetes/Dockerfile"
    )),
    plugin: None,
    engine: None,
    gives: &[CA_CERTIFICATE, TOKEN_REVIEWER_JWT],
    hello: "GET /api",
    catalogue: "serviceaccounts",
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: Some(|superuser| reset(superuser).boxed()),
    ask_version: |login| ask_version(login).boxed(),
    say: |login, request| say(login, request).boxed(),
    look_up: |_, account| format!("GET {}", Account::named(account).path()),
    knows: |login, account| knows(login, account).boxed(),
    sessions: None,
    lasts: None,
};

const CA_CERTIFICATE: &str = "ca_certificate";
/// The admin's: a service account that may have JWTs reviewed, and nothing more.
const TOKEN_REVIEWER_JWT: &str = "token_reviewer_jwt";
/// Outlasts a ground that somebody works with.
const REVIEWER_SECONDS: u64 = 7 * 86_400;

pub const ISSUER: &str = "https://kubernetes.default.svc";

/// What every API server of this process signs the JWTs of service accounts with, as PEM. Should no key come about,
/// the server says so when it starts.
static SIGNER: LazyLock<Signer> = LazyLock::new(|| match KeyPair::generate() {
    Ok(key) => Signer { private: key.serialize_pem(), public: key.public_key_pem() },
    Err(_) => Signer::default(),
});

#[derive(Default)]
struct Signer {
    private: String,
    public: String,
}

/// For a JWT such as no API server would issue.
pub fn signer() -> std::result::Result<KeyPair, rcgen::Error> {
    KeyPair::from_pem(&SIGNER.private)
}

const TOKENS: &str = "tokens.csv";
const PRIVATE: &str = "service-accounts-key.pem";
const PUBLIC: &str = "service-accounts.pem";
const TLS: (&str, &str) = ("/kubernetes/server.pem", "/kubernetes/server-key.pem");

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { installation, folder, port, passwords, .. } = &new;
    let made = Authority::of_far_sides()?.certify(&[])?;
    let files = [
        (TOKENS, &*tokens(passwords)),
        (PRIVATE, &SIGNER.private),
        (PUBLIC, &SIGNER.public),
        ("server.pem", &made.certificate),
        ("server-key.pem", &made.key),
    ];
    for (name, text) in files {
        installation.write(&folder.join(name), text)?;
    }
    let arguments = arguments(&folder.display().to_string(), "127.0.0.1", *port);
    Ok(new.launch("kubernetes", arguments))
}

fn container(_: &ServerOptions, passwords: &Passwords) -> Contained {
    let file = |name: &str, text: &str| (format!("/kubernetes/{name}"), text.as_bytes().to_vec());
    Contained {
        command: arguments("/kubernetes", "0.0.0.0", KUBERNETES.port),
        files: vec![
            file(TOKENS, &tokens(passwords)),
            file(PRIVATE, &SIGNER.private),
            file(PUBLIC, &SIGNER.public),
        ],
        tls: Some(TLS),
        ..Contained::default()
    }
}

/// The superuser's token: it is there before anything can be asked.
fn tokens(passwords: &Passwords) -> String {
    let (token, name) = (passwords.superuser.expose_secret(), KUBERNETES.superuser);
    format!("{token},{name},{name},\"system:masters\"\n")
}

fn arguments(folder: &str, bind: &str, port: u16) -> Vec<String> {
    let of_folder = |flag: &str, name: &str| format!("--{flag}={folder}/{name}");
    let mut arguments = vec![
        format!("--bind-address={bind}"),
        format!("--secure-port={port}"),
        format!("--service-account-issuer={ISSUER}"),
        format!("--api-audiences={ISSUER}"),
        of_folder("tls-cert-file", "server.pem"),
        of_folder("tls-private-key-file", "server-key.pem"),
        of_folder("token-auth-file", TOKENS),
        of_folder("service-account-signing-key-file", PRIVATE),
        of_folder("service-account-key-file", PUBLIC),
    ];
    arguments.extend(SETTINGS.map(String::from));
    arguments
}

/// What needs controllers or nodes is off: there are none.
const SETTINGS: [&str; 5] = [
    "--authorization-mode=RBAC",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
    "--enable-priority-and-fairness=false",
];

/// The admin becomes a service account, which may do what Vault's documentation asks for: have JWTs reviewed, and read
/// the labels of namespaces.
async fn prepare(server: &mut Server, _: &ServerOptions) -> Result<()> {
    let superuser = server.superuser("");
    let admin = Account { namespace: "default".into(), name: server.admin_user.clone() };
    let failed = |action| move |why: NoAnswer| server_error(action, why);
    // Its controllers may not have come to it yet.
    let first = create_namespace(&superuser, &admin.namespace, &json!({})).await;
    first.map_err(failed("creating the first namespace"))?;
    let remembers = say(&superuser, REMEMBER).await.and_then(Said::done);
    remembers.map_err(failed("having it remember what it holds"))?;
    admin.create(&superuser).await.map_err(failed("creating the admin"))?;
    let subject =
        json!([{ "kind": "ServiceAccount", "name": admin.name, "namespace": admin.namespace }]);
    let reads = json!([{ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }]);
    create(&superuser, CLUSTER_ROLES, &json!({ "metadata": { "name": READER }, "rules": reads }))
        .await
        .map_err(failed("granting the admin's rights"))?;
    for role in ["system:auth-delegator", READER] {
        let binding = json!({
            "metadata": { "name": format!("{}-{}", admin.name, role.replace(':', "-")) },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": subject,
        });
        create(&superuser, CLUSTER_ROLE_BINDINGS, &binding)
            .await
            .map_err(failed("granting the admin's rights"))?;
    }
    let jwt = admin.jwt(&superuser, &[], REVIEWER_SECONDS).await;
    let jwt = jwt.map_err(failed("issuing the admin's JWT"))?;
    let login = server.login(&admin.name, &jwt);
    server.until_answered(|| is_let_in(&login).boxed()).await?;
    let authority = Authority::of_far_sides()?.certificate.clone();
    server.given.insert(CA_CERTIFICATE, authority.into());
    server.given.insert(TOKEN_REVIEWER_JWT, jwt.clone());
    server.admin_password = jwt;
    Ok(())
}

/// The API server looks accounts up in a copy of its own, in which one of that name may still be another.
async fn is_let_in(login: &Login) -> std::result::Result<(), NoAnswer> {
    say(login, KUBERNETES.hello).await?.done()
}

/// Back to what it held when it was told to remember.
async fn reset(superuser: &Login) -> std::result::Result<(), NoAnswer> {
    say(superuser, RESET).await?.done()
}

/// These two are none of Kubernetes: its program for tests adds them.
const REMEMBER: &str = "POST /remember";
const RESET: &str = "POST /reset";

const READER: &str = "namespace-reader";
const CLUSTER_ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const CLUSTER_ROLE_BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

fn server_error(action: &'static str, why: NoAnswer) -> Error {
    Error::FarSide { server: KUBERNETES.title.into(), action, why: why.to_string() }
}

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub namespace: String,
    pub name: String,
}

impl Account {
    /// Of a namespace, `NAMESPACE/NAME`, or of the default one.
    fn named(account: &str) -> Self {
        let (namespace, name) = account.split_once('/').unwrap_or(("default", account));
        Self { namespace: namespace.into(), name: name.into() }
    }

    fn path(&self) -> String {
        format!("{}/{}", accounts_of(&self.namespace), self.name)
    }

    /// With its namespace, where that isn't there yet.
    pub async fn create(&self, superuser: &Login) -> std::result::Result<(), NoAnswer> {
        create_namespace(superuser, &self.namespace, &json!({})).await?;
        let body = json!({ "metadata": { "name": self.name } });
        create(superuser, &accounts_of(&self.namespace), &body).await
    }

    pub async fn delete(&self, superuser: &Login) -> std::result::Result<(), NoAnswer> {
        answered(request(superuser, Method::DELETE, &self.path(), None).await?).map(drop)
    }

    /// Without audiences: for the API server itself. It makes none that lasts less than 600 s.
    pub async fn jwt(
        &self,
        superuser: &Login,
        audiences: &[&str],
        seconds: u64,
    ) -> std::result::Result<SecretString, NoAnswer> {
        let spec = json!({ "spec": { "audiences": audiences, "expirationSeconds": seconds } });
        let path = format!("{}/token", self.path());
        let answer = answered(request(superuser, Method::POST, &path, Some(&spec)).await?)?;
        let jwt = answer.pointer("/status/token").and_then(Value::as_str);
        jwt.map(SecretString::from).ok_or_else(|| NoAnswer("the answer holds no token".into()))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn accounts_of(namespace: &str) -> String {
    format!("{NAMESPACES}/{namespace}/serviceaccounts")
}

const NAMESPACES: &str = "/api/v1/namespaces";

pub async fn create_namespace(
    superuser: &Login,
    name: &str,
    labels: &Value,
) -> std::result::Result<(), NoAnswer> {
    create(superuser, NAMESPACES, &json!({ "metadata": { "name": name, "labels": labels } })).await
}

/// Nothing is wrong with what is there already.
async fn create(login: &Login, path: &str, body: &Value) -> std::result::Result<(), NoAnswer> {
    match request(login, Method::POST, path, Some(body)).await? {
        (StatusCode::CONFLICT, _) => Ok(()),
        answer => answered(answer).map(drop),
    }
}

fn answered((status, body): Answered) -> std::result::Result<Value, NoAnswer> {
    match status.is_success() {
        true => Ok(body),
        false => Err(NoAnswer(format!("{status}: {}", message(&body)))),
    }
}

fn message(body: &Value) -> &str {
    body.get("message").and_then(Value::as_str).unwrap_or_default()
}

/// What `say` and `knows` do not ask: it is kept as well.
async fn request(
    login: &Login,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> std::result::Result<Answered, NoAnswer> {
    let text = format!("{method} {path} {}", body.map(Value::to_string).unwrap_or_default());
    login.noting(text.trim(), ask(login, method, path, body)).await
}

type Answered = (StatusCode, Value);

impl Heard for Answered {
    fn code(&self) -> Option<String> {
        (!self.0.is_success()).then(|| self.0.as_u16().to_string())
    }

    /// Without its body, which may be a token.
    fn answer(&self) -> String {
        format!("{} {}", self.0, message(&self.1)).trim().to_owned()
    }
}

async fn ask(
    login: &Login,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> std::result::Result<Answered, NoAnswer> {
    let url = format!("https://{}{path}", login.address);
    let client = client()?.build().map_err(silent)?;
    let mut request = client.request(method, url).bearer_auth(login.password.expose_secret());
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.map_err(silent)?;
    let (status, bytes) = (answer.status(), answer.bytes().await);
    Ok((status, serde_json::from_slice(&bytes.map_err(silent)?).unwrap_or_default()))
}

async fn ask_version(login: &Login) -> std::result::Result<String, NoAnswer> {
    let (status, _) = ask(login, Method::GET, "/readyz", None).await?;
    if !status.is_success() {
        return Err(NoAnswer(format!("it is not ready: {status}")));
    }
    let version = answered(ask(login, Method::GET, "/version", None).await?)?;
    let part = |name: &str| version.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(format!("{}.{}", part("major"), part("minor")))
}

async fn say(login: &Login, request: &str) -> std::result::Result<Said, NoAnswer> {
    let (first, body) = request.trim().split_once('\n').unwrap_or((request.trim(), ""));
    let (method, path) = first.split_once(' ').unwrap_or(("GET", first));
    let method = method.parse().map_err(|_| NoAnswer(format!("`{method}` is no method")))?;
    let body: Option<Value> = match body.trim() {
        "" => None,
        text => Some(serde_json::from_str(text).map_err(|error| NoAnswer(error.to_string()))?),
    };
    let (status, answer) = ask(login, method, path.trim(), body.as_ref()).await?;
    let lack = match status {
        it if it.is_success() => return Ok(Said::Done),
        StatusCode::UNAUTHORIZED => Lack::OfLogin,
        StatusCode::FORBIDDEN => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    let at_login = lack == Lack::OfLogin;
    let (code, message) = (status.as_u16().to_string(), message(&answer).to_owned());
    Ok(Said::Refused(Refusal { code, message, at_login, lack }))
}

async fn knows(login: &Login, account: &str) -> std::result::Result<bool, NoAnswer> {
    match ask(login, Method::GET, &Account::named(account).path(), None).await? {
        (StatusCode::NOT_FOUND, _) => Ok(false),
        answer => answered(answer).map(|_| true),
    }
}
