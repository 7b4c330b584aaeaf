//! What every request may reach: the desk, the keys, the hub of the stream.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_events::DeskView;
use tradewind_storage::{Readers, StorageError};

use crate::auth::Keys;
use crate::desk::Desk;
use crate::error::ApiError;
use crate::hosts::Hosts;
use crate::reset::Nonces;
use crate::sse::Hub;
use crate::wire::Names;

/// Shared by all requests; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ApiState(Arc<Shared>);

/// What is shared.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) keys: Keys,
    pub(crate) hosts: Hosts,
    pub(crate) nonces: Nonces,
    pub(crate) hub: Arc<Hub>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) started: Instant,
    pub(crate) request_timeout: Duration,
}

impl std::ops::Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl ApiState {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// A view of the desk with its tables of names.
    pub(crate) async fn look(&self) -> Result<(Arc<DeskView>, Names), ApiError> {
        let view = self.desk.view().await?;
        Ok((view, self.names()))
    }

    /// Queries history, on a thread that may block.
    pub(crate) async fn history<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Readers) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let readers = self.desk.history();
        let result = tokio::task::spawn_blocking(move || query(&readers)).await;
        let answer = result.map_err(|error| ApiError::internal(&error))?;
        answer.map_err(|error| ApiError::internal(&error))
    }

    /// The names of the configuration in force.
    pub(crate) fn names(&self) -> Names {
        Names::new(self.desk.configuration())
    }
}
