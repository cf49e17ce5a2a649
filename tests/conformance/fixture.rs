//! What tests of engines need: the image and the daemon.

use std::process::Command;

use carnet::model::reference::Reference;

/// The layout of the busybox image; `examples/images/build.sh busybox` makes it.
pub(crate) fn busybox() -> Reference {
    let images = std::env::var_os("CARNET_IMAGES").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/images"),
        std::path::PathBuf::from,
    );
    let path = images.join("busybox");
    assert!(
        path.join("index.json").exists(),
        "no image at {}: run `examples/images/build.sh busybox` as root, or set CARNET_IMAGES",
        path.display()
    );
    Reference::OciLayout(path, Some("latest".to_owned()))
}

/// The daemon that tests may use.
///
/// It is named by `CARNET_TEST_DOCKER_HOST`, as `.ci/dockerd start DIR` prints it. Without one these tests fail, unless
/// `CARNET_TEST_NO_DOCKER` says why there is none.
#[expect(clippy::print_stdout, reason = "a test says what it could not look at")]
pub(crate) fn daemon() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (set("CARNET_TEST_DOCKER_HOST"), set("CARNET_TEST_NO_DOCKER")) {
        (Some(host), _) => Some(host),
        (None, Some(reason)) => {
            println!("docker is not tested: {reason}");
            None
        }
        (None, None) => panic!(
            "no daemon to test with: run `eval \"$(.ci/dockerd start /tmp/carnet-dockerd)\"` as root, or set \
             CARNET_TEST_NO_DOCKER to the reason why there is none"
        ),
    }
}

/// Asks the daemon by curl, so that the engine isn't its own witness.
pub(crate) fn ask(host: &str, arguments: &[&str], path: &str) -> String {
    let socket = host.strip_prefix("unix://").expect("a socket of this machine");
    let mut curl = Command::new("curl");
    curl.args(["-sSf", "--max-time", "30", "--unix-socket", socket]).args(arguments);
    let output = curl.arg(format!("http://docker/v1.41{path}")).output().expect("curl is installed");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON")
}
