//! The async runtime, and cancellation by signals.

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::error::StartError;
use crate::ui::note;

/// Creates a runtime for commands that use engines.
pub(super) fn runtime() -> Result<Runtime, StartError> {
    Builder::new_multi_thread().enable_all().build().map_err(StartError)
}

/// Prints a message and cancels the token at the first SIGINT, SIGTERM or SIGHUP. Must be called in a runtime.
pub(super) fn cancel_on_signal(cancel: CancellationToken, message: &'static str) -> Result<JoinHandle<()>, StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(StartError)?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        note(message);
        cancel.cancel();
    }))
}
