//! How a program starts and ends, and what it prints.

use std::time::Duration;

use carnet::model::cell::End;

use crate::conformance::case::{Case, PLAIN, Step, one};

pub(crate) const CASES: &[Case] = &[
    one("exit_code", &[Step { script: "exit 7", check: |seen| seen.exits(7), ..PLAIN }]),
    // A shell that is process 1 of a container can't kill itself, its child can: the shell passes it on as 128 + 15.
    one(
        "signal",
        &[Step {
            script: "sh -c 'kill -TERM $$'; [ $? = 143 ] && kill -TERM $$; exit 143",
            check: |seen| {
                let end = &seen.done().end;
                assert!(matches!(end, End::Signal { signal: 15 } | End::Exit { code: 143 }), "{end:?}");
            },
            ..PLAIN
        }],
    ),
    one(
        "unknown_program",
        &[Step {
            set: |job, _| job.argv = vec!["/no/such/program".to_owned()],
            check: |seen| {
                let text = match &seen.outcome {
                    Ok(done) => match &done.end {
                        End::NotStarted { reason } => reason.clone(),
                        end => panic!("{end:?}"),
                    },
                    Err(error) => carnet::error::chain(error),
                };
                assert!(text.contains("/no/such/program"), "`{text}` names the program");
            },
            ..PLAIN
        }],
    ),
    one(
        "both_streams",
        &[Step {
            script: "echo out; echo err >&2; printf 'no end of line'",
            check: |seen| {
                seen.exits(0);
                // An engine with two pipes can't know which came first.
                for part in ["out\n", "err\n", "no end of line"] {
                    assert!(seen.text().contains(part), "{}", seen.text());
                }
                assert_eq!(seen.done().output.dropped, 0);
            },
            ..PLAIN
        }],
    ),
    one(
        "long_output",
        &[Step {
            script: "echo first; yes 0123456789abcdef | head -c 200000000; echo; echo last",
            set: |job, _| job.output_cap = 4096,
            check: |seen| {
                seen.exits(0);
                let output = &seen.done().output;
                assert!(output.text.starts_with("first\n0123456789abcdef\n"), "{}", &output.text[..100]);
                assert!(output.text.trim_end().ends_with("last"));
                assert!(output.text.len() < 4096 + 100, "{} bytes kept", output.text.len());
                assert!(output.dropped > 199_990_000, "{} bytes dropped", output.dropped);
                assert!(seen.grown < 48 << 20, "{} bytes of memory", seen.grown);
            },
            ..PLAIN
        }],
    ),
    one(
        "streamed_lines",
        &[Step {
            script: "echo one; sleep 2; echo two >&2; sleep 2; printf three",
            check: |seen| {
                seen.exits(0);
                let lines: Vec<&str> = seen.lines.iter().map(|(_, line)| line.as_str()).collect();
                assert_eq!(lines, ["one", "two", "three"]);
                let (first, last) = (seen.lines[0].0, seen.lines[2].0);
                // Between them lie four seconds, of which a busy machine may take some before it hands on the first.
                assert!(last - first > Duration::from_millis(500), "the first at {first:?}, the last at {last:?}");
            },
            ..PLAIN
        }],
    ),
    one(
        "bytes_that_are_no_text",
        &[Step {
            script: r"printf 'a\377b\n\303\251\n\033[31mred\n'",
            check: |seen| seen.prints("a\u{fffd}b\n\u{e9}\n\u{1b}[31mred"),
            ..PLAIN
        }],
    ),
    one("no_input", &[Step { script: "cat; echo over", check: |seen| seen.prints("over"), ..PLAIN }]),
];
