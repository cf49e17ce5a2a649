//! Spack: `spack.yaml` and `spack.lock`.

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use crate::model::inventory::{Index, Locked, Requirement};

/// `spack.yaml`.
pub(super) static FORMAT: Format = Format::declaration("spack", &["spack.yaml"], read);

/// `spack.lock`.
pub(super) static LOCK: Format =
    Format::lock("spack-lock", &["spack.lock"], |declaration| declaration == "spack.yaml", read_lock);

/// Reads the specs of `spack.yaml`: `name@1.2:1.4+variant %compiler`.
fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::yaml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    let environment = root.get("spack").or_else(|| root.get("env")).unwrap_or(&root);
    for item in environment.items_of("specs") {
        let Some(text) = item.text() else { continue };
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if name.is_empty() {
            continue;
        }
        let version =
            rest.strip_prefix('@').map(|rest| rest.split(['+', '~', '%', ' ', '^']).next().unwrap_or_default());
        builder.inventory.requirements.push(Requirement {
            path: file.path.to_owned(),
            line: item.line,
            index: Index::Spack,
            name: name.to_lowercase(),
            constraint: version.map_or_else(String::new, |version| format!("@{version}")),
            exact: version.is_some_and(|version| {
                version.starts_with('=') || !version.is_empty() && !version.contains([':', ','])
            }),
            group: None,
            source: None,
            marker: None,
            hashed: false,
        });
    }
}

/// Reads `spack.lock`.
fn read_lock(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::json(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    for (_, spec) in root.entries_at(&["concrete_specs"]) {
        let (Some(name), Some(version)) = (spec.text_of("name"), spec.text_of("version")) else { continue };
        let arch = spec.get("arch");
        let part = |key| arch.and_then(|arch: &Node| arch.text_of(key));
        builder.inventory.locked.push(Locked {
            name: name.to_lowercase(),
            version: version.to_owned(),
            platform: part("platform").zip(part("platform_os")).map(|(platform, os)| format!("{platform}-{os}")),
            ..builder.locked(file.path, spec.line, Index::Spack)
        });
    }
}
