//! Grounds on real servers: they start, serve, survive what they should, and leave nothing behind.

use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use vault_testbed::ground::{
    Error, FAR_SIDES, FarSide, Ground, GroundSpec, Health, Kind, Mode, POSTGRES, Server,
    ServerOptions, VaultOptions, VaultServer,
    far::{Fate, Login, Said, nginx, postgres_login},
};

/// One ground for each test; where it can't run that is said, and counted by whoever reads the output.
async fn ground(kind: Kind, test: &str) -> Option<Ground> {
    if let Some(why) = crate::common::why_not(kind).await {
        println!("SKIPPED {test} on {kind}: {why}");
        return None;
    }
    Some(Ground::open(Some(kind)).await.unwrap())
}

macro_rules! on_both_grounds {
    ($($test:ident),* $(,)?) => {
        mod process {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(ground) = super::ground(super::Kind::Process, stringify!($test)).await {
                    super::$test(&ground).await;
                    ground.end().await.unwrap();
                }
            })*
        }
        mod docker {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(ground) = super::ground(super::Kind::Docker, stringify!($test)).await {
                    super::$test(&ground).await;
                    ground.end().await.unwrap();
                }
            })*
        }
    };
}

on_both_grounds! {
    a_dev_server_is_active_and_serves_its_audit_log,
    who_waits_meanwhile_is_woken_when_a_server_goes,
    raft_keeps_what_it_holds_through_a_kill,
    a_tls_server_is_reached_with_its_own_authority_only,
    a_sealed_vault_is_told_apart,
    a_database_serves_its_admin_and_survives_a_stop,
    vault_reaches_the_database,
    init_sql_runs_as_the_admin,
    a_wrong_init_says_where,
    a_stack_binds_its_servers_to_variables,
    far_sides_start_together_know_their_logins_and_are_new_to_the_next,
    what_was_given_back_serves_nobody_who_wants_another_or_once_it_has_ended,
    a_web_server_shows_the_certificate_of_the_name_that_it_is_asked_for,
}

async fn a_dev_server_is_active_and_serves_its_audit_log(ground: &Ground) {
    let vault =
        ground.vault(&VaultOptions { audit: true, ..VaultOptions::default() }).await.unwrap();
    println!("{} ground: Vault answered after {:?}", ground.kind(), vault.started_in);
    assert_eq!(vault.health().await, Health::Active);
    if let Some(pid) = vault.process_id() {
        let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(arguments.contains("-dev") && !arguments.contains(token(&vault)), "{arguments}");
    }
    put(&vault, "secret/data/greeting", r#"{"data":{"text":"hello"}}"#).await;
    let log = vault.audit_log().await.unwrap();
    let paths: Vec<&str> = log.iter().filter_map(|line| line["request"]["path"].as_str()).collect();
    assert!(paths.contains(&"secret/data/greeting"), "{paths:?}");
    assert!(log.iter().any(|line| line["type"] == "response"));
}

/// What waits in the same task as a server's removal, as scenarios of one suite do.
async fn who_waits_meanwhile_is_woken_when_a_server_goes(ground: &Ground) {
    let (done, is_done) = std::sync::mpsc::channel();
    let ground = ground.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let vault = ground.vault(&VaultOptions::default()).await.unwrap();
            // Over long before a container is gone.
            let soon = tokio::time::sleep(Duration::from_millis(5));
            tokio::join!(soon, async { drop(vault) });
        });
        done.send(()).unwrap();
    });
    let ended = tokio::task::block_in_place(|| is_done.recv_timeout(Duration::from_secs(60)));
    assert_eq!(ended, Ok(()), "nobody wakes who waits");
}

async fn raft_keeps_what_it_holds_through_a_kill(ground: &Ground) {
    let options = VaultOptions { mode: Mode::Raft, audit: true, ..VaultOptions::default() };
    let mut vault = ground.vault(&options).await.unwrap();
    let address = vault.address.clone();
    put(
        &vault,
        "sys/policies/acl/kept",
        r#"{"policy":"path \"a\" { capabilities = [\"read\"] }"}"#,
    )
    .await;
    vault.kill().await.unwrap();
    assert_eq!(vault.health().await, Health::Unreachable);
    vault.start_again().await.unwrap();
    assert_eq!((vault.health().await, vault.address.as_str()), (Health::Active, address.as_str()));
    assert_eq!(get(&vault, "sys/policies/acl/kept").await.0, 200);
    vault.restart().await.unwrap();
    assert_eq!(get(&vault, "sys/policies/acl/kept").await.0, 200);
    let log = vault.audit_log().await.unwrap();
    assert!(
        log.iter().filter(|line| line["request"]["path"] == "sys/policies/acl/kept").count() >= 6
    );
}

async fn a_tls_server_is_reached_with_its_own_authority_only(ground: &Ground) {
    let options =
        VaultOptions { mode: Mode::Raft, tls: true, audit: true, ..VaultOptions::default() };
    let vault = ground.vault(&options).await.unwrap();
    assert!(vault.address.starts_with("https://") && vault.ca_certificate.is_some());
    assert_eq!(get(&vault, "sys/health").await.0, 200);
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(format!("{}/v1/sys/health", vault.address)).send().await.is_err());
}

async fn a_sealed_vault_is_told_apart(ground: &Ground) {
    let mut vault =
        ground.vault(&VaultOptions { mode: Mode::Raft, ..VaultOptions::default() }).await.unwrap();
    vault.seal().await.unwrap();
    assert_eq!(vault.health().await, Health::Sealed);
    vault.unseal().await.unwrap();
    assert_eq!(vault.health().await, Health::Active);
    vault.stop().await.unwrap();
    assert_eq!(vault.health().await, Health::Unreachable);
}

async fn a_database_serves_its_admin_and_survives_a_stop(ground: &Ground) {
    let mut postgres = ground.server(&ServerOptions::of(&POSTGRES)).await.unwrap();
    println!(
        "{} ground: PostgreSQL {} answered after {:?}",
        ground.kind(),
        postgres.version,
        postgres.started_in
    );
    // PostgreSQL refuses to run as root.
    if let Some(pid) = postgres.process_id() {
        use std::os::unix::fs::MetadataExt;
        assert_ne!(std::fs::metadata(format!("/proc/{pid}")).unwrap().uid(), 0);
    }
    let login = postgres_login(&postgres.admin());
    let mut connection = PgConnection::connect_with(&login).await.unwrap();
    let database: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(database, "demo");
    let wrong = postgres_login(&postgres.login("vault", &SecretString::from("wrong")));
    let refused = PgConnection::connect_with(&wrong).await.unwrap_err();
    assert_eq!(
        refused.as_database_error().and_then(|error| error.code()).as_deref(),
        Some("28P01")
    );
    postgres.execute("CREATE TABLE kept (i int)").await.unwrap();
    postgres.stop().await.unwrap();
    assert!(PgConnection::connect_with(&login).await.is_err());
    postgres.start_again().await.unwrap();
    postgres.execute("SELECT i FROM kept").await.unwrap();
    PgConnection::connect_with(&login).await.unwrap();
}

async fn vault_reaches_the_database(ground: &Ground) {
    let (vault_options, postgres_options) = (VaultOptions::default(), ServerOptions::of(&POSTGRES));
    let (vault, postgres) =
        tokio::join!(ground.vault(&vault_options), ground.server(&postgres_options));
    let (vault, postgres) = (vault.unwrap(), postgres.unwrap());
    put(&vault, "sys/mounts/database", r#"{"type":"database"}"#).await;
    let connection = serde_json::json!({
        "plugin_name": "postgresql-database-plugin",
        "allowed_roles": "*",
        "connection_url": format!("postgresql://{{{{username}}}}:{{{{password}}}}@{}/demo", postgres.address_for_vault),
        "username": postgres.admin_user,
        "password": secrecy::ExposeSecret::expose_secret(&postgres.admin_password),
    });
    put(&vault, "database/config/demo", &connection.to_string()).await;
    let role = serde_json::json!({
        "db_name": "demo",
        "creation_statements": ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"],
    });
    put(&vault, "database/roles/reader", &role.to_string()).await;
    let (status, credential) = get(&vault, "database/creds/reader").await;
    assert_eq!(status, 200, "{}", credential["errors"]);
    let text = |field: &str| credential["data"][field].as_str().unwrap().to_owned();
    let login = postgres.login(&text("username"), &SecretString::from(text("password")));
    PgConnection::connect_with(&postgres_login(&login)).await.unwrap();
    // Rotated by Vault: the test bed's own way in stays.
    put(&vault, "database/rotate-root/demo", "{}").await;
    let old = postgres_login(&postgres.admin());
    assert!(PgConnection::connect_with(&old).await.is_err());
    postgres.execute("SELECT 1").await.unwrap();
}

async fn init_sql_runs_as_the_admin(ground: &Ground) {
    let options = ServerOptions {
        init: Some(
            "CREATE TABLE inventory (in_stock int);\nINSERT INTO inventory VALUES (7), (8);".into(),
        ),
        admin_is_superuser: false,
        ..ServerOptions::of(&POSTGRES)
    };
    let postgres = ground.server(&options).await.unwrap();
    let login = postgres_login(&postgres.admin());
    let mut connection = PgConnection::connect_with(&login).await.unwrap();
    let sum: i64 = sqlx::query_scalar("SELECT SUM(in_stock) FROM inventory")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(sum, 15);
}

async fn a_wrong_init_says_where(ground: &Ground) {
    let options = ServerOptions {
        init: Some("CREATE TABEL t (i int)".into()),
        ..ServerOptions::of(&POSTGRES)
    };
    let error = ground.server(&options).await.unwrap_err().to_string();
    assert!(error.contains("running the init SQL") && error.contains("TABEL"), "{error}");
}

async fn a_stack_binds_its_servers_to_variables(ground: &Ground) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("inventory.sql"), "CREATE TABLE inventory (in_stock int);")
        .unwrap();
    let text = "servers:\n  demo: { postgres: '15', init: inventory.sql }\n  app: { postgres: '15', database: app }\n\
                vars: { db_url: (( demo.address )), password: (( demo.admin_password )) }\n";
    std::fs::write(folder.path().join("ground.yaml"), text).unwrap();
    let stack = ground.stack(&GroundSpec::read(folder.path(), None).unwrap()).await.unwrap();
    assert_eq!(stack.vars["db_url"], stack.servers["demo"].address_for_vault.as_str());
    assert_eq!(stack.vault.health().await, Health::Active);
    let demo = &stack.servers["demo"];
    let password = SecretString::from(stack.vars["password"].as_str().unwrap());
    let login = postgres_login(&demo.login("vault", &password));
    let mut connection = PgConnection::connect_with(&login).await.unwrap();
    sqlx::query("SELECT in_stock FROM inventory").fetch_all(&mut connection).await.unwrap();
    assert_eq!(stack.servers["app"].database, "app");
    assert!(!format!("{stack:?}").contains(stack.vars["password"].as_str().unwrap()));
    stack.end().await.unwrap();
}

async fn far_sides_start_together_know_their_logins_and_are_new_to_the_next(ground: &Ground) {
    let servers = match together(ground).await {
        Ok(servers) => servers,
        Err(missing) if missing.is_missing() => {
            println!("SKIPPED to start them together: {missing}");
            one_by_one(ground).await
        }
        Err(error) => panic!("{error}"),
    };
    for server in servers {
        let side = server.side;
        match side.is_kept() {
            true => serves(ground, serves_the_next_as_new(ground, side, server).await).await,
            false => serves(ground, server).await,
        }
    }
}

/// What this machine can't have is said, and passed over.
async fn one_by_one(ground: &Ground) -> Vec<Server> {
    let mut servers = Vec::new();
    for side in FAR_SIDES.iter().copied() {
        match ground.server(&ServerOptions::of(side)).await {
            Ok(server) => servers.push(server),
            Err(missing) if missing.is_missing() => println!("SKIPPED {}: {missing}", side.title),
            Err(error) => panic!("{}: {error}", side.title),
        }
    }
    servers
}

async fn serves(ground: &Ground, mut server: Server) {
    let side = server.side;
    let (title, kind) = (side.title, ground.kind());
    println!("{kind} ground: {title} {} answered after {:?}", server.version, server.started_in);
    assert!(server.version.starts_with(side.version), "{title} {}", server.version);
    let admin = server.admin();
    assert!(matches!(admin.say(side.hello).await.unwrap(), Said::Done), "{title}");
    if let Some(address) = server.given.get("amqp_address_from_here") {
        speaks_amqp(address.expose_secret()).await;
    }
    let wrong = admin.with(&admin.user, &SecretString::from("wrong"));
    match wrong.say(side.hello).await.unwrap() {
        Said::Refused(refusal) if refusal.is_of_the_login() => {}
        other => panic!("{title}: {other:?}"),
    }
    let superuser = server.superuser(&server.database);
    assert!(superuser.knows(&admin.user).await.unwrap(), "{title}");
    assert!(!superuser.knows("nobody-of-that-name").await.unwrap(), "{title}");
    let kept = superuser.statements.all();
    let looked_up: Vec<&str> = kept.iter().rev().take(2).map(|it| &*it.answer).collect();
    assert_eq!(looked_up, ["not found", "found"], "{title}");
    let mut session = admin.open_session(Some(&superuser)).await.unwrap();
    assert_eq!(session.is_some(), side.has_sessions(), "{title}");
    if let Some(session) = &mut session {
        assert!(matches!(session.fate().await.unwrap(), Fate::GoesOn), "{title}");
        assert!(superuser.lists(session).await.unwrap(), "{title}");
    }
    server.stop().await.unwrap();
    if let Some(session) = &mut session {
        assert!(matches!(session.fate().await.unwrap(), Fate::Over(_)), "{title}");
    }
    assert!(admin.say(side.hello).await.is_err(), "{title}");
    server.start_again().await.unwrap();
    assert!(matches!(admin.say(side.hello).await.unwrap(), Said::Done), "{title}");
}

/// What somebody does to a server that is kept, and how the next one asks for what is gone, and for what is there again.
struct Used {
    word: &'static str,
    done: &'static [&'static str],
    gone: &'static [&'static str],
    again: &'static [&'static str],
}

const USED: [Used; 4] = [
    Used {
        word: "postgres",
        done: &[
            "CREATE ROLE leftover SUPERUSER",
            "CREATE DATABASE leftover OWNER leftover",
            "CREATE TABLE leftover (i int)",
            "GRANT CREATE ON SCHEMA public TO public",
            "ALTER ROLE ALL SET search_path = leftover",
        ],
        gone: &[
            "SET ROLE leftover",
            "ALTER DATABASE leftover RENAME TO found",
            "SELECT FROM leftover",
            "SET ROLE pg_monitor; CREATE TABLE found (i int)",
            "DO $$ BEGIN ASSERT current_setting('search_path') = 'leftover'; END $$",
        ],
        again: &[],
    },
    Used {
        word: "rabbitmq",
        done: &[
            "PUT /api/vhosts/left",
            "PUT /api/queues/left/left {}",
            "PUT /api/queues/%2F/left {}",
            r#"PUT /api/users/left {"password": "left", "tags": "administrator"}"#,
            r#"PUT /api/global-parameters/left {"value": 1}"#,
        ],
        gone: &[
            "GET /api/vhosts/left",
            "GET /api/queues/%2F/left",
            "GET /api/users/left",
            "GET /api/global-parameters/left",
        ],
        again: &["GET /api/vhosts/%2F", "GET /api/permissions/%2F/testbed"],
    },
    Used {
        word: "kubernetes",
        done: &[
            "POST /api/v1/namespaces\n{\"metadata\": {\"name\": \"left\"}}",
            "POST /api/v1/namespaces/left/serviceaccounts\n{\"metadata\": {\"name\": \"left\"}}",
            "DELETE /apis/rbac.authorization.k8s.io/v1/clusterroles/system:auth-delegator",
        ],
        gone: &["GET /api/v1/namespaces/left", "GET /api/v1/namespaces/left/serviceaccounts/left"],
        again: &["GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system:auth-delegator"],
    },
    Used {
        word: "aws",
        done: &["iam CreateUser\nUserName: left", "s3 PUT /left"],
        gone: &["iam GetUser\nUserName: left", "s3 GET /left"],
        again: &["iam GetUser\nUserName: vault"],
    },
];

async fn serves_the_next_as_new(ground: &Ground, side: &'static FarSide, server: Server) -> Server {
    let place = server.address_from_here.clone();
    let superuser = server.superuser("");
    let Used { done, gone, again, .. } = USED.iter().find(|it| it.word == side.word).unwrap();
    for statement in *done {
        let said = superuser.say(statement).await.unwrap();
        assert!(matches!(said, Said::Done), "{statement}: {said:?}");
    }
    ground.take_back(server);
    let server = ground.server(&ServerOptions::of(side)).await.unwrap();
    assert_eq!(server.address_from_here, place, "{} was not kept", side.title);
    let superuser = server.superuser("");
    let told = superuser.statements.all();
    let by_others = told.iter().find(|it| done.contains(&&*it.text));
    assert!(by_others.is_none(), "what others have said is told: {by_others:?}");
    for statement in *gone {
        let said = superuser.say(statement).await.unwrap();
        assert!(matches!(said, Said::Refused(_)), "{statement}: {said:?}");
    }
    for statement in *again {
        let said = superuser.say(statement).await.unwrap();
        assert!(matches!(said, Said::Done), "{statement}: {said:?}");
    }
    server
}

async fn what_was_given_back_serves_nobody_who_wants_another_or_once_it_has_ended(ground: &Ground) {
    let options = ServerOptions::of(FarSide::named("aws").unwrap());
    let mut server = match ground.server(&options).await {
        Ok(server) => server,
        Err(missing) if missing.is_missing() => return println!("SKIPPED: {missing}"),
        Err(error) => panic!("{error}"),
    };
    server.kill().await.unwrap();
    ground.take_back(server);
    let server = ground.server(&options).await.unwrap();
    let place = server.address_from_here.clone();
    ground.take_back(server);
    let another = ServerOptions { version: "4.0".into(), ..options.clone() };
    let is_there = |it: Result<Server, _>| it.is_ok_and(|it| it.address_from_here == place);
    assert!(!is_there(ground.server(&another).await));
    assert_eq!(ground.server(&options).await.unwrap().address_from_here, place);
}

/// One of each kind, as a stack.
async fn together(ground: &Ground) -> Result<Vec<Server>, Error> {
    let folder = tempfile::tempdir().unwrap();
    let one = |side: &&FarSide| format!("  {0}: {{ {0}: '{1}' }}\n", side.word, side.version);
    let servers: String = FAR_SIDES.iter().map(one).collect();
    let first = FAR_SIDES[0].word;
    let admin = |side: &&FarSide| format!("  {0}: (( {0}.admin_user ))\n", side.word);
    let admins: String = FAR_SIDES.iter().map(admin).collect();
    let text = format!("servers:\n{servers}vars:\n  port: (( {first}.port ))\n{admins}");
    std::fs::write(folder.path().join("ground.yaml"), text).unwrap();
    let stack = ground.stack(&GroundSpec::read(folder.path(), None).unwrap()).await?;
    assert_eq!(stack.servers.len(), FAR_SIDES.len());
    let address = format!(":{}", stack.vars["port"].as_str().unwrap());
    assert!(stack.servers[first].address_for_vault.ends_with(&address));
    for (name, server) in &stack.servers {
        assert_eq!(stack.vars[name], server.admin_user.as_str(), "{name}");
    }
    assert_eq!(stack.starts.len(), FAR_SIDES.len() + 1);
    let last_begun = stack.starts.iter().max_by_key(|(_, it)| it.start).unwrap();
    let first_ready = stack.starts.iter().min_by_key(|(_, it)| it.end).unwrap();
    let message = format!("{} begins once {} is ready", last_begun.0, first_ready.0);
    assert!(last_begun.1.start < first_ready.1.end, "{message}");
    Ok(stack.servers.into_values().collect())
}

/// As every client of AMQP begins. The answer begins with the type of its frame: a method.
async fn speaks_amqp(address: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"AMQP\x00\x00\x09\x01").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 1);
}

/// Each to whoever asks for its name, also after an end; and nothing else of its folder changes hands.
async fn a_web_server_shows_the_certificate_of_the_name_that_it_is_asked_for(ground: &Ground) {
    let mut server = match ground.server(&ServerOptions::of(&nginx::NGINX)).await {
        Ok(server) => server,
        Err(missing) if missing.is_missing() => return println!("SKIPPED: {missing}"),
        Err(error) => panic!("{error}"),
    };
    let (admin, names) = (server.admin(), ["www.example.com", "api.example.com"]);
    let certificates =
        names.map(|name| (name, generate_simple_self_signed([name.into()]).unwrap()));
    for (name, one) in &certificates {
        assert!(visit(&admin, name, one).await.is_err(), "{name} is there already");
        let pem = format!("{}\n{}", one.cert.pem(), one.signing_key.serialize_pem());
        let said = nginx::put(&admin, name, &pem.into()).await.unwrap();
        assert!(matches!(said, Said::Done), "{said:?}");
    }
    server.stop().await.unwrap();
    server.start_again().await.unwrap();
    for (name, one) in &certificates {
        assert_eq!(visit(&admin, name, one).await.unwrap(), nginx::GREETING);
    }
    let [(first, one), (_, other)] = &certificates;
    assert!(visit(&admin, first, other).await.is_err(), "it shows one that another was asked for");
    let refused = [
        "GET /certificates/www.example.com.pem",
        "GET /passwords",
        "GET /server-key.pem",
        "DELETE /nginx.conf",
        "DELETE /certificates/",
        "PUT /logins\nvault:{PLAIN}other",
        "PUT /certificates/..%2fpasswords\nvault:{PLAIN}other",
        "PUT /certificates/..%2fserver.pem\nother",
        "PUT /certificates/a/b.pem\nother",
    ];
    for request in refused {
        let said = admin.say(request).await.unwrap();
        assert!(matches!(said, Said::Refused(_)), "{request}: {said:?}");
    }
    assert!(matches!(admin.say("DELETE /certificates/www.example.com.pem").await, Ok(Said::Done)));
    assert!(visit(&admin, first, one).await.is_err(), "it still shows what was taken from it");
}

/// What it says to somebody who comes to it by a name, and trusts one certificate.
async fn visit(
    to: &Login,
    name: &str,
    trusted: &CertifiedKey<rcgen::KeyPair>,
) -> Result<String, reqwest::Error> {
    let trusted = reqwest::Certificate::from_pem(trusted.cert.pem().as_bytes()).unwrap();
    let address = tokio::net::lookup_host(&to.address).await.unwrap().next().unwrap();
    let client = reqwest::Client::builder().no_proxy().resolve(name, address);
    let client = client.tls_certs_only([trusted]).build().unwrap();
    let answer = client.get(format!("https://{name}:{}/", to.port())).send().await?;
    answer.error_for_status()?.text().await
}

fn client(vault: &VaultServer) -> reqwest::Client {
    let mut client = reqwest::Client::builder().no_proxy();
    if let Some(path) = &vault.ca_certificate {
        client = client
            .tls_certs_only([
                reqwest::Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap()
            ]);
    }
    client.build().unwrap()
}

async fn put(vault: &VaultServer, path: &str, body: &str) {
    let request = client(vault).put(format!("{}/v1/{path}", vault.address)).body(body.to_owned());
    let answer = request.header("X-Vault-Token", token(vault)).send().await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
}

async fn get(vault: &VaultServer, path: &str) -> (u16, Value) {
    let request = client(vault).get(format!("{}/v1/{path}", vault.address));
    let answer = request.header("X-Vault-Token", token(vault)).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

fn token(vault: &VaultServer) -> &str {
    vault.root_token.expose_secret()
}
