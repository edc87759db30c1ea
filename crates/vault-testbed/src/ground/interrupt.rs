//! Ctrl-C and SIGTERM, as something to wait for: what must be ended is ended by whoever waits.

use tokio::signal::unix::{SignalKind, signal};

/// The name of the signal that comes. From the call on, and not only from the first wait, a signal ends nothing by itself.
pub fn interrupted() -> impl Future<Output = &'static str> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals = signals.map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = signals else {
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
}
