//! The same cells in earlier states of the analysis, and since when each is as it is.

use super::super::history::{Past, State};
use super::inert::anchor;
use super::mark::Mark;
use crate::model::document::{Cell, Document};
use crate::model::text::one_line;

/// States shown, the newest; this report's own included.
const MAX_STATES: usize = 40;

/// Cells down, states across, the oldest first.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Row>,
    /// Older states that are not shown.
    pub(super) left: usize,
}

/// One state.
#[derive(Debug)]
pub(super) struct Head {
    /// `11-22`, under it the time: `10:00`.
    pub(super) day: String,
    pub(super) time: String,
    /// Everything in words.
    pub(super) title: String,
    pub(super) commit: String,
    pub(super) now: bool,
}

/// One cell through time.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) anchor: String,
    pub(super) points: Vec<Option<Point>>,
}

/// A cell in a state.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) mark: Mark,
    pub(super) title: String,
    /// Its environment is another than in the state before.
    pub(super) moved: bool,
}

/// Past states and this report's own in their order, and where its own stands.
#[derive(Debug)]
pub(super) struct States {
    all: Vec<State>,
    now: usize,
}

impl States {
    /// None without a past.
    pub(super) fn of(document: &Document, past: &[State]) -> Option<Self> {
        if past.is_empty() {
            return None;
        }
        let own = State::of(document);
        let mut all: Vec<State> = past.iter().filter(|state| **state != own).cloned().collect();
        all.sort_by(|a, b| a.started.cmp(&b.started));
        let now = all.partition_point(|state| state.started <= own.started);
        all.insert(now, own);
        Some(Self { all, now })
    }

    /// Since when a cell is as it is, and what else changed when it changed; none when it was never otherwise.
    pub(super) fn since(&self, cell: &Cell) -> Option<String> {
        let mark = Mark::of(cell);
        let mut known = self.all[..self.now].iter().rev().filter_map(|state| Some((state, state.cells.get(&cell.id)?)));
        let mut first = (&self.all[self.now], self.all[self.now].cells.get(&cell.id)?);
        let before = known.find(|&(state, past)| {
            let same = Mark::status(past.status, past.forgiven) == mark;
            if same {
                first = (state, past);
            }
            !same
        })?;
        let was = Mark::status(before.1.status, before.1.forgiven).word;
        let (then, at) = (moment(before.0), moment(first.0));
        Some(format!("{} since {at}; {was} at {then}. {}", mark.word, changes(before, first)))
    }

    pub(super) fn timeline(&self, document: &Document) -> Timeline {
        let left = self.all.len().saturating_sub(MAX_STATES).min(self.now);
        let shown = &self.all[left..];
        let heads = shown.iter().enumerate().map(|(at, state)| head(state, at + left == self.now)).collect();
        let row = |cell: &Cell| Row {
            id: one_line(&cell.id, 120),
            anchor: anchor("cell", &cell.id),
            points: points(shown, &cell.id),
        };
        Timeline { heads, rows: document.cells.iter().map(row).collect(), left }
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
        let moved = before.is_some_and(|before| differ(before, past));
        let other = if moved { ", in another environment than before" } else { "" };
        let title = format!("{}: {}{other}", moment(state), past.said);
        points.push(Some(Point { mark: Mark::status(past.status, past.forgiven), title, moved }));
        before = Some(past);
    }
    points
}

/// Whether both environments are known and differ.
fn differ(before: &Past, after: &Past) -> bool {
    matches!((&before.environment, &after.environment), (Some(a), Some(b)) if a != b)
}

/// What changed between two states of a cell.
fn changes(before: (&State, &Past), after: (&State, &Past)) -> &'static str {
    let analysis = before.0.tree != after.0.tree;
    let environment = match (&before.1.environment, &after.1.environment) {
        (Some(a), Some(b)) => Some(a != b),
        _ => None,
    };
    match (analysis, environment) {
        (true, Some(true)) => "In between both the analysis and the environment changed.",
        (true, Some(false)) => "In between the analysis changed, the environment did not.",
        (false, Some(true)) => "In between the environment changed, the analysis did not.",
        (false, Some(false)) => "In between neither the analysis nor the environment changed.",
        (true, None) => "In between the analysis changed; the environment was not read both times.",
        (false, None) => "In between the analysis did not change; the environment was not read both times.",
    }
}

fn head(state: &State, now: bool) -> Head {
    let date = one_line(&state.started, 40);
    let (day, time) = date.split_once('T').unwrap_or((&date, ""));
    Head {
        day: day.get(5..).unwrap_or(day).to_owned(),
        time: time.get(..5).unwrap_or(time).to_owned(),
        title: format!("{}{}", moment(state), if now { ", this report" } else { "" }),
        commit: state.commit.as_ref().map(|commit| short(commit)).unwrap_or_default(),
        now,
    }
}

fn short(commit: &str) -> String {
    one_line(commit.get(..7).unwrap_or(commit), 12)
}

/// `2026-11-22 10:00 UTC (3f2a1bc, with changes)`.
fn moment(state: &State) -> String {
    let changes = if state.dirty { ", with changes" } else { "" };
    let commit = state.commit.as_ref().map_or_else(|| state.tree.short().to_owned(), |commit| short(commit));
    format!("{} ({commit}{changes})", when(&state.started))
}

/// An RFC 3339 time for people.
pub(super) fn when(started: &str) -> String {
    let date = one_line(started, 40);
    match date.split_once('T') {
        Some((day, time)) if time.ends_with('Z') => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
        _ => date,
    }
}
