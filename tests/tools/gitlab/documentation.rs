//! The YAML and the tables of the documentation of GitLab CI.

use std::collections::BTreeMap;

use crate::gitlab::env::{parse_yaml, project_file};

/// The YAML block of the how-to page that follows the comment `<!-- NAME -->`.
pub(crate) fn block(name: &str) -> String {
    let page = project_file("docs/how-to/gitlab.md");
    let mark = format!("<!-- {name} -->\n```yaml\n");
    let (_, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no block {name} in the page"));
    rest.split_once("```").expect("the block ends").0.to_owned()
}

fn readme_has_include_of_page() {
    let count = project_file("README.md").matches(&block("include")).count();
    assert_eq!(count, 1, "blocks of the README that are equal to that of the page");
}

/// The second column of the rows of a page whose first column is a name in backticks.
fn documented_values(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(name, rest)| (name.to_owned(), rest.split('|').next().unwrap_or_default().trim().to_owned())).collect()
}

fn page_documents_variables_with_their_defaults() {
    let documented = documented_values(&project_file("docs/how-to/gitlab.md"));
    let template = parse_yaml(&project_file(".gitlab-ci-template.yml"));
    for (name, default) in template["variables"].as_object().expect("variables") {
        let default = default.as_str().expect("a default");
        let row = documented.get(name).unwrap_or_else(|| panic!("the page has no row of {name}"));
        let expected = if default.is_empty() { String::new() } else { format!("`{default}`") };
        assert_eq!(row, &expected, "{name}");
    }
}

fn page_documents_inputs() {
    let page = project_file("docs/how-to/gitlab.md");
    let component = project_file("templates/check.yml");
    let header = parse_yaml(component.split("\n---\n").next().expect("a header"));
    let inputs = header["spec"]["inputs"].as_object().expect("inputs");
    let missing: Vec<&String> = inputs.keys().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, [""; 0], "inputs that the page does not name");
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    page_documents_inputs,
    page_documents_variables_with_their_defaults,
    readme_has_include_of_page,
);
