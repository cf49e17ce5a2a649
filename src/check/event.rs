//! What happens during a check, for the live view.

use crate::model::document::Cell;
use crate::model::environment::Environment;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// What will be run is known.
    Planned {
        /// Names of the cells, in order.
        cells: Vec<String>,
        /// Test commands, in order.
        tests: Vec<String>,
    },
    /// A cell does something new.
    Doing {
        /// The cell.
        cell: String,
        /// What: `opening the image`, `set-up`, `tests`.
        what: String,
    },
    /// A program in a cell printed a line.
    Line {
        /// The cell.
        cell: String,
        /// The line as it came: hostile.
        line: String,
    },
    /// Something that concerns no result and that the user should know.
    Note {
        /// What, in one line.
        text: String,
    },
    /// A cell is over.
    Finished {
        /// Its result.
        cell: Box<Cell>,
        /// Its environment, when it brought one back.
        environment: Option<Box<Environment>>,
    },
}
