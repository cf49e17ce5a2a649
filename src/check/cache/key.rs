//! What a result depends on.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::OnceLock;

use serde::Serialize;

use crate::config::{Config, Facility};
use crate::engine::docker;
use crate::model::canonical;
use crate::model::contract::Contract;
use crate::model::digest::Digest;
use crate::model::image::ImageIdentity;
use crate::model::plan::TestCommand;

/// Version of what stands in a key, and of how results are stored.
const LAYOUT: u32 = 1;

/// What is tested, and how: the same for all cells of a check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The configuration.
    pub(crate) config: &'a Config,
    /// The test commands, detected ones included.
    pub(crate) tests: &'a [TestCommand],
    /// Digest of the tree that the tests see.
    pub(crate) tree: &'a Digest,
}

/// Everything that a result depends on, apart from the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question(String);

/// Everything that a result depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) question: Question,
    pub(crate) image: String,
}

#[derive(Serialize)]
struct Asked<'a> {
    layout: u32,
    version: &'a str,
    build: &'a str,
    machine: &'a str,
    cell: String,
    contract: &'a Contract,
    passed: BTreeMap<String, String>,
    setup: Option<&'a str>,
    tests: &'a [TestCommand],
    timeout: u64,
    retries: u32,
    git: bool,
    outputs: &'a [String],
    inputs: &'a [String],
    tree: &'a Digest,
}

#[derive(Serialize)]
struct CellIdentity<'a> {
    engine: &'a str,
    daemon: Option<String>,
    platform: &'a str,
    config: &'a Digest,
    layers: &'a [Digest],
}

impl Question {
    /// The question that running this cell answers.
    pub(crate) fn new(subject: Subject<'_>, facility: &Facility) -> Option<Self> {
        let test = &subject.config.test;
        let asked = Asked {
            layout: LAYOUT,
            version: env!("CARGO_PKG_VERSION"),
            build: build(),
            machine: machine(),
            cell: facility.cell(),
            contract: &facility.contract,
            passed: passed(facility),
            setup: test.setup.as_deref(),
            tests: subject.tests,
            timeout: test.timeout,
            retries: test.retries,
            git: test.git,
            outputs: &subject.config.outputs,
            inputs: &subject.config.inputs,
            tree: subject.tree,
        };
        Some(Self(short(&asked)?))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Key {
    /// The key of a question in this image on this engine; none when the image's content isn't known.
    pub(crate) fn new(question: Question, image: &ImageIdentity, engine: &str) -> Option<Self> {
        // It may be of another machine: each has a kernel of its own.
        let daemon = (engine == docker::NAME).then(|| docker::address().unwrap_or_default());
        let config = image.config_digest.as_ref()?;
        let place = CellIdentity { engine, daemon, platform: &image.platform, config, layers: &image.layers };
        Some(Self { question, image: short(&place)? })
    }

    /// What an entry says it is of.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.question.0, self.image)
    }
}

/// Variables that the contract takes over from this process.
pub(crate) fn passed(facility: &Facility) -> BTreeMap<String, String> {
    let names = facility.contract.pass_env.iter();
    names.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
}

/// Values go into a digest and nowhere else.
fn short<T: Serialize>(value: &T) -> Option<String> {
    let digest = canonical::digest_without(value, &[]).ok()?;
    digest.hex().get(..40).map(str::to_owned)
}

/// What tells builds of one version apart; of released ones nothing does.
fn build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let own = || std::fs::metadata("/proc/self/exe").ok()?.modified().ok();
        if cfg!(debug_assertions) { format!("{:?}", own()) } else { String::new() }
    })
}

/// What of the machine reaches into containers: the kernel, the processor's instructions, whether we are root, and the limits of
/// who started us. A home directory may be shared by machines that differ.
fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let user = rustix::process::geteuid().as_raw();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        format!("{}\n{user}\n{}\n{}", kernel.trim(), processor().unwrap_or_default(), felt(&limits))
    })
}

/// Model and instructions of the first processor, from proc_cpuinfo(5).
fn processor() -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open("/proc/cpuinfo").ok()?.take(8 << 10).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let first = text.split("\n\n").next()?;
    let lines = first.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().trim();
        matches!(name, "model name" | "flags" | "CPU implementer" | "CPU part" | "Features")
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// The limits that a program can run into, from proc_pid_limits(5), with the values that hold.
fn felt(limits: &str) -> String {
    const NAMES: [&str; 7] = [
        "Max cpu time",
        "Max file size",
        "Max data size",
        "Max stack size",
        "Max processes",
        "Max open files",
        "Max address space",
    ];
    let value = |name: &&str| limits.lines().find_map(|line| line.strip_prefix(*name)?.split_whitespace().next());
    NAMES.iter().filter_map(value).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::felt;

    #[test]
    fn limits_that_hold_are_told_apart() {
        let told = |stack: &str| {
            felt(&format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max stack size            {stack}              unlimited            bytes     \n\
                 Max open files            1024                 4096                 files     \n"
            ))
        };
        assert_eq!(told("8388608"), "8388608 1024");
        assert_ne!(told("unlimited"), told("8388608"));
        assert_ne!(felt(&std::fs::read_to_string("/proc/self/limits").expect("limits")), "");
    }
}
