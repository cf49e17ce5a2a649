//! `carnet report`, `carnet diff` and `carnet snapshot`.

use crate::support::{TestEnv, read_json};

#[test]
fn a_saved_document_renders_as_the_check_did() {
    let env = TestEnv::with_test("exit 1");
    let said = env.carnet(&["check"]).assert_code(1);
    assert_eq!(env.carnet(&["report", "carnet-out/carnet.json"]).assert_code(0).stdout, said.stdout);
    for (format, file) in
        [("junit", "junit.xml"), ("markdown", "summary.md"), ("json", "carnet.json"), ("html", "report.html")]
    {
        let rendered = env.carnet(&["report", "carnet-out/carnet.json", "--format", format]).assert_code(0).stdout;
        let written = std::fs::read_to_string(env.analysis().join("carnet-out").join(file)).expect("a report");
        assert_eq!(rendered, written, "{format}");
    }
}

#[test]
fn documents_of_two_cells_merge() {
    let env = TestEnv::with_test("true");
    let two = "[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"a\"\nengine = \"host\"\n[[facility]]\nid = \"b\"\nengine = \"host\"\n";
    env.write("carnet.toml", two);
    for cell in ["a", "b"] {
        env.carnet(&["check", "--cell", cell, "--out", &format!("carnet-out/{cell}")]).assert_code(0);
    }
    let merged = env
        .carnet(&["report", "carnet-out/a/carnet.json", "carnet-out/b/carnet.json", "--format", "json"])
        .assert_code(0);
    let document: serde_json::Value = serde_json::from_str(&merged.stdout).expect("JSON");
    let ids: Vec<_> = document["cells"].as_array().expect("cells").iter().map(|cell| cell["id"].clone()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn a_page_takes_earlier_documents_of_the_same_analysis_alone() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check", "--out", "carnet-out/old"]).assert_code(0);
    env.write_script("t.sh", "exit 1");
    env.carnet(&["check"]).assert_code(1);
    let (now, old) = ("carnet-out/carnet.json", "carnet-out/old/carnet.json");
    let page = env.carnet(&["report", now, "--format", "html", "--history", old]).assert_code(0).stdout;
    assert!(page.contains("In between the analysis changed, the environment did not."), "{page}");
    let other = std::fs::read_to_string(env.analysis().join(old))
        .expect("a document")
        .replace("\"name\":\"analysis\"", "\"name\":\"x\"");
    let other = other.replace("\"name\": \"analysis\"", "\"name\": \"x\"");
    env.write("other.json", other);
    let said = env.carnet(&["report", now, "--format", "html", "--history", "other.json"]).assert_code(2);
    assert!(said.stderr.contains("other.json") && said.stderr.contains("`x`, not of `analysis`"), "{}", said.stderr);
    let said = env.carnet(&["report", now, "--history", old]).assert_code(2);
    assert!(said.stderr.contains("--format html"), "{}", said.stderr);
}

#[test]
fn a_badge_says_where_it_works_and_when_that_was_seen() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check"]).assert_code(0);
    let badge = env.carnet(&["report", "carnet-out/carnet.json", "--format", "badge"]).assert_code(0).stdout;
    let started = env.document()["timing"]["started"].as_str().expect("a time")[..10].to_owned();
    assert!(
        badge.starts_with("<svg ") && badge.contains(&format!(">works at 1 of 1 facility · {started}<")),
        "{badge}"
    );
}

#[test]
fn what_is_no_document_is_refused_by_name() {
    let env = TestEnv::new();
    env.write("x.json", "{\"schema\":\"carnet/document@2\"}");
    let said = env.carnet(&["report", "x.json"]).assert_code(2);
    assert!(said.stderr.contains("x.json") && said.stderr.contains("newer"), "{}", said.stderr);
}

#[test]
fn this_machine_does_not_differ_from_its_own_snapshot() {
    let env = TestEnv::new();
    env.carnet(&["snapshot", "host", "-o", "host.json"]).assert_code(0);
    let environment = read_json(&env.analysis().join("host.json"));
    assert_eq!(environment["schema"], "carnet/environment@1");
    let diff = env.carnet(&["diff", "host.json", "host.json", "--format", "json"]).assert_code(0);
    let diff: serde_json::Value = serde_json::from_str(&diff.stdout).expect("JSON");
    let rows = diff["sections"].as_array().expect("sections").iter().flat_map(|s| s["rows"].as_array().expect("rows"));
    for row in rows {
        assert_eq!(row["change"], "not-compared", "{row}");
    }
}
