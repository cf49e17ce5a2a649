//! `carnet rules`.

use std::fmt::Write as _;

use super::error::Outcome;
use super::format::format_parser;
use super::name::{NamedKind, UnknownName};
use super::output::{json, print_exact};
use crate::exit;
use crate::model::scan::RuleInfo;
use crate::report::Format;
use crate::scan::info;
use crate::scan::rules;
use crate::scan::rules::Rule;

/// List the rules of `carnet scan`, or explain one
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Rule to explain
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Format of the output
    #[arg(long, short, value_parser = format_parser(Format::FOR_LISTS), default_value_t, value_name = "FORMAT")]
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
    print_exact(&text)?;
    Ok(exit::GOOD)
}

/// Returns every rule, sorted by id.
fn sorted() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = rules::all().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// Finds the rule with this id.
pub(super) fn find(id: &str) -> Result<&'static Rule, UnknownName> {
    NamedKind { kind: "rule", list_command: "carnet rules" }.find(id, rules::all(), |rule| rule.id)
}

/// Returns the description of every rule, sorted by id.
pub fn infos() -> Vec<RuleInfo> {
    sorted().into_iter().map(info).collect()
}

fn list() -> String {
    let rules = sorted();
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        // Writing to a string can't fail.
        let _ = writeln!(out, "{:width$}  {:7}  {}", rule.id, rule.severity.word(), rule.summary);
    }
    out
}

/// Returns the page of a rule in Markdown.
fn page(rule: &Rule) -> String {
    format!("# {}\n\n{}: {}\n\n{}\n", rule.id, rule.severity.word(), rule.summary, rule.page.trim())
}

/// Returns the names and contents of the files in `docs/rules`.
pub fn documents() -> Vec<(String, String)> {
    let rules = sorted();
    let mut index = "# Rules\n\nThe rules of `carnet scan`. `carnet rules ID` explains one.\n\n\
                     | rule | severity | description |\n|---|---|---|\n"
        .to_owned();
    let mut files = Vec::new();
    for rule in rules {
        let (id, severity, summary) = (rule.id, rule.severity.word(), rule.summary.replace('|', "\\|"));
        // Writing to a string can't fail.
        let _ = writeln!(index, "| [{id}]({id}.md) | {severity} | {summary} |");
        files.push((format!("{id}.md"), page(rule)));
    }
    files.push(("README.md".to_owned(), index));
    files
}
