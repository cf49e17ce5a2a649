//! Names that must be those of something known.

use crate::error::{Failure, Kind};

/// Nothing has this name.
#[derive(Debug, thiserror::Error)]
#[error("no {what} `{}`", name.escape_debug())]
pub(super) struct NoSuch {
    what: &'static str,
    name: String,
    near: Option<String>,
    /// The command that lists those there are.
    list: &'static str,
}

impl Failure for NoSuch {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        let near = self.near.as_ref().map(|near| format!("did you mean `{near}`? "));
        Some(format!("{}{} lists those there are", near.unwrap_or_default(), self.list))
    }
}

/// A kind of things that have names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    /// What one of them is called.
    pub(super) what: &'static str,
    /// The command that lists them.
    pub(super) list: &'static str,
}

impl Named {
    /// The one of this name.
    pub(super) fn find<T: Copy>(
        self,
        name: &str,
        all: impl Iterator<Item = T>,
        own: impl Fn(T) -> &'static str,
    ) -> Result<T, NoSuch> {
        let mut nearest: Option<(usize, &str)> = None;
        for one in all {
            if own(one) == name {
                return Ok(one);
            }
            let seen = (strsim::damerau_levenshtein(own(one), name), own(one));
            nearest = Some(nearest.map_or(seen, |best| best.min(seen)));
        }
        let near = nearest.filter(|(distance, _)| *distance <= name.len() / 3 + 1).map(|(_, near)| near.to_owned());
        Err(NoSuch { what: self.what, name: name.to_owned(), near, list: self.list })
    }
}
