//! `carnet man`.

use std::path::{Path, PathBuf};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::error::{Outcome, PrintError};
use super::output::print_exact;
use crate::exit;
use crate::ui::file::{self, WriteError};

/// Print the manual page, or write the pages of all commands to a directory
///
/// To view the manual page, run `carnet man | man -l -`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory for the pages of all commands; created if it does not exist
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// A manual page.
struct Page {
    /// File name.
    name: String,
    text: Vec<u8>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let pages = pages()?;
    if let Some(dir) = &arguments.dir {
        write(dir, &pages)?;
    } else if let Some(page) = pages.first() {
        print_exact(&String::from_utf8_lossy(&page.text))?;
    }
    Ok(exit::GOOD)
}

fn write(dir: &Path, pages: &[Page]) -> Result<(), WriteError> {
    file::create_dir(dir)?;
    pages.iter().try_for_each(|page| file::write(&dir.join(&page.name), &page.text))
}

/// Returns the page of carnet, followed by the pages of all commands.
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
    let is_main_page = command.get_name() == "carnet";
    let has_commands = command.has_subcommands();
    // Without a date, so that builds are reproducible. An empty argument would be omitted from the title.
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
    let last_section = if is_main_page { exit_status() } else { see_also() };
    last_section.to_writer(&mut text)?;
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
    roff.control("SH", ["SEE ALSO"]).text([bold("carnet"), roman("(1)")]);
    roff
}
