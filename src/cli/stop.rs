//! Ctrl-C, SIGTERM, and a terminal that goes away.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::render::Render;
use super::voice::Level;
use crate::lanes::Stop;

/// Exit code after a second Ctrl-C: the journal makes even that safe.
const EXIT_KILLED: u8 = 130;
/// Said then.
const AT_ONCE: &str =
    "Stopped at once, without waiting for calls in flight. That is safe: run the same command again to go on.";

/// Signals that come so soon after the first are the same one.
const SAME_SIGNAL: Duration = Duration::from_millis(300);

/// The signals, caught from the moment this value exists.
pub(super) struct Signals {
    caught: Option<[Signal; 3]>,
}

impl Signals {
    pub(super) fn catch() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        // Where signals cannot be caught they end the process, and that is safe too.
        let all = || Ok::<_, std::io::Error>([interrupt?, terminate?, hangup?]);
        Self { caught: all().ok() }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let Some([interrupt, terminate, hangup]) = &mut self.caught else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// The signal of a terminal that goes away; whoever has it ignored (`nohup`) wants the run to go on without one.
fn hangup() -> SignalKind {
    const HANGUP_BIT: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    if ignored.unwrap_or_default() & HANGUP_BIT == 0 { SignalKind::hangup() } else { SignalKind::terminate() }
}

/// True after the first signal, which asks `work` to end too; a second one ends the process at once.
pub(super) fn watched(work: Stop, render: &Render) -> watch::Receiver<bool> {
    let voice = Arc::clone(render.voice());
    let (send, receive) = watch::channel(false);
    let mut signals = Signals::catch();
    tokio::spawn(async move {
        signals.next().await;
        work.ask();
        send.send_replace(true);
        // Some who send one send it twice: to the process, and to its group.
        tokio::time::sleep(SAME_SIGNAL).await;
        signals = Signals::catch();
        signals.next().await;
        voice.tell(Level::Warning, AT_ONCE, true);
        voice.end(EXIT_KILLED);
        std::process::exit(EXIT_KILLED.into());
    });
    receive
}
