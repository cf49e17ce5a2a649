//! The async runtime, and interruption by signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::runtime::{Builder, Runtime};

use super::error::StartError;
use crate::check::Interruption;
use crate::exit;
use crate::ui::note;

/// Creates a runtime for commands that use engines.
pub(super) fn runtime() -> Result<Runtime, StartError> {
    Builder::new_multi_thread().enable_all().build().map_err(StartError)
}

/// The reaction of this process to SIGINT, SIGTERM and SIGHUP. The first signal stops the work, the second abandons what
/// does not stop, and the third ends the process.
#[derive(Debug)]
pub(super) struct SignalHandler {
    /// Number of received signals.
    received: Arc<AtomicU8>,
    /// What the first two signals interrupt.
    pub(super) interruption: Interruption,
}

impl SignalHandler {
    /// Starts to handle signals. `message` is printed at the first one. A thread handles them, because calls that never
    /// return may occupy every thread of the runtime.
    pub(super) fn start(message: &'static str) -> Result<Self, StartError> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(StartError)?;
        let handler = Self { received: Arc::default(), interruption: Interruption::default() };
        let (received, interruption) = (Arc::clone(&handler.received), handler.interruption.clone());
        let wait = move || {
            for _ in &mut signals {
                match received.fetch_add(1, Ordering::SeqCst) {
                    0 => {
                        note(message);
                        interruption.cancel.cancel();
                    }
                    1 => {
                        note("interrupted again: not waiting for what does not stop");
                        interruption.abandon.cancel();
                    }
                    _ => std::process::exit(exit::INTERRUPTED.into()),
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(StartError)?;
        Ok(handler)
    }

    /// States that the work has ended: the next signal ends the process, which may only be waiting for its output.
    pub(super) fn finish(&self) {
        self.received.store(2, Ordering::SeqCst);
    }
}
