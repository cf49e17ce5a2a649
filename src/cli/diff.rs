//! `carnet diff`.

use std::path::Path;

use super::format::one_of;
use super::report::{DocumentError, read};
use super::{Outcome, print, snapshot};
use crate::diff::{self, Interest};
use crate::error::Error;
use crate::exit;
use crate::model::environment::{self, Environment};
use crate::report::{self, Format};
use crate::ui::TerminalStyle;

/// Show environments side by side.
///
/// Snapshots, documents, images and this machine, in any mix. A document stands for the environments of all its cells,
/// `FILE#CELL` for one of them. The first column is the reference.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Saved snapshots and documents, or targets as `carnet snapshot` takes them.
    #[arg(required = true, value_name = "WHAT")]
    targets: Vec<String>,

    /// Format of the comparison.
    #[arg(long, short, value_parser = one_of(&Format::for_diffs()), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Modules that matter, besides those a document's analysis imports; may be given several times.
    #[arg(long, value_name = "MODULE")]
    import: Vec<String>,

    /// Make the exit code 1 when something differs.
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(arguments: &Arguments, look: &TerminalStyle) -> Outcome {
    let mut columns: Vec<(String, Environment)> = Vec::new();
    let mut interest = Interest { imports: arguments.import.iter().cloned().collect() };
    for target in &arguments.targets {
        columns.extend(environments(target, &mut interest)?);
    }
    unique(&mut columns);
    let borrowed: Vec<(&str, &Environment)> = columns.iter().map(|(name, env)| (name.as_str(), env)).collect();
    let diff = diff::environments(&borrowed, &interest);
    let options = report::Options { color: look.color_out, width: look.width, ..report::Options::default() };
    print(&report::render_diff(&diff, arguments.format, &options)?)?;
    Ok(if arguments.exit_code && !diff.is_empty() { exit::ANALYSIS } else { exit::GOOD })
}

/// The environments a target stands for, with the names of their columns.
fn environments(target: &str, interest: &mut Interest) -> Result<Vec<(String, Environment)>, Error> {
    let (file, cell) = match target.split_once('#') {
        Some((file, cell)) if Path::new(file).is_file() => (file, Some(cell)),
        _ => (target, None),
    };
    let path = Path::new(file);
    if !path.is_file() {
        return Ok(vec![(target.to_owned(), snapshot::take(target, None)?)]);
    }
    let bytes = std::fs::read(path).map_err(|error| DocumentError::new(path, error))?;
    if let Ok(environment) = serde_json::from_slice::<Environment>(&bytes) {
        if environment.schema != environment::SCHEMA {
            return Err(DocumentError::new(
                path,
                format!("it is `{}`, not `{}`", environment.schema, environment::SCHEMA),
            )
            .into());
        }
        let stem = path.file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned());
        return Ok(vec![(stem, environment)]);
    }
    let document = read(path)?;
    interest.imports.extend(document.analysis.imports.iter().cloned());
    let wanted = |id: &str| cell.is_none_or(|cell| cell == id);
    let mut found: Vec<(String, Environment)> = Vec::new();
    for cell in document.cells.iter().filter(|cell| wanted(&cell.id)) {
        let environment = cell.environment.as_ref().and_then(|digest| document.environments.get(digest));
        found.extend(environment.map(|environment| (cell.id.clone(), environment.clone())));
    }
    if let Some(reference) = &document.reference {
        found.sort_by_key(|(id, _)| id != reference);
    }
    match found.is_empty() {
        true => Err(DocumentError::new(path, "it has no such environment").into()),
        false => Ok(found),
    }
}

/// Two columns of one name would be one to every reader.
fn unique(columns: &mut [(String, Environment)]) {
    for n in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(n);
        let name = rest[0].0.clone();
        let taken = |name: &str| before.iter().any(|(other, _)| other == name);
        if let Some(free) = (2..).map(|k| format!("{name} ({k})")).find(|free| !taken(free)).filter(|_| taken(&name)) {
            rest[0].0 = free;
        }
    }
}
