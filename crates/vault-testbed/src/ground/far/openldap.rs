//! OpenLDAP. A statement is one line: `whoami`, `search BASE FILTER`, `replace DN ATTRIBUTE VALUE`, `delete DN`.
//!
//! Who is in the directory may read it, and who is in the group `writers` may change what lies below `ou=people`.

use std::collections::HashSet;
use std::fs;

use ldap3::exop::WhoAmI;
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Mod, Scope, SearchEntry,
};

use super::ldif::{self, Entry};
use super::*;

pub static OPENLDAP: FarSide = FarSide {
    word: "openldap",
    title: "OpenLDAP",
    version: "2.5",
    database: "dc=example,dc=com",
    keys: &["init", "admin_user", "database"],
    port: 1389,
    second_port: None,
    superuser: "cn=testbed,cn=config",
    new_password: None,
    programs: Programs {
        source: Source::Debian("slapd"),
        names: &["slapd"],
        places: &[("/usr", "sbin")],
        users: &["openldap", "nobody"],
        version_option: "-VV",
        version_env: &[],
        before_version: "slapd ",
        found: OnceLock::new(),
    },
    image: "",
    recipe: Recipe {
        packages: &["slapd"],
        hook: "true",
        dockerfile: include_str!("../../../../../fixtures/servers/images/openldap/Dockerfile"),
        entrypoint: None,
        version_command: "slapd -VV 2>&1 | sed -n 's/.*slapd \\([0-9]*\\.[0-9]*\\).*/\\1/p'",
    },
    plugin: None,
    engine: Some(Engine { docs: &["secret/ldap", "auth/ldap"], config: "{mount}/config", place }),
    gives: &[BASE_DN, ADMIN_DN],
    hello: "whoami",
    catalogue: "the directory",
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: None,
    ask_version: |login| ask_version(login).boxed(),
    say: |login, statements| say(login, statements).boxed(),
    look_up: |login, user| format!("search {} {ANYTHING}", distinguished(user, &login.database)),
    knows: |login, user| knows(login, user).boxed(),
    sessions: None,
    lasts: None,
};

const BASE_DN: &str = "base_dn";
const ADMIN_DN: &str = "admin_dn";
const IN_CONTAINER: &str = "/etc/vaultwright-slapd.conf";

pub(super) const NO_SUCH_OBJECT: u32 = 32;
const INVALID_CREDENTIALS: u32 = 49;
const INSUFFICIENT_ACCESS: u32 = 50;

pub(super) type Asked<T> = std::result::Result<T, NoAnswer>;

/// Of `ldap://host:port`.
fn place(config: &Map<String, Value>) -> Option<(String, String)> {
    let url = url::Url::parse(config.get("url")?.as_str()?).ok()?;
    let port = url.port().unwrap_or(389);
    Some((format!("{}:{port}", url.host_str()?), String::new()))
}

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { options, installation, folder, port, passwords, .. } = &new;
    let (file, data) = (folder.join("slapd.conf"), folder.join("data"));
    fs::create_dir(&data).map_err(Error::file("create", &data))?;
    installation.give(&data)?;
    let data = data.display().to_string();
    installation.write(&file, &settings(options, passwords, &data))?;
    Ok(new.launch("slapd", arguments("127.0.0.1", *port, &file.display().to_string())))
}

fn container(options: &ServerOptions, passwords: &Passwords) -> Contained {
    let mut command = vec!["slapd".to_owned()];
    command.extend(arguments("0.0.0.0", OPENLDAP.port, IN_CONTAINER));
    let file = settings(options, passwords, "/data");
    Contained {
        command,
        files: vec![(IN_CONTAINER.to_owned(), file.into_bytes())],
        ..Contained::default()
    }
}

/// A debug level keeps it in the foreground; of 0 it writes nothing.
fn arguments(bind: &str, port: u16, file: &str) -> Vec<String> {
    let url = format!("ldap://{bind}:{port}/");
    ["-d", "0", "-h", &url, "-f", file].map(String::from).to_vec()
}

fn settings(options: &ServerOptions, passwords: &Passwords, data: &str) -> String {
    let base = &options.database;
    let superuser = OPENLDAP.superuser;
    let admin = distinguished(&options.admin_user, base);
    let password = passwords.superuser.expose_secret();
    let writers = format!("cn=writers,ou=groups,{base}");
    format!(
        "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload back_monitor
sizelimit unlimited
database config
rootdn \"{superuser}\"
rootpw {password}
database monitor
rootdn \"{superuser}\"
access to * by * none
database mdb
suffix \"{base}\"
rootdn \"{superuser}\"
directory \"{data}\"
maxsize 67108864
dbnosync
access to attrs=userPassword by dn.exact=\"{admin}\" write by self write by anonymous auth by * none
access to dn.subtree=\"ou=people,{base}\" by dn.exact=\"{admin}\" write by group.exact=\"{writers}\" write by users read by * none
access to * by dn.exact=\"{admin}\" write by users read by * none
"
    )
}

/// The name of a login: whoever has none of the directory's own is below its base.
fn distinguished(user: &str, base: &str) -> String {
    match user.contains('=') {
        true => user.to_owned(),
        false => format!("cn={user},{base}"),
    }
}

async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    let (base, admin) = (&options.database, distinguished(&options.admin_user, &options.database));
    let password = server.admin_password.expose_secret();
    // `dc=example,dc=com` is an object of the class that its first part asks for.
    let (attribute, value) =
        base.split(',').next().and_then(|it| it.split_once('=')).unwrap_or_default();
    let class = if attribute == "dc" { "dcObject" } else { "extensibleObject" };
    let first = format!(
        "dn: {base}\nobjectClass: organization\nobjectClass: {class}\no: {value}\n{attribute}: {value}\n\n\
         dn: {admin}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
         cn: {}\nuserPassword: {password}\n",
        options.admin_user
    );
    let superuser = server.superuser(base);
    fill(&superuser, &first).await.map_err(failed("creating the admin"))?;
    if let Some(init) = &options.init {
        fill(&server.admin(), init).await.map_err(failed("adding the init LDIF"))?;
    }
    server.given.insert(BASE_DN, base.clone().into());
    server.given.insert(ADMIN_DN, admin.into());
    Ok(())
}

fn failed(action: &'static str) -> impl Fn(NoAnswer) -> Error {
    move |why| Error::FarSide { server: OPENLDAP.title.into(), action, why: why.to_string() }
}

async fn fill(login: &Login, text: &str) -> Asked<()> {
    let entries = ldif::entries(text).map_err(|it| NoAnswer(it.to_string()))?;
    let mut ldap = logged_in(login).await?.map_err(|it| NoAnswer(it.to_string()))?;
    for Entry { dn, attributes } in entries {
        let answer = ldap.add(&dn, attributes).await.map_err(silent)?;
        answer.success().map_err(|it| NoAnswer(format!("{dn}: {it}")))?;
    }
    ldap.unbind().await.map_err(silent)
}

pub(super) async fn logged_in(login: &Login) -> Asked<std::result::Result<Ldap, Refusal>> {
    let settings = LdapConnSettings::new().set_conn_timeout(CONNECT);
    let url = format!("ldap://{}", login.address);
    let (connection, mut ldap) =
        LdapConnAsync::with_settings(settings, &url).await.map_err(silent)?;
    // It ends when `ldap` is dropped.
    tokio::spawn(connection.drive());
    let name = distinguished(&login.user, &login.database);
    let answer = ldap.simple_bind(&name, login.password.expose_secret()).await.map_err(silent)?;
    Ok(match answer.rc {
        0 => Ok(ldap),
        _ => Err(refusal(&answer, true)),
    })
}

const CONNECT: std::time::Duration = std::time::Duration::from_secs(5);

async fn ask_version(login: &Login) -> Asked<String> {
    const NOTHING: &str = "the directory says no version";
    let mut ldap = logged_in(login).await?.map_err(|it| NoAnswer(it.to_string()))?;
    let found = ldap.search("cn=Monitor", Scope::Base, "(objectClass=*)", vec!["monitoredInfo"]);
    let (found, _) = found.await.map_err(silent)?.success().map_err(silent)?;
    let entry = found.into_iter().next().map(SearchEntry::construct);
    let info = entry.and_then(|it| it.attrs.get("monitoredInfo")?.first().cloned());
    let info = info.ok_or_else(|| NoAnswer(NOTHING.into()))?;
    Ok(info.rsplit("slapd ").next().unwrap_or_default().to_owned())
}

async fn say(login: &Login, statements: &str) -> Asked<Said> {
    let mut ldap = match logged_in(login).await? {
        Ok(ldap) => ldap,
        Err(refusal) => return Ok(Said::Refused(refusal)),
    };
    for statement in statements.lines().filter(|it| !it.trim().is_empty()) {
        let answer = one(&mut ldap, statement).await?;
        if answer.rc != 0 {
            return Ok(Said::Refused(refusal(&answer, false)));
        }
    }
    ldap.unbind().await.map_err(silent)?;
    Ok(Said::Done)
}

/// Words, of which only the last may hold spaces.
async fn one(ldap: &mut Ldap, statement: &str) -> Asked<LdapResult> {
    let words: Vec<&str> = statement.splitn(4, ' ').collect();
    let answer = match words[..] {
        ["whoami"] => ldap.extended(WhoAmI).await.map(|it| it.1),
        ["search", base, ref filter @ ..] if !filter.is_empty() => {
            return found(ldap, base, &filter.join(" ")).await;
        }
        ["replace", dn, attribute, value] => {
            let values = HashSet::from([value]);
            ldap.modify(dn, vec![Mod::Replace(attribute, values)]).await
        }
        ["delete", dn] => ldap.delete(dn).await,
        _ => {
            let known = "`whoami`, `search BASE FILTER`, `replace DN ATTRIBUTE VALUE`, `delete DN`";
            return Err(NoAnswer(format!("`{statement}` is none of {known}")));
        }
    };
    answer.map_err(silent)
}

/// What is not found at all is as good as not there.
async fn found(ldap: &mut Ldap, base: &str, filter: &str) -> Asked<LdapResult> {
    let found = ldap.search(base, Scope::Subtree, filter, vec!["1.1"]).await.map_err(silent)?;
    let ldap3::SearchResult(entries, mut answer) = found;
    if answer.rc == 0 && entries.is_empty() {
        answer.rc = NO_SUCH_OBJECT;
        answer.text = "nothing is found".to_owned();
    }
    Ok(answer)
}

fn refusal(answer: &LdapResult, at_login: bool) -> Refusal {
    let lack = match answer.rc {
        INVALID_CREDENTIALS => Lack::OfLogin,
        INSUFFICIENT_ACCESS => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    let shown = answer.to_string();
    Refusal { code: answer.rc.to_string(), message: shown, at_login, lack }
}

const ANYTHING: &str = "(objectClass=*)";

async fn knows(login: &Login, user: &str) -> Asked<bool> {
    let name = distinguished(user, &login.database);
    let mut ldap = logged_in(login).await?.map_err(|it| NoAnswer(it.to_string()))?;
    let found = ldap.search(&name, Scope::Base, ANYTHING, vec!["1.1"]).await;
    match found.map_err(silent)?.1 {
        answer if answer.rc == NO_SUCH_OBJECT => Ok(false),
        answer => answer.success().map(|_| true).map_err(silent),
    }
}

pub(super) fn silent(error: LdapError) -> NoAnswer {
    NoAnswer(error.to_string())
}
