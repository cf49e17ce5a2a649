//! What is written twice is generated once: schemas, the README's table and usage. `CARNET_BLESS=1` writes them anew.

use std::fs;
use std::path::Path;

use carnet::cli::schema::Format;
use carnet::exit;
use carnet::model::canonical;
use clap::ValueEnum as _;

use crate::reference;
use crate::support::TestEnv;

fn assert_current(path: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("CARNET_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, wanted).expect("a file");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == wanted, "{} is out of date: run the tests with CARNET_BLESS=1", path.display());
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
fn the_reference_is_current() {
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
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    for entry in fs::read_dir(dir).expect("docs/rules is there") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        assert!(documents.iter().any(|(known, _)| *known == name), "docs/rules/{name} is of no rule: remove it");
    }
}

#[test]
fn every_page_of_a_rule_has_its_parts() {
    for rule in carnet::cli::rules::infos() {
        let id = &rule.id;
        assert!(
            id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{id} is not kebab-case"
        );
        for part in ["What it does", "Why it breaks elsewhere", "Example", "How to fix", "Limits"] {
            assert!(rule.page.contains(&format!("## {part}\n")), "the page of {id} lacks `{part}`");
        }
        assert!(rule.summary.lines().count() == 1 && !rule.summary.ends_with('.'), "{id}: {}", rule.summary);
    }
}

#[test]
fn the_readme_has_every_exit_code() {
    let rows: Vec<String> = exit::TABLE.iter().map(|(code, meaning)| format!("| {code} | {meaning} |")).collect();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let table: Vec<&str> =
        readme.lines().skip_while(|line| *line != "| code | meaning |").skip(2).take(rows.len()).collect();
    assert_eq!(table, rows);
}

#[test]
fn the_readme_shows_the_commands_that_there_are() {
    let help = TestEnv::new().carnet(&["--help"]).assert_code(0).stdout;
    let commands: Vec<&str> =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|l| !l.is_empty()).collect();
    assert!(commands.len() > 5, "{help}");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let (before, rest) = readme.split_once("\nCommands:\n").expect("the README has a block of commands");
    let (_, after) = rest.split_once("\n```").expect("the block ends");
    assert_current("README.md", &format!("{before}\nCommands:\n{}\n```{after}", commands.join("\n")));
}

#[test]
fn written_files_fit_their_schemas() {
    let env = TestEnv::with_test("exit 1");
    env.carnet(&["check"]).assert_code(1);
    let schema = serde_json::to_value(Format::Document.schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&env.document()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
