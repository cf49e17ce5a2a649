//! Rules about paths, doors and hosts, and their common parts: how a text is used, the kind of a path, its message.

mod cvmfs_nightly;
mod cvmfs_path;
mod dotfile;
mod fixed_tmp;
mod home_path;
mod host_address;
mod image_path;
mod link_out;
mod message;
mod moving_url;
mod own_file;
mod personal_store;
mod proxy_path;
mod public_html;
mod retired_path;
mod site_path;
mod subject;
#[cfg(test)]
mod tests;
mod unlisted;
pub(super) mod usage;
mod xrootd_door;
mod xrootd_redirector;

use super::Rule;

/// Rules about paths, doors and hosts, in the order of documents.
pub(super) const RULES: &[&Rule] = &[
    &cvmfs_nightly::RULE,
    &cvmfs_path::RULE,
    &dotfile::RULE,
    &fixed_tmp::RULE,
    &home_path::RULE,
    &host_address::RULE,
    &image_path::RULE,
    &link_out::RULE,
    &moving_url::RULE,
    &own_file::RULE,
    &personal_store::RULE,
    &proxy_path::RULE,
    &public_html::RULE,
    &retired_path::RULE,
    &site_path::RULE,
    &xrootd_door::RULE,
    &xrootd_redirector::RULE,
];
