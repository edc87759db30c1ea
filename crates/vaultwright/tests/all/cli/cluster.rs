//! Three nodes with raft storage, asked through one that is a standby.
//!
//! A standby of Vault without performance standbys answers nothing by itself: it forwards to the active node, which knows
//! each mount that it has made. So a just-made mount is never unknown there, and what is left to see is an active node that
//! goes while a standby forwards to it.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use vault_client::{ExposeSecret, Failure, Settings, Vault};
use vault_testbed::ground::{Mode, VaultOptions};

use super::{Bed, Ran, command, run};

/// A node that has joined. Ended when dropped.
struct Standby {
    child: Child,
    address: String,
    vault: Vault,
}

impl Drop for Standby {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Standby {
    fn join(bed: &Bed, name: &str) -> Standby {
        let data = bed.folder.path().join(name);
        std::fs::create_dir(&data).unwrap();
        let [port, cluster_port] = free_ports();
        let config = format!(
            "storage \"raft\" {{\n path = \"{data}\"\n node_id = \"{name}\"\n performance_multiplier = 1\n \
             retry_join {{ leader_api_addr = \"{active}\" }}\n}}\n\
             listener \"tcp\" {{\n address = \"127.0.0.1:{port}\"\n cluster_address = \"127.0.0.1:{cluster_port}\"\n \
             tls_disable = true\n}}\n\
             api_addr = \"http://127.0.0.1:{port}\"\ncluster_addr = \"https://127.0.0.1:{cluster_port}\"\n\
             disable_mlock = true\n",
            data = data.display(),
            active = bed.vault.address,
        );
        let file = bed.write(&format!("{name}.hcl"), &config);
        // The program of the node that runs.
        let mut program = Command::new(format!("/proc/{}/exe", bed.vault.process_id().unwrap()));
        program.arg("server").arg(format!("-config={}", file.display()));
        let child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let settings = Settings { max_retries: 0, ..Settings::new(&address).unwrap() };
        let vault = Vault::new(&settings).unwrap().with_token(bed.vault.root_token.clone());
        let standby = Standby { child, address, vault };
        standby.unseal(bed);
        standby
    }

    /// As soon as it has joined, the key of the first node is its key.
    fn unseal(&self, bed: &Bed) {
        let key = bed.vault.unseal_key().unwrap().expose_secret();
        let body = serde_json::json!({ "key": key }).as_object().unwrap().clone();
        until("it is no standby", || {
            bed.runtime.block_on(async {
                let _ = self.vault.write("sys/unseal", body.clone()).await;
                self.vault.health().await.is_ok_and(|it| !it.sealed && it.standby)
            })
        });
    }

    fn is_standby(&self, bed: &Bed) -> bool {
        bed.runtime.block_on(self.vault.health()).is_ok_and(|it| it.standby)
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|it| it.local_addr().unwrap().port())
}

#[track_caller]
fn until(what: &str, mut is_reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_reached() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An active node and two standbys that may each take over.
fn cluster(test: &str) -> Option<(Bed, [Standby; 2])> {
    let bed = Bed::new(test, &VaultOptions { mode: Mode::Raft, ..VaultOptions::default() })?;
    let soon = serde_json::json!({ "server_stabilization_time": "1s" });
    bed.outside("sys/storage/raft/autopilot/configuration", soon);
    let standbys = ["node-2", "node-3"].map(|name| Standby::join(&bed, name));
    until("not all of them vote", || {
        let read = standbys[0].vault.read("sys/storage/raft/configuration");
        let told = bed.runtime.block_on(read).ok().flatten().unwrap_or_default();
        let servers = told.get("config").and_then(|it| it["servers"].as_array().cloned());
        let servers = servers.unwrap_or_default();
        servers.iter().filter(|it| it["voter"] == true).count() == 3
    });
    Some((bed, standbys))
}

/// Mounts, what lies below them, and so many policies.
fn spec(policies: usize) -> String {
    let policy = |it: usize| format!("    p{it}: {{ policy: '# {it}' }}\n");
    let policies: String = (0..policies).map(policy).collect();
    let mount = |it: usize| {
        format!("  kv{it}: {{ type: kv-v2, data: {{ a: {{ data: {{ colour: blue }} }} }} }}\n")
    };
    let mounts: String = (0..10).map(mount).collect();
    format!("name: many\nsys:\n  policies:\n{policies}secrets:\n{mounts}")
}

#[test]
fn a_just_made_mount_is_known_on_every_standby_and_an_apply_through_one_finishes() {
    let name = "a_just_made_mount_is_known_on_every_standby_and_an_apply_through_one_finishes";
    let Some((bed, standbys)) = cluster(name) else { return };
    for at in 0..20 {
        let body = serde_json::json!({ "type": "kv" }).as_object().unwrap().clone();
        let path = format!("sys/mounts/new{at}");
        bed.runtime.block_on(standbys[0].vault.write(&path, body)).unwrap();
        for standby in &standbys {
            let read = vault_model::request::Request::get(format!("new{at}/nothing"));
            let error = bed.runtime.block_on(standby.vault.send_once(&read)).unwrap_err();
            assert_eq!(error.failure, Failure::NotFound, "{error}");
        }
    }
    let token = bed.vault.root_token.expose_secret();
    let through = |words: &str| run(&standbys[1].address, token, bed.folder.path(), words);
    bed.write("spec.yaml", &spec(50));
    let applied = through("apply SPEC --yes");
    assert_eq!(applied.code(), 0, "{}", applied.shown());
    assert_eq!(through("plan SPEC --exit-code").code(), 0);
    assert!(standbys.iter().all(|it| it.is_standby(&bed)), "an active one was asked");
}

#[test]
fn an_apply_through_a_standby_whose_active_node_goes_is_finished_by_the_next_at_the_latest() {
    let name =
        "an_apply_through_a_standby_whose_active_node_goes_is_finished_by_the_next_at_the_latest";
    let Some((mut bed, standbys)) = cluster(name) else { return };
    // So many that it takes some seconds.
    bed.write("spec.yaml", &spec(2000));
    let (folder, token) = (bed.folder.path().to_owned(), bed.vault.root_token.clone());
    let address = &standbys[0].address;
    let through = |words: &str| run(address, token.expose_secret(), &folder, words);
    let mut apply = command(address, token.expose_secret(), &folder, "apply SPEC --yes");
    // It shows its plan, for which a pipe is too small.
    let shown = folder.join("shown");
    apply.stdout(std::fs::File::create(&shown).unwrap()).stderr(Stdio::piped());
    let mut apply = apply.spawn().unwrap();
    bed.until_begun();
    bed.block_on(|it| Box::pin(it.kill())).unwrap();
    assert!(apply.try_wait().unwrap().is_none(), "it ended before the active node did");
    let first = Ran(apply.wait_with_output().unwrap());
    until("nobody took over", || standbys.iter().any(|it| !it.is_standby(&bed)));
    if first.code() != 0 {
        let shown = std::fs::read_to_string(&shown).unwrap();
        assert!(shown.contains(" done, "), "{}", first.shown());
        let second = through("apply SPEC --yes");
        assert_eq!(second.code(), 0, "{}", second.shown());
    }
    let plan = through("plan SPEC --exit-code");
    assert_eq!(plan.code(), 0, "{}", plan.shown());
}
