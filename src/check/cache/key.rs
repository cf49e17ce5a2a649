//! The keys of cached results.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::OnceLock;

use serde::Serialize;

use crate::config::{Config, Facility};
use crate::engine::Engine;
use crate::model::canonical;
use crate::model::contract::Contract;
use crate::model::digest::Digest;
use crate::model::image::ImageIdentity;
use crate::model::plan::TestCommand;
use crate::sys::environment;

/// Version of the content of a key and of the layout of an entry.
const LAYOUT: u32 = 1;

/// The analysis and its tests, which all cells of a check share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestSubject<'a> {
    /// The configuration.
    pub(crate) config: &'a Config,
    /// The configured or detected test commands.
    pub(crate) tests: &'a [TestCommand],
    /// Digest of the tree that the tests read.
    pub(crate) tree: &'a Digest,
}

/// A digest of everything that a result depends on, except the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputKey(String);

/// A digest of everything that a result depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResultKey {
    pub(crate) input: InputKey,
    pub(crate) image: String,
}

#[derive(Serialize)]
struct CellInput<'a> {
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

impl InputKey {
    /// Returns the key of a cell.
    pub(crate) fn new(subject: TestSubject<'_>, facility: &Facility) -> Option<Self> {
        let test = &subject.config.test;
        let input = CellInput {
            layout: LAYOUT,
            version: env!("CARGO_PKG_VERSION"),
            build: build(),
            machine: machine(),
            cell: facility.cell(),
            contract: &facility.contract,
            passed: passed_env(facility),
            setup: test.setup.as_deref(),
            tests: subject.tests,
            timeout: test.timeout,
            retries: test.retries,
            git: test.git,
            outputs: &subject.config.outputs,
            inputs: &subject.config.inputs,
            tree: subject.tree,
        };
        Some(Self(short_digest(&input)?))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl ResultKey {
    /// Returns the key of a cell in an image on an engine, or `None` if the content of the image is not known.
    pub(crate) fn new(input: InputKey, image: &ImageIdentity, engine: &dyn Engine) -> Option<Self> {
        let config = image.config_digest.as_ref()?;
        let identity = CellIdentity {
            engine: engine.name(),
            daemon: engine.address(),
            platform: &image.platform,
            config,
            layers: &image.layers,
        };
        Some(Self { input, image: short_digest(&identity)? })
    }

    /// Returns the key as its entry records it.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.input.0, self.image)
    }
}

/// Returns the variables of this process that the contract passes to the cell.
pub(crate) fn passed_env(facility: &Facility) -> BTreeMap<String, String> {
    let names = facility.contract.pass_env.iter();
    names.filter_map(|name| Some((name.clone(), environment::var(name)?))).collect()
}

/// Returns the shortened digest of a value. The value can contain secrets and is not stored.
fn short_digest<T: Serialize>(value: &T) -> Option<String> {
    let digest = canonical::digest_without(value, &[]).ok()?;
    digest.hex().get(..40).map(str::to_owned)
}

/// Distinguishes debug builds of the same version by the modification time of the executable. Empty for release builds.
fn build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let modified = || std::fs::metadata("/proc/self/exe").ok()?.modified().ok();
        if cfg!(debug_assertions) { format!("{:?}", modified()) } else { String::new() }
    })
}

/// Describes the properties of this machine that containers inherit: the kernel, the processor's instructions, the user id
/// and the resource limits. Different machines may share a home directory.
fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let user = rustix::process::geteuid().as_raw();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        format!("{}\n{user}\n{}\n{}", kernel.trim(), processor().unwrap_or_default(), effective_limits(&limits))
    })
}

/// Returns the model and instructions of the first processor, from proc_cpuinfo(5).
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

/// Returns the soft values of the limits that can affect a test, from proc_pid_limits(5).
fn effective_limits(limits: &str) -> String {
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
    use super::effective_limits;

    #[test]
    fn soft_limits_are_distinguished() {
        let limits = |stack: &str| {
            effective_limits(&format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max stack size            {stack}              unlimited            bytes     \n\
                 Max open files            1024                 4096                 files     \n"
            ))
        };
        assert_eq!(limits("8388608"), "8388608 1024");
        assert_ne!(limits("unlimited"), limits("8388608"));
        assert_ne!(effective_limits(&std::fs::read_to_string("/proc/self/limits").expect("limits")), "");
    }
}
