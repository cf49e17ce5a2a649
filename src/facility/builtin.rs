//! The files that are built into the program.

/// Facilities: id and text, sorted by id.
pub(super) const FACILITIES: &[(&str, &str)] = &[
    ("atlas-bnl", include_str!("data/atlas-bnl.toml")),
    ("atlas-slac", include_str!("data/atlas-slac.toml")),
    ("atlas-uchicago", include_str!("data/atlas-uchicago.toml")),
    ("brown-brux", include_str!("data/brown-brux.toml")),
    ("cern-lxplus", include_str!("data/cern-lxplus.toml")),
    ("cern-swan", include_str!("data/cern-swan.toml")),
    ("desy-naf", include_str!("data/desy-naf.toml")),
    ("etp-lmu", include_str!("data/etp-lmu.toml")),
    ("fnal-eaf", include_str!("data/fnal-eaf.toml")),
    ("fnal-lpc", include_str!("data/fnal-lpc.toml")),
    ("ijclab", include_str!("data/ijclab.toml")),
    ("infn-af", include_str!("data/infn-af.toml")),
    ("kit-etp", include_str!("data/kit-etp.toml")),
    ("mit-submit", include_str!("data/mit-submit.toml")),
    ("mybinder", include_str!("data/mybinder.toml")),
    ("nd-crc", include_str!("data/nd-crc.toml")),
    ("nersc", include_str!("data/nersc.toml")),
    ("psi-t3", include_str!("data/psi-t3.toml")),
    ("purdue-af", include_str!("data/purdue-af.toml")),
    ("reana-cern", include_str!("data/reana-cern.toml")),
    ("rwth-claix", include_str!("data/rwth-claix.toml")),
    ("uchicago-coffea-casa", include_str!("data/uchicago-coffea-casa.toml")),
    ("ucsd", include_str!("data/ucsd.toml")),
    ("umd-rubin", include_str!("data/umd-rubin.toml")),
    ("unl-coffea-casa", include_str!("data/unl-coffea-casa.toml")),
    ("vispa", include_str!("data/vispa.toml")),
    ("wisconsin", include_str!("data/wisconsin.toml")),
];

/// Roots of storage.
pub(super) const STORAGE: &str = include_str!("table/storage.toml");

/// Doors.
pub(super) const DOORS: &str = include_str!("table/door.toml");
