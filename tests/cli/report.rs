//! `carnet report`, `carnet diff` and `carnet snapshot`.

use crate::room::{Room, read};

#[test]
fn a_saved_document_renders_as_the_check_did() {
    let room = Room::testing("exit 1");
    let said = room.run(&["check"]).expect(1);
    assert_eq!(room.run(&["report", "carnet-out/carnet.json"]).expect(0).out, said.out);
    for (format, file) in
        [("junit", "junit.xml"), ("markdown", "summary.md"), ("json", "carnet.json"), ("html", "report.html")]
    {
        let rendered = room.run(&["report", "carnet-out/carnet.json", "--format", format]).expect(0).out;
        let written = std::fs::read_to_string(room.top().join("carnet-out").join(file)).expect("a report");
        assert_eq!(rendered, written, "{format}");
    }
}

#[test]
fn documents_of_two_cells_merge() {
    let room = Room::testing("true");
    let two = "[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"a\"\nengine = \"host\"\n[[facility]]\nid = \"b\"\nengine = \"host\"\n";
    room.write("carnet.toml", two);
    for cell in ["a", "b"] {
        room.run(&["check", "--cell", cell, "--out", &format!("carnet-out/{cell}")]).expect(0);
    }
    let merged =
        room.run(&["report", "carnet-out/a/carnet.json", "carnet-out/b/carnet.json", "--format", "json"]).expect(0);
    let document: serde_json::Value = serde_json::from_str(&merged.out).expect("JSON");
    let ids: Vec<_> = document["cells"].as_array().expect("cells").iter().map(|cell| cell["id"].clone()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn a_page_takes_earlier_documents_of_the_same_analysis_alone() {
    let room = Room::testing("true");
    room.run(&["check", "--out", "carnet-out/old"]).expect(0);
    room.script("t.sh", "exit 1");
    room.run(&["check"]).expect(1);
    let (now, old) = ("carnet-out/carnet.json", "carnet-out/old/carnet.json");
    let page = room.run(&["report", now, "--format", "html", "--history", old]).expect(0).out;
    assert!(page.contains("In between the analysis changed, the environment did not."), "{page}");
    let other = std::fs::read_to_string(room.top().join(old))
        .expect("a document")
        .replace("\"name\":\"analysis\"", "\"name\":\"x\"");
    let other = other.replace("\"name\": \"analysis\"", "\"name\": \"x\"");
    room.write("other.json", other);
    let said = room.run(&["report", now, "--format", "html", "--history", "other.json"]).expect(2);
    assert!(said.err.contains("other.json") && said.err.contains("`x`, not of `analysis`"), "{}", said.err);
    let said = room.run(&["report", now, "--history", old]).expect(2);
    assert!(said.err.contains("--format html"), "{}", said.err);
}

#[test]
fn a_badge_says_where_it_works_and_when_that_was_seen() {
    let room = Room::testing("true");
    room.run(&["check"]).expect(0);
    let badge = room.run(&["report", "carnet-out/carnet.json", "--format", "badge"]).expect(0).out;
    let started = room.document()["timing"]["started"].as_str().expect("a time")[..10].to_owned();
    assert!(
        badge.starts_with("<svg ") && badge.contains(&format!(">works at 1 of 1 facility · {started}<")),
        "{badge}"
    );
}

#[test]
fn what_is_no_document_is_refused_by_name() {
    let room = Room::new();
    room.write("x.json", "{\"schema\":\"carnet/document@2\"}");
    let said = room.run(&["report", "x.json"]).expect(2);
    assert!(said.err.contains("x.json") && said.err.contains("newer"), "{}", said.err);
}

#[test]
fn this_machine_does_not_differ_from_its_own_snapshot() {
    let room = Room::new();
    room.run(&["snapshot", "host", "-o", "host.json"]).expect(0);
    let environment = read(&room.top().join("host.json"));
    assert_eq!(environment["schema"], "carnet/environment@1");
    let diff = room.run(&["diff", "host.json", "host.json", "--format", "json"]).expect(0);
    let diff: serde_json::Value = serde_json::from_str(&diff.out).expect("JSON");
    let rows = diff["sections"].as_array().expect("sections").iter().flat_map(|s| s["rows"].as_array().expect("rows"));
    for row in rows {
        assert_eq!(row["change"], "not-compared", "{row}");
    }
}
