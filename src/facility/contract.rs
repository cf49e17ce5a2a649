//! Image and contract of a facility of the catalogue.

use super::Facility;
use crate::model::contract::{Contract, Ids};

impl Facility {
    /// Returns the reference of the default image. `None` if no complete image name is known.
    pub fn reference(&self) -> Option<String> {
        let is_complete =
            |image: &&String| !image.contains(['*', '<']) && !image.ends_with(".x") && !image.contains(".x-");
        let image = self.images.iter().find(is_complete)?;
        Some(if image.starts_with('/') { format!("dir:{image}") } else { format!("docker://{image}") })
    }

    /// Returns the known part of its contract: user and group, the entrypoint, and the read-only root file system of
    /// Apptainer.
    pub fn contract(&self) -> Contract {
        Contract {
            user: self.uid.as_deref().and_then(ids),
            entrypoint: self.entrypoint_runs,
            read_only: self.engine.as_deref() == Some("apptainer"),
            ..Contract::default()
        }
    }
}

/// Returns the first word of the form `1000:100`; a user without a group is ignored.
fn ids(text: &str) -> Option<Ids> {
    text.split_whitespace().find_map(|word| {
        let (uid, gid) = word.split_once(':')?;
        Some(Ids { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::facility::Catalogue;
    use crate::model::contract::Ids;
    use crate::model::reference::Reference;

    #[test]
    fn every_complete_image_is_a_valid_reference() {
        for facility in &Catalogue::builtin().facilities {
            if let Some(image) = facility.reference() {
                let parsed = Reference::parse(&image, Path::new("/"));
                assert!(matches!(parsed, Ok(Reference::Registry(_) | Reference::Tree(_))), "{}: {image}", facility.id);
            }
        }
    }

    #[test]
    fn only_numeric_users_are_used() {
        let user = |id| Catalogue::builtin().facility(id).unwrap().contract().user;
        assert_eq!(user("unl-coffea-casa"), Some(Ids { uid: 6440, gid: 11265 }));
        assert_eq!(user("uchicago-coffea-casa"), Some(Ids { uid: 1000, gid: 1000 }));
        assert_eq!((user("reana-cern"), user("mybinder")), (None, None));
    }

    #[test]
    fn image_name_with_placeholder_is_skipped() {
        assert_eq!(Catalogue::builtin().facility("cern-swan").unwrap().reference(), None);
        let infn = Catalogue::builtin().facility("infn-af").unwrap().reference();
        assert_eq!(infn.as_deref(), Some("docker://ghcr.io/comp-dev-cms-ita/kernel-coffea:v0.0.12-rc2"));
    }
}
