//! How the tool itself gets its token, and what becomes of it.

use expect_test::expect;
use serde::Deserialize;
use serde_json::json;
use vault_client::ExposeSecret;
use vault_testbed::ground::{
    ServerOptions, VaultOptions,
    far::kubernetes::{Account, KUBERNETES},
};

use super::{Bed, Ran};

/// What an apply of `SPEC` needs; the ledger's mount is there already.
const POLICY: &str = r#"
    path "sys/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }
    path "auth/*" { capabilities = ["create", "read", "update", "delete", "list"] }
    path "vaultwright/*" { capabilities = ["create", "read", "update"] }
"#;

/// With the roles and users that the tool logs in as.
fn bed(test: &str) -> Option<Bed> {
    let bed = Bed::new(test, &VaultOptions { audit: true, ..VaultOptions::default() })?;
    bed.outside("sys/policies/acl/deployer", json!({ "policy": POLICY }));
    bed.outside("sys/auth/ci", json!({ "type": "approle" }));
    bed.outside("auth/ci/role/deployer", json!({ "token_policies": "deployer", "token_ttl": 60 }));
    bed.outside("sys/auth/userpass", json!({ "type": "userpass" }));
    let ann = json!({ "password": "correct-horse", "token_policies": "deployer" });
    bed.outside("auth/userpass/users/ann", ann);
    bed.write("password", "correct-horse\n");
    Some(bed)
}

/// The role-id and the secret-id, this one in a file.
fn approle(bed: &Bed) -> String {
    let role_id = json!({ "role_id": "deployers-role-id" });
    bed.outside("auth/ci/role/deployer/role-id", role_id);
    let made = bed.outside("auth/ci/role/deployer/secret-id", json!({}));
    bed.write("secret-id", made["secret_id"].as_str().unwrap());
    "--login approle --login-mount ci --role-id deployers-role-id --secret-id-file secret-id".into()
}

#[test]
fn an_approle_applies_and_its_token_ends_with_the_work() {
    let Some(mut bed) = bed("an_approle_applies_and_its_token_ends_with_the_work") else { return };
    let login = approle(&bed);
    let ran = bed.run_as("not-used", &format!("apply SPEC --yes {login}"));
    assert_eq!(ran.code(), 0, "{}", ran.shown());
    assert_eq!(bed.run("verify SPEC").code(), 0);
    let log = bed.block_on(|it| Box::pin(it.audit_log())).unwrap();
    let revoked = |it: &&serde_json::Value| {
        it["request"]["path"] == "auth/token/revoke-self" && it["type"] == "response"
    };
    let revoked: Vec<_> = log.iter().filter(revoked).collect();
    assert_eq!(
        revoked.len(),
        1,
        "the token of the login is revoked, and the one it was given is not"
    );
    assert_eq!(revoked[0]["auth"]["display_name"], "ci");
}

#[test]
fn who_may_not_keep_a_ledger_applies_and_is_told() {
    let note = "note: this token may not keep a ledger at vaultwright/: \
                what is owned and which roots were rotated is not recorded";
    for (what, ledger) in [
        ("nothing", ""),
        ("read it", "path \"vaultwright/*\" { capabilities = [\"read\"] }"),
        (
            "write it where nobody has mounted it",
            "path \"vaultwright/*\" { capabilities = [\"create\", \"read\", \"update\"] }\n\
             path \"sys/mounts/vaultwright\" { capabilities = [\"deny\"] }",
        ),
    ] {
        let Some(bed) = bed("who_may_not_keep_a_ledger_applies_and_is_told") else { return };
        let others = POLICY.lines().filter(|it| !it.contains("vaultwright"));
        let policy = others.chain([ledger]).collect::<Vec<_>>().join("\n");
        bed.outside("sys/policies/acl/limited", json!({ "policy": policy }));
        let token = bed.outside("auth/token/create", json!({ "policies": ["limited"] }));
        for time in ["first", "second"] {
            let ran = bed.run_as(token.as_str().unwrap(), "apply SPEC --yes");
            assert_eq!(ran.code(), 0, "may {what}, {time}: {}", ran.shown());
            assert_eq!(ran.shown().matches(note).count(), 1, "may {what}, {time}: {}", ran.shown());
        }
        let ran = bed.run_as(token.as_str().unwrap(), "verify SPEC");
        assert_eq!(ran.code(), 0, "may {what}: {}", ran.shown());
    }
}

#[test]
fn the_token_that_vault_login_leaves_is_good_and_stays() {
    let name = "the_token_that_vault_login_leaves_is_good_and_stays";
    let Some(bed) = bed(name) else { return };
    let made = json!({ "policies": ["deployer"], "ttl": "10m" });
    let token = bed.outside("auth/token/create", made);
    bed.write(".vault-token", token.as_str().unwrap());
    for words in ["apply SPEC --yes", "verify SPEC"] {
        let ended = bed.command(words).env_remove("VAULT_TOKEN").output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{words} {ended:?}");
    }
}

#[test]
fn a_user_logs_in_with_a_password() {
    let Some(bed) = bed("a_user_logs_in_with_a_password") else { return };
    let login = "--login userpass --username ann --password-file password";
    let ran = bed.run_as("not-used", &format!("plan SPEC {login}"));
    assert_eq!(ran.code(), 0, "{}", ran.shown());
}

/// The job that the documentation gives away: how it is run, and as whom.
struct Job {
    words: String,
    /// Without the address, which names nobody's Vault.
    variables: Vec<(String, String)>,
    account: Account,
    audience: String,
}

impl Job {
    fn read() -> Job {
        let text = include_str!("../../../../../docs/examples/kubernetes.yaml");
        let documents = serde_yaml::Deserializer::from_str(text);
        let documents = documents.map(|it| serde_json::Value::deserialize(it).unwrap());
        let job = documents.into_iter().find(|it| it["kind"] == "CronJob").unwrap();
        let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["command"], json!(["vaultwright"]));
        let text = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
        let words = container["args"].as_array().unwrap().iter().map(text);
        let words = words.map(|it| if it == "/spec" { "SPEC".to_owned() } else { it });
        let variables = container["env"].as_array().unwrap().iter();
        let variables = variables.map(|it| (text(&it["name"]), text(&it["value"])));
        let account = Account {
            namespace: text(&job["metadata"]["namespace"]),
            name: text(&pod["serviceAccountName"]),
        };
        let volumes = pod["volumes"].as_array().unwrap().iter();
        let token = volumes.map(|it| &it["projected"]["sources"][0]["serviceAccountToken"]);
        let token = token.into_iter().find(|it| it.is_object()).unwrap();
        Job {
            words: words.collect::<Vec<String>>().join(" "),
            variables: variables.filter(|(name, _)| name != "VAULT_ADDR").collect(),
            account,
            audience: text(&token["audience"]),
        }
    }

    /// With a JWT in the folder of `bed`, where a pod has it in its own.
    fn run(&self, bed: &Bed, jwt: &str) -> Ran {
        let mut command = bed.command(&format!("{} --jwt-file {jwt}", self.words));
        command.env_remove("VAULT_TOKEN").envs(self.variables.iter().cloned());
        Ran(command.output().unwrap())
    }
}

/// Against a real API server, which reviews the JWTs that it has issued.
#[test]
fn the_job_of_the_documentation_logs_in_and_an_account_that_no_role_is_bound_to_does_not() {
    let name =
        "the_job_of_the_documentation_logs_in_and_an_account_that_no_role_is_bound_to_does_not";
    let Some(bed) = bed(name) else { return };
    let options = ServerOptions::of(&KUBERNETES);
    let cluster = match bed.runtime.block_on(bed.ground.server(&options)) {
        Ok(cluster) => cluster,
        Err(missing) if missing.is_missing() => return println!("SKIPPED {name}: {missing}"),
        Err(err) => panic!("{err}"),
    };
    bed.outside("sys/auth/kubernetes", json!({ "type": "kubernetes" }));
    bed.outside(
        "auth/kubernetes/config",
        json!({
            "kubernetes_host": format!("https://{}", cluster.address_for_vault),
            "kubernetes_ca_cert": cluster.given["ca_certificate"].expose_secret(),
            "token_reviewer_jwt": cluster.given["token_reviewer_jwt"].expose_secret(),
            "disable_local_ca_jwt": true,
        }),
    );
    let job = Job::read();
    let role = json!({
        "bound_service_account_names": job.account.name,
        "bound_service_account_namespaces": job.account.namespace,
        "audience": job.audience,
        "token_policies": "deployer",
    });
    bed.outside("auth/kubernetes/role/vaultwright", role);
    let other = Account { name: "other".into(), ..job.account.clone() };
    for account in [&job.account, &other] {
        let superuser = cluster.superuser("");
        let jwt = bed.runtime.block_on(async {
            account.create(&superuser).await.unwrap();
            account.jwt(&superuser, &[&job.audience], 600).await.unwrap()
        });
        bed.write(&account.name, jwt.expose_secret());
    }
    let ran = job.run(&bed, &job.account.name);
    assert_eq!(ran.code(), 0, "{}", ran.shown());
    assert_eq!(bed.run("verify SPEC").code(), 0);
    expect![[r#"
        exit 1
        error: login failed: POST auth/kubernetes/login: permission denied (status 403): service account name not authorized
          help: check that the auth method is mounted there, and that its role is bound to who logs in
    "#]]
    .assert_eq(&job.run(&bed, "other").shown());
    // Signed by nobody whom the cluster knows.
    let jwt = std::fs::read_to_string(bed.folder.path().join(&job.account.name)).unwrap();
    bed.write("forged", &format!("{}AAAA", &jwt[..jwt.len() - 4]));
    let forged = job.run(&bed, "forged");
    assert_eq!(forged.code(), 1);
    assert!(forged.shown().contains("permission denied"), "{}", forged.shown());
    assert!(!forged.shown().contains(&jwt[..40]), "{}", forged.shown());
}

#[test]
fn a_login_that_is_refused_says_what_to_look_at() {
    let Some(bed) = bed("a_login_that_is_refused_says_what_to_look_at") else { return };
    bed.write("password", "wrong-horse");
    let login = "--login userpass --username ann --password-file password";
    let ran = bed.run_as("not-used", &format!("plan SPEC {login}"));
    assert!(!ran.shown().contains("wrong-horse"));
    expect![[r#"
        exit 1
        error: login failed: POST auth/userpass/login/ann: refused (status 400): invalid username or password
    "#]].assert_eq(&ran.shown());
}

#[test]
fn a_login_that_lacks_something_names_it() {
    let Some(bed) = bed("a_login_that_lacks_something_names_it") else { return };
    expect![[r#"
        exit 1
        error: this login needs --role-id or VAULTWRIGHT_ROLE_ID
    "#]]
    .assert_eq(&bed.run_as("not-used", "plan SPEC --login approle").shown());
    expect![[r#"
        exit 1
        error: this login needs --password-file or VAULTWRIGHT_PASSWORD
    "#]]
    .assert_eq(&bed.run_as("not-used", "plan SPEC --login userpass --username ann").shown());
    expect![[r#"
        exit 1
        error: cannot read none
          because No such file or directory (os error 2)
    "#]]
    .assert_eq(
        &bed.run_as("not-used", "plan SPEC --login kubernetes --kubernetes-role a --jwt-file none")
            .shown(),
    );
}
