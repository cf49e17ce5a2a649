//! `carnet rules`.

use std::fmt::Write as _;

use super::format::{json, one_of};
use super::name::{Named, NoSuch};
use super::{Outcome, print};
use crate::exit;
use crate::model::scan::RuleInfo;
use crate::report::Format;
use crate::scan::info;
use crate::scan::rules;
use crate::scan::rules::Rule;

/// List the rules of the static audit, or print the manual page of one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Rule whose page is printed.
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Format of the list or the page.
    #[arg(long, short, value_parser = one_of(Format::FOR_LISTS), default_value_t, value_name = "FORMAT")]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let as_json = arguments.format == Format::Json;
    let text = match &arguments.id {
        None if as_json => json(&infos())?,
        None => list(),
        Some(id) if as_json => json(&info(find(id)?))?,
        Some(id) => page(find(id)?),
    };
    print(&text)?;
    Ok(exit::GOOD)
}

/// Every rule, sorted by id.
fn sorted() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = rules::all().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// The rule of this id.
pub(super) fn find(id: &str) -> Result<&'static Rule, NoSuch> {
    Named { what: "rule", list: "carnet rules" }.find(id, rules::all(), |rule| rule.id)
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
