//! What people copy: the YAML of the how-to page and of the README.

use crate::gitlab::env::project;

/// The block of YAML in the how-to page that a comment `<!-- NAME -->` stands before.
pub(crate) fn block(name: &str) -> String {
    let page = project("docs/how-to/gitlab.md");
    let mark = format!("<!-- {name} -->\n```yaml\n");
    let (_, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no block {name} in the page"));
    rest.split_once("```").expect("an end").0.to_owned()
}

fn the_readme_and_the_page_show_the_same_include() {
    assert!(project("README.md").contains(&block("include")));
}

fn the_page_names_every_variable_and_every_input_with_its_default() {
    let page = project("docs/how-to/gitlab.md");
    for line in project(".gitlab-ci-template.yml").lines().filter(|line| line.starts_with("  CARNET_")) {
        let (name, value) = line.trim().split_once(": ").expect("a variable");
        let default = value.split('"').nth(1).expect("a default");
        let row = page.lines().find(|row| row.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("the page has no row of {name}"));
        assert!(default.is_empty() || row.contains(default), "{name}: {row}");
    }
    let component = project("templates/check.yml");
    let inputs = component.lines().skip_while(|line| *line != "  inputs:").skip(1).take_while(|line| *line != "---");
    for input in inputs {
        let name = input.trim().split(':').next().expect("a name");
        assert!(page.contains(&format!("`{name}`")), "the page doesn't name the input {name}");
    }
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    the_readme_and_the_page_show_the_same_include,
    the_page_names_every_variable_and_every_input_with_its_default,
);
