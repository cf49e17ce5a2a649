//! `carnet scan --inventory`.

use std::fmt::Write as _;

use super::super::format::json;
use super::super::{CommandError, print as out};
use crate::model::inventory::Inventory;
use crate::model::text::clean;

/// Most packages that are listed of one file.
const MOST: usize = 15;

pub(super) fn print(inventory: &Inventory, as_json: bool) -> Result<(), CommandError> {
    let text = if as_json { json(inventory)? } else { human(inventory) };
    Ok(out(&text)?)
}

/// A file a paragraph: what it is, and what it asks for.
fn human(inventory: &Inventory) -> String {
    let mut text = String::new();
    // Writing into a string can't fail.
    for file in &inventory.files {
        let what = if file.lock { "lock" } else { "declares" };
        let _ = writeln!(text, "{}  ({}, {what}, {})", clean(&file.path), file.format, file.digest);
        if let Some(problem) = &file.problem {
            let _ = writeln!(text, "    not read: {}", clean(problem));
        }
        for range in inventory.pythons.iter().filter(|range| range.path == file.path) {
            let _ = writeln!(text, "    python {}", clean(&range.constraint));
        }
        let asked = inventory.requirements.iter().filter(|one| one.path == file.path);
        let asked = asked.map(|one| {
            let group = one.group.as_ref().map(|group| format!("  [{group}]")).unwrap_or_default();
            format!("{}{}{group}", one.name, one.constraint)
        });
        let locked = inventory.locked.iter().filter(|one| one.path == file.path);
        let locked = locked.map(|one| format!("{} {}", one.name, one.version));
        let packages: Vec<String> = asked.chain(locked).collect();
        for package in packages.iter().take(MOST) {
            let _ = writeln!(text, "    {}", clean(package));
        }
        if packages.len() > MOST {
            let _ = writeln!(text, "    and {} more", packages.len() - MOST);
        }
    }
    for image in &inventory.images {
        let _ = writeln!(text, "{}:{}  image {}", clean(&image.path), image.line, clean(&image.image));
    }
    if !inventory.binder.is_empty() {
        let _ = writeln!(text, "Binder builds from {}", clean(&inventory.binder.join(", ")));
    }
    if text.is_empty() {
        text.push_str("nothing is declared: no requirements, no lock, no image\n");
    }
    text
}
