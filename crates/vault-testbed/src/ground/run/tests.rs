//! Runs that have ended in every way, and what is swept of them.

use super::*;
use crate::ground::{owner, process::MARK};

#[test]
fn only_folders_that_a_run_made_are_removed() {
    for refused in [
        "/",
        "/tmp",
        "/home/me/vaultwright",
        "vaultwright-01hzy3v8b8m3x8y6x8y6x8y6x8",
        "/tmp/vaultwright-..",
    ] {
        assert!(!is_work_folder(Path::new(refused)), "{refused}");
    }
    assert!(is_work_folder(Path::new("/tmp/vaultwright-01hzy3v8b8m3x8y6x8y6x8y6x8")));
}

#[tokio::test]
async fn a_living_run_is_not_swept() {
    let runs = tempfile::tempdir().unwrap();
    let run = Run::create(runs.path()).unwrap();
    assert_eq!(sweep_records(runs.path()).await.unwrap(), Swept::default());
    assert!(run.work.exists());
    run.end().await.unwrap();
    assert!(!run.work.exists() && !run.state.exists());
}

/// What a killed run leaves where the kernel could not end its children: a record, and a process that goes on.
#[tokio::test]
async fn a_dead_run_is_swept_but_a_number_used_again_is_left_alone() {
    let runs = tempfile::tempdir().unwrap();
    let state = runs.path().join(Ulid::generate().to_string());
    fs::create_dir_all(state.join(PROCESSES)).unwrap();
    let work = std::env::temp_dir()
        .join(format!("vaultwright-{}", Ulid::generate().to_string().to_lowercase()));
    fs::create_dir(&work).unwrap();
    let note = Note { owner: Identity::of_this_process(), work: work.clone() };
    fs::write(state.join(NOTE), serde_json::to_vec(&note).unwrap()).unwrap();
    let mut left_over = sleeper();
    let mut innocent = sleeper();
    write_record(&state, Identity::of(left_over.id()).unwrap());
    write_record(&state, Identity { start: 1, ..Identity::of(innocent.id()).unwrap() });

    let swept = sweep_records(runs.path()).await.unwrap();

    assert_eq!(swept, Swept { runs: 1, processes: 1, folders: 2, ..Swept::default() });
    assert!(!work.exists() && !state.exists());
    assert!(left_over.try_wait().unwrap().is_some());
    assert!(innocent.try_wait().unwrap().is_none());
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

/// The kernel ends the process that the run has started, and not what that one has started.
#[tokio::test]
async fn what_a_dead_run_s_process_had_started_is_ended_and_nobody_else_s_group() {
    let runs = tempfile::tempdir().unwrap();
    let run = Ulid::generate().to_string();
    let state = runs.path().join(&run);
    fs::create_dir_all(state.join(PROCESSES)).unwrap();
    let note = Note { owner: Identity::of_this_process(), work: "/nowhere".into() };
    fs::write(state.join(NOTE), serde_json::to_vec(&note).unwrap()).unwrap();
    let left = |mark: &str| {
        use std::os::unix::process::CommandExt;
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "sleep 600 & :"]).process_group(0).env(MARK, mark);
        let mut shell = shell.spawn().unwrap();
        write_record(&state, Identity::of(shell.id()).unwrap());
        shell.wait().unwrap();
        shell.id()
    };
    let (ours, foreign) = (left(&run), left("another"));

    assert_eq!(sweep_records(runs.path()).await.unwrap().processes, 1);

    assert_eq!(owner::of_group(ours).count(), 0);
    let innocent: Vec<u32> = owner::of_group(foreign).collect();
    assert_eq!(innocent.len(), 1);
    let pid = rustix::process::Pid::from_raw(i32::try_from(innocent[0]).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn sleeper() -> std::process::Child {
    use std::os::unix::process::CommandExt;
    std::process::Command::new("sleep").arg("600").process_group(0).spawn().unwrap()
}

fn write_record(state: &Path, process: Identity) {
    let record = Record {
        name: "sleep".into(),
        group: process.pid,
        kill_signal: crate::ground::process::Stop::Kill,
        folder: "/".into(),
        process,
    };
    let path = state.join(PROCESSES).join(format!("{}.json", record.group));
    fs::write(path, serde_json::to_vec(&record).unwrap()).unwrap();
}

#[tokio::test]
async fn a_run_ends_when_it_is_dropped() {
    let runs = tempfile::tempdir().unwrap();
    let run = Run::create(runs.path()).unwrap();
    let (work, state) = (run.work.clone(), run.state.clone());
    drop(run);
    assert!(!work.exists() && !state.exists());
}
