//! AWS, as far as moto is like it: IAM, STS and S3 in one server, which checks every signature and every policy. That keys
//! which are lent are each borrower's own, end, and are held to the policies that they were asked for with, is added in
//! the script that starts it.
//!
//! A statement is a request: a service and an action, and below them its parameters (`iam GetUser`, `UserName: app`); of
//! S3 a method and a path. Empty lines stand between statements. What moto holds is gone when it ends or is told to forget
//! it: only the keys of the admin and of the test bed are there again.

use serde_json::json;

use super::super::{LOOPBACK, python};
use super::aws_request::{Answered, Request, client, send};
use super::https::silent;
use super::*;

pub static AWS: FarSide = FarSide {
    word: "aws",
    title: "moto, which enforces IAM, with sessions that end",
    // Of moto.
    version: "5.2",
    database: "",
    keys: &["init"],
    port: 5000,
    second_port: None,
    superuser: "AKIATESTBEDTESTBED00",
    new_password: None,
    programs: Programs {
        source: Source::Python { environment: ENVIRONMENT, package: PACKAGE },
        names: &[],
        places: &[],
        users: &[],
        version_option: "--version",
        version_env: &[],
        before_version: "",
        found: OnceLock::new(),
    },
    image: "",
    recipe: Recipe::OF_PYTHON,
    plugin: None,
    engine: None,
    gives: &[ENDPOINT, ACCESS_KEY, SECRET_KEY],
    hello: "sts GetCallerIdentity",
    catalogue: "iam ListAccessKeys",
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container: |_, passwords| script::contained(SCRIPT, &settings("0.0.0.0", AWS.port, passwords)),
    prepare: |server, options| prepare(server, options).boxed(),
    reset: Some(|superuser| reset(superuser).boxed()),
    ask_version: |login| ask_version(login).boxed(),
    say: |login, requests| say(login, requests).boxed(),
    look_up: |_, _| format!("{} of every user", AWS.catalogue),
    knows: |login, key| knows(login, key).boxed(),
    sessions: None,
    lasts: None,
};

const ENVIRONMENT: &str = "aws";
const PACKAGE: &str = "moto";
const ENDPOINT: &str = "endpoint";
const ACCESS_KEY: &str = "access_key";
const SECRET_KEY: &str = "secret_key";
/// The access key that Vault is given. AWS makes them of twenty letters and digits.
const ADMIN: &str = "AKIAVAULTVAULTVAULT0";

const SCRIPT: &str = include_str!("../../../../../fixtures/servers/aws/server.py");

/// Where Vault goes to by an engine's `config/root`, unless that is Amazon itself.
pub fn place(root: &Map<String, Value>) -> Option<(String, String)> {
    let endpoint = root.get("iam_endpoint").and_then(Value::as_str)?;
    let address = endpoint.strip_prefix("http://")?.trim_end_matches('/');
    Some((address.to_owned(), String::new()))
}

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    script::launch(&new, SCRIPT, &settings(LOOPBACK, new.port, new.passwords))
}

fn settings(host: &str, port: u16, passwords: &Passwords) -> Value {
    let user = |name: &str, key: &str, secret: &SecretString| json!({ "name": name, "access_key": key, "secret_key": secret.expose_secret() });
    json!({
        "host": host,
        "port": port,
        "users": [
            user("testbed", AWS.superuser, &passwords.superuser),
            user("vault", ADMIN, &passwords.admin),
        ],
    })
}

async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    server.admin_user = ADMIN.to_owned();
    let endpoint = format!("http://{}", server.address_for_vault);
    let given = [
        (ENDPOINT, endpoint.into()),
        (ACCESS_KEY, ADMIN.into()),
        (SECRET_KEY, server.admin_password.clone()),
    ];
    server.given.extend(given);
    match &options.init {
        Some(init) => server.run(&server.admin(), "running the init requests", init).await,
        None => Ok(()),
    }
}

/// Moto's own way, which asks for no keys; the script lets the users in again.
async fn reset(superuser: &Login) -> std::result::Result<(), NoAnswer> {
    let url = format!("http://{}/moto-api/reset", superuser.address);
    let answer = client()?.post(url).send().await.and_then(|it| it.error_for_status());
    answer.map(drop).map_err(silent)
}

/// The package's: the server itself does not say it.
async fn ask_version(login: &Login) -> std::result::Result<String, NoAnswer> {
    say(login, AWS.hello).await?.done()?;
    Ok(python::version(ENVIRONMENT, PACKAGE).unwrap_or_default().to_owned())
}

async fn say(login: &Login, requests: &str) -> std::result::Result<Said, NoAnswer> {
    for text in requests.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
        match send(login, &Request::parse(text)?).await? {
            Answered::Done(_) => {}
            Answered::Refused { code, message } => {
                return Ok(Said::Refused(refusal(code, message)));
            }
        }
    }
    Ok(Said::Done)
}

fn refusal(code: String, message: String) -> Refusal {
    let lack = match &*code {
        "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "ExpiredToken"
        | "SignatureDoesNotMatch" => Lack::OfLogin,
        "AccessDenied" => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    Refusal { code, message, at_login: lack == Lack::OfLogin, lack }
}

/// Whether any user has the access key.
async fn knows(login: &Login, key: &str) -> std::result::Result<bool, NoAnswer> {
    let users = answer(login, "iam ListUsers").await?;
    for user in texts(&users, "UserName") {
        let keys = answer(login, &format!("iam ListAccessKeys\nUserName: {user}")).await?;
        if texts(&keys, "AccessKeyId").any(|it| it == key) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn answer(login: &Login, request: &str) -> std::result::Result<String, NoAnswer> {
    match send(login, &Request::parse(request)?).await? {
        Answered::Done(text) => Ok(text),
        Answered::Refused { code, message } => Err(NoAnswer(format!("{code} {message}"))),
    }
}

/// What stands in elements of a name. None of those that are asked for holds what XML would escape.
pub(super) fn texts<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&start)?;
        let (text, after) = after.split_once(&end)?;
        rest = after;
        Some(text)
    })
}
