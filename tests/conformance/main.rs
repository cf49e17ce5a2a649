//! The one list of cases that every engine passes.
//!
//! A case is data (`list`): a script for the image's `/bin/sh`, what is set on the job, and what must come out. The
//! runner does the same for all: after every run, nothing of it may be left. What an engine can't do is declared in its
//! [`subject::Subject`], with the reason.

mod case;
mod docker;
mod fixture;

mod embedded;
mod host;
mod list;
#[path = "../support/program.rs"]
mod program;
mod room;
mod runner;
mod subject;

/// One test per case on the engine that `$subject` makes. The names stand here once, and `every_case_is_run` holds
/// them against the list.
macro_rules! conformance {
    ($subject:path) => {
        $crate::conformance!(@ $subject:
            exit_code, signal, unknown_program, both_streams, long_output, streamed_lines, bytes_that_are_no_text,
            no_input,
            timeout_kills_the_tree, end_kills_what_is_left, memory_limit, process_limit, no_network, network,
            input_is_read_only, box_is_writable, read_only_root, plain_root_is_writable, plain_tmp, small_tmp,
            noexec_tmp, mounts, result, no_result, result_is_a_link, result_is_a_far_link, result_below_a_link,
            result_is_a_directory, result_is_a_fifo, result_over_its_cap,
            user, image_user, home_is_made, home_is_made_on_a_read_only_root, clean_environment, image_environment,
            environment_order, default_workdir, workdir, entrypoint_is_not_run, entrypoint_is_run,
            kept_state, state_made_again_is_the_new_one, only_files_are_kept, kept_box_on_a_read_only_root,
            nothing_kept_after_failure, nothing_kept_after_timeout,
            cancel, cancel_before, two_at_a_time,
        );
    };
    (@ $subject:path: $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            $crate::runner::run($subject, stringify!($name));
        })*

        #[test]
        fn every_case_is_run() {
            let mut listed: Vec<_> = $crate::list::all().map(|case| case.name).collect();
            let mut here = vec![$(stringify!($name)),*];
            listed.sort_unstable();
            here.sort_unstable();
            assert_eq!(here, listed);
        }
    };
}
pub(crate) use conformance;
