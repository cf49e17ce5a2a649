//! The interruption of a check by signals.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use super::error::CheckError;
use crate::error::Error;

/// The two stages of an interruption.
#[derive(Debug, Clone, Default)]
pub struct Interruption {
    /// Stops the cells, which then end by themselves.
    pub cancel: CancellationToken,
    /// Ends the check with the results so far. Calls that don't return, such as reads from a network file system whose
    /// server is gone, are left behind.
    pub abandon: CancellationToken,
}

impl Interruption {
    /// Waits for a future. Returns `None` if the check is abandoned first.
    pub(super) async fn unless_abandoned<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.abandon.cancelled() => None,
        }
    }

    /// Runs a call that may block in its own thread.
    ///
    /// # Errors
    /// That of the call, [`CheckError::Abandoned`] if the check is abandoned first, and [`CheckError::Panicked`].
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let task = self.unless_abandoned(tokio::task::spawn_blocking(call)).await;
        task.ok_or(CheckError::Abandoned)?.map_err(|_| CheckError::Panicked)?
    }
}
