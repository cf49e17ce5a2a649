//! What the catalogue knows of how programs run at a facility, as a configuration would say it.

use super::Facility;
use crate::model::contract::{Contract, Ids};

impl Facility {
    /// The image that is usually run there, as a reference; none when none is known by its whole name.
    pub fn reference(&self) -> Option<String> {
        let whole = |image: &&String| !image.contains(['*', '<']) && !image.ends_with(".x") && !image.contains(".x-");
        let image = self.images.iter().find(whole)?;
        Some(if image.starts_with('/') { format!("dir:{image}") } else { format!("docker://{image}") })
    }

    /// What it imposes beyond its image, as far as that is known: user and group, the entry point, and the read-only root
    /// of Apptainer.
    pub fn contract(&self) -> Contract {
        Contract {
            user: self.uid.as_deref().and_then(ids),
            entrypoint: self.entrypoint_runs,
            read_only: self.engine.as_deref() == Some("apptainer"),
            ..Contract::default()
        }
    }
}

/// The first word of the form `1000:100`; a user alone says nothing of the group.
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
    fn every_image_of_the_catalogue_that_is_whole_is_a_reference() {
        for facility in &Catalogue::builtin().facilities {
            if let Some(image) = facility.reference() {
                let parsed = Reference::parse(&image, Path::new("/"));
                assert!(matches!(parsed, Ok(Reference::Registry(_) | Reference::Tree(_))), "{}: {image}", facility.id);
            }
        }
    }

    #[test]
    fn users_are_taken_where_they_are_numbers() {
        let user = |id| Catalogue::builtin().facility(id).unwrap().contract().user;
        assert_eq!(user("unl-coffea-casa"), Some(Ids { uid: 6440, gid: 11265 }));
        assert_eq!(user("uchicago-coffea-casa"), Some(Ids { uid: 1000, gid: 1000 }));
        assert_eq!((user("reana-cern"), user("mybinder")), (None, None));
    }

    #[test]
    fn a_name_with_a_blank_in_it_is_no_image() {
        assert_eq!(Catalogue::builtin().facility("cern-swan").unwrap().reference(), None);
        let infn = Catalogue::builtin().facility("infn-af").unwrap().reference();
        assert_eq!(infn.as_deref(), Some("docker://ghcr.io/comp-dev-cms-ita/kernel-coffea:v0.0.12-rc2"));
    }
}
