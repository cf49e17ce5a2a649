//! Manual pages and shell completions.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use clap::ValueEnum as _;
use clap_complete::Shell;
use insta::assert_snapshot;

use crate::support::{CommandOutput, TestEnv};

/// Full names of all commands, for example `carnet facilities list`.
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
    let files = fs::read_dir(env.analysis().join("new/man")).expect("the directory");
    let files: BTreeSet<String> =
        files.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    let expected: BTreeSet<String> = commands().iter().map(|name| format!("{}.1", name.replace(' ', "-"))).collect();
    assert_eq!(files, expected);
    for file in &files {
        let page = env.read(&format!("new/man/{file}"));
        let title = page.lines().find(|line| line.starts_with(".TH ")).expect("a title");
        let name = file.trim_end_matches(".1");
        assert!(title.starts_with(&format!(".TH {name} 1 \" \" \"carnet ")), "{title}");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).take(2).collect();
        assert_eq!(sections, ["NAME", "SYNOPSIS"], "{file}");
    }
    assert_eq!(env.carnet(&["man"]).assert_code(0).stdout, env.read("new/man/carnet.1"));
}

#[test]
fn manual_page_lists_every_exit_code() {
    let page = TestEnv::new().carnet(&["man"]).assert_code(0).stdout;
    let rows: Vec<&str> = page.lines().skip_while(|line| *line != ".SH \"EXIT STATUS\"").skip(1).collect();
    let expected: Vec<String> = carnet::exit::TABLE
        .iter()
        .flat_map(|(code, meaning)| [".TP".to_owned(), format!("\\fB{code}\\fR"), meaning.replace('-', "\\-")])
        .collect();
    assert_eq!(rows[..expected.len()], expected);
}

#[test]
fn directory_that_can_not_be_created_is_an_infrastructure_error() {
    let env = TestEnv::new();
    env.write("file", "");
    assert_snapshot!(env.carnet(&["man", "file/man"]).assert_code(4).text(), @r"
    error: failed to write `file/man`: Not a directory (os error 20)
     |
     = help: check that the directory exists and is writable, and that the disk has free space
    ");
}

#[test]
fn completions_of_every_shell_contain_every_command() {
    let env = TestEnv::new();
    for shell in Shell::value_variants() {
        let script = env.carnet(&["completions", &shell.to_string()]).assert_code(0).stdout;
        for name in commands().iter().flat_map(|name| name.split(' ')) {
            assert!(script.contains(name), "the completions of {shell} lack `{name}`");
        }
    }
}

#[test]
fn bash_completes_commands_options_and_values() {
    let env = TestEnv::new();
    let script = env.write("carnet.bash", env.carnet(&["completions", "bash"]).assert_code(0).stdout);
    // Calls the function that `complete -F` registered, as bash does for the tab key.
    let complete = r#"source "$1"; shift; COMP_CWORD=$1; shift; COMP_WORDS=("$@")
        read -ra options < <(complete -p carnet)
        for i in "${!options[@]}"; do [ "${options[i]}" != -F ] || function=${options[i+1]}; done
        "$function" carnet "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\n' "${COMPREPLY[@]}""#;
    for (line, expected) in [
        ("carnet snap", "snapshot"),
        ("carnet report --format jun", "junit"),
        ("carnet scan --fail", "--fail-on"),
        ("carnet facilities li", "list"),
        ("carnet completions z", "zsh"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", complete, "bash"]).arg(&script).arg((words.len() - 1).to_string()).args(&words);
        let output = CommandOutput::run(&mut bash).assert_code(0);
        assert_eq!(output.stdout.trim_end(), expected, "completion of `{line}`: {}", output.stderr);
    }
}
