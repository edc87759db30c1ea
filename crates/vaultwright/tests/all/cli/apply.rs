//! `apply` and `destroy`.

use std::process::Stdio;

use expect_test::expect;
use serde_json::Value;
use vault_testbed::ground::VaultOptions;

use super::{Bed, SPEC};

#[test]
fn without_a_terminal_an_apply_wants_a_yes() {
    let Some(bed) = Bed::new("without_a_terminal_an_apply_wants_a_yes", &VaultOptions::default())
    else {
        return;
    };
    let ran = bed.run("apply SPEC");
    assert_eq!(ran.code(), 1);
    assert!(ran.shown().contains("nobody is there to be asked: say --yes"), "{}", ran.shown());
    assert_eq!(bed.run("plan SPEC --exit-code").code(), 2);
    assert_eq!(bed.run("apply SPEC --yes").code(), 0);
    let ran = bed.run("destroy SPEC");
    assert_eq!(ran.code(), 1);
    assert!(ran.shown().contains("nobody is there to be asked: say --yes"), "{}", ran.shown());
    assert_eq!(bed.run("plan SPEC --exit-code").code(), 0);
}

#[test]
fn an_apply_tells_programs_what_became_of_each_object() {
    let Some(bed) =
        Bed::new("an_apply_tells_programs_what_became_of_each_object", &VaultOptions::default())
    else {
        return;
    };
    bed.write(
        "spec.yaml",
        &format!("{SPEC}paths: {{ sys/quotas/rate-limit/bad: {{ rate: -1 }} }}\n"),
    );
    let outcomes = |told: &Value| -> Vec<String> {
        let results = told["results"].as_array().unwrap().iter();
        let told = results.map(|it| format!("{} {} {}", it["action"], it["path"], it["outcome"]));
        told.map(|it| it.replace('"', "")).collect()
    };
    let applied = bed.told("apply", "apply SPEC --yes --format json");
    assert_eq!(
        outcomes(&applied),
        [
            "create sys/auth/approle done",
            "create sys/policies/acl/app done",
            "create sys/policies/acl/ops done",
            "create sys/quotas/rate-limit/bad failed",
            "create auth/approle/role/app done",
        ]
    );
    let problem = applied["results"][3]["problem"].as_str().unwrap();
    assert!(problem.starts_with("POST sys/quotas/rate-limit/bad: "), "{problem}");
    let destroyed = bed.told("apply", "destroy SPEC --yes --format json");
    assert!(outcomes(&destroyed).contains(&"delete sys/policies/acl/app done".to_owned()));
}

#[test]
fn destroy_deletes_what_the_spec_describes_and_nothing_else() {
    let Some(bed) = Bed::new(
        "destroy_deletes_what_the_spec_describes_and_nothing_else",
        &VaultOptions::default(),
    ) else {
        return;
    };
    bed.run("apply SPEC --yes");
    bed.outside("sys/policies/acl/mine", serde_json::json!({ "policy": "# nothing" }));
    expect![[r#"
        exit 0
          - sys/auth/approle
          - sys/policies/acl/app
          - sys/policies/acl/ops

        3 to delete, 1 unchanged
        3 done
    "#]]
    .assert_eq(&bed.run("destroy SPEC --yes").shown());
    bed.write("mine.yaml", "name: mine\nsys: { policies: { mine: { policy: '# nothing' } } }");
    assert_eq!(bed.run("verify mine.yaml").code(), 0);
}

#[test]
fn a_mount_with_data_is_kept_unless_its_data_may_go() {
    let Some(bed) =
        Bed::new("a_mount_with_data_is_kept_unless_its_data_may_go", &VaultOptions::default())
    else {
        return;
    };
    bed.write(
        "spec.yaml",
        "name: kv\nsecrets: { kv: { type: kv-v2, data: { a: { data: { colour: blue } } } } }",
    );
    assert_eq!(bed.run("apply SPEC --yes").code(), 0);
    let kept = bed.run("destroy SPEC --yes");
    assert!(
        kept.shown().contains("! sys/mounts/kv  (bears data: deleted only with --delete-data)"),
        "{}",
        kept.shown()
    );
    assert_eq!(bed.run("destroy SPEC --yes --delete-data").code(), 0);
    assert_eq!(bed.run("verify SPEC").code(), 2);
}

#[test]
fn an_apply_that_ctrl_c_stops_says_so_and_the_next_one_finishes_it() {
    stops_in_order("an_apply_that_ctrl_c_stops_says_so_and_the_next_one_finishes_it", "-INT", 130);
}

#[test]
fn an_apply_that_sigterm_stops_says_so_and_the_next_one_finishes_it() {
    stops_in_order(
        "an_apply_that_sigterm_stops_says_so_and_the_next_one_finishes_it",
        "-TERM",
        143,
    );
}

#[test]
fn an_apply_whose_terminal_goes_says_so_and_the_next_one_finishes_it() {
    stops_in_order(
        "an_apply_whose_terminal_goes_says_so_and_the_next_one_finishes_it",
        "-HUP",
        129,
    );
}

fn stops_in_order(test: &str, signal: &str, code: i32) {
    let Some(bed) = Bed::new(test, &VaultOptions::default()) else { return };
    bed.write("spec.yaml", &many_policies());
    let shown = bed.folder.path().join("shown");
    let mut command = bed.command("apply SPEC --yes");
    command.stdout(std::fs::File::create(&shown).unwrap()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    bed.until_begun();
    let told = std::process::Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(told.unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let problem = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{problem}");
    assert_eq!(problem.lines().count(), 1, "{problem}");
    let shown = std::fs::read_to_string(shown).unwrap();
    let counts = shown.lines().last().unwrap();
    assert!(counts.contains(" done, ") && counts.ends_with(" not begun"), "{counts}");
    assert!(bed.run("apply SPEC --yes").shown().ends_with(" done\n"));
    assert_eq!(bed.run("verify SPEC").code(), 0);
}

#[test]
fn an_apply_whose_vault_goes_ends_soon_and_says_what_was_done() {
    let name = "an_apply_whose_vault_goes_ends_soon_and_says_what_was_done";
    let Some(mut bed) = Bed::new(name, &VaultOptions::default()) else { return };
    bed.write("spec.yaml", &many_policies());
    let shown = bed.folder.path().join("shown");
    let mut command = bed.command("apply SPEC --yes");
    command.stdout(std::fs::File::create(&shown).unwrap()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    bed.until_begun();
    bed.block_on(|it| Box::pin(it.kill())).unwrap();
    let gone_at = std::time::Instant::now();
    let ended = child.wait_with_output().unwrap();
    // One round of repetitions for what was under way, and one for the ledger.
    assert!(gone_at.elapsed() < std::time::Duration::from_secs(60), "{:?}", gone_at.elapsed());
    assert_eq!(ended.status.code(), Some(1));
    let out = std::fs::read_to_string(shown).unwrap();
    let counts: Vec<&str> = out.lines().last().unwrap().split(", ").collect();
    let [done, failed, left] = counts[..] else { panic!("{counts:?}") };
    assert!(done.ends_with(" done") && left.ends_with(" not begun"), "{counts:?}");
    let failed: usize = failed.strip_suffix(" failed").unwrap().parse().unwrap();
    assert!((1..=64).contains(&failed), "only what was under way fails: {failed}");
    let problem = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(problem.contains("nothing listens there: start Vault"), "{problem}");
    assert!(problem.contains("what the spec owns could not be recorded"), "{problem}");
}

/// So many that an apply takes some seconds.
fn many_policies() -> String {
    let policy = |it: usize| format!("    p{it}: {{ policy: '# {it}' }}\n");
    let policies: String = (0..6000).map(policy).collect();
    format!("name: many\nsys:\n  policies:\n{policies}")
}

#[test]
fn two_applies_at_once_leave_what_the_spec_says() {
    let Some(bed) =
        Bed::new("two_applies_at_once_leave_what_the_spec_says", &VaultOptions::default())
    else {
        return;
    };
    let start = || {
        let mut command = bed.command("apply SPEC --yes");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let ended: Vec<_> =
        [start(), start()].into_iter().map(|it| it.wait_with_output().unwrap()).collect();
    assert!(ended.iter().any(|it| it.status.success()), "one of them gets through");
    for refused in ended.iter().filter(|it| !it.status.success()) {
        let problem = String::from_utf8_lossy(&refused.stderr);
        assert!(problem.contains("another apply of this spec"), "{problem}");
    }
    assert_eq!(bed.run("verify SPEC").code(), 0);
}

#[test]
fn no_secret_is_in_any_output() {
    let Some(bed) = Bed::new("no_secret_is_in_any_output", &VaultOptions::default()) else {
        return;
    };
    let spec = "name: kv\nvars: { pin: { secret: true } }\n\
                secrets: { kv: { type: kv-v2, data: { a: { data: { pin: (( pin )) } } } } }";
    bed.write("spec.yaml", spec);
    for pin in ["first-S3cret-value", "other-S3cret-value"] {
        for words in [
            "check",
            "plan",
            "plan --format json",
            "plan --out pinned",
            "apply --yes",
            "verify --format json",
        ] {
            let ran = bed.run(&format!("{words} SPEC --var pin={pin}"));
            assert!(!ran.shown().contains("S3cret"), "{words}: {}", ran.shown());
        }
        assert!(
            !std::fs::read_to_string(bed.folder.path().join("pinned")).unwrap().contains("S3cret")
        );
    }
}
