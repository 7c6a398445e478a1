//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::lanes::Stop;

/// Exit code after a second Ctrl-C: the journal makes even that safe.
const EXIT_KILLED: i32 = 130;

/// Both signals, caught from the moment this value exists.
pub(super) struct Signals {
    caught: Option<(Signal, Signal)>,
}

impl Signals {
    pub(super) fn catch() -> Self {
        let both = signal(SignalKind::interrupt()).and_then(|i| Ok((i, signal(SignalKind::terminate())?)));
        // Where signals cannot be caught they end the process, and that is safe too.
        Self { caught: both.ok() }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.caught else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// True after the first signal, which asks `work` to end too; a second one ends the process at once.
pub(super) fn watched(work: Stop) -> watch::Receiver<bool> {
    let (send, receive) = watch::channel(false);
    let mut signals = Signals::catch();
    tokio::spawn(async move {
        signals.next().await;
        work.ask();
        send.send_replace(true);
        signals.next().await;
        std::process::exit(EXIT_KILLED);
    });
    receive
}
