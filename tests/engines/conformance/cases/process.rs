//! Start, end and output of a program.

use carnet::model::cell::End;

use crate::conformance::case::{Case, PLAIN, Step, one};

pub(crate) const CASES: &[Case] = &[
    one("exit_code", &[Step { script: "exit 7", check: |seen| seen.exits(7), ..PLAIN }]),
    // A shell that is process 1 of a container can't kill itself. It reports the signal of its child as exit code 128 + 15.
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
                let End::NotStarted { reason } = &seen.done().end else { panic!("{:?}", seen.outcome) };
                assert!(reason.contains("/no/such/program"), "{reason}");
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
                // An engine with two pipes does not know the order of the streams.
                let is_complete = matches!(
                    seen.text(),
                    "out\nerr\nno end of line" | "err\nout\nno end of line" | "out\nno end of lineerr\n"
                );
                assert!(is_complete, "{}", seen.text());
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
            // The case `cancel` tests that a line is streamed before the end of the program.
            script: "echo one; echo two; printf three",
            check: |seen| {
                seen.exits(0);
                assert_eq!(seen.lines, ["one", "two", "three"]);
            },
            ..PLAIN
        }],
    ),
    one(
        "invalid_utf8",
        &[Step {
            script: r"printf 'a\377b\n\303\251\n\033[31mred\n'",
            check: |seen| seen.prints("a\u{fffd}b\n\u{e9}\n\u{1b}[31mred"),
            ..PLAIN
        }],
    ),
    one("no_input", &[Step { script: "cat; echo over", check: |seen| seen.prints("over"), ..PLAIN }]),
];
