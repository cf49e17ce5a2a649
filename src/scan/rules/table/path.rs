//! Rules about paths, doors and hosts.

use super::super::Rule;
use super::super::path::{
    cvmfs_nightly, cvmfs_path, dotfile, fixed_tmp, home_path, host_address, image_path, link_out, moving_url, own_file,
    personal_store, proxy_path, public_html, retired_path, site_path, xrootd_door, xrootd_redirector,
};

/// Rules about paths, doors and hosts.
pub(in super::super) const PATH: &[&Rule] = &[
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
