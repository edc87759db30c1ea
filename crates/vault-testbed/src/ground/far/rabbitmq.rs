//! RabbitMQ. A statement is what applications do by AMQP (`amqp`), or a request to the management API: method and path,
//! and a body of JSON behind them, one a line; or `log in`, which anybody may say who has a password.
//!
//! Queues are declared, published to and read by the user who says so, so that permissions hold as for other clients.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use super::super::loopback;
use super::session::{Opened, Opening};
use super::*;

pub static RABBITMQ: FarSide = FarSide {
    word: "rabbitmq",
    title: "RabbitMQ",
    version: "3.10",
    database: "",
    keys: &["init", "admin_user"],
    port: 15672,
    second_port: Some(AMQP_PORT),
    superuser: SUPERUSER,
    new_password: None,
    programs: Programs {
        source: Source::Debian("rabbitmq-server"),
        names: &["rabbitmqctl", "rabbitmq-server", "rabbitmq-env"],
        places: &[("/usr/lib/rabbitmq", "bin")],
        users: &["rabbitmq", "nobody"],
        version_option: "version",
        version_env: &[QUIET],
        before_version: "",
        found: OnceLock::new(),
    },
    image: "",
    recipe: Recipe {
        packages: &["rabbitmq-server"],
        hook: "true",
        dockerfile: include_str!("../../../../../fixtures/servers/images/rabbitmq/Dockerfile"),
        entrypoint: None,
        version_command: "/usr/lib/rabbitmq/bin/rabbitmqctl version | cut -d. -f1,2",
    },
    plugin: None,
    engine: Some(Engine { docs: &["secret/rabbitmq"], config: "{mount}/config/connection", place }),
    gives: &[AMQP_ADDRESS],
    hello: LOG_IN,
    catalogue: "/api/users",
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: Some(|superuser| reset(superuser).boxed()),
    ask_version: |login| ask_version(login).boxed(),
    say: |login, requests| say(login, requests).boxed(),
    look_up: |_, user| format!("GET {}", path_of(user)),
    knows: |login, user| knows(login, user).boxed(),
    sessions: Some(Sessions {
        catalogue: CONNECTIONS,
        open: |opening| open(opening).boxed(),
        look_up: |_| format!("GET {CONNECTIONS}"),
        lists: |login, user| lists(login, user).boxed(),
    }),
    lasts: None,
};

/// Else its tools, though they are asked for nothing but a version, start a port mapper that outlives them.
const QUIET: (&str, &str) = ("ERL_ZFLAGS", "-start_epmd false -erl_epmd_port 0");
const SUPERUSER: &str = "testbed";
const LOG_IN: &str = "log in";
const CONNECTIONS: &str = "/api/connections";
const WHOAMI: &str = "GET /api/whoami";
const AMQP_PORT: u16 = 5672;
/// What a `ground.yaml` says for where programs of this machine come to by AMQP.
const AMQP_ADDRESS: &str = "amqp_address_from_here";
const IN_CONTAINER: &str = "/etc/vaultwright-rabbitmq.conf";
const TIMEOUT: Duration = Duration::from_secs(20);

const SCRIPT: &str = include_str!("../../../../../fixtures/servers/rabbitmq/start.sh");

type Asked<T> = std::result::Result<T, NoAnswer>;

/// Of `http://host:port`.
fn place(config: &Map<String, Value>) -> Option<(String, String)> {
    let url = url::Url::parse(config.get("connection_uri")?.as_str()?).ok()?;
    let port = url.port_or_known_default()?;
    Some((format!("{}:{port}", url.host_str()?), String::new()))
}

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { installation, folder, port, second_port, passwords, .. } = &new;
    let within = |name: &str| folder.join(name).display().to_string();
    let cookie = new_secret("cookie")?;
    let files = [
        ("start.sh", SCRIPT),
        ("plugins", "[rabbitmq_management].\n"),
        (
            "rabbitmq.conf",
            &settings("127.0.0.1", (*port, second_port.unwrap_or(AMQP_PORT)), passwords),
        ),
        (".erlang.cookie", cookie.expose_secret()),
    ];
    for (name, text) in files {
        installation.write(&folder.join(name), text)?;
    }
    // Erlang takes a cookie only of a file that nobody else can read, and nobody writes.
    let cookie = folder.join(".erlang.cookie");
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))
        .map_err(Error::file("close", &cookie))?;
    let program = installation.program("rabbitmq-server").display().to_string();
    let mut launch = new.launch("rabbitmq-server", vec![within("start.sh"), program]);
    launch.program = "/bin/sh".into();
    let said = [
        ("RABBITMQ_NODENAME", "testbed@localhost".to_owned()),
        ("RABBITMQ_MNESIA_BASE", within("data")),
        ("RABBITMQ_LOG_BASE", within("log")),
        ("RABBITMQ_CONFIG_FILE", within("rabbitmq.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", within("plugins")),
        // There are none of these: what the machine says of its own server is not read.
        ("RABBITMQ_CONF_ENV_FILE", within("none")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", within("none.config")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_DIST_PORT", loopback::free_port()?.to_string()),
        ("ERL_EPMD_PORT", loopback::free_port()?.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG_OPTIONS.to_owned()),
        // The server's process is the one that was started, without a shell that waits for it.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
    ];
    launch.environment.extend(said.map(|(name, value)| (name.to_owned(), value.into())));
    Ok(launch)
}

/// Other nodes would come by the network, schedulers that wait for work would spin, and ten threads would take turns at
/// looking for one module after the other along the code path.
const ERLANG_OPTIONS: &str =
    "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none +SDio 1";

fn container(_: &ServerOptions, passwords: &Passwords) -> Contained {
    let file = settings("0.0.0.0", (RABBITMQ.port, AMQP_PORT), passwords);
    let said = [
        ("RABBITMQ_CONFIG_FILE", IN_CONTAINER),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG_OPTIONS),
    ];
    Contained {
        environment: said.map(|(name, value)| (name.to_owned(), value.into())).into(),
        files: vec![(IN_CONTAINER.to_owned(), file.into_bytes())],
        ..Contained::default()
    }
}

/// Ports: of the management API, and of AMQP.
fn settings(bind: &str, (port, amqp_port): (u16, u16), passwords: &Passwords) -> String {
    format!(
        "listeners.tcp.1 = {bind}:{amqp_port}
management.tcp.ip = {bind}
management.tcp.port = {port}
loopback_users = none
default_user = {}
default_pass = {}
log.file = false
log.console = true
log.console.level = error
disk_free_limit.absolute = 1MB
management_agent.disable_metrics_collector = true
",
        RABBITMQ.superuser,
        passwords.superuser.expose_secret()
    )
}

/// The admin is one who may make users: Vault's engine asks for no less.
async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    let amqp_address = server.second_address.clone().unwrap_or_default();
    server.given.insert(AMQP_ADDRESS, amqp_address.into());
    let password = server.admin_password.expose_secret();
    let user = json!({ "password": password, "tags": "administrator" });
    let all = everything();
    let admin = &options.admin_user;
    let statements =
        format!("PUT /api/users/{admin} {user}\nPUT /api/permissions/%2F/{admin} {all}");
    server.run(&server.superuser(""), "making the admin", &statements).await?;
    match &options.init {
        Some(init) => server.run(&server.admin(), "running the init requests", init).await,
        None => Ok(()),
    }
}

/// Virtual hosts and users take all with them that is in them or theirs, connections too.
async fn reset(superuser: &Login) -> Asked<()> {
    for catalogue in [VHOSTS, RABBITMQ.catalogue, PARAMETERS] {
        let all = names(superuser, catalogue).await?;
        for name in all.iter().filter(|it| !OF_ITSELF.contains(&it.as_str())) {
            manage(superuser, &format!("DELETE {}", within(catalogue, name))).await?.done()?;
        }
    }
    manage(superuser, &format!("PUT {}", within(VHOSTS, FIRST_VHOST))).await?.done()?;
    let path = format!("{}/{}", within(PERMISSIONS, FIRST_VHOST), superuser.user);
    manage(superuser, &format!("PUT {path} {}", everything())).await?.done()
}

const VHOSTS: &str = "/api/vhosts";
const FIRST_VHOST: &str = "/";
const PERMISSIONS: &str = "/api/permissions";
const PARAMETERS: &str = "/api/global-parameters";
/// Users and parameters that are there from its start.
const OF_ITSELF: [&str; 3] = [SUPERUSER, "cluster_name", "internal_cluster_id"];

fn everything() -> Value {
    json!({ "configure": ".*", "write": ".*", "read": ".*" })
}

async fn names(superuser: &Login, catalogue: &str) -> Asked<Vec<String>> {
    let (_, answer) = ask(superuser, Method::GET, catalogue, None).await?;
    let list = answer.as_array().ok_or_else(|| NoAnswer(format!("{catalogue} is no list")))?;
    Ok(list.iter().filter_map(|it| it.get("name")?.as_str().map(str::to_owned)).collect())
}

async fn ask_version(login: &Login) -> Asked<String> {
    let (status, answer) = ask(login, Method::GET, "/api/overview", None).await?;
    match answer.get("rabbitmq_version").and_then(Value::as_str) {
        // Its listener of AMQP opens by itself.
        Some(version) => amqp::log_in(login).await.map(|_| version.to_owned()),
        None => Err(NoAnswer(format!("{status}: {}", reason(&answer)))),
    }
}

async fn say(login: &Login, requests: &str) -> Asked<Said> {
    for request in requests.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let said = match (request, amqp::parsed(request)) {
            // A broker of no ground has told its management API alone.
            (LOG_IN, _) if login.second_address.is_none() => who_am_i(login).await?,
            (LOG_IN, _) => amqp::log_in(login).await?,
            (_, Some((operation, vhost))) => amqp::run(login, operation, vhost).await?,
            (_, None) => manage(login, request).await?,
        };
        if matches!(said, Said::Refused(_)) {
            return Ok(said);
        }
    }
    Ok(Said::Done)
}

async fn who_am_i(login: &Login) -> Asked<Said> {
    Ok(match manage(login, WHOAMI).await? {
        Said::Refused(refusal) if refusal.message == NO_TAG => Said::Done,
        said => said,
    })
}

async fn manage(login: &Login, request: &str) -> Asked<Said> {
    let (method, path, body) = parsed(request)?;
    let (status, answer) = ask(login, method, path, body).await?;
    Ok(match status.is_success() {
        true => Said::Done,
        false => Said::Refused(refusal(status, &answer)),
    })
}

/// What the API answers to whoever is right about the password and has no tag that lets them use it.
const NO_TAG: &str = "Not management user";

fn parsed(request: &str) -> Asked<(Method, &str, Option<&str>)> {
    let mut words = request.splitn(3, ' ');
    let method = words.next().and_then(|it| Method::from_bytes(it.as_bytes()).ok());
    match (method, words.next(), words.next()) {
        (Some(method), Some(path), body) if path.starts_with("/api/") => Ok((method, path, body)),
        _ => Err(NoAnswer(format!(
            "`{request}` is neither a request such as `{WHOAMI}` nor what is done by AMQP: {}",
            amqp::WORDS
        ))),
    }
}

async fn ask(
    login: &Login,
    method: Method,
    path: &str,
    body: Option<&str>,
) -> Asked<(StatusCode, Value)> {
    // It speaks no TLS: the system's authorities need not be read.
    let client = Client::builder().no_proxy().tls_certs_only([]).timeout(TIMEOUT);
    let client = client.build().map_err(silent)?;
    let request = client.request(method, format!("http://{}{path}", login.address));
    let request = request.basic_auth(&login.user, Some(login.password.expose_secret()));
    let request = request.header("Content-Type", "application/json");
    let answer = match body {
        Some(body) => request.body(body.to_owned()).send().await,
        None => request.send().await,
    };
    let answer = answer.map_err(silent)?;
    let (status, text) = (answer.status(), answer.bytes().await.map_err(silent)?);
    Ok((status, serde_json::from_slice(&text).unwrap_or_default()))
}

fn reason(answer: &Value) -> &str {
    answer.get("reason").and_then(Value::as_str).unwrap_or_default()
}

fn refusal(status: StatusCode, answer: &Value) -> Refusal {
    let reason = reason(answer);
    let lack = match status {
        StatusCode::UNAUTHORIZED if reason == "Login failed" => Lack::OfLogin,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Lack::OfRight,
        // What the broker refuses behind the API.
        _ if reason.contains("ACCESS_REFUSED") => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    Refusal {
        code: status.as_u16().to_string(),
        message: reason.to_owned(),
        at_login: lack == Lack::OfLogin,
        lack,
    }
}

fn path_of(user: &str) -> String {
    within(RABBITMQ.catalogue, user)
}

fn within(catalogue: &str, name: &str) -> String {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // A plus stands for a space in forms alone.
    format!("{catalogue}/{}", name.replace('+', "%20"))
}

async fn knows(login: &Login, user: &str) -> Asked<bool> {
    match ask(login, Method::GET, &path_of(user), None).await? {
        (StatusCode::NOT_FOUND, _) => Ok(false),
        (status, _) if status.is_success() => Ok(true),
        (status, answer) => Err(NoAnswer(format!("{status}: {}", reason(&answer)))),
    }
}

/// Where its permissions let it in, which the API tells.
async fn open(Opening { login, superuser }: Opening<'_>) -> Asked<Option<Opened>> {
    let (Some(superuser), Some(_)) = (superuser, &login.second_address) else { return Ok(None) };
    let path = format!("{}/permissions", path_of(&login.user));
    let (_, answer) = ask(superuser, Method::GET, &path, None).await?;
    let vhost = answer.get(0).and_then(|it| it.get("vhost")?.as_str());
    match vhost {
        Some(vhost) => {
            let line = Box::new(amqp::line(login, vhost).await?);
            Ok(Some(Opened { id: login.user.clone(), line }))
        }
        None => Ok(None),
    }
}

async fn lists(login: &Login, user: &str) -> Asked<bool> {
    let (status, answer) = ask(login, Method::GET, CONNECTIONS, None).await?;
    let is_its = |it: &Value| it.get("user").and_then(Value::as_str) == Some(user);
    match answer.as_array() {
        Some(connections) => Ok(connections.iter().any(is_its)),
        None => Err(NoAnswer(format!("{status}: {}", reason(&answer)))),
    }
}

fn silent(error: reqwest::Error) -> NoAnswer {
    NoAnswer(error.without_url().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_a_request_with_its_body() {
        let parts = parsed(r#"PUT /api/queues/orders/app-new {"durable": true}"#).ok();
        let body = Some(r#"{"durable": true}"#);
        assert_eq!(parts, Some((Method::PUT, "/api/queues/orders/app-new", body)));
        assert!(parsed("declare orders app-new").is_err() && parsed("GET /etc/passwd").is_err());
    }

    #[test]
    fn a_user_of_any_name_has_a_path() {
        assert_eq!(path_of("approle-a b/ü+"), "/api/users/approle-a%20b%2F%C3%BC%2B");
    }

    #[test]
    fn a_wrong_password_is_told_from_a_right_that_lacks() {
        let lack = |status, reason: &str| refusal(status, &json!({ "reason": reason })).lack;
        let refused =
            "403 ACCESS_REFUSED - access to exchange 'amq.topic' in vhost '/' refused for user 'a'";
        assert_eq!(lack(StatusCode::UNAUTHORIZED, "Login failed"), Lack::OfLogin);
        assert_eq!(lack(StatusCode::UNAUTHORIZED, NO_TAG), Lack::OfRight);
        assert_eq!(lack(StatusCode::BAD_REQUEST, refused), Lack::OfRight);
        assert_eq!(lack(StatusCode::NOT_FOUND, "Not Found"), Lack::OfSomething);
    }
}
