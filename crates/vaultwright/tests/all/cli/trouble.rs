//! What can be wrong, and what a person is told then.

use expect_test::{Expect, expect};
use serde_json::json;
use tempfile::TempDir;
use vault_testbed::ground::{Mode, VaultOptions};

use super::{Bed, Ran, SPEC, command, run};

fn folder(spec: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix("cli").tempdir().unwrap();
    std::fs::write(folder.path().join("spec.yaml"), spec).unwrap();
    folder
}

#[track_caller]
fn check_offline(spec: &str, words: &str, expect: Expect) {
    expect.assert_eq(&run("http://127.0.0.1:1", "x", folder(spec).path(), words).shown());
}

#[test]
fn a_typo_is_shown_with_its_line_and_what_was_meant() {
    check_offline(
        &SPEC.replace("token_ttl", "token_tll"),
        "plan SPEC",
        expect![[r#"
        exit 1
        error: auth/approle/role/app has no field `token_tll`
          --> spec.yaml:11:37
           |
        11 |       app: { token_policies: [app], token_tll: 20m }
           |                                     ^^^^^^^^^
           |
           = help: did you mean `token_ttl`?

        1 mistake: nothing was sent to Vault
    "#]],
    );
}

#[test]
fn nobody_is_at_the_address() {
    check_offline(
        SPEC,
        "plan SPEC",
        expect![[r#"
        exit 1
        error: GET sys/auth: connection refused
          help: nothing listens there: start Vault, or correct VAULT_ADDR
    "#]],
    );
}

#[test]
fn a_missing_spec_is_named() {
    check_offline(
        SPEC,
        "plan nowhere.yaml",
        expect![[r#"
        exit 1
        error: cannot read nowhere.yaml: No such file or directory (os error 2)
          help: correct the path, seen from this folder
    "#]],
    );
}

#[test]
fn a_folder_without_a_spec_and_a_path_to_nowhere_are_told_before_anything_starts() {
    for words in ["check .", "plan .", "up ."] {
        let folder = tempfile::tempdir().unwrap();
        let shown = run("http://127.0.0.1:1", "x", folder.path(), words).shown();
        expect![[r#"
            exit 1
            error: . holds no spec: no file in it ends in .yaml
              help: name a .yaml file, or the folder that holds a spec's
        "#]]
        .assert_eq(&shown);
    }
    check_offline(
        SPEC,
        "up nowhere",
        expect![[r#"
            exit 1
            error: cannot read nowhere: No such file or directory (os error 2)
              help: correct the path, seen from this folder
        "#]],
    );
}

#[test]
fn a_wrong_word_on_the_command_line_is_no_difference() {
    assert_eq!(
        run("http://127.0.0.1:1", "x", folder(SPEC).path(), "plan SPEC --exitcode").code(),
        1
    );
}

#[test]
fn a_token_that_may_not_read_fails_and_nothing_is_made() {
    let Some(bed) =
        Bed::new("a_token_that_may_not_read_fails_and_nothing_is_made", &VaultOptions::default())
    else {
        return;
    };
    let token = bed.outside("auth/token/create", json!({ "policies": ["default"] }));
    expect![[r#"
        exit 1
        error: GET sys/auth: permission denied (status 403)
          help: grant `read` on `sys/auth` to a policy of this token, or use another token (and check VAULT_NAMESPACE)
    "#]].assert_eq(&bed.run_as(token.as_str().unwrap(), "apply SPEC --yes").shown());
    assert_eq!(bed.run("verify SPEC --target sys/policies/acl/app").code(), 2);
}

#[test]
fn a_sealed_vault_says_so() {
    let options = VaultOptions { mode: Mode::Raft, ..VaultOptions::default() };
    let Some(mut bed) = Bed::new("a_sealed_vault_says_so", &options) else { return };
    bed.block_on(|it| Box::pin(it.seal())).unwrap();
    expect![[r#"
        exit 1
        error: GET sys/auth: Vault is sealed (status 503)
          help: unseal it: `vault operator unseal`
    "#]]
    .assert_eq(&bed.run("plan SPEC").shown());
}

#[test]
fn a_vault_that_was_never_initialised_says_that_and_nothing_else() {
    let config = VaultOptions { mode: Mode::Raft, ..VaultOptions::default() };
    let name = "a_vault_that_was_never_initialised_says_that_and_nothing_else";
    let Some(bed) = Bed::new(name, &config) else { return };
    // The program of a server that runs, for one that nobody initialises.
    let program = format!("/proc/{}/exe", bed.vault.process_id().unwrap());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "storage \"inmem\" {{}}\ndisable_mlock = true\nlistener \"tcp\" {{ address = \"127.0.0.1:{port}\" tls_disable = true }}\n"
    );
    let file = bed.write("server.hcl", &config);
    let mut server = std::process::Command::new(program);
    server.arg("server").arg(format!("-config={}", file.display()));
    let quiet = std::process::Stdio::null;
    let mut server = server.stdout(quiet()).stderr(quiet()).spawn().unwrap();
    let began = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "it does not listen");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let address = format!("http://127.0.0.1:{port}");
    let shown = run(&address, "x", bed.folder.path(), "plan SPEC").shown();
    server.kill().unwrap();
    server.wait().unwrap();
    expect![[r#"
        exit 1
        error: GET sys/auth: Vault isn't initialised (status 503)
          help: initialise it: `vault operator init`
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_namespace_of_a_vault_that_has_none_is_refused_and_nothing_is_written() {
    let name = "a_namespace_of_a_vault_that_has_none_is_refused_and_nothing_is_written";
    let Some(bed) = Bed::new(name, &VaultOptions::default()) else { return };
    for words in ["plan SPEC", "apply SPEC --yes"] {
        let ended = bed.command(words).env("VAULT_NAMESPACE", "team").output().unwrap();
        expect![[r#"
            exit 1
            error: VAULT_NAMESPACE: this Vault has no namespaces, and would take all that is meant for one as meant for its root
              help: unset it, or point VAULT_ADDR at the Vault that has this namespace
        "#]]
        .assert_eq(&Ran(ended).shown());
    }
    assert_eq!(bed.run("plan SPEC --exit-code").code(), 2);
}

#[test]
fn a_variable_that_is_no_text_is_told_and_not_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(SPEC);
    for (name, told) in [("VAULT_ADDR", "VAULT_ADDR: "), ("VAULT_TOKEN", "VAULT_TOKEN: ")] {
        let mut command = command("http://127.0.0.1:1", "x", folder.path(), "plan SPEC");
        let ended = command.env(name, std::ffi::OsStr::from_bytes(b"\xff")).output().unwrap();
        let shown = Ran(ended).shown();
        assert!(shown.contains(told), "{shown}");
    }
}

#[test]
fn a_value_of_a_spec_s_variable_that_is_no_text_is_told_and_never_shown() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder("name: app\nvars: { colour: blue }\npaths: { a/b: { c: (( colour )) } }\n");
    let mut command = command("http://127.0.0.1:1", "x", folder.path(), "check SPEC");
    let value = std::ffi::OsStr::from_bytes(b"hunter2\xff");
    let ended = command.env("VAULTWRIGHT_VAR_COLOUR", value).output().unwrap();
    expect![[r#"
        exit 1
        error: VAULTWRIGHT_VAR_COLOUR is not UTF-8
          = help: give it text

        spec.yaml: 1 mistake
    "#]]
    .assert_eq(&Ran(ended).shown());
}

/// Without a home, and with `folder` for what is temporary.
fn homeless(folder: &std::path::Path, words: &str) -> Ran {
    let mut command = command("http://127.0.0.1:1", "x", folder, words);
    Ran(command.env("HOME", "nowhere").env("TMPDIR", folder).output().unwrap())
}

#[test]
fn a_folder_that_stands_in_for_a_home_and_that_others_could_have_made_is_refused() {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    let temporary = tempfile::tempdir().unwrap();
    assert_eq!(homeless(temporary.path(), "clean").code(), 0);
    let made: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().flatten().collect();
    let [made] = &made[..] else { panic!("{made:?}") };
    assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let folder = made.path();
    let refused = |why: &str| {
        for words in ["clean", "servers --list"] {
            let ran = homeless(temporary.path(), words);
            assert_eq!(ran.code(), 1, "{words}: {}", ran.shown());
            let told = format!("error: {}: {why}", folder.display());
            assert!(ran.shown().contains(&told), "{words}: {}", ran.shown());
        }
    };
    let allow = |mode| std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
    allow(0o777);
    refused("others may write into it");
    allow(0o700);
    if chown(&folder, Some(65534), None).is_ok() {
        refused("it belongs to somebody else");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    symlink("/tmp", &folder).unwrap();
    refused("it is no folder");
}

/// A second call takes no time: not even the version of Go is asked for.
#[test]
fn servers_that_are_there_are_built_by_nobody() {
    let name = "servers_that_are_there_are_built_by_nobody";
    let in_home = || std::env::home_dir().unwrap().join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(in_home, Into::into);
    let is_there = |of: &str| {
        let servers = std::fs::read_dir(cache.join("vaultwright/servers")).into_iter().flatten();
        let mut folders = servers.flatten().map(|it| it.path());
        folders.any(|it| it.join(of).is_file())
    };
    if !is_there("vault") || !is_there("kubernetes") {
        println!("SKIPPED {name}: `cargo xtask servers` has not built them");
        return;
    }
    // A Go that only counts who asks it: all that could build anything comes first on PATH.
    let folder = tempfile::tempdir().unwrap();
    let (go, asked) = (folder.path().join("go"), folder.path().join("asked"));
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n[ \"$1\" = env ] && echo go1.99.0\n",
        asked.display()
    );
    std::fs::write(&go, script).unwrap();
    std::fs::set_permissions(&go, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let servers = |cache: &std::path::Path| {
        let mut command = command("http://127.0.0.1:1", "x", folder.path(), "servers");
        command.env("PATH", folder.path()).env("XDG_CACHE_HOME", cache);
        Ran(command.output().unwrap())
    };
    let told = servers(&cache).shown();
    assert!(told.starts_with("exit 0\n") && !told.contains("building "), "{told}");
    assert!(told.contains("/vaultwright/servers/vault-"), "{told}");
    assert!(!asked.exists(), "{:?}", std::fs::read_to_string(&asked));

    let told = servers(&folder.path().join("empty")).shown();
    assert!(told.starts_with("exit 1\n") && told.contains("building vault "), "{told}");
    assert!(asked.exists());
}

#[test]
fn paths_with_blanks_and_letters_of_any_language_are_told_as_they_are() {
    let folder = tempfile::Builder::new().prefix("Mön Ördner ").tempdir().unwrap();
    std::fs::create_dir(folder.path().join("spéc x")).unwrap();
    let spec = SPEC.replace("token_ttl", "token_tll");
    std::fs::write(folder.path().join("spéc x/ü b.yaml"), spec).unwrap();
    let mut command = command("http://127.0.0.1:1", "x", folder.path(), "check");
    let ended = command.arg("spéc x").env("LANG", "C").env("LC_ALL", "C").output().unwrap();
    let shown = Ran(ended).shown();
    assert!(shown.contains(" --> spéc x/ü b.yaml:11:37"), "{shown}");
}

#[test]
fn features_that_are_nowhere_are_told_with_what_to_name() {
    check_offline(
        SPEC,
        "test nowhere",
        expect![[r#"
            exit 1
            error: cannot read nowhere: No such file or directory (os error 2)
              help: name .feature files, or folders of them, seen from this folder
        "#]],
    );
}

/// Nobody listens at the address: what got as far as that would say so.
#[test]
fn hostile_input_ends_before_anything_is_sent() {
    let hostile = crate::root().join("fixtures/mistakes/hostile");
    let mut count = 0;
    for entry in std::fs::read_dir(hostile).unwrap() {
        let folder = entry.unwrap().path();
        let ran = run("http://127.0.0.1:1", "x", &folder, "apply . --yes");
        let name = folder.display();
        assert_eq!(ran.code(), 1, "{name}: {}", ran.shown());
        assert!(!ran.shown().contains("connection refused"), "{name}: {}", ran.shown());
        count += 1;
    }
    assert!(count > 10, "{count} folders");
}
