//! Ctrl-C and SIGTERM, as something to wait for: what must be ended is ended by whoever waits.

use tokio::signal::unix::{SignalKind, signal};

/// The name of the signal that came.
pub async fn interrupted() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        tracing::warn!(
            "signals can't be waited for: Ctrl-C will leave servers to the next run's sweep"
        );
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "Ctrl-C",
        _ = terminate.recv() => "SIGTERM",
        _ = hangup.recv() => "SIGHUP",
    }
}
