//! `carnet rules`.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::{Outcome, print};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::canonical;
use crate::model::scan::RuleInfo;
use crate::rules::{self, Rule};
use crate::run::scan::info;

/// List the rules of the static audit, or print the manual page of one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Rule whose page is printed.
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Format of the list or the page.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// Formats of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// JSON.
    Json,
}

/// The failure of naming a rule that isn't there.
pub(super) fn no_rule(id: &str) -> crate::error::Error {
    let near = near(id, rules::all().map(|rule| rule.id));
    NoRule { name: id.to_owned(), near }.into()
}

/// There is no such rule.
#[derive(Debug, thiserror::Error)]
#[error("no rule `{}`", name.escape_debug())]
struct NoRule {
    name: String,
    near: Option<&'static str>,
}

impl Failure for NoRule {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(
            self.near.map_or("carnet rules lists those there are".to_owned(), |near| format!("did you mean `{near}`?")),
        )
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let text = match (&arguments.id, arguments.format) {
        (None, Format::Human) => list(),
        (None, Format::Json) => json(&infos())?,
        (Some(id), Format::Human) => page(find(id)?),
        (Some(id), Format::Json) => json(&info(find(id)?))?,
    };
    print(&text)?;
    Ok(exit::GOOD)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, super::PrintError> {
    canonical::to_string(value).map_err(|error| super::PrintError(error.into()))
}

/// Every rule, sorted by id.
fn sorted() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = rules::all().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

fn find(id: &str) -> Result<&'static Rule, NoRule> {
    let rules = sorted();
    rules
        .into_iter()
        .find(|rule| rule.id == id)
        .ok_or_else(|| NoRule { name: id.to_owned(), near: near(id, rules::all().map(|rule| rule.id)) })
}

/// The rule whose name is nearest, when one is near.
pub(super) fn near(id: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let distances = known.map(|known| (strsim::damerau_levenshtein(known, id), known));
    distances.min().filter(|(distance, _)| *distance <= id.len() / 3 + 1).map(|(_, near)| near)
}

/// Every rule as reports list it, sorted by id.
pub fn infos() -> Vec<RuleInfo> {
    sorted().into_iter().map(info).collect()
}

fn list() -> String {
    let rules = sorted();
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        // Writing into a string can't fail.
        let _ = writeln!(out, "{:width$}  {:7}  {}", rule.id, rule.severity.word(), rule.summary);
    }
    out
}

/// The manual page of a rule, Markdown.
fn page(rule: &Rule) -> String {
    format!("# {}\n\n{}: {}\n\n{}\n", rule.id, rule.severity.word(), rule.summary, rule.page.trim())
}

/// The files of `docs/rules`: name, text.
pub fn documents() -> Vec<(String, String)> {
    let rules = sorted();
    let mut index = "# Rules\n\nWhat `carnet scan` looks for; `carnet rules ID` prints a page.\n\n\
                     | rule | severity | what it finds |\n|---|---|---|\n"
        .to_owned();
    let mut files = Vec::new();
    for rule in rules {
        let (id, severity, summary) = (rule.id, rule.severity.word(), rule.summary.replace('|', "\\|"));
        // Writing into a string can't fail.
        let _ = writeln!(index, "| [{id}]({id}.md) | {severity} | {summary} |");
        files.push((format!("{id}.md"), page(rule)));
    }
    files.push(("README.md".to_owned(), index));
    files
}
