//! `carnet hook install` and `carnet hook remove`.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::super::error::{CommandError, Outcome};
use super::super::fail_on::FailOn;
use super::super::output::print;
use super::{DEFAULT_BUDGET, Install, Limits, Remove};
use crate::config;
use crate::exit;
use crate::hook::hooks_dir::{HooksDir, HooksDirError};
use crate::hook::install;
use crate::hook::install::{Change, Installed, Removed};
use crate::hook::manager;
use crate::hook::manager::DetectedManager;
use crate::hook::script;
use crate::source::SourceError;
use crate::ui::note;

pub(super) fn install(arguments: &Install) -> Outcome {
    let hooks = HooksDir::find(&directory(&arguments.path)?)?;
    if let Some(by) = hooks.shared_by.clone().filter(|_| !arguments.shared) {
        return Err(HooksDirError::Shared { dir: hooks.dir, by }.into());
    }
    if let Some(detected) = manager::detect(&hooks).filter(|_| !arguments.force) {
        print(&manager_instructions(&detected))?;
        return Ok(exit::GOOD);
    }
    let options = options(&arguments.limits, &hooks, &arguments.path)?;
    let installed = install::install(&hooks, &program(), &options)?;
    print(&format!("{}\n", summary(&installed)))?;
    if hooks.is_in_working_tree() {
        note("note: the hook is in the working tree; if you commit it, it contains the path of carnet on this machine");
    }
    Ok(exit::GOOD)
}

pub(super) fn remove(arguments: &Remove) -> Outcome {
    let hooks = HooksDir::find(&directory(&arguments.path)?)?;
    let file = display_path(&hooks.dir.join(script::NAME));
    let text = match install::remove(&hooks)? {
        Removed::Removed => format!("removed {file}\n"),
        Removed::Restored => format!("removed carnet's hook and restored the previous {file}\n"),
        Removed::Nothing => format!("no carnet hook found in {}\n", display_path(&hooks.dir)),
    };
    print(&text)?;
    if let Some(detected) = manager::detect(&hooks).filter(|detected| detected.runs_carnet) {
        let manager = detected.manager;
        note(&format!("note: {} still runs carnet; remove it from {}", manager.name(), manager.file(&detected)));
    }
    Ok(exit::GOOD)
}

fn directory(path: &Path) -> Result<PathBuf, CommandError> {
    let dir = path.canonicalize().ok().filter(|dir| dir.is_dir());
    Ok(dir.ok_or_else(|| SourceError::NoDirectory { path: path.to_owned() })?)
}

/// Returns the program that the hook starts: this executable, or `carnet` from `PATH` if its path is not known.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("carnet"))
}

/// Returns the options of `carnet hook run` that differ from the defaults.
fn options(limits: &Limits, hooks: &HooksDir, path: &Path) -> Result<Vec<String>, CommandError> {
    let mut options = Vec::new();
    let top = hooks.top.canonicalize().unwrap_or_else(|_| hooks.top.clone());
    let start = directory(path)?;
    // Without a configuration, the whole repository is the analysis.
    let file = config::discover(&start, Some(&top));
    let analysis = file.as_deref().and_then(Path::parent).unwrap_or(&top);
    if let Some(path) = analysis.strip_prefix(&top).ok().and_then(Path::to_str).filter(|path| !path.is_empty()) {
        options.extend(["--path".to_owned(), path.to_owned()]);
    }
    if limits.fail_on != FailOn::default()
        && let Some(level) = limits.fail_on.to_possible_value()
    {
        options.extend(["--fail-on".to_owned(), level.get_name().to_owned()]);
    }
    if limits.budget != DEFAULT_BUDGET {
        options.extend(["--budget".to_owned(), format!("{}ms", limits.budget.as_millis())]);
    }
    Ok(options)
}

fn summary(installed: &Installed) -> String {
    let file = display_path(&installed.file);
    let summary = match installed.change {
        Change::Created => format!("installed {file}"),
        Change::Updated => format!("updated {file}"),
        Change::Unchanged => format!("{file} is up to date"),
    };
    match &installed.previous {
        Some(previous) => {
            format!("{summary}; the previous hook was moved to {} and runs after it", display_path(previous))
        }
        None => summary,
    }
}

/// Returns the path relative to the current directory, if it is inside.
fn display_path(path: &Path) -> String {
    let current = std::env::current_dir().and_then(|dir| dir.canonicalize()).unwrap_or_default();
    path.strip_prefix(current).unwrap_or(path).display().to_string()
}

/// Returns instructions for a repository whose hooks are managed by another program.
fn manager_instructions(detected: &DetectedManager) -> String {
    let (manager, file) = (detected.manager, detected.manager.file(detected));
    let command = manager.command().map(|command| format!("Then run: {command}\n")).unwrap_or_default();
    if detected.runs_carnet {
        return format!("{file} already runs carnet; no hook was installed.\n{command}");
    }
    format!(
        "{} manages the hooks of this repository ({}); no hook was installed.\n\nAdd this to {file}:\n\n{}\n{command}To \
         install a separate hook anyway, run: carnet hook install --force\n",
        manager.name(),
        detected.evidence,
        manager.snippet()
    )
}
