//! State that a run saves for later runs.

use carnet::engine::job::Job;

use crate::conformance::case::{Case, PLAIN, Step, row};
use crate::conformance::job_dirs::JobDirs;
use carnet::engine::job::part;

/// Saves the state with a key that is unique to the case.
fn keep(job: &mut Job, env: &JobDirs) {
    job.save_as = Some(env.mark.replace('-', ""));
}

pub(crate) const CASES: &[Case] = &[
    row(
        "saved_state",
        &[
            Step {
                script: "mkdir {box}/venv && echo kept > {box}/venv/file && chmod 600 {box}/venv/file
                         ln -s venv/file {box}/link
                         [ {box} != /carnet/box ] || { echo kept > /opt-file; rm /etc/group; }",
                set: keep,
                ..PLAIN
            },
            Step {
                script: "cat {box}/venv/file {box}/link; stat -c %a {box}/venv/file
                         [ {box} != /carnet/box ] || { cat /opt-file; ls /etc/group 2>/dev/null && exit 1; }
                         echo changed > {box}/venv/file; echo changed > {box}/new",
                in_kept: true,
                check: |seen| {
                    // A container saves its root file system as well.
                    let is_container = seen.layout.scratch == carnet::engine::SCRATCH;
                    seen.prints(if is_container { "kept\nkept\n600\nkept" } else { "kept\nkept\n600" });
                },
                ..PLAIN
            },
            // The changes of the previous run are not in the saved state.
            Step {
                script: "cat {box}/venv/file; ls {box}",
                in_kept: true,
                check: |seen| seen.prints("kept\nlink\nvenv"),
                ..PLAIN
            },
        ],
    ),
    row(
        "state_saved_again_replaces_the_old_one",
        &[
            Step { script: "echo old > {box}/file; echo old > {box}/old", set: keep, ..PLAIN },
            Step { script: "echo new > {box}/file", set: keep, ..PLAIN },
            Step { script: "cat {box}/file; ls {box}", in_kept: true, check: |seen| seen.prints("new\nfile"), ..PLAIN },
        ],
    ),
    // Environment and working directory of the run are not saved.
    row(
        "only_files_are_saved",
        &[
            Step {
                script: "echo $ONLY_THEN; pwd",
                set: |job, env| {
                    keep(job, env);
                    job.env.insert("ONLY_THEN".to_owned(), "a secret".to_owned());
                    job.contract.env.insert("LANG".to_owned(), "C".to_owned());
                    job.contract.workdir = Some("/etc".to_owned());
                },
                check: |seen| seen.prints("a secret\n/etc"),
                ..PLAIN
            },
            Step {
                script: "echo ${ONLY_THEN-gone}; [ \"$LANG\" = C ] && echo $LANG; [ \"$PWD\" = /etc ] && pwd; true",
                in_kept: true,
                check: |seen| seen.prints("gone"),
                ..PLAIN
            },
        ],
    ),
    row(
        "saved_box_on_a_read_only_root",
        &[
            Step {
                script: "echo kept > {box}/file; mkdir {box}/dir",
                set: |job, env| {
                    keep(job, env);
                    job.contract.read_only = true;
                    job.contract.user = Some(carnet::model::contract::Ids { uid: 1000, gid: 1000 });
                },
                about: Some(part::ROOT),
                ..PLAIN
            },
            Step {
                script: "cat {box}/file; echo more > {box}/dir/more && echo more >> {box}/file && cat {box}/file
                         (echo x > /{mark} && rm /{mark}) 2>/dev/null || echo refused",
                set: |job, _| {
                    job.contract.read_only = true;
                    job.contract.user = Some(carnet::model::contract::Ids { uid: 1000, gid: 1000 });
                },
                about: Some(part::ROOT),
                in_kept: true,
                check: |seen| seen.prints("kept\nkept\nmore\nrefused"),
                ..PLAIN
            },
        ],
    ),
    row(
        "nothing_is_saved_after_failure",
        &[Step {
            script: "echo half > {box}/file; exit 1",
            set: keep,
            check: |seen| {
                seen.exits(1);
                assert!(seen.done().saved_state.is_none());
            },
            ..PLAIN
        }],
    ),
    row(
        "nothing_is_saved_after_timeout",
        &[Step {
            script: "sleep 100",
            set: |job, env| {
                keep(job, env);
                job.timeout = std::time::Duration::from_secs(1);
            },
            check: |seen| assert!(seen.done().saved_state.is_none()),
            ..PLAIN
        }],
    ),
];
