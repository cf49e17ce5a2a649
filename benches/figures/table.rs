//! The figures as lines of text.

use std::fmt::Write as _;

/// A limit to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Of the figure, in its unit.
    Figure(f64),
    /// Of the ratio to the peer.
    Ratio(f64),
    /// There is none.
    None,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is measured.
    pub(crate) what: String,
    /// The figure: the median, and for times the least in brackets.
    pub(crate) figure: f64,
    /// The least of the runs, which load disturbs least.
    pub(crate) least: Option<f64>,
    /// `ms`, `MiB`.
    pub(crate) unit: &'static str,
    /// What the peer is, with its median in the same unit.
    pub(crate) peer: Option<(&'static str, f64)>,
    /// What to keep to.
    pub(crate) limit: Limit,
}

/// All lines, shown one by one as they come and together at the end.
pub(crate) struct Table {
    rows: Vec<Row>,
    load: String,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), load: load() }
    }

    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("{}: {:.1} {}", row.what, row.figure, row.unit);
        self.rows.push(row);
    }

    /// The whole table.
    pub(crate) fn text(&self) -> String {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut out = format!("{cpus} processors; load {} before, {} after\n\n", self.load, load());
        let head = ["what", "figure", "(least)", "peer", "ratio", "limit", ""].map(str::to_owned);
        let lines: Vec<[String; 7]> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 7] = std::array::from_fn(width);
        for line in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(widths) {
                let _ = write!(text, "{cell:<width$}  ");
            }
            let _ = writeln!(out, "{}", text.trim_end());
        }
        out
    }
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.peer.map(|(_, peer)| self.figure / peer)
    }

    fn cells(&self) -> [String; 7] {
        let unit = self.unit;
        let (limit, over) = match self.limit {
            Limit::Figure(limit) => (format!("{limit} {unit}"), Some(self.figure > limit)),
            Limit::Ratio(limit) => (format!("{limit} x"), self.ratio().map(|ratio| ratio > limit)),
            Limit::None => (String::new(), None),
        };
        [
            self.what.clone(),
            format!("{:.1} {unit}", self.figure),
            self.least.map(|least| format!("({least:.1})")).unwrap_or_default(),
            self.peer.map(|(name, peer)| format!("{peer:.1} {unit} {name}")).unwrap_or_default(),
            self.ratio().map(|ratio| format!("{ratio:.2} x")).unwrap_or_default(),
            limit,
            over.map(|over| if over { "over" } else { "ok" }).unwrap_or_default().to_owned(),
        ]
    }
}

/// Processes that wanted to run in the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
