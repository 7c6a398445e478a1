//! The wire without a wire: a call into the organisation, for tests in virtual time.

use super::org::Org;
use super::shared::Shared;
use crate::api::wire::{Lost, Reply, Request, Wire};

/// Calls straight into a shared organisation. Clones share it.
#[derive(Clone)]
pub struct Direct {
    shared: Shared,
}

impl Direct {
    /// A wire to that organisation (an [`Org`] or a [`Shared`]).
    pub fn new(org: impl Into<Shared>) -> Self {
        Self { shared: org.into() }
    }

    /// The handle behind it.
    #[must_use]
    pub const fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Runs `look` on the organisation while nobody else can.
    pub fn with_org<T>(&self, look: impl FnOnce(&mut Org) -> T) -> T {
        self.shared.with_org(look)
    }
}

impl Wire for Direct {
    /// Lost only where a scenario says so: a test that wants other losses wraps this wire.
    async fn send(&self, request: Request) -> Result<Reply, Lost> {
        self.shared.answer(&request).await
    }
}
