//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Exit code after a second Ctrl-C: the journal makes even that safe.
const EXIT_KILLED: i32 = 130;

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn requested() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// True after the first; a second one ends the process at once.
pub(super) fn watched() -> watch::Receiver<bool> {
    let (send, receive) = watch::channel(false);
    tokio::spawn(async move {
        requested().await;
        send.send_replace(true);
        requested().await;
        std::process::exit(EXIT_KILLED);
    });
    receive
}
