//! The cells in earlier and later states of the analysis, and since when each has its result.

use super::super::history::{Past, State};
use super::inert::anchor;
use super::mark::Mark;
use crate::model::document::{Cell, Document};
use crate::model::text::one_line;

/// Maximum number of states, including the state of this report.
const MAX_STATES: usize = 40;

/// A table of cells and states, the oldest first.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Row>,
    /// Number of older states that are not shown.
    pub(super) omitted: usize,
}

/// A state.
#[derive(Debug)]
pub(super) struct Head {
    /// Month and day, `11-22`, above the time, `10:00`.
    pub(super) day: String,
    pub(super) time: String,
    /// Full description.
    pub(super) title: String,
    pub(super) commit: String,
    pub(super) is_current: bool,
}

/// The results of a cell over time.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) anchor: String,
    pub(super) points: Vec<Option<Point>>,
}

/// The result of a cell in a state.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) mark: Mark,
    pub(super) title: String,
    /// Whether the environment differs from that in the previous state.
    pub(super) is_changed: bool,
}

/// The states, sorted by time, and the index of the current one.
#[derive(Debug)]
pub(super) struct States {
    all: Vec<State>,
    current: usize,
}

impl States {
    /// Returns the states; `None` if there is only one.
    pub(super) fn new(document: &Document, past: &[State]) -> Option<Self> {
        if past.is_empty() {
            return None;
        }
        let own = State::new(document);
        let mut all: Vec<State> = past.iter().filter(|state| **state != own).cloned().collect();
        all.sort_by(|a, b| a.started.cmp(&b.started));
        let current = all.partition_point(|state| state.started <= own.started);
        all.insert(current, own);
        Some(Self { all, current })
    }

    /// Returns since when a cell has its result, and what changed before; `None` if it never had another result.
    pub(super) fn since(&self, cell: &Cell) -> Option<String> {
        let mark = Mark::of(cell);
        let mut earlier =
            self.all[..self.current].iter().rev().filter_map(|state| Some((state, state.cells.get(&cell.id)?)));
        let mut first = (&self.all[self.current], self.all[self.current].cells.get(&cell.id)?);
        let before = earlier.find(|&(state, past)| {
            let same = Mark::status(past.status, past.is_expected) == mark;
            if same {
                first = (state, past);
            }
            !same
        })?;
        let was = Mark::status(before.1.status, before.1.is_expected).word;
        let (then, at) = (moment(before.0), moment(first.0));
        Some(format!("{} since {at}; {was} at {then}. {}", mark.word, changes(before, first)))
    }

    pub(super) fn timeline(&self, document: &Document) -> Timeline {
        let omitted = self.all.len().saturating_sub(MAX_STATES).min(self.current);
        let shown = &self.all[omitted..];
        let heads =
            shown.iter().enumerate().map(|(index, state)| head(state, index + omitted == self.current)).collect();
        let row = |cell: &Cell| Row {
            id: one_line(&cell.id, 120),
            anchor: anchor("cell", &cell.id),
            points: points(shown, &cell.id),
        };
        Timeline { heads, rows: document.cells.iter().map(row).collect(), omitted }
    }
}

fn points(states: &[State], id: &str) -> Vec<Option<Point>> {
    let mut before: Option<&Past> = None;
    let mut points = Vec::with_capacity(states.len());
    for state in states {
        let Some(past) = state.cells.get(id) else {
            points.push(None);
            continue;
        };
        let is_changed = before.is_some_and(|before| differ(before, past));
        let remark = if is_changed { ", environment changed" } else { "" };
        let title = format!("{}: {}{remark}", moment(state), past.result);
        points.push(Some(Point { mark: Mark::status(past.status, past.is_expected), title, is_changed }));
        before = Some(past);
    }
    points
}

/// Reports whether both environments are known and differ.
fn differ(before: &Past, after: &Past) -> bool {
    matches!((&before.environment, &after.environment), (Some(a), Some(b)) if a != b)
}

/// Describes what changed between two states of a cell.
fn changes(before: (&State, &Past), after: (&State, &Past)) -> &'static str {
    let analysis = before.0.tree != after.0.tree;
    let environment = match (&before.1.environment, &after.1.environment) {
        (Some(a), Some(b)) => Some(a != b),
        _ => None,
    };
    match (analysis, environment) {
        (true, Some(true)) => "The analysis and the environment changed in between.",
        (true, Some(false)) => "The analysis changed in between; the environment did not.",
        (false, Some(true)) => "The environment changed in between; the analysis did not.",
        (false, Some(false)) => "Neither the analysis nor the environment changed in between.",
        (true, None) => "The analysis changed in between; at least one of the environments is unknown.",
        (false, None) => "The analysis did not change in between; at least one of the environments is unknown.",
    }
}

fn head(state: &State, is_current: bool) -> Head {
    let date = one_line(&state.started, 40);
    let (day, time) = date.split_once('T').unwrap_or((&date, ""));
    Head {
        day: day.get(5..).unwrap_or(day).to_owned(),
        time: time.get(..5).unwrap_or(time).to_owned(),
        title: format!("{}{}", moment(state), if is_current { ", this report" } else { "" }),
        commit: state.commit.as_ref().map(|commit| short(commit)).unwrap_or_default(),
        is_current,
    }
}

fn short(commit: &str) -> String {
    one_line(commit.get(..7).unwrap_or(commit), 12)
}

/// Formats a state: `2026-11-22 10:00 UTC (3f2a1bc, with uncommitted changes)`.
fn moment(state: &State) -> String {
    let changes = if state.dirty { ", with uncommitted changes" } else { "" };
    let commit = state.commit.as_ref().map_or_else(|| state.tree.short().to_owned(), |commit| short(commit));
    format!("{} ({commit}{changes})", when(&state.started))
}

/// Formats an RFC 3339 time.
pub(super) fn when(started: &str) -> String {
    let date = one_line(started, 40);
    match date.split_once('T') {
        Some((day, time)) if time.ends_with('Z') => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
        _ => date,
    }
}
