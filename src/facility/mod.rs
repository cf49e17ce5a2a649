//! The catalogue of facilities: what each mounts, which doors reach its storage, how jobs are run there.
//!
//! One facility a file in `data/`; every fact carries its source and the day it was read.

/// All facilities.
#[derive(Debug)]
pub struct Catalogue {
    /// Sorted by id.
    pub facilities: Vec<Facility>,
}

/// One facility.
#[derive(Debug)]
pub struct Facility {
    /// Identifier: lowercase letters, digits and hyphens.
    pub id: String,
}

impl Catalogue {
    /// The catalogue that carnet carries.
    pub fn builtin() -> &'static Self {
        static EMPTY: Catalogue = Catalogue { facilities: Vec::new() };
        &EMPTY
    }

    /// First parts of paths that mean something.
    pub fn roots(&self) -> Vec<&str> {
        vec!["eos", "home", "afs"]
    }
}
