//! `carnet facilities`.

use std::fmt::Write as _;

use clap::Subcommand;

use super::error::Outcome;
use super::format::format_parser;
use super::name::{NamedKind, UnknownName};
use super::output::{json, print_exact};
use crate::exit;
use crate::facility::{Catalogue, Facility, Mode, Mount, Seen};
use crate::report::Format;

/// List the facilities of the catalogue, or show one
///
/// The catalogue describes mounts, XRootD doors, batch systems and other properties of facilities, with sources.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all facilities
    List {
        /// Format of the list
        #[arg(long, short, value_parser = format_parser(Format::FOR_LISTS), default_value_t, value_name = "FORMAT")]
        format: Format,
    },
    /// Show the properties of a facility and their sources
    Show {
        /// Id of the facility
        #[arg(value_name = "ID")]
        id: String,
        /// Format of the output
        #[arg(long, short, value_parser = format_parser(Format::FOR_LISTS), default_value_t, value_name = "FORMAT")]
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
    print_exact(&text)?;
    Ok(exit::GOOD)
}

/// Finds the facility with this id.
pub(super) fn find(id: &str) -> Result<&'static Facility, UnknownName> {
    let all = Catalogue::builtin().facilities.iter();
    NamedKind { kind: "facility", list_command: "carnet facilities list" }.find(id, all, |facility| &facility.id)
}

fn list(catalogue: &Catalogue) -> String {
    let width = catalogue.facilities.iter().map(|facility| facility.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for facility in &catalogue.facilities {
        let suffix = if facility.confirmed { "" } else { "   (unconfirmed)" };
        // Writing to a string can't fail.
        let _ = writeln!(out, "{:width$}  {}{suffix}", facility.id, facility.name);
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
        ("os", facility.os.clone().unwrap_or_default()),
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
        let _ = writeln!(out, "  {name:11}  {}", mount_line(mount));
    }
    let date = facility.source.as_of.as_ref().map(|day| format!(", as of {day}")).unwrap_or_default();
    let _ = writeln!(out, "  {:11}  {} (read {}{date})", "source", facility.source.from, facility.source.read);
    for (fact, source) in &facility.facts {
        let _ = writeln!(out, "  {:11}  {fact}: {} (read {})", "", source.from, source.read);
    }
    out
}

fn unconfirmed(facility: &Facility) -> String {
    let facts = facility.unconfirmed.join(", ");
    if facility.confirmed { facts } else { format!("whole entry; {facts}") }
}

fn mount_line(mount: &Mount) -> String {
    let mode = match mount.mode {
        Mode::Rw => "read-write",
        Mode::Ro => "read-only",
        Mode::None => "removed",
        Mode::Ephemeral => "temporary",
    };
    let seen = match mount.seen {
        Seen::Login => ", only on login nodes",
        Seen::Notebook => ", only in notebook sessions",
        Seen::Job => ", only in jobs",
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
    fn page_shows_removed_mounts_and_source_dates() {
        let facility = Catalogue::builtin().facility("desy-naf").expect("a facility of the catalogue");
        let page = page(facility);
        assert!(page.contains("/nfs/dust/cms removed since 2025-01-20"), "{page}");
        assert!(page.contains("read 2026-11-22"), "{page}");
    }

    #[test]
    fn list_has_one_line_per_facility_and_marks_unconfirmed_ones() {
        let list = list(Catalogue::builtin());
        assert_eq!(list.lines().count(), Catalogue::builtin().facilities.len());
        let line = |id: &str| list.lines().find(|line| line.starts_with(id)).unwrap_or_default().to_owned();
        assert!(line("vispa").contains("unconfirmed") && !line("desy-naf").contains("unconfirmed"));
    }

    #[test]
    fn unknown_id_suggests_the_nearest_one() {
        let hint = |id: &str| crate::error::Failure::hint(&find(id).expect_err("an unknown id")).expect("a hint");
        assert_eq!(hint("desy-nav"), "did you mean `desy-naf`? Run `carnet facilities list` to list all ids");
        assert_eq!(hint("zzz"), "run `carnet facilities list` to list all ids");
    }
}
