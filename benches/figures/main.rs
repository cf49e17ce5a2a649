//! What the program costs, beside what a peer costs on the same input in the same run: `make bench`.
//!
//! It asserts nothing. A machine that does other things at the same time gives other figures, so the load stands
//! above the table.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this program is for")]

mod cell;
mod measure;
mod report;
mod room;
mod scan;
mod schedule;
mod snapshot;
mod table;
mod tree;

use std::process::ExitCode;

use table::Table;

fn main() -> ExitCode {
    // `cargo bench` adds arguments of its own; only this word of ours makes this the other half of `measure::peak`.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == measure::WORD) {
        return measure::child(arguments);
    }
    let mut table = Table::new();
    for part in [snapshot::figures, cell::figures, schedule::figures, report::figures, scan::figures] {
        part(&mut table);
    }
    print!("{}", table.text());
    ExitCode::SUCCESS
}
