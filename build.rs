//! Generates the list of facilities from the files in `src/facility/data`: a new facility needs only a new file.

use std::path::Path;
use std::{env, fs, io};

const DATA: &str = "src/facility/data";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DATA}");
    let mut ids = Vec::new();
    for entry in fs::read_dir(DATA)? {
        let name =
            entry?.file_name().into_string().map_err(|name| io::Error::other(format!("{name:?} is not UTF-8")))?;
        ids.extend(name.strip_suffix(".toml").map(str::to_owned));
    }
    ids.sort_unstable();
    let entries: Vec<String> = ids
        .iter()
        .map(|id| format!("({id:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{DATA}/{id}.toml\"))),\n"))
        .collect();
    let list = format!("&[\n{}]\n", entries.concat());
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("facilities.rs"), list)
}
