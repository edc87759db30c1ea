//! What is asked again, what isn't, and how long that takes.

use std::time::{Duration, Instant, SystemTime};

use expect_test::expect;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use vault_client::{Failure, Transport, Vault, VaultError};
use vault_model::{Body, request::Request};
use wiremock::ResponseTemplate;

use crate::script::{always, count, errors, in_turn, json_answer, ok, vault, vault_with};

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Usual,
    Once,
    AfterMount,
}

async fn write(vault: &Vault, how: How) -> Result<(), VaultError> {
    let request = Request::post("database/config/app", Body::new());
    let answer = match how {
        How::Usual => vault.send(&request).await,
        How::Once => vault.send_once(&request).await,
        How::AfterMount => vault.send_after_mount(&request).await,
    };
    answer.map(drop)
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_doesnt_isnt() {
    use How::*;
    let upgrading = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period";
    for (answer, again) in [
        (errors(429, &["rate limit quota exceeded"]), vec![Usual, Once, AfterMount]),
        (errors(412, &[]), vec![Usual, Once, AfterMount]),
        (errors(472, &[]), vec![Usual, Once, AfterMount]),
        (errors(473, &[]), vec![Usual, Once, AfterMount]),
        (errors(503, &["Vault is sealed"]), vec![Usual, Once, AfterMount]),
        (
            errors(500, &["local node not active but active cluster node not found"]),
            vec![Usual, Once, AfterMount],
        ),
        (ResponseTemplate::new(502), vec![Usual, AfterMount]),
        (ResponseTemplate::new(503), vec![Usual, AfterMount]),
        (errors(404, &["no handler for route \"database/config/app\""]), vec![AfterMount]),
        (errors(400, &[upgrading]), vec![AfterMount]),
        (errors(400, &["invalid"]), vec![]),
        (errors(403, &["permission denied"]), vec![]),
        (errors(404, &[]), vec![]),
        (errors(405, &["unsupported operation"]), vec![]),
        (errors(500, &["failed"]), vec![]),
        (ResponseTemplate::new(504), vec![]),
    ] {
        for how in [Usual, Once, AfterMount] {
            let server = in_turn(vec![answer.clone(), ok()]).await;
            let outcome = write(&vault(&server.uri()), how).await;
            assert_eq!(outcome.is_ok(), again.contains(&how), "{how:?} {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_server_is_asked_no_more_often_than_the_settings_say() {
    let server = always(ResponseTemplate::new(502)).await;
    for retries in [0, 2] {
        server.reset().await;
        let vault = vault_with(&server.uri(), |it| it.max_retries = retries);
        write(&vault, How::Usual).await.unwrap_err();
        let _ = count(&server).await;
    }
    let server = always(ResponseTemplate::new(502)).await;
    let vault = vault_with(&server.uri(), |it| it.max_retries = 2);
    write(&vault, How::Usual).await.unwrap_err();
    assert_eq!(count(&server).await, 3);
}

#[tokio::test]
async fn repetitions_end_with_their_budget() {
    let server = always(ResponseTemplate::new(502)).await;
    let vault = vault_with(&server.uri(), |it| {
        it.max_retries = 1000;
        it.retry_budget = Duration::from_millis(600);
    });
    let started = Instant::now();
    write(&vault, How::Usual).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    assert!(count(&server).await > 2);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let slow_down = errors(429, &["rate limit quota exceeded"]).insert_header("retry-after", "1");
    let server = in_turn(vec![slow_down, ok()]).await;
    let started = Instant::now();
    write(&vault(&server.uri()), How::Usual).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(count(&server).await, 2);
}

#[tokio::test]
async fn a_retry_after_that_is_a_date_is_waited_for() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    let slow_down = errors(429, &["rate limit quota exceeded"]).insert_header("retry-after", date);
    let server = in_turn(vec![slow_down, ok()]).await;
    let vault = vault_with(&server.uri(), |it| it.retry_budget = Duration::from_secs(20));
    let started = Instant::now();
    write(&vault, How::Usual).await.unwrap();
    // A date is cut to the second.
    assert!(started.elapsed() >= Duration::from_millis(1500), "{:?}", started.elapsed());
    assert_eq!(count(&server).await, 2);
}

#[tokio::test]
async fn a_retry_after_beyond_the_budget_is_told_at_once() {
    for seconds in [60, u64::MAX] {
        let slow_down = errors(429, &[]).insert_header("retry-after", seconds.to_string());
        let server = always(slow_down).await;
        let started = Instant::now();
        let error = write(&vault(&server.uri()), How::Usual).await.unwrap_err();
        let retry_after = Some(Duration::from_secs(seconds));
        assert_eq!(error.failure, Failure::RateLimited { retry_after });
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(count(&server).await, 1);
    }
}

#[tokio::test]
async fn a_sealed_vault_doesnt_keep_anybody_waiting() {
    let server = always(errors(503, &["Vault is sealed"])).await;
    let vault = vault_with(&server.uri(), |it| {
        it.max_retries = 1000;
        it.retry_budget = Duration::from_secs(60);
    });
    let started = Instant::now();
    let error = write(&vault, How::Usual).await.unwrap_err();
    assert_eq!(error.failure, Failure::Sealed);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_refused_connection_is_asked_again_until_the_server_is_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let vault = vault_with(&format!("http://{address}"), |it| {
        it.max_retries = 1000;
        it.retry_budget = Duration::from_secs(20);
    });
    let server = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        serve(TcpListener::bind(address).await.unwrap(), "HTTP/1.1 204 No Content\r\n\r\n", 1).await
    });
    write(&vault, How::Once).await.unwrap();
    assert_eq!(server.await.unwrap(), 1);
}

#[tokio::test]
async fn nobody_waits_long_for_an_address_where_nothing_is() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let vault = vault_with(&format!("http://{address}"), |it| it.max_retries = 1000);
    let started = Instant::now();
    let error = write(&vault, How::Usual).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    expect!["POST database/config/app: connection refused; Some(\"nothing listens there: start Vault, or correct VAULT_ADDR\")"]
        .assert_eq(&format!("{error}; {:?}", error.remedy()));
}

/// Answers so many connections with these bytes, and closes each.
async fn serve(listener: TcpListener, answer: &str, connections: usize) -> usize {
    for _ in 0..connections {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).await.unwrap();
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
    }
    connections
}

#[tokio::test]
async fn a_broken_connection_is_asked_again_unless_it_must_not_happen_twice() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"da"] {
        for (how, attempts) in [(How::Usual, 4), (How::Once, 1)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let vault = vault_with(&format!("http://{}", listener.local_addr().unwrap()), |_| ());
            let server = tokio::spawn(serve(listener, answer, attempts));
            let error = write(&vault, how).await.unwrap_err();
            assert_eq!(error.failure, Failure::Transport(Transport::Broken), "{how:?} {answer:?}");
            assert_eq!(server.await.unwrap(), attempts);
        }
    }
}

#[tokio::test]
async fn nobody_waits_for_ever_for_an_answer() {
    let never = Duration::from_secs(600);
    for answer in [ok().set_delay(never), json_answer(503, serde_json::json!({})).set_delay(never)]
    {
        let server = always(answer).await;
        let vault = vault_with(&server.uri(), |it| it.timeout = Duration::from_millis(200));
        let started = Instant::now();
        let error = write(&vault, How::Usual).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        expect!["POST database/config/app: no answer in time; Some(\"check the way to VAULT_ADDR (firewall, proxy), or raise VAULT_CLIENT_TIMEOUT\")"]
            .assert_eq(&format!("{error}; {:?}", error.remedy()));
        assert_eq!(count(&server).await, 1, "Vault may still be at it");
    }
}

/// A listener whose queue is full drops every SYN, as a firewall does.
#[tokio::test]
async fn nobody_waits_for_ever_for_a_connection() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    let connect = || tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address));
    while let Ok(connection) = connect().await {
        queue.push(connection.unwrap());
        assert!(queue.len() < 10, "the queue never fills");
    }
    let wait = Duration::from_millis(300);
    let vault = vault_with(&format!("http://{address}"), |it| it.connect_timeout = wait);
    for how in [How::Usual, How::Once, How::AfterMount] {
        let started = Instant::now();
        let error = write(&vault, how).await.unwrap_err();
        // An answer would have had a minute.
        let waited = started.elapsed();
        assert!(waited >= wait && waited < Duration::from_secs(20), "{waited:?}");
        expect!["POST database/config/app: no connection in time; Some(\"check VAULT_ADDR and the way to it (firewall, proxy): nothing there takes or refuses connections\")"]
            .assert_eq(&format!("{error}; {:?}", error.remedy()));
    }
}

#[tokio::test]
async fn garbage_instead_of_http_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let vault = vault_with(&format!("http://{}", listener.local_addr().unwrap()), |_| ());
    let server = tokio::spawn(serve(listener, "SSH-2.0-OpenSSH_9.2\r\n", 1));
    let error = write(&vault, How::Once).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Transport(_)), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn an_unknown_host_is_told() {
    let error = vault("http://vault.invalid:8200").read("sys/mounts").await.unwrap_err();
    assert_eq!(error.failure, Failure::Transport(Transport::Dns));
    expect!["GET sys/mounts: the host name can't be resolved"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_write_that_was_repeated_has_the_last_answer() {
    let server = in_turn(vec![
        ResponseTemplate::new(502),
        json_answer(200, serde_json::json!({"warnings": ["w"]})),
    ])
    .await;
    let answer = vault(&server.uri()).write("sys/policies/acl/app", Body::new()).await.unwrap();
    assert_eq!(answer.warnings, ["w"]);
}
