//! `carnet facilities`.

use std::fmt::Write as _;

use clap::{Subcommand, ValueEnum};

use super::{Outcome, PrintError, print};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::facility::{Catalogue, Facility, Mode, Mount, Seen};
use crate::model::canonical;

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
        #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
        format: Format,
    },
    /// Show one, with where its facts are from.
    Show {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// Format of the page.
        #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// JSON.
    Json,
}

/// There is no such facility.
#[derive(Debug, thiserror::Error)]
#[error("no facility `{}` in the catalogue", id.escape_debug())]
struct NoFacility {
    id: String,
    near: Option<String>,
}

impl Failure for NoFacility {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        let near = self.near.as_ref().map(|near| format!("did you mean `{near}`?"));
        Some(near.unwrap_or_else(|| "carnet facilities list names them".to_owned()))
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let catalogue = Catalogue::builtin();
    let text = match &arguments.command {
        Command::List { format: Format::Human } => list(catalogue),
        Command::List { format: Format::Json } => json(&catalogue.facilities)?,
        Command::Show { id, format } => {
            let facility =
                catalogue.facility(id).ok_or_else(|| NoFacility { id: id.clone(), near: near(catalogue, id) })?;
            if *format == Format::Json { json(facility)? } else { page(facility) }
        }
    };
    print(&text)?;
    Ok(exit::GOOD)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, PrintError> {
    canonical::to_string(value).map_err(|error| PrintError(error.into()))
}

/// The id that is most like a word, when one is.
fn near(catalogue: &Catalogue, id: &str) -> Option<String> {
    let distances =
        catalogue.facilities.iter().map(|facility| (strsim::damerau_levenshtein(&facility.id, id), &facility.id));
    let (distance, nearest) = distances.min()?;
    (distance <= id.len() / 3 + 1).then(|| nearest.clone())
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
        assert_eq!(near(Catalogue::builtin(), "desy-nav").as_deref(), Some("desy-naf"));
        assert_eq!(near(Catalogue::builtin(), "zzz"), None);
    }
}
