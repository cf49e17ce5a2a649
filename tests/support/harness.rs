//! A test harness that reports a test as ignored when an engine, image or program is missing.
//!
//! Rust's own harness decides at compile time which tests are ignored. The binaries with `harness = false` in `Cargo.toml` list
//! their tests with [`register!`] instead. `CARNET_TEST_REQUIRE_ALL=1`, which `make test` sets, turns a missing requirement into a
//! failure.

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::engine;

/// Something outside of this repository that a test needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Requirement {
    /// A Docker daemon, named by `CARNET_TEST_DOCKER_HOST`.
    Docker,
    /// An image that `examples/images/build.sh` makes.
    Image(&'static str),
    /// A program of `make test-tools`, as a path below `target/tools`.
    Tool(&'static str),
    /// A program on `PATH`.
    Program(&'static str),
    /// The user root.
    Root,
    /// Run only with `--ignored`, for this reason.
    OnRequest(&'static str),
}

impl Requirement {
    /// Reports what is missing and how to get it.
    fn check(self) -> Result<(), String> {
        match self {
            Self::Docker => engine::docker_host().map(drop),
            Self::Image(name) => engine::image_path(name).map(drop),
            Self::Tool(path) => engine::tool_path(path).map(drop),
            Self::Program(name) => engine::find_program(name).map(drop),
            Self::Root if nix::unistd::geteuid().is_root() => Ok(()),
            Self::Root => Err("only root can run this test".to_owned()),
            Self::OnRequest(_) => Ok(()),
        }
    }
}

/// One test of a binary with `harness = false`.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) requires: &'static [Requirement],
    pub(crate) run: fn(),
}

inventory::collect!(Test);

/// Adds functions of this module to the tests of the binary: `register!([Docker, Image("busybox")]: first, second);`
macro_rules! register {
    ($requirements:tt: $($name:ident),+ $(,)?) => {
        $($crate::support::harness::submit!($requirements, $name, $name);)+
    };
}
pub(crate) use register;

/// Like [`register!`], for async functions.
macro_rules! register_async {
    ($requirements:tt: $($name:ident),+ $(,)?) => {
        $($crate::support::harness::submit!($requirements, $name, || $crate::support::harness::block_on($name()));)+
    };
}
pub(crate) use register_async;

/// Adds one test with its requirements, its name and the function that runs it.
macro_rules! submit {
    ($requirements:tt, $name:ident, $run:expr) => {
        inventory::submit! {
            $crate::support::harness::Test {
                name: concat!(module_path!(), "::", stringify!($name)),
                requires: {
                    #[allow(unused_imports, reason = "a list may be empty")]
                    use $crate::support::harness::Requirement::{Docker, Image, OnRequest, Program, Root, Tool};
                    &$requirements
                },
                run: $run,
            }
        }
    };
}
pub(crate) use submit;

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Runs the registered tests and `more` as the command line selects them, and exits.
pub(crate) fn main(more: Vec<Trial>) {
    let arguments = Arguments::from_args();
    let mut tests: Vec<&Test> = inventory::iter::<Test>().collect();
    tests.sort_by_key(|test| test.name);
    let registered = tests.into_iter().map(|test| {
        let name = test.name.split_once("::").map_or(test.name, |(_, name)| name);
        trial(name, test.requires, || {
            (test.run)();
            Completion::Completed
        })
    });
    libtest_mimic::run(&arguments, registered.chain(more).collect()).exit();
}

/// A test that is ignored if a requirement is missing.
pub(crate) fn trial(
    name: impl Into<String>,
    requires: &'static [Requirement],
    run: impl FnOnce() -> Completion + Send + 'static,
) -> Trial {
    let is_strict = std::env::var_os("CARNET_TEST_REQUIRE_ALL").is_some();
    let is_on_request = requires.iter().any(|requirement| matches!(requirement, Requirement::OnRequest(_)));
    let run = move || match requires.iter().find_map(|requirement| requirement.check().err()) {
        Some(reason) if is_strict => Err(Failed::from(reason)),
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => Ok(run()),
    };
    Trial::ignorable_test(name, run).with_ignored_flag(is_on_request)
}
