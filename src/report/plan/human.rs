//! The cells of a check for a terminal.

use std::fmt::Write as _;

use crate::model::matrix::Matrix;
use crate::model::text::one_line;

/// Maximum width of the column of names.
const MAX_WIDTH: usize = 40;

pub(super) fn render(matrix: &Matrix) -> String {
    let mut text = String::new();
    let analysis = &matrix.analysis;
    let at = analysis.commit.as_deref().map(|commit| format!(" at {}", commit.chars().take(12).collect::<String>()));
    let _ = writeln!(text, "{}{}", one_line(&analysis.name, 200), at.unwrap_or_default());
    let width = matrix.cells.iter().map(|cell| cell.id.len()).max().unwrap_or(0).min(MAX_WIDTH);
    for cell in &matrix.cells {
        let image = cell.image.as_deref().unwrap_or("no image (this machine)");
        let needs = match cell.needs.as_slice() {
            [] => String::new(),
            needs => format!("  needs {}", needs.join(", ")),
        };
        let _ = writeln!(text, "  {:width$}  {}{needs}", cell.id, one_line(image, 300));
    }
    for test in &matrix.tests {
        let _ = writeln!(text, "  test: {}", one_line(test, 200));
    }
    text
}
