//! Directories, mounts and the result.

use carnet::model::contract::{Mount, Tmp};

use crate::conformance::case::{Case, PLAIN, Step, one};
use carnet::engine::job::part;

/// Mounts the two directories of the case.
fn mount(job: &mut carnet::engine::job::Job, env: &crate::conformance::job_dirs::JobDirs) {
    job.contract.mounts = vec![
        Mount { source: env.text_path("ro"), target: "/data/ro".to_owned(), writable: false },
        Mount { source: env.text_path("rw"), target: "/data/rw".to_owned(), writable: true },
    ];
}

fn with_result(job: &mut carnet::engine::job::Job, _: &crate::conformance::job_dirs::JobDirs) {
    job.result = Some(1 << 20);
}

pub(crate) const CASES: &[Case] = &[
    one(
        "input_is_read_only",
        &[Step {
            script: "cat {in}/hello.txt {in}/link; wc -c < {in}/sub/bytes; {in}/run.sh here
                     (echo x > {in}/new) 2>/dev/null || echo refused
                     (echo x > {in}/hello.txt) 2>/dev/null || echo refused
                     rm -f {in}/run.sh 2>/dev/null || echo refused
                     chmod 777 {in}/hello.txt 2>/dev/null || echo refused",
            about: Some(part::INPUT),
            check: |seen| {
                let hello = "hello from outside\nhello from outside\n5\nstarted here\n";
                seen.prints(&format!("{hello}{}", "refused\n".repeat(4)));
            },
            ..PLAIN
        }],
    ),
    one(
        "box_is_writable",
        &[Step {
            script: "cd {box} && ls -A && echo 'echo ran' > p && chmod +x p && mkdir d && mv p d/ && sh d/p
                     cp {in}/run.sh . && ./run.sh; chmod 0 d",
            check: |seen| seen.prints("ran\nstarted"),
            ..PLAIN
        }],
    ),
    one(
        "read_only_root",
        &[Step {
            script:
                "for d in / /etc /usr /home; do (echo x > $d/{mark} && rm $d/{mark}) 2>/dev/null || echo refused; done
                     echo tmp > /tmp/x && echo box > {box}/x && cat /tmp/x {box}/x",
            set: |job, _| job.contract.read_only = true,
            about: Some(part::ROOT),
            check: |seen| seen.prints("refused\nrefused\nrefused\nrefused\ntmp\nbox"),
            ..PLAIN
        }],
    ),
    one(
        "plain_root_is_writable",
        &[Step {
            script: "echo written > /etc/x && cat /etc/x && rm /etc/os-release && echo removed",
            check: |seen| seen.prints("written\nremoved"),
            ..PLAIN
        }],
    ),
    one(
        "plain_tmp",
        &[Step {
            script: "echo 'echo ran' > /tmp/{mark} && chmod +x /tmp/{mark} && sh -c /tmp/{mark}; rm /tmp/{mark}",
            check: |seen| seen.prints("ran"),
            ..PLAIN
        }],
    ),
    one(
        "small_tmp",
        &[Step {
            script: "stat -c %a /tmp; dd if=/dev/zero of=/tmp/big bs=1M count=8 2>/dev/null || echo full
                     rm /tmp/big; cp {in}/run.sh /tmp/run && /tmp/run",
            set: |job, _| {
                job.contract.user = Some(carnet::model::contract::Ids { uid: 1000, gid: 1000 });
                job.contract.tmp = Some(Tmp { size: Some(4 << 20), noexec: false });
            },
            about: Some(part::TMP),
            check: |seen| seen.prints("1777\nfull\nstarted"),
            ..PLAIN
        }],
    ),
    one(
        "noexec_tmp",
        &[Step {
            script: "cp {in}/run.sh /tmp/run && /tmp/run 2>/dev/null || echo refused",
            set: |job, _| job.contract.tmp = Some(Tmp { size: None, noexec: true }),
            about: Some(part::TMP),
            check: |seen| seen.prints("refused"),
            ..PLAIN
        }],
    ),
    one(
        "mounts",
        &[Step {
            script: "cat /data/ro/note; (echo x > /data/ro/x) 2>/dev/null || echo refused
                     echo back > /data/rw/file && echo written",
            set: mount,
            about: Some(part::MOUNT),
            check: |seen| {
                seen.prints("mounted\nrefused\nwritten");
                let written = std::fs::read(seen.env.path("rw/file")).expect("the file exists on this machine");
                assert_eq!(written, b"back\n");
            },
            ..PLAIN
        }],
    ),
    one(
        "result",
        &[Step {
            script: r"printf 'a\000\377\r\nb'; echo shown >&2; exit 4",
            set: with_result,
            check: |seen| {
                seen.exits(4);
                assert_eq!(seen.result(), Some(&b"a\0\xff\r\nb"[..]));
                assert_eq!(seen.text(), "shown\n");
            },
            ..PLAIN
        }],
    ),
    one(
        "no_result",
        &[Step {
            set: with_result,
            check: |seen| {
                seen.exits(0);
                assert_eq!(seen.result(), None);
            },
            ..PLAIN
        }],
    ),
    one(
        "result_over_its_limit",
        &[Step {
            script: "head -c 200000000 /dev/zero",
            set: with_result,
            check: |seen| {
                let error = seen.outcome.as_ref().expect_err("the result is larger than its limit");
                let text = carnet::error::chain(error);
                assert!(text.ends_with("the result is larger than 1048576 bytes"), "{text}");
                assert!(seen.grown < 48 << 20, "{} bytes of memory", seen.grown);
            },
            ..PLAIN
        }],
    ),
];
