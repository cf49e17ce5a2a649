//! `carnet facilities`.

use std::fmt::Write as _;

use clap::Subcommand;

use super::format::{json, one_of};
use super::name::{Named, NoSuch};
use super::{Outcome, print};
use crate::exit;
use crate::facility::{Catalogue, Facility, Mode, Mount, Seen};
use crate::report::Format;

/// List the facilities that carnet knows, or show one.
///
/// What it mounts, which doors it reads through, how jobs run there, each with its source.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all of them.
    List {
        /// Format of the list.
        #[arg(long, short, value_parser = one_of(Format::FOR_LISTS), default_value_t, value_name = "FORMAT")]
        format: Format,
    },
    /// Show one, with where its facts are from.
    Show {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// Format of the page.
        #[arg(long, short, value_parser = one_of(Format::FOR_LISTS), default_value_t, value_name = "FORMAT")]
        format: Format,
    },
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let catalogue = Catalogue::builtin();
    let text = match &arguments.command {
        Command::List { format: Format::Json } => json(&catalogue.facilities)?,
        Command::List { .. } => list(catalogue),
        Command::Show { id, format: Format::Json } => json(find(id)?)?,
        Command::Show { id, .. } => page(find(id)?),
    };
    print(&text)?;
    Ok(exit::GOOD)
}

/// The facility of this id.
pub(super) fn find(id: &str) -> Result<&'static Facility, NoSuch> {
    let all = Catalogue::builtin().facilities.iter();
    Named { what: "facility", list: "carnet facilities list" }.find(id, all, |facility| &facility.id)
}

fn list(catalogue: &Catalogue) -> String {
    let width = catalogue.facilities.iter().map(|facility| facility.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for facility in &catalogue.facilities {
        let mark = if facility.confirmed { "" } else { "   (unconfirmed)" };
        // Writing into a string can't fail.
        let _ = writeln!(out, "{:width$}  {}{mark}", facility.id, facility.name);
    }
    out
}

fn page(facility: &Facility) -> String {
    let mut out = format!("{}: {}\n", facility.id, facility.name);
    let version = |(major, minor): &(u8, u8)| format!("{major}.{minor}");
    let rows = [
        ("site", facility.site.clone()),
        ("experiments", facility.experiments.join(", ")),
        ("images", facility.images.join(" ")),
        ("engine", facility.engine.clone().unwrap_or_default()),
        ("system", facility.os.clone().unwrap_or_default()),
        ("arch", facility.arch.join(", ")),
        ("glibc", facility.glibc.as_ref().map(version).unwrap_or_default()),
        ("python", facility.pythons.iter().map(version).collect::<Vec<_>>().join(", ")),
        ("ROOT", facility.root.clone().unwrap_or_default()),
        ("batch", facility.schedulers.join(", ")),
        ("executors", facility.executors.join(", ")),
        ("doors", facility.doors.join(", ")),
        ("uid", facility.uid.clone().unwrap_or_default()),
        ("variables", facility.env.join(", ")),
        ("ports", facility.ports.join(", ")),
        ("hosts", facility.hosts.join(", ")),
        ("queues", [facility.queues.as_slice(), &facility.partitions].concat().join(", ")),
        ("accounts", facility.accounts.join(", ")),
        ("modules", facility.modules.join(", ")),
        ("unconfirmed", unconfirmed(facility)),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(out, "  {name:11}  {value}");
    }
    for (n, mount) in facility.mounts.iter().enumerate() {
        let name = if n == 0 { "mounts" } else { "" };
        let _ = writeln!(out, "  {name:11}  {}", line(mount));
    }
    let date = facility.source.as_of.as_ref().map(|day| format!(", as of {day}")).unwrap_or_default();
    let _ = writeln!(out, "  {:11}  {} (read on {}{date})", "source", facility.source.from, facility.source.read);
    for (fact, source) in &facility.facts {
        let _ = writeln!(out, "  {:11}  {fact}: {} (read on {})", "", source.from, source.read);
    }
    out
}

fn unconfirmed(facility: &Facility) -> String {
    let what = facility.unconfirmed.join(", ");
    if facility.confirmed { what } else { format!("a sketch; {what}") }
}

fn line(mount: &Mount) -> String {
    let mode = match mount.mode {
        Mode::Rw => "read-write",
        Mode::Ro => "read-only",
        Mode::None => "gone",
        Mode::Ephemeral => "for a while",
    };
    let seen = match mount.seen {
        Seen::Login => ", on login nodes",
        Seen::Notebook => ", in sessions",
        Seen::Job => ", in jobs",
        Seen::Both => "",
    };
    let retired = mount.retired.as_ref().map(|day| format!(" since {day}")).unwrap_or_default();
    let note = mount.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{} {mode}{retired}{seen}{note}", mount.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_mounts_that_went_away_and_the_day_that_facts_were_read() {
        let facility = Catalogue::builtin().facility("desy-naf").expect("it is in the catalogue");
        let page = page(facility);
        assert!(page.contains("/nfs/dust/cms gone since 2025-01-20"), "{page}");
        assert!(page.contains("read on 2026-11-22"), "{page}");
    }

    #[test]
    fn the_list_has_a_line_for_every_facility_and_marks_sketches() {
        let list = list(Catalogue::builtin());
        assert_eq!(list.lines().count(), Catalogue::builtin().facilities.len());
        let line = |id: &str| list.lines().find(|line| line.starts_with(id)).unwrap_or_default().to_owned();
        assert!(line("vispa").contains("unconfirmed") && !line("desy-naf").contains("unconfirmed"));
    }

    #[test]
    fn a_mistyped_id_is_answered_with_the_nearest() {
        let hint = |id: &str| crate::error::Failure::hint(&find(id).expect_err("there is none")).expect("a hint");
        assert_eq!(hint("desy-nav"), "did you mean `desy-naf`? carnet facilities list lists those there are");
        assert_eq!(hint("zzz"), "carnet facilities list lists those there are");
    }
}
