//! Looks up items by name, with suggestions for unknown names.

use crate::error::{Failure, Kind};

/// An unknown name.
#[derive(Debug, thiserror::Error)]
#[error("unknown {kind} `{}`", name.escape_debug())]
pub(super) struct UnknownName {
    kind: &'static str,
    name: String,
    nearest: Option<String>,
    list_command: &'static str,
}

impl Failure for UnknownName {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.nearest {
            Some(nearest) => format!("did you mean `{nearest}`? Run `{}` to list all ids", self.list_command),
            None => format!("run `{}` to list all ids", self.list_command),
        })
    }
}

/// A kind of item with unique names.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedKind {
    /// Name of the kind, for messages.
    pub(super) kind: &'static str,
    /// The command that lists all items.
    pub(super) list_command: &'static str,
}

impl NamedKind {
    /// Finds the item with this name.
    pub(super) fn find<T: Copy>(
        self,
        name: &str,
        items: impl Iterator<Item = T>,
        name_of: impl Fn(T) -> &'static str,
    ) -> Result<T, UnknownName> {
        let mut nearest: Option<(usize, &str)> = None;
        for item in items {
            if name_of(item) == name {
                return Ok(item);
            }
            let candidate = (strsim::damerau_levenshtein(name_of(item), name), name_of(item));
            nearest = Some(nearest.map_or(candidate, |best| best.min(candidate)));
        }
        let nearest = nearest.filter(|(distance, _)| *distance <= name.len() / 3 + 1).map(|(_, near)| near.to_owned());
        Err(UnknownName { kind: self.kind, name: name.to_owned(), nearest, list_command: self.list_command })
    }
}
