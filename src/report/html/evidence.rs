//! The evidence for a result: the image, the contract, the commands and the files.

use super::super::summary;
use super::Context;
use super::environment::{Fact, Facts};
use super::inert::anchor;
use crate::model::cell::{FileDigest, Step};
use crate::model::contract::Contract;
use crate::model::document::Cell;
use crate::model::image::ImageIdentity;
use crate::model::known::Known;
use crate::model::text::duration;

/// Maximum number of files and commands.
const MAX_LIST: usize = 30;

/// The evidence of a cell.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) groups: Vec<(&'static str, Vec<Fact>)>,
    /// Anchor and short digest of its environment.
    pub(super) environment: Option<(String, String)>,
}

pub(super) fn evidence(context: &Context<'_>, cell: &Cell) -> Evidence {
    let groups = [
        ("Image", cell.image.as_ref().map_or_else(Vec::new, image)),
        ("Contract", contract(&cell.contract)),
        ("Run", run(cell)),
        ("Inputs", files(&cell.inputs)),
        ("Outputs", files(&cell.outputs)),
    ];
    let digest = cell.environment.as_ref().filter(|digest| context.document.environments.contains_key(*digest));
    Evidence {
        groups: groups.into_iter().filter(|(_, facts)| !facts.is_empty()).collect(),
        environment: digest.map(|digest| (anchor("environment", digest.short()), digest.short().to_owned())),
    }
}

fn image(image: &ImageIdentity) -> Vec<Fact> {
    let mut facts = Facts::default();
    facts.add("Reference", &image.reference);
    facts.add("Platform", &image.platform);
    let digests =
        [("Index", &image.index_digest), ("Manifest", &image.manifest_digest), ("Configuration", &image.config_digest)];
    for (name, digest) in digests {
        if let Some(digest) = digest {
            facts.add(name, digest.as_str());
        }
    }
    if !image.layers.is_empty() {
        facts.add("Layers", image.layers.len().to_string());
    }
    facts.0
}

/// Returns the settings that the facility imposes.
fn contract(contract: &Contract) -> Vec<Fact> {
    let mut facts = Facts::default();
    if let Some(user) = contract.user {
        facts.add("User", format!("{}:{}", user.uid, user.gid));
    }
    facts.add("HOME", contract.home.as_deref().unwrap_or_default());
    if contract.read_only {
        facts.add("Root", "read-only");
    }
    if let Some(tmp) = &contract.tmp {
        let size = tmp.size.map(bytes);
        let parts = [size, tmp.noexec.then(|| "noexec".to_owned())];
        facts.add("/tmp", parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    }
    facts.add("Directory", contract.workdir.as_deref().unwrap_or_default());
    let variables: Vec<String> = contract.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    facts.add("Variables", variables.join(" "));
    facts.add("Passed on", contract.pass_env.join(" "));
    if contract.entrypoint {
        facts.add("Entrypoint", "run");
    }
    facts.add("Prelude", contract.prelude.as_deref().unwrap_or_default());
    for mount in &contract.mounts {
        let mode = if mount.writable { "writable" } else { "read-only" };
        facts.add("Mount", format!("{} at {} ({mode})", mount.source, mount.target));
    }
    let processors = |milli: u64| format!("{}", milli as f64 / 1000.0);
    facts.add("Memory", contract.memory.map(bytes).unwrap_or_default());
    facts.add("Disk", contract.disk.map(bytes).unwrap_or_default());
    facts.add("Processes", contract.pids.map(|pids| pids.to_string()).unwrap_or_default());
    facts.add("Processors", contract.milli_cpus.map(processors).unwrap_or_default());
    facts.0
}

fn run(cell: &Cell) -> Vec<Fact> {
    let mut facts = Facts::default();
    facts.add("Engine", &cell.engine);
    for step in cell.steps.iter().take(MAX_LIST) {
        facts.add(&step.name, step_summary(step));
    }
    let inside = &cell.timing.inside;
    if cell.timing.seconds > 0.0 {
        let cached = if cell.cached { ", cached from an earlier run" } else { "" };
        facts.add(
            "Time",
            format!(
                "{}, of which snapshot {}, copy {}, commands {}{cached}",
                duration(cell.timing.seconds),
                duration(inside.snapshot),
                duration(inside.copy),
                duration(inside.commands)
            ),
        );
    }
    facts.0
}

/// Describes a step: `pytest -q tests: exit code 1, 2.5 s, 2 attempts`.
fn step_summary(step: &Step) -> String {
    let attempts = if step.attempts > 1 { format!(", {} attempts", step.attempts) } else { String::new() };
    format!("{}: {}, {}{attempts}", step.run, summary::step_reason(step), duration(step.timing.seconds))
}

fn files(files: &[FileDigest]) -> Vec<Fact> {
    let mut facts = Facts::default();
    for file in files.iter().take(MAX_LIST) {
        let text = match &file.digest {
            Known::Known(digest) => format!("{}, {}", digest.as_str(), bytes(file.bytes)),
            Known::Unknown(reason) => format!("unknown: {reason}"),
        };
        facts.add(&file.path, text);
    }
    if files.len() > MAX_LIST {
        facts.add("and", format!("{} more in carnet.json", files.len() - MAX_LIST));
    }
    facts.0
}

/// Formats a size: `123 B`, `4.0 GiB`.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut whole = number;
    let mut tenths = 0;
    while whole >= 1024 && unit + 1 < UNITS.len() {
        tenths = whole % 1024 * 10 / 1024;
        whole /= 1024;
        unit += 1;
    }
    if unit == 0 { format!("{whole} B") } else { format!("{whole}.{tenths} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_uses_binary_units() {
        assert_eq!([0, 1023, 1024, 123_456, 4 << 30].map(bytes), ["0 B", "1023 B", "1.0 KiB", "120.5 KiB", "4.0 GiB"]);
    }
}
