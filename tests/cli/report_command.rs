//! `carnet report`, `carnet diff` and `carnet snapshot`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{CARNET, TestEnv, read_json};

#[test]
fn report_of_a_document_equals_the_report_of_the_check() {
    let env = TestEnv::with_test("exit 1");
    let output = env.carnet(&["check"]).assert_code(1);
    assert_eq!(env.carnet(&["report", "carnet-out/carnet.json"]).assert_code(0).stdout, output.stdout);
    for (format, file) in
        [("junit", "junit.xml"), ("markdown", "summary.md"), ("json", "carnet.json"), ("html", "report.html")]
    {
        let report = env.carnet(&["report", "carnet-out/carnet.json", "--format", format]).assert_code(0).stdout;
        assert_eq!(report, env.read(&format!("carnet-out/{file}")), "{format}");
    }
}

#[test]
fn report_merges_documents_of_different_cells() {
    let env = TestEnv::with_test("true");
    let facilities = ["a", "b"].map(|id| format!("[[facility]]\nid = \"{id}\"\nengine = \"host\"\n"));
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{}", facilities.concat()));
    for cell in ["a", "b"] {
        env.carnet(&["check", "--cell", cell, "--out", &format!("carnet-out/{cell}")]).assert_code(0);
    }
    let output = env
        .carnet(&["report", "carnet-out/a/carnet.json", "carnet-out/b/carnet.json", "--format", "json"])
        .assert_code(0);
    let document: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let ids: Vec<_> = document["cells"].as_array().expect("cells").iter().map(|cell| &cell["id"]).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn html_history_accepts_only_documents_of_the_same_analysis() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check", "--out", "carnet-out/old"]).assert_code(0);
    env.write_script("t.sh", "exit 1");
    env.carnet(&["check"]).assert_code(1);
    let (new, old) = ("carnet-out/carnet.json", "carnet-out/old/carnet.json");
    let page = env.carnet(&["report", new, "--format", "html", "--history", old]).assert_code(0).stdout;
    let sentence = "The analysis changed in between; the environment did not.";
    assert_eq!(page.matches(sentence).count(), 1, "{page}");

    let mut other = env.read_json(old);
    other["analysis"]["name"] = json!("other");
    env.write("other.json", other.to_string());
    let output = env.carnet(&["report", new, "--format", "html", "--history", "other.json"]).assert_code(2);
    assert_snapshot!(output.text(), @"error: failed to read `other.json`: the document describes analysis `other`, not `analysis`");
    let output = env.carnet(&["report", new, "--history", old]).assert_code(2);
    assert_snapshot!(output.text(), @"error: `--history` requires `--format html` or `--out`");
}

#[test]
fn badge_shows_facilities_and_date() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check"]).assert_code(0);
    let badge = env.carnet(&["report", "carnet-out/carnet.json", "--format", "badge"]).assert_code(0).stdout;
    assert!(badge.starts_with("<svg "), "{badge}");
    let document = env.document();
    let date = document["timing"]["started"].as_str().and_then(|time| time.get(..10)).expect("a date");
    let (_, title) = badge.split_once("<title>").expect("a title");
    let (title, _) = title.split_once("</title>").expect("the end of the title");
    assert_snapshot!(title.replace(date, "[DATE]"), @"carnet: analysis works at 1 of 1 facility, checked on [DATE].");
}

#[test]
fn unsupported_document_format_is_a_usage_error() {
    let env = TestEnv::new();
    env.write("x.json", "{\"schema\":\"carnet/document@2\"}");
    let output = env.carnet(&["report", "x.json"]).assert_code(2);
    assert_snapshot!(output.text(), @"error: failed to read `x.json`: unsupported document format `carnet/document@2`; this version of carnet reads `carnet/document@1`");
}

#[test]
fn large_junit_report_has_every_case_with_shortened_output() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check"]).assert_code(0);
    let mut document = env.document();
    let case = |n: usize, text: &str| {
        json!({ "name": format!("t{n}"), "class": "c", "outcome": "failed", "message": format!("E {}", "m".repeat(900)),
            "output": { "text": text }, "timing": { "seconds": 0 } })
    };
    let mut report = |cases: usize, text: &str| {
        document["cells"][0]["steps"][0]["cases"] = (0..cases).map(|n| case(n, text)).collect();
        env.write("x.json", document.to_string());
        let output = env.carnet(&["report", "x.json", "--format", "junit", "-o", "x.xml"]).assert_code(0);
        let xml = env.read("x.xml");
        assert!(xml.len() < 30_000_000, "{}", xml.len());
        let suite = junit_parser::from_reader(xml.as_bytes()).expect("a JUnit file").suites.remove(0);
        assert_eq!((suite.failures, suite.cases.len()), (cases as u64, cases));
        (output.text(), suite.properties.hashmap.get("shortened").cloned())
    };
    assert_eq!(report(10, "short"), (String::new(), None));
    let (note, property) = report(700, &"E   assert 1 == 2\n".repeat(3000));
    assert_snapshot!(note, @"junit.xml: output shortened to 40313 bytes per test, because GitLab ignores files larger than 30 MB");
    assert!(property.is_some_and(|text| note.contains(&text)));
    let (note, _) = report(25_000, "E");
    assert_snapshot!(note, @"junit.xml: output shortened to 100 bytes per test, messages to 848 characters, because GitLab ignores files larger than 30 MB");
}

#[test]
fn reports_read_malicious_documents_in_little_memory() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check"]).assert_code(0);
    let document = env.document();
    let digest = document["cells"][0]["environment"].as_str().expect("a digest").to_owned();
    // 30 MB of small objects took 3 GB.
    let objects = vec![r#"{"":{"":0}}"#; 2_500_000].join(",");
    let case = r#"{"name":"","class":"","outcome":"passed","timing":{"seconds":0}}"#;
    let cases = vec![case; 200_000].join(",");
    let output = |pointer: &str, list: &str| {
        let mut changed = document.clone();
        *changed.pointer_mut(pointer).expect("a value") = json!("LIST");
        env.write("x.json", changed.to_string().replace("\"LIST\"", &format!("[{list}]")));
        let output = env.run("sh", &["-c", "ulimit -v 600000; exec \"$0\" report x.json", CARNET]).assert_code(2);
        output.text().split(" at line ").next().unwrap_or_default().to_owned()
    };
    let digest = format!("/environments/{digest}/system/glibcxx");
    assert_snapshot!(output(&digest, &objects), @"error: failed to read `x.json`: invalid carnet/document@1 document: invalid type: sequence, expected a string");
    assert_snapshot!(output("/schema", &objects), @r#"error: failed to read `x.json`: not a carnet document; expected `"schema": "carnet/document@1"`, found a schema that is not a string"#);
    assert_snapshot!(output("/cells/0/steps/0/cases", &cases), @"error: failed to read `x.json`: the document exceeds a limit: more than 100000 test cases");
    assert_snapshot!(output("/analysis", &vec!["0"; 24_000_000].join(",")), @"error: failed to read `x.json`: the document exceeds a limit: more than 24000000 JSON tokens");
}

#[test]
fn snapshot_does_not_differ_from_itself() {
    let env = TestEnv::new();
    env.carnet(&["snapshot", "host", "-o", "host.json"]).assert_code(0);
    assert_eq!(read_json(&env.analysis().join("host.json"))["schema"], "carnet/environment@1");
    let output = env.carnet(&["diff", "host.json", "host.json", "--format", "json"]).assert_code(0);
    let diff: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let sections = diff["sections"].as_array().expect("sections");
    // Facts that are unknown on this machine are not compared.
    for row in sections.iter().flat_map(|section| section["rows"].as_array().expect("rows")) {
        assert_eq!(row["change"], "not-compared", "{row}");
    }
}
