//! User, home, environment, working directory and entrypoint of a program.

use carnet::model::contract::Ids;

use crate::conformance::case::{Case, PLAIN, Step, one};
use carnet::engine::job::part;

const ANALYST: Ids = Ids { uid: 1000, gid: 1000 };
const STRANGER: Ids = Ids { uid: 4321, gid: 8765 };

pub(crate) const CASES: &[Case] = &[
    one(
        "user",
        &[Step {
            script: "id -u; id -g; echo x > {box}/x && cat {box}/x; (echo x > /etc/{mark} && rm /etc/{mark}) 2>/dev/null || echo refused
                     cat {in}/hello.txt; cp {in}/run.sh {box}/p && {box}/p",
            set: |job, _| job.contract.user = Some(STRANGER),
            about: Some(part::USER),
            check: |seen| seen.prints("4321\n8765\nx\nrefused\nhello from outside\nstarted"),
            ..PLAIN
        }],
    ),
    one("image_user", &[Step { script: "id -u; id -g", check: |seen| seen.prints("0\n0"), ..PLAIN }]),
    one(
        "home_is_created",
        &[Step {
            script: "echo $HOME; echo x > $HOME/{mark} && cat $HOME/{mark} && rm $HOME/{mark}; id -u",
            set: |job, _| {
                job.contract.user = Some(ANALYST);
                job.contract.home = Some("/var/lib/people/someone".to_owned());
            },
            about: Some(part::HOME),
            check: |seen| seen.prints("/var/lib/people/someone\nx\n1000"),
            ..PLAIN
        }],
    ),
    one(
        "home_is_created_on_a_read_only_root",
        &[Step {
            script: "echo x > $HOME/{mark} && cat $HOME/{mark} && rm $HOME/{mark}
                     (echo x > /{mark} && rm /{mark}) 2>/dev/null || echo refused",
            set: |job, _| {
                job.contract.user = Some(ANALYST);
                job.contract.home = Some("/srv/people/someone".to_owned());
                job.contract.read_only = true;
            },
            about: Some(part::HOME),
            check: |seen| seen.prints("x\nrefused"),
            ..PLAIN
        }],
    ),
    // Cargo sets these variables in the environment of the engine.
    one(
        "clean_environment",
        &[Step {
            script: "echo ${CARGO_MANIFEST_DIR-not set} ${CARGO_PKG_NAME-not set} $CARNET_CASE",
            check: |seen| {
                assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "cargo runs this test");
                seen.prints(&format!("not set not set {}", seen.env.mark));
            },
            ..PLAIN
        }],
    ),
    one(
        "image_environment",
        &[Step { script: "echo $PATH $LANG", check: |seen| seen.prints("/usr/bin:/bin C.UTF-8"), ..PLAIN }],
    ),
    one(
        "environment_order",
        &[Step {
            script: r#"echo "$LANG|$A|$B|$C|$HOME""#,
            set: |job, _| {
                let contract =
                    [("LANG", "contract"), ("A", "contract"), ("B", "a = 'b' \"c\" $HOME"), ("HOME", "/contract")];
                job.contract.env = contract.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
                job.contract.home = Some("/etc".to_owned());
                job.env.insert("A".to_owned(), "job".to_owned());
                job.env.insert("C".to_owned(), String::new());
            },
            check: |seen| seen.prints("contract|job|a = 'b' \"c\" $HOME||/etc"),
            ..PLAIN
        }],
    ),
    one(
        "default_workdir",
        &[Step {
            script: "pwd",
            check: |seen| {
                seen.exits(0);
                let here = seen.text().trim();
                assert!(here == "/" || here == seen.layout.scratch, "{here}");
            },
            ..PLAIN
        }],
    ),
    one(
        "workdir",
        &[Step {
            script: "pwd; ls passwd",
            set: |job, _| job.contract.workdir = Some("/etc".to_owned()),
            check: |seen| seen.prints("/etc\npasswd"),
            ..PLAIN
        }],
    ),
    one(
        "entrypoint_is_not_run",
        &[Step {
            script: "echo \"$0\" plain",
            check: |seen| seen.prints(&format!("{} plain", seen.env.mark)),
            ..PLAIN
        }],
    ),
    // The image has no entrypoint. The tests of each engine use an image that has one.
    one(
        "entrypoint_is_run",
        &[Step {
            script: "echo plain",
            set: |job, _| job.contract.entrypoint = true,
            about: Some(part::ENTRYPOINT),
            check: |seen| seen.prints("plain"),
            ..PLAIN
        }],
    ),
];
