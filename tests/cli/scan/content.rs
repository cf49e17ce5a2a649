//! Files with invalid, deeply nested or unusually encoded content.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::scan::findings::{notes, paths, summary};
use crate::support::TestEnv;

/// File names that cover every language and manifest format.
const NAMES: [&str; 30] = [
    ".gitignore",
    ".gitlab-ci.yml",
    ".gitmodules",
    "CMakeLists.txt",
    "Dockerfile",
    "Makefile",
    "Pipfile",
    "Pipfile.lock",
    "a.C",
    "a.cpp",
    "a.csv",
    "a.def",
    "a.ini",
    "a.ipynb",
    "a.json",
    "a.md",
    "a.py",
    "a.sh",
    "a.sub",
    "a.toml",
    "a.txt",
    "a.yaml",
    "conda-lock.yml",
    "environment.yml",
    "pixi.lock",
    "poetry.lock",
    "pyproject.toml",
    "requirements.txt",
    "setup.py",
    "uv.lock",
];
/// Nesting depth and repetition count of the generated files.
const MANY: usize = 100_000;

/// An analysis in which every file of [`NAMES`] has this content.
fn in_every_file(content: impl AsRef<[u8]>) -> TestEnv {
    let env = TestEnv::new();
    for name in NAMES {
        env.write(name, &content);
    }
    env
}

#[test]
fn scan_reports_a_file_list_below_an_unknown_root_once() {
    let env = TestEnv::new();
    env.write("files.txt", "/myfarm/a/b/c/x.mdst\n/myfarm/a/b/c/y.mdst\n/tt/run3-v1/AODSIM\n");
    env.write("table.csv", "a,b\n/myfarm/a/b/c/x.mdst\n");
    assert_eq!(paths(&env.scan(&[])), ["files.txt"]);
}

#[test]
fn scan_notes_invalid_python_and_checks_its_strings() {
    let env = TestEnv::new();
    env.write("a.py", "def f(:\n    x = = 3\nopen(\"/eos/user/j/jdoe/x.root\")\n");
    env.write("b.py", "\"\"\"never closed /eos/user/j/jdoe\n");
    let scan = env.assert_scan_completes();
    assert_snapshot!(summary(&scan), @"
    a.py:3: error[home-path]
    neighbor.sh:2: error[home-path]
    a.py: syntax error: Expected a parameter or the end of the parameter list
    b.py: syntax error: missing closing quote in string literal
    ");
}

#[test]
fn scan_notes_deeply_nested_python() {
    let env = TestEnv::new();
    let nested = |open: &str, close: &str| format!("x = {}1{}\n", open.repeat(MANY), close.repeat(MANY));
    for (n, (open, close)) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("-", ""),
        ("not ", ""),
        ("lambda: ", ""),
        ("1 if y else ", ""),
        ("a + ", ""),
        ("a < ", ""),
        ("a ** ", ""),
        ("a and ", ""),
        ("a.", ""),
        ("", ".b()"),
        ("", "[0]"),
        ("(", ""),
    ]
    .into_iter()
    .enumerate()
    {
        env.write(&format!("n{n}.py"), nested(open, close));
    }
    env.write("blocks.py", (0..3000).map(|n| format!("{}if x:\n", " ".repeat(n))).collect::<String>());
    let scan = env.assert_scan_completes();
    assert_snapshot!(summary(&scan), @"
    neighbor.sh:2: error[home-path]
    blocks.py: file is too large to be parsed; only its paths and URLs were scanned
    n0.py: nested too deeply to parse; only strings and comments were read
    n1.py: nested too deeply to parse; only strings and comments were read
    n10.py: nested too deeply to parse; only strings and comments were read
    n11.py: nested too deeply to parse; only strings and comments were read
    n12.py: nested too deeply to parse; only strings and comments were read
    n13.py: nested too deeply to parse; only strings and comments were read
    n14.py: nested too deeply to parse; only strings and comments were read
    n15.py: nested too deeply to parse; only strings and comments were read
    n2.py: nested too deeply to parse; only strings and comments were read
    n3.py: nested too deeply to parse; only strings and comments were read
    n4.py: nested too deeply to parse; only strings and comments were read
    n5.py: nested too deeply to parse; only strings and comments were read
    n6.py: nested too deeply to parse; only strings and comments were read
    n7.py: nested too deeply to parse; only strings and comments were read
    n8.py: nested too deeply to parse; only strings and comments were read
    n9.py: nested too deeply to parse; only strings and comments were read
    ");
}

#[test]
fn scan_completes_with_unclosed_brackets_in_every_file() {
    for open in ["[", "{", "(", "$(", "a: [", "- ", "<<A ", "\"$(", "a.", "#if X\n", "`"] {
        in_every_file(open.repeat(MANY / 4)).assert_scan_completes();
    }
}

#[test]
fn scan_completes_with_deeply_nested_values_in_every_file() {
    for (open, close) in [("a = [", "]"), ("a = {a=", "}"), ("{\"a\":", "}"), ("{a: ", "}")] {
        in_every_file(format!("{}1{}\n", open.repeat(MANY / 4), close.repeat(MANY / 4))).assert_scan_completes();
    }
}

#[test]
fn scan_completes_with_deeply_nested_environment_markers() {
    let env = TestEnv::new();
    let marker = format!("{}python_version<'3'{}", "(".repeat(MANY), ")".repeat(MANY));
    env.write("requirements.txt", format!("-r requirements.txt\n-r ../../../etc/passwd\nnumpy ; {marker}\n"));
    env.write("uv.lock", format!("version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [{{ name = \"b\", marker = \"{marker}\" }}]\n"));
    env.assert_scan_completes();
}

#[test]
fn scan_completes_with_exponential_yaml_aliases() {
    let mut bomb = "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n".to_owned();
    for (from, to) in "abcdefghij".chars().zip("bcdefghijk".chars()) {
        writeln!(bomb, "{to}: &{to} [{}]", vec![format!("*{from}"); 9].join(",")).expect("a string");
    }
    let env = TestEnv::new();
    env.write("loop.yml", "a: &a {<<: *a, b: 1}\n");
    for name in
        ["a.yaml", "environment.yml", "conda-lock.yml", "reana.yaml", ".gitlab-ci.yml", ".github/workflows/a.yml"]
    {
        env.write(name, format!("{bomb}dependencies: *k\n"));
    }
    env.assert_scan_completes();
}

#[test]
fn scan_notes_truncated_and_deeply_nested_notebooks() {
    let env = TestEnv::new();
    let cell = r#"{"cells":[{"cell_type":"code","source":["open('/eos/user/j/jdoe/x.root')\n"],"outputs":"#;
    env.write("truncated.ipynb", cell);
    env.write("deep.ipynb", format!("{cell}{}", "[".repeat(MANY)));
    env.write("complete.ipynb", format!("{cell}[]}}],\"metadata\":{{}},\"nbformat\":4}}"));
    let scan = env.assert_scan_completes();
    assert_snapshot!(summary(&scan), @"
    complete.ipynb:1: error[home-path]
    deep.ipynb:1: error[home-path]
    neighbor.sh:2: error[home-path]
    truncated.ipynb:1: error[home-path]
    deep.ipynb: unexpected end of file
    truncated.ipynb: unexpected end of file
    ");
}

#[test]
fn scan_completes_with_every_encoding_in_every_file() {
    let text = "#!/bin/bash\nx = \"/eos/user/j/jdoe/é\"\nprint(x)\n";
    let wide = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let mut late = text.repeat(500).into_bytes();
    late.extend(b"\0\0");
    let cases: [Vec<u8>; 10] = [
        b"\xff\xfe\x80 x = \"/eos/user/j/jdoe/\xe9\xff\"\n# \xc3\n".to_vec(),
        late,
        [b"\0", text.as_bytes()].concat(),
        text.replace('\n', "\r\n").into(),
        text.replace('\n', "\r").into(),
        ["\u{feff}", text].concat().into(),
        [vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat(),
        [vec![0xfe, 0xff], wide(u16::to_be_bytes)].concat(),
        Vec::new(),
        b"\n\n\n".to_vec(),
    ];
    for case in cases {
        in_every_file(case).assert_scan_completes();
    }
}

#[test]
fn scan_reads_files_with_byte_order_mark_crlf_or_latin1() {
    let env = TestEnv::new();
    env.write("mark.py", "\u{feff}open('/eos/user/j/jdoe/x.root')\n");
    env.write("windows.py", "a = 1\r\nopen('/eos/user/j/jdoe/x.root')\r\n");
    env.write("bytes.py", b"# \xe9\nopen('/eos/user/j/jdoe/x.root')\n");
    let scan = env.assert_scan_completes();
    assert_snapshot!(summary(&scan), @"
    bytes.py:2: error[home-path]
    mark.py:1: error[home-path]
    neighbor.sh:2: error[home-path]
    windows.py:2: error[home-path]
    ");
}

#[test]
fn scan_limits_the_findings_of_one_rule_in_a_file() {
    let env = TestEnv::new();
    env.write("refs.py", (0..5000).map(|n| format!("open(\"data/missing{n}.json\")\n")).collect::<String>());
    env.write("stages/Dockerfile", "FROM a AS b\n".repeat(20_000));
    env.write("requirements.txt", "numpy\n".repeat(20_000));
    env.write("uv.lock", format!("version = 1\n{}", "[[package]]\nname = \"numpy\"\nversion = \"1\"\n".repeat(5000)));
    env.write("signs.py", "# carnet: ignore ".repeat(MANY));
    let scan = env.assert_scan_completes();
    assert_snapshot!(notes(&scan, "refs.py").join("\n"), @"4500 more findings of missing-file are not listed");
}

#[test]
fn scan_checks_only_the_paths_of_a_very_long_program() {
    let env = TestEnv::new();
    env.write("long.py", "x = foo(1, \"abc\")\n".repeat(150_000) + "open('/eos/user/j/jdoe/x.root')\n");
    let scan = env.assert_scan_completes();
    assert_snapshot!(summary(&scan), @"
    long.py:1: error[home-path]
    neighbor.sh:2: error[home-path]
    long.py: file is too large to be parsed; only its paths and URLs were scanned
    ");
}
