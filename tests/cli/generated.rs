//! Generated files are up to date: schemas, reference pages, pages of rules, and parts of README.md. `CARNET_BLESS=1` updates them.

use std::fs;
use std::path::Path;

use carnet::cli::schema::Format;
use carnet::exit;
use carnet::model::canonical;
use clap::ValueEnum as _;

use crate::reference;
use crate::support::{TestEnv, repository};

/// Fails unless a file of this repository has this content.
#[track_caller]
fn assert_current(path: &str, expected: &str) {
    let path = repository().join(path);
    if std::env::var_os("CARNET_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, expected).expect("a file");
    }
    let actual = fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{} is out of date: run the tests with CARNET_BLESS=1", path.display());
}

fn file_names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).expect("README.md")
}

#[test]
fn schemas_are_current() {
    for format in Format::value_variants() {
        let name = format.to_possible_value().expect("a name").get_name().to_owned();
        let text = canonical::to_string(&format.schema()).expect("JSON");
        assert_current(&format!("docs/schema/{name}.json"), &text);
    }
}

#[test]
fn reference_is_current() {
    assert_current("docs/reference/cli.md", &reference::commands());
    assert_current("docs/reference/config.md", &reference::config());
    assert_current("docs/reference/exit-codes.md", &reference::exit_codes());
}

#[test]
fn pages_of_rules_are_current() {
    let documents = carnet::cli::rules::documents();
    for (name, text) in &documents {
        assert_current(&format!("docs/rules/{name}"), text);
    }
    let mut expected: Vec<String> = documents.into_iter().map(|(name, _)| name).collect();
    expected.sort();
    assert_eq!(file_names(&repository().join("docs/rules")), expected);
}

#[test]
fn pages_of_rules_have_every_section() {
    let is_id = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    for rule in carnet::cli::rules::infos() {
        let id = &rule.id;
        assert!(id.bytes().all(is_id), "{id} is not kebab-case");
        let sections: Vec<&str> = rule.page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let expected = ["What it does", "Why it breaks elsewhere", "Example", "How to fix", "Limits"];
        assert_eq!(sections, expected, "{id}");
        assert!(rule.summary.lines().count() == 1 && !rule.summary.ends_with('.'), "{id}: {}", rule.summary);
    }
}

#[test]
fn readme_lists_every_exit_code() {
    let expected: Vec<String> = exit::TABLE.iter().map(|(code, meaning)| format!("| {code} | {meaning} |")).collect();
    let readme = readme();
    let rows = readme.lines().skip_while(|line| *line != "| code | meaning |").skip(2);
    let rows: Vec<&str> = rows.take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows, expected);
}

#[test]
fn readme_lists_every_command() {
    let help = TestEnv::new().carnet(&["--help"]).assert_code(0).stdout;
    let commands: Vec<&str> =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|l| !l.is_empty()).collect();
    assert!(commands.len() > 5, "{help}");
    let readme = readme();
    let (before, rest) = readme.split_once("\nCommands:\n").expect("README.md has a block of commands");
    let (_, after) = rest.split_once("\n```").expect("the block ends");
    assert_current("README.md", &format!("{before}\nCommands:\n{}\n```{after}", commands.join("\n")));
}

#[test]
fn written_documents_match_the_schema() {
    let env = TestEnv::with_test("exit 1");
    env.carnet(&["check"]).assert_code(1);
    let schema = serde_json::to_value(Format::Document.schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&env.document()).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}
