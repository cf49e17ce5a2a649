//! Rules about programs, jobs and images.

use super::super::{
    Rule, absolute_shebang, batch_site, committed_credential, dead_url, generated_paths, image_without_digest,
    lfs_pointer, machine_flags, missing_file, missing_tests, moving_action, moving_image, network_at_import,
    nounset_setup, retired_os, site_command, site_executor, unpinned_submodule, unversioned_corrections,
};

/// They, in no order.
pub(in super::super) const CODE: &[&Rule] = &[
    &absolute_shebang::RULE,
    &batch_site::RULE,
    &committed_credential::RULE,
    &dead_url::RULE,
    &generated_paths::RULE,
    &image_without_digest::RULE,
    &lfs_pointer::RULE,
    &machine_flags::RULE,
    &missing_file::RULE,
    &missing_tests::RULE,
    &moving_action::RULE,
    &moving_image::RULE,
    &network_at_import::RULE,
    &nounset_setup::RULE,
    &retired_os::RULE,
    &site_command::RULE,
    &site_executor::RULE,
    &unpinned_submodule::RULE,
    &unversioned_corrections::RULE,
];
