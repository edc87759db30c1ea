//! `prove --live` on a Vault that others use: what it shows, what it leaves out, and that nothing is left of it.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vault_client::{Settings, Vault};
use vault_testbed::ground::{Ground, GroundSpec, Kind, Stack, VaultOptions, servers};

use crate::{program, root};

const SPEC: &str = "fixtures/proven/everything";

/// A login for `SPEC` that is not root.
const PROVER: &str = "fixtures/live";

/// What a proof may do beside reading: log in, ask for tokens, secret-ids and leases of its own, and take them back.
const ITS_OWN: &[&str] = &[
    "auth/approle/login",
    "auth/token/create",
    "auth/token/lookup",
    "auth/token/renew",
    "auth/token/revoke",
    "sys/capabilities",
    "sys/leases/",
    "sys/wrapping/",
];

/// The Vault of others, with the spec in it.
struct Used {
    stack: Stack,
    vault: Vault,
    vars: Vec<(String, String)>,
}

/// What a run of the program has said.
struct Said {
    code: Option<i32>,
    text: String,
}

/// What others would notice if it changed.
#[derive(Debug, PartialEq)]
struct Seen {
    accessors: Vec<String>,
    secret_ids: Vec<String>,
    leases: Vec<String>,
    versions: BTreeMap<String, Value>,
    password: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_proof_and_nothing_is_changed() {
    on_a_used_vault(async |used| {
        let before = used.seen().await;
        let from = used.stack.vault.audit_log().await.unwrap().len();
        let said = used.prove(&[]);
        assert_eq!(said.code, Some(0), "{}", said.text);
        for shown in [
            "✓ Logins that Vault makes in a database work, and end › A revoked login of database/creds/reader is gone",
            "✓ AppRole lets in who has a role-id and a secret-id, and nobody else › Whoever logs in by auth/approle/role/app",
            "✓ Policies grant what they say, and nothing beside it › Whoever logs in by auth/approle/role/batch",
            "✓ Logins whose passwords Vault keeps work, and the passwords are replaced › database/static-creds/reporting gives",
        ] {
            assert!(said.text.contains(shown), "{shown}\n{}", said.text);
        }
        for left_out in [
            "is rotated on demand: it rotates a password that others may use; --rotate allows it",
            "ends with its lease: its lives are as long as the spec says",
            "transit/keys/orders takes back what it made, and is not given away: it rotates the key",
            "auth/userpass/users/ann may what its policies grant, and nothing beside it: failed logins count",
            "not proven: database/creds/reader: statements that are no plain query",
            "not proven: database/roles/reader: the catalogue of a database that people use is not looked into",
        ] {
            assert!(said.text.contains(left_out), "{left_out}\n{}", said.text);
        }
        let log = used.stack.vault.audit_log().await.unwrap();
        let written = writes(&log[from..]);
        let odd: Vec<_> = written.iter().filter(|it| !is_its_own(it)).collect();
        assert!(odd.is_empty(), "it wrote {odd:?}");
        assert!(written.iter().any(|it| it.starts_with("auth/approle/login")), "{written:?}");
        assert_eq!(used.seen().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_rotated_where_that_is_asked_for() {
    on_a_used_vault(async |used| {
        let before = used.seen().await;
        let from = used.stack.vault.audit_log().await.unwrap().len();
        let said = used.prove(&["--rotate", "--only", "database/*"]);
        assert_eq!(said.code, Some(0), "{}", said.text);
        let log = used.stack.vault.audit_log().await.unwrap();
        let written = writes(&log[from..]);
        for path in ["database/rotate-role/reporting", "database/rotate-root/demo"] {
            assert!(written.iter().any(|it| it == path), "{path} is not in {written:?}");
        }
        let after = used.seen().await;
        assert_ne!(after.password, before.password);
        assert_eq!(Seen { password: before.password.clone(), ..after }, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_vault_that_is_otherwise_nothing_is_proven() {
    on_a_used_vault(async |used| {
        let body = json!({ "policy": "path \"kv/data/app/*\" { capabilities = [\"read\"] }" });
        let body = body.as_object().cloned().unwrap();
        used.vault.write("sys/policies/acl/app", body).await.unwrap();
        let before = used.seen().await;
        let from = used.stack.vault.audit_log().await.unwrap().len();
        let said = used.prove(&[]);
        assert_eq!(said.code, Some(2), "{}", said.text);
        assert!(said.text.contains("sys/policies/acl/app"), "{}", said.text);
        assert!(said.text.contains("apply the spec first"), "{}", said.text);
        let log = used.stack.vault.audit_log().await.unwrap();
        assert_eq!(writes(&log[from..]), [""; 0]);
        assert_eq!(used.seen().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_interruption_nothing_is_left_either() {
    on_a_used_vault(async |used| {
        let before = used.seen().await;
        let child = used.in_the_middle().await;
        let told = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
        assert!(told.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_eq!(used.seen().await, before);
    })
    .await;
}

/// Nobody can take anything back then.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_all_that_is_left_ends_by_itself() {
    on_a_used_vault(async |used| {
        let before = used.seen().await;
        let mut child = used.in_the_middle().await;
        child.kill().unwrap();
        child.wait().unwrap();
        let after = used.seen().await;
        let left = after.accessors.iter().filter(|it| !before.accessors.contains(it));
        for accessor in left {
            let body = json!({ "accessor": accessor }).as_object().cloned().unwrap();
            let token = used.vault.write("auth/token/lookup-accessor", body).await.unwrap();
            let seconds = token.data.unwrap()["ttl"].as_u64().unwrap();
            assert!((1..=1200).contains(&seconds), "a token is left for {seconds} s");
        }
        assert_eq!(after.versions, before.versions);
        assert_eq!(after.password, before.password);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_the_policy_that_suffices_proves_as_much_as_root() {
    on_a_used_vault(async |used| {
        let login = used.prover().await;
        let before = used.seen().await;
        let by_root = used.prove(&[]);
        let said = used.prove_as(&login, &[]);
        assert_eq!(said.code, Some(0), "{}", said.text);
        assert!(!said.text.contains("NOT TAKEN BACK"), "{}", said.text);
        assert_eq!(said.text.lines().last(), by_root.text.lines().last());
        assert_eq!(used.seen().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_may_not_is_told_before_anything_is_issued() {
    on_a_used_vault(async |used| {
        let login = used.prover().await;
        let text = std::fs::read_to_string(root().join(PROVER).join("prover.hcl")).unwrap();
        for (path, told) in [
            ("auth/token/create", "grant `update` on auth/token/create to this login"),
            ("sys/mounts", "grant `read` on `sys/mounts` to a policy of this token"),
        ] {
            let rule = format!("path \"{path}\" ");
            let less = text.lines().filter(|it| !it.starts_with(&rule));
            let body = json!({ "policy": less.collect::<Vec<_>>().join("\n") });
            let body = body.as_object().cloned().unwrap();
            used.vault.write("sys/policies/acl/prover", body).await.unwrap();
            let before = used.seen().await;
            let said = used.prove_as(&login, &[]);
            assert_eq!(said.code, Some(1), "{}", said.text);
            assert!(said.text.contains(told), "{}", said.text);
            assert_eq!(used.seen().await, before);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_behind_tls_is_proven_by_whoever_trusts_its_authority() {
    on_a_used_vault_that(
        |it| it.tls = true,
        async |used| {
            let only = ["--only", "auth/approle/role/app"];
            let said = used.prove(&only);
            assert_eq!(said.code, Some(0), "{}", said.text);
            assert!(said.text.contains("✓ AppRole lets in who has"), "{}", said.text);
            let mut distrusting = used.command(&only);
            let said = said_by(distrusting.env_remove("VAULT_CACERT").output().unwrap());
            assert_eq!(said.code, Some(1), "{}", said.text);
            assert!(said.text.contains("the server's certificate isn't trusted"), "{}", said.text);
            assert!(said.text.contains("set VAULT_CACERT"), "{}", said.text);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_where_there_are_none_is_told_and_nothing_is_proven() {
    on_a_used_vault(async |used| {
        let from = used.stack.vault.audit_log().await.unwrap().len();
        let said = said_by(used.command(&[]).env("VAULT_NAMESPACE", "team").output().unwrap());
        assert_eq!(said.code, Some(1), "{}", said.text);
        let told = "VAULT_NAMESPACE: this Vault has no namespaces";
        assert!(said.text.contains(told), "{}", said.text);
        let log = used.stack.vault.audit_log().await.unwrap();
        assert_eq!(writes(&log[from..]), [""; 0]);
    })
    .await;
}

async fn on_a_used_vault(test: impl AsyncFnOnce(&Used)) {
    on_a_used_vault_that(|_| (), test).await;
}

async fn on_a_used_vault_that(is: impl FnOnce(&mut VaultOptions), test: impl AsyncFnOnce(&Used)) {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED --live: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let ground = Ground::open(Some(Kind::Process)).await.unwrap();
    let mut spec = GroundSpec::read(&root().join(SPEC), None).unwrap();
    spec.vault.audit = true;
    is(&mut spec.vault);
    let stack = ground.stack(&spec).await.unwrap();
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let vars = stack.vars.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let mut settings = Settings::new(&stack.vault.address).unwrap();
    settings.ca_cert.clone_from(&stack.vault.ca_certificate);
    let vault = Vault::new(&settings).unwrap();
    let vault = vault.with_token(stack.vault.root_token.clone());
    let used = Used { stack, vault, vars };
    let applied = used.run(&["apply", SPEC, "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.text);
    test(&used).await;
    ground.end().await.unwrap();
}

impl Used {
    fn prove(&self, more: &[&str]) -> Said {
        said_by(self.command(more).output().unwrap())
    }

    /// As somebody who is not root.
    fn prove_as(&self, login: &[(&str, String)], more: &[&str]) -> Said {
        let mut command = self.command(more);
        command.env_remove("VAULT_TOKEN").envs(login.iter().cloned());
        said_by(command.output().unwrap())
    }

    /// The environment of a login that may do what a proof asks for.
    async fn prover(&self) -> [(&'static str, String); 4] {
        let applied = self.run(&["apply", PROVER, "--yes"]);
        assert_eq!(applied.code, Some(0), "{}", applied.text);
        let role = "auth/provers/role/prover";
        let role_id = self.vault.read(&format!("{role}/role-id")).await.unwrap().unwrap();
        let made = self.vault.write(&format!("{role}/secret-id"), Default::default()).await;
        let made = made.unwrap().data.unwrap();
        [
            ("VAULTWRIGHT_LOGIN", "approle".to_owned()),
            ("VAULTWRIGHT_LOGIN_MOUNT", "provers".to_owned()),
            ("VAULTWRIGHT_ROLE_ID", role_id["role_id"].as_str().unwrap().to_owned()),
            ("VAULTWRIGHT_SECRET_ID", made["secret_id"].as_str().unwrap().to_owned()),
        ]
    }

    fn command(&self, more: &[&str]) -> Command {
        let live = ["prove", SPEC, "--live", &self.stack.vault.address];
        self.program(&[&live, more].concat())
    }

    /// A proof that has issued several things and is not done.
    async fn in_the_middle(&self) -> Child {
        let from = self.stack.vault.audit_log().await.unwrap().len();
        let mut command = self.command(&[]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.logged_in_since(from, 3).await;
        child
    }

    async fn logged_in_since(&self, from: usize, times: usize) {
        let began = Instant::now();
        loop {
            let log = self.stack.vault.audit_log().await.unwrap();
            let written = writes(&log[from..]);
            if written.iter().filter(|it| *it == "auth/approle/login").count() >= times {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "nobody logged in");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn run(&self, arguments: &[&str]) -> Said {
        said_by(self.program(arguments).output().unwrap())
    }

    /// Secrets by the environment.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).env_clear().envs(self.stack.vault.env());
        for (name, value) in &self.vars {
            command.env(format!("VAULTWRIGHT_VAR_{}", name.to_uppercase()), value);
        }
        command
    }

    async fn seen(&self) -> Seen {
        let mut accessors = self.vault.list("auth/token/accessors").await.unwrap();
        accessors.sort();
        let mut secret_ids = Vec::new();
        for role in self.vault.list("auth/approle/role").await.unwrap() {
            let path = format!("auth/approle/role/{role}/secret-id");
            secret_ids.extend(self.vault.list(&path).await.unwrap());
        }
        let mut versions = BTreeMap::new();
        for path in ["kv/metadata/app/settings", "kv/metadata/app/made"] {
            let data = self.vault.read(path).await.unwrap().unwrap();
            versions.insert(path.to_owned(), json!([data["versions"], data["updated_time"]]));
        }
        let reporting = self.vault.read("database/static-creds/reporting").await.unwrap().unwrap();
        let password = reporting["password"].as_str().unwrap().to_owned();
        let leases = self.leases("database/creds/reader").await;
        Seen { accessors, secret_ids, leases, versions, password }
    }

    /// A login that is being revoked has a moment to be gone.
    async fn leases(&self, path: &str) -> Vec<String> {
        let began = Instant::now();
        loop {
            let leases = self.vault.list(&format!("sys/leases/lookup/{path}")).await.unwrap();
            if leases.is_empty() || began.elapsed() > Duration::from_secs(10) {
                return leases;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn said_by(output: std::process::Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), text: text(output.stderr) + &text(output.stdout) }
}

/// The paths of all requests that do more than read.
fn writes(log: &[Value]) -> Vec<String> {
    let requests = log.iter().filter(|it| it["type"] == "request");
    let writing = requests.filter(|it| {
        let operation = it["request"]["operation"].as_str().unwrap_or_default();
        // A question, though it is asked by POST.
        it["request"]["path"] != "sys/capabilities-self"
            && !["read", "list", "help", "resolve-role"].contains(&operation)
    });
    writing.map(|it| it["request"]["path"].as_str().unwrap().to_owned()).collect()
}

fn is_its_own(path: &str) -> bool {
    let of_secret_id = path.starts_with("auth/approle/role/")
        && (path.ends_with("/secret-id") || path.ends_with("/secret-id-accessor/destroy"));
    of_secret_id || ITS_OWN.iter().any(|it| path.starts_with(it))
}
