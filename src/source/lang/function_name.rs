//! Conventions for function names in all languages.

/// Reports whether the name of a function suggests that it displays its arguments: `echo_color`, `log_info`, `print_error`.
pub(super) fn is_display_function(name: &str) -> bool {
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
    use super::is_display_function;

    #[test]
    fn names_of_display_functions_are_recognized() {
        assert!(
            is_display_function("echo_color")
                && is_display_function("log_info")
                && is_display_function("print_red")
                && is_display_function("_log_error")
        );
        assert!(
            !is_display_function("log_dir")
                && !is_display_function("print_to_file")
                && !is_display_function("logger")
                && !is_display_function("save_info")
        );
    }
}
