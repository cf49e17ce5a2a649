//! Every command and every option of carnet that a page names exists.

use std::path::Path;

use carnet::cli::command;
use clap::Command;

use crate::text::{Page, TOP, files, spans};

/// Blocks that hold command lines.
const SHELLS: [&str; 4] = ["console", "sh", "shell", "bash"];

/// Command lines of carnet in a text, without the name itself.
fn calls(text: &str) -> Vec<&str> {
    let starts = text.match_indices("carnet ").filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|c| matches!(c, ' ' | '(' | '`' | '|' | '&' | ';' | '"' | '\''))
    });
    starts.map(|(at, found)| &text[at + found.len()..]).collect()
}

/// What is wrong in the arguments of one call.
fn wrong(arguments: &str, root: &Command) -> Option<String> {
    let end = arguments.find(['|', ';', '#', ')', '"', '\'', '>', '&']).unwrap_or(arguments.len());
    let mut words = arguments[..end].split_whitespace();
    // `carnet hook install|remove`: the first of them.
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
    } else if let Some(missing) = unknown(first, at, root) {
        return Some(missing);
    }
    for word in words {
        let word = word.trim_matches(['[', ']', ',', '.', '…']);
        if word.starts_with('-') && word.len() > 1 {
            if let Some(missing) = unknown(word, at, root) {
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

/// The option, when neither the command nor the program has it.
fn unknown(word: &str, at: &Command, root: &Command) -> Option<String> {
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

fn commands_and_options_in_the_documentation_exist() {
    let root = command();
    let mut bad = Vec::new();
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
                // In a console what is typed begins with a dollar; the rest is output.
                let typed = if is_console { line.strip_prefix("$ ") } else { line.split(" #").next() };
                texts.extend(typed.map(|typed| (block.line + 1 + offset, typed.to_owned())));
            }
        }
        for (number, text) in texts {
            for call in calls(&text) {
                count += 1;
                bad.extend(wrong(call, &root).map(|why| format!("{}:{number}: {why}: {text}", file.display())));
            }
        }
    }
    assert!(count > 60, "the commands were not found: {count}");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

fn what_does_not_exist_is_seen() {
    let root = command();
    for call in ["chekc", "check --nope", "check -Z", "facilities shwo x", "--nope", "scan --fix --wriet | cat"] {
        assert!(wrong(call, &root).is_some(), "{call}");
    }
    for call in ["check -c NAME --jobs 4 DIR", "facilities show fnal-lpc", "--version", "[OPTIONS]", "rules ID # why"] {
        assert_eq!(wrong(call, &root), None, "{call}");
    }
    assert_eq!(calls("cd x && carnet check; mycarnet y; (carnet scan)"), ["check; mycarnet y; (carnet scan)", "scan)"]);
}

crate::support::harness::register!(
    []:
    commands_and_options_in_the_documentation_exist,
    what_does_not_exist_is_seen,
);
