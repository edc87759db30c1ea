//! Images that are built here behave as the official ones document.

use std::time::{Duration, Instant};

use testcontainers::core::{ExecCommand, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use vault_testbed::ground::{Ground, Kind, images};

const DEADLINE: Duration = Duration::from_secs(60);

/// A ground for its labels: what a test leaves is swept with the rest.
async fn ground(test: &str) -> Option<Ground> {
    let why = match crate::common::why_not(Kind::Docker).await {
        None if !images::is_local().unwrap() => {
            Some("VAULTWRIGHT_IMAGES is not `local`".to_owned())
        }
        why => why,
    };
    match why {
        Some(why) => {
            println!("SKIPPED {test}: {why}");
            None
        }
        None => Some(Ground::open(Some(Kind::Docker)).await.unwrap()),
    }
}

fn image(ground: &Ground, name: &str, tag: &str) -> ContainerRequest<GenericImage> {
    GenericImage::new(format!("vaultwright/{name}").as_str(), tag)
        .with_labels(ground.run().labels())
        .with_network("none")
}

/// Standard output of a shell command in the container, or its error output.
async fn shell(container: &ContainerAsync<GenericImage>, script: &str) -> Result<String, String> {
    let mut result = container.exec(ExecCommand::new(["bash", "-c", script])).await.unwrap();
    let stdout = String::from_utf8(result.stdout_to_vec().await.unwrap()).unwrap();
    let stderr = String::from_utf8(result.stderr_to_vec().await.unwrap()).unwrap();
    match result.exit_code().await.unwrap() {
        Some(0) => Ok(stdout.trim().to_owned()),
        _ => Err(stderr),
    }
}

async fn until(container: &ContainerAsync<GenericImage>, script: &str, wanted: &str) {
    let asked_at = Instant::now();
    loop {
        match shell(container, script).await {
            Ok(said) if said == wanted => return,
            other if asked_at.elapsed() > DEADLINE => panic!("{script}: {other:?}"),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_lets_in_who_has_a_password_and_nobody_else() {
    let Some(ground) = ground("mariadb_lets_in_who_has_a_password_and_nobody_else").await else {
        return;
    };
    let init = "CREATE TABLE inventory (in_stock int); INSERT INTO inventory VALUES (15);";
    let container = image(&ground, "mariadb", "latest")
        .with_env_var("MARIADB_ROOT_PASSWORD", "root's \\ password")
        .with_env_var("MYSQL_DATABASE", "demo")
        .with_env_var("MARIADB_USER", "app")
        .with_env_var("MARIADB_PASSWORD_FILE", "/run/password")
        .with_copy_to("/run/password", b"app's password".to_vec())
        .with_copy_to("/docker-entrypoint-initdb.d/inventory.sql", init.as_bytes().to_vec())
        .start()
        .await
        .unwrap();
    let select = "mariadb --host=127.0.0.1 --skip-column-names --batch demo --execute='SELECT in_stock FROM inventory'";
    until(&container, &format!("MYSQL_PWD=\"app's password\" {select} --user=app"), "15").await;
    let root = format!("MYSQL_PWD=\"root's \\\\ password\" {select} --user=root");
    assert_eq!(shell(&container, &root).await.as_deref(), Ok("15"));
    for nobody in ["root", "app", "somebody"] {
        let refused = shell(&container, &format!("{select} --user={nobody}")).await.unwrap_err();
        assert!(refused.contains("Access denied"), "{nobody}: {refused}");
    }
    let refused = shell(&container, "mariadb --user=root --execute='SELECT 1'").await.unwrap_err();
    assert!(refused.contains("Access denied"), "by socket: {refused}");
    drop(container);
    ground.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_runs_its_files_once_and_asks_for_passwords() {
    let Some(ground) = ground("postgres_runs_its_files_once_and_asks_for_passwords").await else {
        return;
    };
    let container = image(&ground, "postgres", "latest")
        .with_env_var("POSTGRES_USER", "owner")
        .with_env_var("POSTGRES_DB", "my-app")
        .with_env_var("POSTGRES_PASSWORD_FILE", "/run/password")
        .with_copy_to("/run/password", b"owner's password".to_vec())
        .with_copy_to("/docker-entrypoint-initdb.d/1.sql", b"CREATE TABLE t (i int);".to_vec())
        .with_copy_to(
            "/docker-entrypoint-initdb.d/2.sh",
            b"psql --username=\"$POSTGRES_USER\" --dbname=my-app --command='INSERT INTO t VALUES (15)'".to_vec(),
        )
        .start()
        .await
        .unwrap();
    let select = "psql --host=127.0.0.1 --username=owner --dbname=my-app --tuples-only --no-align --command='SELECT i FROM t'";
    until(&container, &format!("PGPASSWORD=\"owner's password\" {select}"), "15").await;
    let refused = shell(&container, &format!("PGPASSWORD=wrong {select}")).await.unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    container.stop().await.unwrap();
    container.start().await.unwrap();
    until(&container, &format!("PGPASSWORD=\"owner's password\" {select}"), "15").await;
    drop(container);
    ground.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_refuse_to_begin_without_a_password() {
    let Some(ground) = ground("databases_refuse_to_begin_without_a_password").await else { return };
    for (name, variable) in
        [("mariadb", "MARIADB_ROOT_PASSWORD is empty"), ("postgres", "POSTGRES_PASSWORD is empty")]
    {
        let started = image(&ground, name, "latest").with_ready_conditions(vec![WaitFor::exit(
            testcontainers::core::wait::ExitWaitStrategy::new().with_exit_code(1),
        )]);
        let container = started.start().await.unwrap();
        let said = String::from_utf8(container.stderr_to_vec().await.unwrap()).unwrap();
        assert!(said.contains(variable), "{said}");
    }
    ground.end().await.unwrap();
}
