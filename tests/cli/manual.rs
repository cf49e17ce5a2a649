//! Manual pages and completions, as their readers take them.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use clap::ValueEnum as _;
use clap_complete::Shell;

use crate::support::{CommandOutput, TestEnv};

/// Commands with their own, as `carnet facilities list` has it.
fn commands() -> Vec<String> {
    let mut command = carnet::cli::command().disable_help_subcommand(true);
    command.build();
    let mut queue = vec![("carnet".to_owned(), command)];
    let mut found = Vec::new();
    while let Some((name, command)) = queue.pop() {
        let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        queue.extend(shown.map(|sub| (format!("{name} {}", sub.get_name()), sub.clone())));
        found.push(name);
    }
    found
}

#[test]
fn every_command_has_a_manual_page() {
    let env = TestEnv::new();
    env.carnet(&["man", "new/man"]).assert_code(0);
    let there = fs::read_dir(env.analysis().join("new/man")).expect("the directory");
    let there: BTreeSet<String> =
        there.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name")).collect();
    let wanted: BTreeSet<String> = commands().iter().map(|name| format!("{}.1", name.replace(' ', "-"))).collect();
    assert_eq!(there, wanted);
    for name in &there {
        let page = fs::read_to_string(env.analysis().join("new/man").join(name)).expect("a page");
        let title = page.lines().find(|line| line.starts_with(".TH ")).expect("a title");
        let stem = name.trim_end_matches(".1");
        assert!(title.starts_with(&format!(".TH {stem} 1 \" \" \"carnet ")), "{title}");
        assert!(page.contains(".SH NAME\n") && page.contains(".SH SYNOPSIS\n"), "{page}");
    }
    let whole = env.carnet(&["man"]).assert_code(0).stdout;
    assert_eq!(whole, fs::read_to_string(env.analysis().join("new/man/carnet.1")).expect("the page of carnet"));
    for (code, meaning) in carnet::exit::TABLE {
        let (code, meaning) = (format!("\\fB{code}\\fR\n"), meaning.replace('-', "\\-"));
        assert!(whole.contains(&format!("{code}{meaning}")), "{meaning} is not in\n{whole}");
    }
}

#[test]
fn a_directory_that_can_not_be_made_is_the_place_that_failed() {
    let env = TestEnv::new();
    env.write("file", "");
    let said = env.carnet(&["man", "file/man"]).assert_code(4);
    assert!(said.stderr.contains("file/man"), "{}", said.stderr);
}

#[test]
fn every_shell_is_told_every_command() {
    let env = TestEnv::new();
    for shell in Shell::value_variants() {
        let script = env.carnet(&["completions", &shell.to_string()]).assert_code(0).stdout;
        for name in commands().iter().flat_map(|name| name.split(' ')) {
            assert!(script.contains(name), "{shell} is not told of {name}");
        }
    }
}

#[test]
fn bash_completes_commands_options_and_values() {
    let env = TestEnv::new();
    let script = env.write("carnet.bash", env.carnet(&["completions", "bash"]).assert_code(0).stdout);
    for (line, wanted) in [
        ("carnet snap", "snapshot"),
        ("carnet report --format jun", "junit"),
        ("carnet scan --fail", "--fail-on"),
        ("carnet facilities li", "list"),
        ("carnet completions z", "zsh"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let last = words.len() - 1;
        // As bash itself does at a tab: the words, the place among them, then the function that `complete -F` named.
        let tab = r#"source "$1"; shift; COMP_CWORD=$1; shift; COMP_WORDS=("$@")
            read -ra bound < <(complete -p carnet); for i in "${!bound[@]}"; do [ "${bound[i]}" != -F ] || f=${bound[i+1]}; done
            "$f" carnet "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\n' "${COMPREPLY[@]}""#;
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", tab, "bash"]).arg(&script).arg(last.to_string()).args(&words);
        let said = CommandOutput::new(&bash.output().expect("bash is there")).assert_code(0);
        assert_eq!(said.stdout.trim_end(), wanted, "at `{line}`: {}", said.stderr);
    }
}
