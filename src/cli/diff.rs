//! `carnet diff`.

use std::path::Path;

use super::document_file::{DocumentError, parse, read_bytes, unexpected_schema};
use super::error::Outcome;
use super::format::format_parser;
use super::output::{print_report, report_options};
use super::snapshot;
use crate::diff::{self, RelevantModules};
use crate::error::Error;
use crate::exit;
use crate::model::environment::{self, Environment};
use crate::model::limit;
use crate::model::redact::Redact as _;
use crate::report::{self, Format};
use crate::sys::secret;
use crate::ui::TerminalStyle;

/// Compare environments
///
/// A target is a snapshot, a document, an image or this machine. A document selects the environments of all its cells;
/// `FILE#CELL` selects one. The first environment is the reference.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Snapshots, documents, or targets of `carnet snapshot`
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,

    /// Format of the comparison
    #[arg(long, short, value_parser = format_parser(&Format::for_diffs()), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Python module that the analysis needs, in addition to the imports in documents (repeatable)
    #[arg(long, value_name = "MODULE")]
    import: Vec<String>,

    /// Exit with code 1 if the environments differ
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(arguments: &Arguments, style: &TerminalStyle) -> Outcome {
    let mut columns: Vec<(String, Environment)> = Vec::new();
    let mut relevant = RelevantModules { imports: arguments.import.iter().cloned().collect() };
    for target in &arguments.targets {
        columns.extend(environments(target, &mut relevant)?);
    }
    make_names_unique(&mut columns);
    let columns: Vec<(&str, &Environment)> = columns.iter().map(|(name, env)| (name.as_str(), env)).collect();
    let mut diff = diff::environments(&columns, &relevant);
    diff.redact(secret::redactor());
    print_report(&report::render_diff(&diff, arguments.format, &report_options(style))?, arguments.format)?;
    Ok(if arguments.exit_code && !diff.is_empty() { exit::ANALYSIS } else { exit::GOOD })
}

/// Returns the environments of a target with the names of their columns.
fn environments(target: &str, relevant: &mut RelevantModules) -> Result<Vec<(String, Environment)>, Error> {
    let (file, cell) = match target.split_once('#') {
        Some((file, cell)) if is_file(Path::new(file)) => (file, Some(cell)),
        _ => (target, None),
    };
    let path = Path::new(file);
    if !is_file(path) {
        return Ok(vec![(target.to_owned(), snapshot::take(target, None)?)]);
    }
    let bytes = read_bytes(path)?;
    if let Ok(environment) = limit::read::<Environment>(&bytes, &limit::DOCUMENT) {
        environment.check_limits().map_err(|error| DocumentError::new(path, error))?;
        if environment.schema != environment::SCHEMA {
            let reason = unexpected_schema(&environment.schema, environment::SCHEMA);
            return Err(DocumentError::new(path, reason).into());
        }
        let stem = path.file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned());
        return Ok(vec![(stem, environment)]);
    }
    let document = parse(path, &bytes)?;
    relevant.imports.extend(document.analysis.imports.iter().cloned());
    let is_selected = |id: &str| cell.is_none_or(|cell| cell == id);
    let mut found: Vec<(String, Environment)> = Vec::new();
    for cell in document.cells.iter().filter(|cell| is_selected(&cell.id)) {
        let environment = cell.environment.as_ref().and_then(|digest| document.environments.get(digest));
        found.extend(environment.map(|environment| (cell.id.clone(), environment.clone())));
    }
    if let Some(reference) = &document.reference {
        found.sort_by_key(|(id, _)| id != reference);
    }
    match (found.is_empty(), cell) {
        (false, _) => Ok(found),
        (true, Some(cell)) => Err(DocumentError::new(path, format!("no environment for cell `{cell}`")).into()),
        (true, None) => Err(DocumentError::new(path, "the document contains no environments").into()),
    }
}

/// Reports whether a target is a file, and not an image or this machine. Reading a pipe or a device is refused later.
fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| !data.is_dir())
}

/// Appends a number to the names of columns that occur more than once.
fn make_names_unique(columns: &mut [(String, Environment)]) {
    for n in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(n);
        let name = rest[0].0.clone();
        let is_taken = |name: &str| before.iter().any(|(other, _)| other == name);
        if is_taken(&name)
            && let Some(free) = (2..).map(|k| format!("{name} ({k})")).find(|free| !is_taken(free))
        {
            rest[0].0 = free;
        }
    }
}
