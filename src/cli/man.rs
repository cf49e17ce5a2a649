//! `carnet man`.

use std::path::{Path, PathBuf};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Outcome, PrintError, print};
use crate::exit;
use crate::ui::file::{self, WriteError};

/// Print the manual page, or write those of all commands into a directory.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory that gets a page for every command; it is made when it isn't there. Without one, the page of carnet itself is
    /// printed: `carnet man | man -l -` shows it.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// A page of the manual.
struct Page {
    /// Name of its file.
    name: String,
    text: Vec<u8>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let pages = pages()?;
    if let Some(dir) = &arguments.dir {
        write(dir, &pages)?;
    } else if let Some(page) = pages.first() {
        print(&String::from_utf8_lossy(&page.text))?;
    }
    Ok(exit::GOOD)
}

fn write(dir: &Path, pages: &[Page]) -> Result<(), WriteError> {
    file::directory(dir)?;
    pages.iter().try_for_each(|page| file::write(&dir.join(&page.name), &page.text))
}

/// The page of carnet itself, then those of its commands and of theirs.
fn pages() -> Result<Vec<Page>, PrintError> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    let mut queue = vec![command];
    while let Some(command) = queue.pop() {
        queue.extend(command.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
        pages.push(page(command)?);
    }
    Ok(pages)
}

fn page(command: clap::Command) -> Result<Page, std::io::Error> {
    let is_whole = command.get_name() == "carnet";
    let has_commands = command.has_subcommands();
    // Without a date, so that the same source gives the same pages; an empty argument would be left out of the title.
    let source = concat!("carnet ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).date(" ").source(source).manual("User Commands");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if has_commands {
        man.render_subcommands_section(&mut text)?;
    }
    let end = if is_whole { exit_status() } else { see_also() };
    end.to_writer(&mut text)?;
    Ok(Page { name: man.get_filename(), text })
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit::TABLE {
        roff.control("TP", []).text([bold(code.to_string())]).text([roman(*meaning)]);
    }
    roff
}

fn see_also() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]).text([bold("carnet"), roman("(1), which lists the exit codes")]);
    roff
}
