//! One organisation, many callers: the handle that server, direct wire and tests hold together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::org::Org;
use super::route::Route;
use crate::api::wire::{Lost, Method, Reply, Request};

/// A handle to an organisation and to the clock it is asked by. Clones share both.
#[derive(Clone)]
pub struct Shared {
    org: Arc<Mutex<Org>>,
    /// When the handle was made, and what time it was in the organisation then.
    start: (Instant, Duration),
}

impl From<Org> for Shared {
    fn from(org: Org) -> Self {
        let start = (Instant::now(), org.now());
        Self { org: Arc::new(Mutex::new(org)), start }
    }
}

impl Shared {
    /// Runs `look` on the organisation while nobody else can. Not to be called from inside a script: it would wait
    /// for itself.
    pub fn with_org<T>(&self, look: impl FnOnce(&mut Org) -> T) -> T {
        // A panic in a test's script must not hide behind a second one here.
        look(&mut self.org.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Time since the simulator started; with tokio's paused clock, virtual time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.start.1 + self.start.0.elapsed()
    }

    /// Carries out one request with the configured latency, half of it before and half after, both outside the lock.
    ///
    /// # Errors
    /// [`Lost`] when a scenario lets it or its reply be lost.
    pub(super) async fn answer(&self, request: &Request) -> Result<Reply, Lost> {
        let _in_flight = InFlight::of(self, request);
        self.half_latency().await;
        let came = self.with_org(|org| org.exchange(request, self.now()));
        if !came.late.is_zero() {
            tokio::time::sleep(came.late).await;
        }
        self.half_latency().await;
        came.reply.ok_or_else(|| Lost::Unknown("connection reset".to_owned()))
    }

    async fn half_latency(&self) {
        let latency = self.with_org(|org| org.settings().latency);
        if !latency.is_zero() {
            tokio::time::sleep(latency / 2).await;
        }
    }
}

/// Counts a listing as in flight until it is answered or its future is dropped.
struct InFlight(Option<Shared>);

impl InFlight {
    fn of(shared: &Shared, request: &Request) -> Self {
        let counts = request.method == Method::Get && Route::of(&request.path).is_some_and(Route::lists_users);
        if counts {
            shared.with_org(Org::enter);
        }
        Self(counts.then(|| shared.clone()))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.with_org(Org::leave);
        }
    }
}
