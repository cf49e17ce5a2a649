//! Configuration: YAML, JSON, TOML, INI, job descriptions, CMake, requirements.

use super::super::language::Language::{Cmake, HtCondor, Ini, Json, Requirements, Toml, Yaml};
use super::{commands, references, settings, spans};

#[test]
fn yaml_values_have_key_paths() {
    let text = "# c\na:\n  b: /eos/x # d\n  'e f': \"/y\"\n  g:\n  - /z\n  - h: {i: j, k: [l]}\nm: |\n  /n\n\n  /o\np: https://q#r\n";
    let found: Vec<_> = spans(Yaml, text).into_iter().filter(|span| !span.starts_with("Key")).collect();
    let expected = [
        "Comment Plain -  c",
        "Value Plain a.b /eos/x",
        "Comment Plain -  d",
        "Value Plain a.e f /y",
        "Value Plain a.g /z",
        "Value Plain a.g.h.i j",
        "Value Plain a.g.h.k l",
        "Value Plain m /n",
        "Value Plain m /o",
        "Value Plain p https://q#r",
    ];
    assert_eq!(found, expected);
}

#[test]
fn invalid_yaml_is_read() {
    let text = "a: /x\na: /y\n\tb: /z\nc: {{ base }}/data\nd: @e\nf: [g\nh: /i\n";
    let found = spans(Yaml, text);
    for expected in ["Value Plain a /x", "Value Plain a /y", "Value Plain tail c /data", "Value Plain h /i"] {
        assert!(found.contains(&expected.into()), "{expected}: {found:?}");
    }
}

#[test]
fn job_scripts_are_commands() {
    let text = "jobs:\n  t:\n    steps:\n    - run: |\n        a /x\n        cat <<EOF\n        /y\n        EOF\n        b\n    - run: c \"${{ d.e }}/f\" # g\n";
    assert_eq!(commands(Yaml, text), ["Job a /x", "Job cat", "Job b", "Job c ${{ d.e }}/f"]);
}

#[test]
fn yaml_aliases_are_not_expanded() {
    let lines = (b'a'..b'y').map(|from| (char::from(from), char::from(from + 1)));
    let lines = lines.map(|(from, to)| format!("{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}]\n"));
    let text = format!("a: &a [x, x]\n{}", lines.collect::<String>());
    assert!(spans(Yaml, &text).len() < 500);
}

#[test]
fn json_values_have_key_paths() {
    let text = r#"{"a": {"b": ["/eos/x", {"c": "y\"z"}], "d": 1}, /* e */ "f": "/g"}"#;
    let found: Vec<_> = spans(Json, text).into_iter().filter(|span| !span.starts_with("Key")).collect();
    assert_eq!(
        found,
        ["Value Plain a.b /eos/x", "Value Plain a.b.c y\\\"z", "Comment Plain -  e ", "Value Plain f /g"]
    );
    assert_eq!(settings(Json, text), ["Config a.b /eos/x", "Config a.b.c y\\\"z", "Config a.d 1", "Config f /g"]);
}

#[test]
fn toml_values_have_key_paths() {
    let text = "[a.b] # c\nd = \"/x#y\"\ne = ['/z', \"\"\"/w\"\"\"]\nf.g = 1\n";
    let found: Vec<_> = spans(Toml, text).into_iter().filter(|span| !span.starts_with("Key")).collect();
    assert_eq!(
        found,
        [
            "Comment Plain -  c",
            "Value Plain a.b.d /x#y",
            "Value Plain a.b.e /z",
            "Value Plain a.b.e /w",
            "Value Plain a.b.f.g 1"
        ]
    );
    assert!(spans(Toml, "[a\nb = /x\n").contains(&"Value Plain b /x".into()));
}

#[test]
fn ini_values_have_section_and_key() {
    let text = "[job]\n; c\nstore_base: $X/data\nversion = 1 # d\nfiles = /eos/a\n  /eos/b\n[modules]\nx.y\n";
    let found: Vec<_> = spans(Ini, text).into_iter().filter(|span| !span.starts_with("Key")).collect();
    let expected = [
        "Comment Plain -  c",
        "Value Plain tail job.store_base /data",
        "Value Plain job.version 1",
        "Comment Plain -  d",
        "Value Plain job.files /eos/a",
        "Value Plain job.files /eos/b",
        "Value Plain modules x.y",
    ];
    assert_eq!(found, expected);
}

#[test]
fn job_description_has_settings_and_references() {
    let text = "# c\nexecutable = run.sh\narguments = $(X)/y /eos/z\ntransfer_input_files = a.py, /afs/b\n+JobFlavour = \"workday\"\nqueue f from l.txt\n";
    assert_eq!(
        settings(HtCondor, text),
        [
            "HtCondor executable run.sh",
            "HtCondor arguments $(X)/y /eos/z",
            "HtCondor transfer_input_files a.py, /afs/b",
            "HtCondor +JobFlavour workday"
        ]
    );
    assert_eq!(references(HtCondor, text), ["Code run.sh", "Data a.py", "Data /afs/b", "Data l.txt"]);
    let found = spans(HtCondor, text);
    for expected in
        ["Value Plain tail arguments /y", "Value Plain arguments /eos/z", "Value Plain transfer_input_files /afs/b"]
    {
        assert!(found.contains(&expected.into()), "{expected}: {found:?}");
    }
    let jdl = "[\nExecutable = \"a.sh\";\nInputSandbox = {\"b\",\n \"c\"};\n]\n";
    assert_eq!(references(HtCondor, jdl), ["Code a.sh", "Data b", "Data c"]);
}

#[test]
fn cmake_sets_variables_and_flags() {
    let text = "# c\nset(X \"/opt/x\" CACHE PATH \"d\")\nadd_compile_options(-march=native)\nmessage(STATUS \"/eos/y\")\ninclude(cmake/z.cmake)\n";
    assert_eq!(settings(Cmake, text), ["Variable X /opt/x\" CACHE PATH \"d", "Variable CMAKE_CXX_FLAGS -march=native"]);
    assert_eq!(references(Cmake, text), ["Code cmake/z.cmake"]);
    let found = spans(Cmake, text);
    assert!(found.contains(&"Word Plain X /opt/x".into()), "{found:?}");
    assert!(found.contains(&"Word Shown - /eos/y".into()));
}

#[test]
fn requirement_file_has_entries_and_comments() {
    let text = "numpy>=1 # why\n-r other.txt\nx @ git+https://h/p#egg=x\n";
    assert_eq!(
        spans(Requirements, text),
        [
            "Word Plain - numpy>=1",
            "Comment Plain -  why",
            "Key Plain - -r",
            "Word Plain r other.txt",
            "Word Plain - x @ git+https://h/p#egg=x"
        ]
    );
}
