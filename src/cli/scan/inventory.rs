//! `carnet scan --inventory`.

use std::fmt::Write as _;

use super::super::error::CommandError;
use super::super::output;
use crate::model::inventory::Inventory;
use crate::model::text::clean;

/// Maximum number of packages listed for one file.
const MAX_PACKAGES: usize = 15;

/// Prints the inventory as text or JSON.
pub(super) fn print(inventory: &Inventory, as_json: bool) -> Result<(), CommandError> {
    let text = if as_json { output::json(inventory)? } else { human(inventory) };
    Ok(if as_json { output::print_exact(&text) } else { output::print(&text) }?)
}

/// Formats the inventory as text, with one paragraph per file.
fn human(inventory: &Inventory) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for file in &inventory.files {
        let lock = if file.lock { ", lock file" } else { "" };
        let _ = writeln!(text, "{}  ({}{lock}, {})", clean(&file.path), file.format, file.digest);
        if let Some(problem) = &file.problem {
            let _ = writeln!(text, "    not read: {}", clean(problem));
        }
        for range in inventory.pythons.iter().filter(|range| range.path == file.path) {
            let _ = writeln!(text, "    python {}", clean(&range.constraint));
        }
        let required = inventory.requirements.iter().filter(|package| package.path == file.path);
        let required = required.map(|package| {
            let group = package.group.as_ref().map(|group| format!("  [{group}]")).unwrap_or_default();
            format!("{}{}{group}", package.name, package.constraint)
        });
        let locked = inventory.locked.iter().filter(|package| package.path == file.path);
        let locked = locked.map(|package| format!("{} {}", package.name, package.version));
        let packages: Vec<String> = required.chain(locked).collect();
        for package in packages.iter().take(MAX_PACKAGES) {
            let _ = writeln!(text, "    {}", clean(package));
        }
        if packages.len() > MAX_PACKAGES {
            let _ = writeln!(text, "    and {} more", packages.len() - MAX_PACKAGES);
        }
    }
    for image in &inventory.images {
        let _ = writeln!(text, "{}:{}  image {}", clean(&image.path), image.line, clean(&image.image));
    }
    if !inventory.binder.is_empty() {
        let _ = writeln!(text, "Binder builds from {}", clean(&inventory.binder.join(", ")));
    }
    if text.is_empty() {
        text.push_str("no declared requirements, lock files or images\n");
    }
    text
}
