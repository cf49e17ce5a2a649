//! The commands and options of carnet in the documentation exist.

use std::path::Path;

use carnet::cli::command;
use clap::Command;

use crate::text::{Page, TOP, files, spans};

/// Languages of blocks that contain command lines.
const SHELLS: [&str; 4] = ["console", "sh", "shell", "bash"];

/// The arguments of every call of carnet in a text.
fn calls(text: &str) -> Vec<&str> {
    let starts = text.match_indices("carnet ").filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|c| matches!(c, ' ' | '(' | '`' | '|' | '&' | ';' | '"' | '\''))
    });
    starts.map(|(at, found)| &text[at + found.len()..]).collect()
}

/// Returns the error in the arguments of one call.
fn find_error(arguments: &str, root: &Command) -> Option<String> {
    let end = arguments.find(['|', ';', '#', ')', '"', '\'', '>', '&']).unwrap_or(arguments.len());
    let mut words = arguments[..end].split_whitespace();
    // Of `carnet hook install|remove`, this checks the first.
    let first = words.next()?;
    if !first.starts_with(|c: char| c.is_ascii_lowercase() || c == '-') {
        return None;
    }
    let mut at = root;
    if !first.starts_with('-') {
        match root.find_subcommand(first.trim_end_matches([',', '.', ':'])) {
            Some(command) => at = command,
            None => return Some(format!("no command `{first}`")),
        }
    } else if let Some(missing) = find_unknown_option(first, at, root) {
        return Some(missing);
    }
    for word in words {
        let word = word.trim_matches(['[', ']', ',', '.', '…']);
        if word.starts_with('-') && word.len() > 1 {
            if let Some(missing) = find_unknown_option(word, at, root) {
                return Some(missing);
            }
        } else if at.has_subcommands() && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            match at.find_subcommand(word) {
                Some(command) => at = command,
                None if at.is_subcommand_required_set() => return Some(format!("`{}` has no `{word}`", at.get_name())),
                None => {}
            }
        }
    }
    None
}

/// Returns an error if neither the command nor the program has the option.
fn find_unknown_option(word: &str, at: &Command, root: &Command) -> Option<String> {
    let name = word.split('=').next().unwrap_or(word);
    let arguments = at.get_arguments().chain(root.get_arguments().filter(|argument| argument.is_global_set()));
    let is_known = match name.strip_prefix("--") {
        Some(long) => {
            matches!(long, "help" | "version" | "")
                || arguments.into_iter().any(|argument| {
                    argument.get_long() == Some(long)
                        || argument.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
                })
        }
        None => {
            let short = name.chars().nth(1);
            matches!(short, Some('h' | 'V')) || arguments.into_iter().any(|argument| argument.get_short() == short)
        }
    };
    (!is_known).then(|| format!("`{}` has no option `{name}`", at.get_name()))
}

fn documented_commands_and_options_exist() {
    let root = command();
    let mut errors = Vec::new();
    let mut count = 0;
    for file in files() {
        let page = Page::read(&Path::new(TOP).join(&file));
        let mut texts: Vec<(usize, String)> = Vec::new();
        for (number, line) in &page.prose {
            texts.extend(spans(line).into_iter().map(|span| (*number, span.to_owned())));
        }
        for block in page.blocks.iter().filter(|block| SHELLS.contains(&block.info.split(' ').next().unwrap_or(""))) {
            let is_console = block.info == "console";
            for (offset, line) in block.lines.iter().enumerate() {
                // In a console block, commands start with a dollar sign, and the rest is output.
                let typed = if is_console { line.strip_prefix("$ ") } else { line.split(" #").next() };
                texts.extend(typed.map(|typed| (block.line + 1 + offset, typed.to_owned())));
            }
        }
        for (number, text) in texts {
            for call in calls(&text) {
                count += 1;
                errors.extend(find_error(call, &root).map(|why| format!("{}:{number}: {why}: {text}", file.display())));
            }
        }
    }
    assert!(count > 60, "only {count} commands were found");
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn unknown_commands_and_options_are_found() {
    let root = command();
    for call in ["chekc", "check --nope", "check -Z", "facilities shwo x", "--nope", "scan --fix --wriet | cat"] {
        assert!(find_error(call, &root).is_some(), "{call}");
    }
    for call in ["check -c NAME --jobs 4 DIR", "facilities show fnal-lpc", "--version", "[OPTIONS]", "rules ID # why"] {
        assert_eq!(find_error(call, &root), None, "{call}");
    }
    assert_eq!(calls("cd x && carnet check; mycarnet y; (carnet scan)"), ["check; mycarnet y; (carnet scan)", "scan)"]);
}

crate::support::harness::register!(
    []:
    documented_commands_and_options_exist,
    unknown_commands_and_options_are_found,
);
