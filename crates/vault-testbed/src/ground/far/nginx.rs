//! nginx, as a web server that speaks TLS. To whoever asks for a name it shows the certificate that it was given for it, and
//! its own to whoever asks for none, as its admins do.
//!
//! A statement is a request: a method and a path, and below them a body (`PUT /certificates/www.example.com.pem`, with a
//! certificate and its key). Empty lines stand between statements.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, Response, StatusCode, header};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::super::LOOPBACK;
use super::super::certificate::Authority;
use super::https::{client, silent};
use super::*;

pub static NGINX: FarSide = FarSide {
    word: "nginx",
    title: "nginx",
    version: "1.22",
    database: "",
    keys: &["admin_user"],
    port: 8443,
    second_port: None,
    superuser: "testbed",
    new_password: None,
    programs: Programs {
        source: Source::Debian("nginx"),
        names: &["nginx"],
        places: &[],
        users: &["www-data", "nobody"],
        version_option: "-v",
        version_env: &[],
        before_version: "nginx/",
        found: OnceLock::new(),
    },
    image: "nginx:{}",
    recipe: Recipe {
        packages: &["nginx"],
        hook: "true",
        dockerfile: include_str!("../../../../../fixtures/servers/images/nginx/Dockerfile"),
        entrypoint: None,
        version_command: "nginx -v 2>&1 | sed 's/.*nginx\\/\\([0-9]*\\.[0-9]*\\).*/\\1/'",
    },
    plugin: None,
    engine: None,
    gives: &[CA_CERTIFICATE],
    hello: "GET /logins",
    catalogue: LOGINS,
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: None,
    ask_version: |login| ask_version(login).boxed(),
    say: |login, requests| say(login, requests).boxed(),
    look_up: |_, _| format!("GET {LOGINS}"),
    knows: |login, user| knows(login, user).boxed(),
    sessions: None,
    lasts: None,
};

/// Of whoever signed the one that it shows to its admins.
const CA_CERTIFICATE: &str = "ca_certificate";
const LOGINS: &str = "/logins";
/// What it says to everybody.
pub const GREETING: &str = "hello";

const SETTINGS: &str = include_str!("../../../../../fixtures/servers/nginx/nginx.conf");
const FILE: &str = "nginx.conf";
const PASSWORDS: &str = "passwords";
const IN_CONTAINER: &str = "/nginx";
const TLS: (&str, &str) = ("/nginx/server.pem", "/nginx/server-key.pem");

type Asked<T> = std::result::Result<T, NoAnswer>;

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { options, installation, folder, port, passwords, .. } = &new;
    let own = Authority::of_far_sides()?.certify(&[])?;
    let files = [
        (FILE, &*settings(LOOPBACK, *port)),
        (PASSWORDS, &logins(options, passwords)),
        ("server.pem", &own.certificate),
        ("server-key.pem", &own.key),
    ];
    for (name, text) in files {
        installation.write(&folder.join(name), text)?;
    }
    Ok(new.launch("nginx", arguments(&folder.display().to_string()).into()))
}

fn container(options: &ServerOptions, passwords: &Passwords) -> Contained {
    let file = |name: &str, text: String| (format!("{IN_CONTAINER}/{name}"), text.into_bytes());
    let mut command = vec!["nginx".to_owned()];
    command.extend(arguments(IN_CONTAINER));
    Contained {
        command,
        files: vec![
            file(FILE, settings("0.0.0.0", NGINX.port)),
            file(PASSWORDS, logins(options, passwords)),
        ],
        tls: Some(TLS),
        ..Contained::default()
    }
}

/// Else it would write into the machine's own log until it has read its settings.
fn arguments(folder: &str) -> [String; 6] {
    ["-e", "stderr", "-p", folder, "-c", FILE].map(String::from)
}

fn settings(bind: &str, port: u16) -> String {
    SETTINGS.replace("listen BIND", &format!("listen {bind}:{port}"))
}

/// Hashed: whoever may see who has a login sees no password. These are made of 128 random bits, so that no salt is missed.
fn logins(options: &ServerOptions, passwords: &Passwords) -> String {
    let line = |user: &str, password: &SecretString| {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.expose_secret().as_bytes());
        format!("{user}:{{SHA}}{}\n", STANDARD.encode(hash))
    };
    let superuser = line(NGINX.superuser, &passwords.superuser);
    match options.admin_user == NGINX.superuser {
        true => superuser,
        false => superuser + &line(&options.admin_user, &passwords.admin),
    }
}

async fn prepare(server: &mut Server, _: &ServerOptions) -> Result<()> {
    let authority = Authority::of_far_sides()?.certificate.clone();
    server.given.insert(CA_CERTIFICATE, authority.into());
    Ok(())
}

/// From its next handshake on, whoever asks for `name` is shown the certificate of `pem`: it, what leads to its authority, and
/// the key. What is kept of this is that it was said.
pub async fn put(login: &Login, name: &str, pem: &SecretString) -> Asked<Said> {
    let name = name.to_lowercase();
    if !is_name(&name) {
        return Err(NoAnswer(format!("`{name}` is no name of a host")));
    }
    let path = format!("/certificates/{name}.pem");
    let asked = ask(login, Method::PUT, &path, pem.expose_secret().to_owned());
    let asked = async { Ok(said(asked.await?.status())) };
    login.noting(&format!("PUT {path}"), super::login::in_time(asked)).await
}

/// As the server's settings have it.
fn is_name(name: &str) -> bool {
    let is_of_name = |it: u8| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    !name.is_empty() && name.bytes().all(is_of_name)
}

/// Without a name: what it shows for names is not its own.
async fn ask(login: &Login, method: Method, path: &str, body: String) -> Asked<Response> {
    let client = client()?.tls_sni(false).build().map_err(silent)?;
    let request = client.request(method, format!("https://{}{path}", login.address));
    let request = request.basic_auth(&login.user, Some(login.password.expose_secret()));
    request.body(body).send().await.map_err(silent)
}

fn said(status: StatusCode) -> Said {
    let lack = match status {
        it if it.is_success() => return Said::Done,
        StatusCode::UNAUTHORIZED => Lack::OfLogin,
        StatusCode::FORBIDDEN => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    let message = status.canonical_reason().unwrap_or_default().to_owned();
    let at_login = lack == Lack::OfLogin;
    Said::Refused(Refusal { code: status.as_u16().to_string(), message, at_login, lack })
}

async fn ask_version(login: &Login) -> Asked<String> {
    let answer = ask(login, Method::GET, LOGINS, String::new()).await?;
    if let Said::Refused(refusal) = said(answer.status()) {
        return Err(NoAnswer(refusal.to_string()));
    }
    let server = answer.headers().get(header::SERVER).and_then(|it| it.to_str().ok());
    let version = server.and_then(|it| it.strip_prefix("nginx/"));
    version.map(str::to_owned).ok_or_else(|| NoAnswer("it does not say that it is nginx".into()))
}

async fn say(login: &Login, requests: &str) -> Asked<Said> {
    for text in requests.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
        let (method, path, body) = parsed(text)?;
        let said = said(ask(login, method, path, body.to_owned()).await?.status());
        if matches!(said, Said::Refused(_)) {
            return Ok(said);
        }
    }
    Ok(Said::Done)
}

fn parsed(request: &str) -> Asked<(Method, &str, &str)> {
    let (first, body) = request.split_once('\n').unwrap_or((request, ""));
    let parts = first.split_once(' ').and_then(|(method, path)| {
        let method =
            [Method::GET, Method::PUT, Method::DELETE].into_iter().find(|it| *it == method);
        Some((method?, path.trim()))
    });
    match parts {
        Some((method, path)) if path.starts_with('/') => Ok((method, path, body)),
        // Not the body, which may be a key.
        _ => Err(NoAnswer(format!("`{first}` is no request, such as `{}`", NGINX.hello))),
    }
}

async fn knows(login: &Login, user: &str) -> Asked<bool> {
    let answer = ask(login, Method::GET, LOGINS, String::new()).await?;
    said(answer.status()).done()?;
    let logins = answer.text().await.map_err(silent)?;
    Ok(logins.lines().any(|it| it.split(':').next() == Some(user)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_a_request_with_its_body() {
        let pem = "PUT /certificates/a.pem\n-----BEGIN CERTIFICATE-----\nMII\n";
        let body = "-----BEGIN CERTIFICATE-----\nMII\n";
        assert_eq!(parsed(pem).ok(), Some((Method::PUT, "/certificates/a.pem", body)));
        assert!(parsed("GET logins").is_err() && parsed("POST /logins").is_err());
    }

    #[test]
    fn what_is_no_name_of_a_host_has_no_certificate() {
        assert!(is_name("www.example.com") && is_name("a_b-1"));
        assert!(["", "*.example.com", "../passwords", "a b", "ü"].iter().all(|it| !is_name(it)));
    }

    /// As nginx documents `{SHA}`: no salt, in base64.
    #[test]
    fn passwords_are_not_among_the_logins() {
        let options = ServerOptions::of(&NGINX);
        let passwords = Passwords { superuser: "password".into(), admin: "abc".into() };
        let wanted =
            "testbed:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nvault:{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\n";
        assert_eq!(logins(&options, &passwords), wanted);
    }
}
