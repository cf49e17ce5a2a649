//! Measures carnet and reference programs on the same input in the same run: `make bench`.
//!
//! It checks nothing. The times depend on the load of the machine, which is printed above the table.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this program prints a table")]

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
    // `cargo bench` adds its own arguments. With this one, the program is the child process of `measure::peak`.
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
