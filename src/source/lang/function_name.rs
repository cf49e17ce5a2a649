//! What names of functions tell in every language.

/// Whether a function shows its arguments to people, by its name alone: `echo_color`, `log_info`, `print_error`.
pub(super) fn shows(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let Some((verb, rest)) = lower.trim_start_matches('_').split_once('_') else { return false };
    let what = ["info", "warn", "warning", "error", "err", "debug", "message", "msg", "color", "colour", "status"];
    let colours = ["red", "green", "blue", "yellow", "bold", "success", "fail", "fatal", "header", "step", "title"];
    match verb {
        "echo" => true,
        "log" | "print" | "cprint" | "say" => what.contains(&rest) || colours.contains(&rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::shows;

    #[test]
    fn a_function_that_is_named_for_its_message_shows_it() {
        assert!(shows("echo_color") && shows("log_info") && shows("print_red") && shows("_log_error"));
        assert!(!shows("log_dir") && !shows("print_to_file") && !shows("logger") && !shows("save_info"));
    }
}
