//! `carnet hook install` and `carnet hook remove`.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::super::{CommandError, Outcome, print};
use super::{Install, Limits, Remove};
use crate::config;
use crate::exit;
use crate::hook::hooks_dir::{HooksDir, HooksDirError};
use crate::hook::install;
use crate::hook::install::{How, Installed, Removed};
use crate::hook::manager;
use crate::hook::manager::Found;
use crate::source::SourceError;
use crate::ui::note;

pub(super) fn install(arguments: &Install) -> Outcome {
    let place = HooksDir::find(&directory(&arguments.path)?)?;
    if let Some(by) = place.shared_by.clone().filter(|_| !arguments.shared) {
        return Err(HooksDirError::Shared { dir: place.dir, by }.into());
    }
    if let Some(found) = manager::find(&place).filter(|_| !arguments.force) {
        print(&advice(&found))?;
        return Ok(exit::GOOD);
    }
    let options = options(&arguments.limits, &place, &arguments.path)?;
    let installed = install::install(&place, &program(), &options)?;
    print(&format!("{}\n", said(&installed)))?;
    if is_seen_by_git(&place) {
        note(
            "it lies in the working tree: what is committed there reaches those who clone it, this path of carnet included",
        );
    }
    Ok(exit::GOOD)
}

pub(super) fn remove(arguments: &Remove) -> Outcome {
    let place = HooksDir::find(&directory(&arguments.path)?)?;
    let file = shown(&place.dir.join(crate::hook::file::NAME));
    let text = match install::remove(&place)? {
        Removed::Ours => format!("removed {file}\n"),
        Removed::Restored => format!("{file} is again the hook that was there before\n"),
        Removed::Nothing => format!("no hook of carnet is in {}\n", shown(&place.dir)),
    };
    print(&text)?;
    if let Some(found) = manager::find(&place).filter(|found| found.knows_us) {
        let manager = found.manager;
        note(&format!("{} starts carnet by {}: remove it there", manager.name(), manager.file(&found)));
    }
    Ok(exit::GOOD)
}

fn directory(path: &Path) -> Result<PathBuf, CommandError> {
    let there = path.canonicalize().ok().filter(|dir| dir.is_dir());
    Ok(there.ok_or_else(|| SourceError::NoDirectory { path: path.to_owned() })?)
}

/// The program that the hook starts. Where it can't say its own path, one on `PATH` does.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("carnet"))
}

/// What the hook is to say to `carnet hook run`, as far as it isn't the default.
fn options(limits: &Limits, place: &HooksDir, path: &Path) -> Result<Vec<String>, CommandError> {
    let mut options = Vec::new();
    let top = place.top.canonicalize().unwrap_or_else(|_| place.top.clone());
    let start = directory(path)?;
    // Where no configuration is, the repository is the analysis.
    let file = config::discover(&start, Some(&top));
    let analysis = file.as_deref().and_then(Path::parent).unwrap_or(&top);
    if let Some(below) = analysis.strip_prefix(&top).ok().and_then(Path::to_str).filter(|below| !below.is_empty()) {
        options.extend(["--path".to_owned(), below.to_owned()]);
    }
    if limits.fail_on != super::FailOn::default()
        && let Some(level) = limits.fail_on.to_possible_value()
    {
        options.extend(["--fail-on".to_owned(), level.get_name().to_owned()]);
    }
    if limits.budget.as_millis() != 2000 {
        options.extend(["--budget".to_owned(), format!("{}ms", limits.budget.as_millis())]);
    }
    Ok(options)
}

fn said(installed: &Installed) -> String {
    let file = shown(&installed.file);
    let done = match installed.how {
        How::New => format!("wrote {file}"),
        How::Renewed => format!("wrote {file} anew"),
        How::Same => format!("{file} is there already"),
    };
    match &installed.before {
        Some(before) => format!("{done}; the hook that was there before runs after it, from {}", shown(before)),
        None => done,
    }
}

/// The path as it is found from here, where it lies below.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize()).unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// What to do where another program keeps the hooks.
fn advice(found: &Found) -> String {
    let (manager, file) = (found.manager, found.manager.file(found));
    let name = manager.name();
    let then = manager.command().map(|command| format!("then run: {command}\n")).unwrap_or_default();
    if found.knows_us {
        return format!("{file} names carnet already; nothing was written\n{then}");
    }
    format!(
        "{name} keeps the hooks of this repository ({}), so nothing was written. Add this to {file}:\n\n{}\n{then}carnet hook install \
         --force writes a hook beside it all the same\n",
        found.seen,
        manager.snippet()
    )
}

/// Whether the directory of hooks is part of the working tree.
fn is_seen_by_git(place: &HooksDir) -> bool {
    let below = place.dir.strip_prefix(&place.top);
    below.is_ok_and(|below| !below.components().any(|part| part.as_os_str() == ".git"))
}
