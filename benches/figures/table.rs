//! The table of measurements.

use std::fmt::Write as _;

/// A limit of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Maximum value, in the unit of the measurement.
    Figure(f64),
    /// Maximum ratio to the reference.
    Ratio(f64),
    /// No limit.
    None,
}

/// One measurement.
#[derive(Debug)]
pub(crate) struct Row {
    /// Name of the measurement.
    pub(crate) what: String,
    /// The median.
    pub(crate) figure: f64,
    /// The minimum, which depends least on the load of the machine.
    pub(crate) least: Option<f64>,
    /// Unit: `ms` or `MiB`.
    pub(crate) unit: &'static str,
    /// The reference program and its median in the same unit.
    pub(crate) peer: Option<(&'static str, f64)>,
    /// The limit.
    pub(crate) limit: Limit,
}

/// All measurements. Each is printed when it is added, and all are printed at the end.
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

    /// Returns the table as text.
    pub(crate) fn text(&self) -> String {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut out = format!("{cpus} processors; load {} before, {} after\n\n", self.load, load());
        let head = ["measurement", "median", "(minimum)", "reference", "ratio", "limit", ""].map(str::to_owned);
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
            over.map(|over| if over { "exceeded" } else { "ok" }).unwrap_or_default().to_owned(),
        ]
    }
}

/// Returns the load average of the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
