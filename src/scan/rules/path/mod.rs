//! Rules about paths, doors and hosts, and what they share: how a text is used, what a path is, what to say of it.

#[cfg(test)]
mod community_tests;
pub(super) mod cvmfs_nightly;
pub(super) mod cvmfs_path;
pub(super) mod dotfile;
pub(super) mod fixed_tmp;
pub(super) mod home_path;
pub(super) mod host_address;
pub(super) mod image_path;
pub(super) mod link_out;
mod message;
pub(super) mod moving_url;
pub(super) mod own_file;
pub(super) mod personal_store;
pub(super) mod proxy_path;
pub(super) mod public_html;
pub(super) mod retired_path;
pub(super) mod site_path;
mod subject;
#[cfg(test)]
mod tests;
mod unlisted;
pub(super) mod usage;
pub(super) mod xrootd_door;
pub(super) mod xrootd_redirector;
