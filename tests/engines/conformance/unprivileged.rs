//! The conformance list on the embedded engine as an ordinary user, even if root runs the tests.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::conformance::cases;
use crate::nested::{NOBODY, assert_passed, copy_directory};
use crate::support::engine::image;
use crate::support::{CARNET, CommandOutput, program};

fn embedded_engine_of_ordinary_user_conforms() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name);
    // The ordinary user can't read the build directory.
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("a mode");
    program::install(&std::env::current_exe().expect("the path of this binary"), &path("tests"));
    program::install(Path::new(CARNET), &path("carnet"));
    std::fs::create_dir(path("images")).expect("a directory");
    copy_directory(&image("busybox"), &path("images/busybox"));
    for name in ["own", "own/tmp"] {
        std::fs::create_dir(path(name)).expect("a directory");
        std::os::unix::fs::chown(path(name), Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    let mut tests = Command::new(path("tests"));
    tests.args(["conformance::embedded::", "--test-threads=2"]).uid(NOBODY).gid(NOBODY).current_dir("/");
    tests.env("CARNET_TEST_REQUIRE_ALL", "1").env("TMPDIR", path("own/tmp")).env("CARNET_IMAGES", path("images"));
    tests.env("CARNET_TEST_CACHE", path("own/cache")).env("CARNET_TEST_HELPER", path("carnet"));
    assert_passed(&CommandOutput::run(&mut tests), cases::all().count());
}

crate::support::harness::register!(
    [Root, Image("busybox")]:
    embedded_engine_of_ordinary_user_conforms,
);
