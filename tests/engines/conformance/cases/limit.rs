//! Limits of time, memory, processes and network, and cancellation.

use std::time::Duration;

use carnet::engine::EngineError;
use carnet::model::cell::End;

use crate::conformance::case::{Cancel, Case, PLAIN, Step, one};
use carnet::engine::job::part;

/// Starts children that ignore signals, some in new sessions and without parents. Prints `ready` when all run.
const STUBBORN: &str = r#"
    stubborn="trap '' TERM HUP INT; : > {box}/ready-\$\$; while :; do sleep 1; done"
    (setsid sh -c "$stubborn" {mark} >/dev/null 2>&1 &)
    (sh -c "(setsid sh -c \"$stubborn\" {mark} &) &" >/dev/null 2>&1)
    sh -c "$stubborn" {mark} &
    until [ "$(ls {box} | grep -c ready)" = 3 ]; do sleep 0.1; done
    echo ready
    trap '' TERM
    while :; do sleep 1; done
"#;

/// Ends at once, but leaves children.
const DESERTER: &str = r#"
    (setsid sh -c "trap '' TERM HUP; while :; do sleep 1; done" {mark} &)
    sleep 600 &
    echo gone
"#;

pub(crate) const CASES: &[Case] = &[
    one(
        "timeout_kills_all_processes",
        &[Step {
            script: STUBBORN,
            // On a busy machine, the children take a while to start.
            set: |job, _| job.timeout = Duration::from_secs(10),
            check: |seen| {
                assert_eq!(seen.done().end, End::Timeout { seconds: 10 });
                seen.has_line("ready");
            },
            ..PLAIN
        }],
    ),
    one("end_kills_background_processes", &[Step { script: DESERTER, check: |seen| seen.prints("gone"), ..PLAIN }]),
    one(
        "memory_limit",
        &[Step {
            script: r#"exec awk 'BEGIN { s = "0123456789abcdef"; while (length(s) < 250000000) s = s s; print length(s) }'"#,
            set: |job, _| job.contract.memory = Some(64 << 20),
            about: Some(part::MEMORY),
            check: |seen| assert_eq!(seen.done().end, End::OutOfMemory {}, "it printed: {}", seen.text()),
            ..PLAIN
        }],
    ),
    one(
        "process_limit",
        &[Step {
            script: "for i in $(seq 60); do sleep 30 & done; echo all started; wait",
            set: |job, _| job.contract.pids = Some(30),
            about: Some(part::PIDS),
            check: |seen| {
                seen.exits(2);
                assert_eq!(
                    seen.text().trim_end(),
                    format!("{}: line 0: can't fork: Resource temporarily unavailable", seen.env.mark)
                );
            },
            ..PLAIN
        }],
    ),
    one(
        "no_network",
        &[Step {
            script: "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | grep -v -x -e lo -e sit0 -e tunl0 -e ip6tnl0
                     grep -q 127.0.0.1 /proc/net/fib_trie && echo loopback
                     tail -n +2 /proc/net/route | wc -l
                     nc -w 600 192.0.2.1 80 </dev/null 2>/dev/null || echo refused",
            about: Some(part::NETWORK),
            check: |seen| seen.prints("loopback\n0\nrefused"),
            ..PLAIN
        }],
    ),
    one(
        "network",
        &[Step {
            script: "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | grep -v -x lo | wc -l",
            set: |job, _| job.network = true,
            check: |seen| {
                seen.exits(0);
                assert_ne!(seen.text().trim(), "0");
            },
            ..PLAIN
        }],
    ),
    one(
        "cancel",
        &[Step {
            script: STUBBORN,
            cancel: Cancel::AtLine("ready"),
            check: |seen| assert!(matches!(seen.outcome, Err(EngineError::Cancelled)), "{:?}", seen.outcome),
            ..PLAIN
        }],
    ),
    one(
        "cancel_before",
        &[Step {
            script: "sleep 600",
            cancel: Cancel::Before,
            check: |seen| assert!(matches!(seen.outcome, Err(EngineError::Cancelled)), "{:?}", seen.outcome),
            ..PLAIN
        }],
    ),
    Case {
        // The programs sleep so that the runs overlap.
        name: "two_at_a_time",
        steps: &[
            Step {
                script: "echo a > {box}/file; sleep 2; ls {box}; cat {box}/file",
                check: |seen| seen.prints("file\na"),
                ..PLAIN
            },
            Step {
                script: "echo b > {box}/file; sleep 1; ls {box}; cat {box}/file; exit 3",
                check: |seen| {
                    seen.exits(3);
                    assert_eq!(seen.text(), "file\nb\n");
                },
                ..PLAIN
            },
        ],
        together: true,
    },
];
