//! Events of a check, for progress output.

use crate::model::document::Cell;
use crate::model::environment::Environment;

/// A progress event.
#[derive(Debug, Clone)]
pub enum Event {
    /// The cells and tests are determined.
    Planned {
        /// Names of the cells, in order.
        cells: Vec<String>,
        /// Test commands, in order.
        tests: Vec<String>,
    },
    /// A cell entered a phase.
    PhaseStarted {
        /// The cell.
        cell: String,
        /// Name of the phase: `opening image`, `setup`, `tests`.
        phase: String,
    },
    /// A program in a cell printed a line.
    Line {
        /// The cell.
        cell: String,
        /// The unmodified line, which is untrusted.
        line: String,
    },
    /// A note for the user that does not affect any result.
    Note {
        /// Text of the note, in one line.
        text: String,
    },
    /// A cell finished.
    Finished {
        /// Its result.
        cell: Box<Cell>,
        /// Its environment, if it returned one.
        environment: Option<Box<Environment>>,
    },
}
