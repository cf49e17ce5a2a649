//! The progress display of a check: one updated line per cell on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{TerminalStyle, note, shown};
use crate::check::event::Event;
use crate::model::document::{Cell, Status};
use crate::model::text::{count, one_line};

/// The progress display on standard error.
pub struct Progress {
    bars: Option<MultiProgress>,
    cells: BTreeMap<String, ProgressBar>,
    quiet: bool,
}

impl Progress {
    /// Creates a display for this terminal. If `quiet`, it shows nothing.
    pub fn new(style: &TerminalStyle, quiet: bool) -> Self {
        let bars =
            (style.live && !quiet).then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)));
        Self { bars, cells: BTreeMap::new(), quiet }
    }

    /// Shows one event.
    pub fn show(&mut self, event: &Event) {
        if self.quiet {
            return;
        }
        match event {
            Event::Planned { cells, tests } => self.planned(cells, tests),
            Event::PhaseStarted { cell, phase } => self.phase_started(cell, phase),
            Event::Line { cell, line } => self.line(cell, line),
            Event::Note { text } => self.note(text),
            Event::Finished { cell, .. } => self.finished(cell),
        }
    }

    /// Removes the display from the terminal.
    pub fn clear(&mut self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }

    fn planned(&mut self, cells: &[String], tests: &[String]) {
        let commands: Vec<String> = tests.iter().map(|test| format!("`{}`", clean(test))).collect();
        let line = format!("checking {} with {}", count(cells.len(), "cell"), commands.join(", "));
        let Some(bars) = &self.bars else { return note(&line) };
        let _ = bars.println(line);
        let longest = cells.iter().map(String::len).max().unwrap_or_default();
        for cell in cells {
            let bar = bars.add(ProgressBar::no_length());
            let template = format!("  {{prefix:{longest}}} {{spinner}} {{elapsed:>4}}  {{wide_msg}}");
            if let Ok(bar_style) = ProgressStyle::with_template(&template) {
                bar.set_style(bar_style);
            }
            bar.set_prefix(cell.clone());
            bar.set_message("waiting");
            self.cells.insert(cell.clone(), bar);
        }
    }

    fn phase_started(&self, cell: &str, phase: &str) {
        match self.cells.get(cell) {
            Some(bar) => {
                bar.enable_steady_tick(Duration::from_millis(120));
                bar.set_message(phase.to_owned());
            }
            None => note(&format!("  {cell}: {phase}")),
        }
    }

    fn note(&self, text: &str) {
        let line = format!("note: {}", clean(text));
        match &self.bars {
            // Fails only if the terminal was closed.
            Some(bars) => drop(bars.println(line)),
            None => note(&line),
        }
    }

    /// Shows the latest output line of a cell. Logs omit it, because it would hide the other lines.
    fn line(&self, cell: &str, line: &str) {
        if let Some(bar) = self.cells.get(cell) {
            let line = clean(line);
            if !line.trim().is_empty() {
                bar.set_message(line);
            }
        }
    }

    fn finished(&self, cell: &Cell) {
        let counts = cell.counts();
        let mut line = match cell.status {
            Status::Passed if counts.skipped > 0 => {
                format!("passed, {}, {} skipped", count(counts.passed, "test"), counts.skipped)
            }
            Status::Passed => format!("passed, {}", count(counts.passed, "test")),
            Status::Flaky => {
                format!("flaky, {} of {} passed only on a retry", counts.flaky, count(counts.total(), "test"))
            }
            Status::Failed if counts.failures() > 0 => {
                format!("failed, {} of {}", counts.failures(), count(counts.total(), "test"))
            }
            Status::Failed => "failed".to_owned(),
            Status::Skipped => "not run".to_owned(),
            Status::Error => "infrastructure error".to_owned(),
        };
        if let Some(reason) = &cell.reason {
            line = format!("{line}: {}", clean(reason));
        }
        match self.cells.get(&cell.id) {
            Some(bar) => {
                bar.disable_steady_tick();
                bar.finish_with_message(if cell.cached { format!("{line} (cached)") } else { line });
            }
            None if cell.cached => note(&format!("  {}: {line} (cached)", cell.id)),
            None => note(&format!("  {}: {line} ({:.1} s)", cell.id, cell.timing.seconds)),
        }
    }
}

/// Returns the text as one line without credentials, control sequences and commands of CI systems.
fn clean(text: &str) -> String {
    one_line(&shown(text), 500)
}
