//! Files whose content is broken, nested, or in some other encoding.

use crate::scan::findings::{NEIGHBOUR, notes, paths};
use crate::support::TestEnv;
use std::fmt::Write as _;

/// A file of every language.
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
const MANY: usize = 100_000;

/// Every language with this content.
fn everywhere(content: impl AsRef<[u8]>) -> TestEnv {
    let env = TestEnv::new();
    for name in NAMES {
        env.write(name, &content);
    }
    env
}

#[test]
fn a_list_of_files_below_a_root_that_nobody_knows_is_one_finding() {
    let env = TestEnv::new();
    env.write("files.txt", "/myfarm/a/b/c/x.mdst\n/myfarm/a/b/c/y.mdst\n/tt/run3-v1/AODSIM\n");
    env.write("table.csv", "a,b\n/myfarm/a/b/c/x.mdst\n");
    assert_eq!(paths(&env.scan(&[])), ["files.txt"]);
}

#[test]
fn python_that_is_broken_is_noted_and_its_strings_are_read() {
    let env = TestEnv::new();
    env.write("a.py", "def f(:\n    x = = 3\nopen(\"/eos/user/j/jdoe/x.root\")\n");
    env.write("b.py", "\"\"\"never closed /eos/user/j/jdoe\n");
    let scan = env.survives();
    assert!(
        !notes(&scan, "a.py").is_empty() && !notes(&scan, "b.py").is_empty(),
        "{} {}",
        scan["findings"],
        scan["notes"]
    );
    assert!(paths(&scan).contains(&"a.py"), "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn python_that_nests_without_end_is_noted() {
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
    let scan = env.survives();
    assert!(notes(&scan, "n0.py")[0].contains("nests too deeply"), "{} {}", scan["findings"], scan["notes"]);
    assert!(notes(&scan, "n8.py")[0].contains("nests too deeply"), "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn brackets_without_end_are_survived_in_every_language() {
    for open in ["[", "{", "(", "$(", "a: [", "- ", "<<A ", "\"$(", "a.", "#if X\n", "`"] {
        everywhere(open.repeat(MANY / 4)).survives();
    }
}

#[test]
fn values_that_nest_without_end_are_survived_in_every_language() {
    for (open, close) in [("a = [", "]"), ("a = {a=", "}"), ("{\"a\":", "}"), ("{a: ", "}")] {
        everywhere(format!("{}1{}\n", open.repeat(MANY / 4), close.repeat(MANY / 4))).survives();
    }
}

#[test]
fn requirements_with_a_marker_of_brackets_are_refused() {
    let env = TestEnv::new();
    let marker = format!("{}python_version<'3'{}", "(".repeat(MANY), ")".repeat(MANY));
    env.write("requirements.txt", format!("-r requirements.txt\n-r ../../../etc/passwd\nnumpy ; {marker}\n"));
    env.write("uv.lock", format!("version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [{{ name = \"b\", marker = \"{marker}\" }}]\n"));
    env.survives();
}

#[test]
fn aliases_that_multiply_are_not_expanded() {
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
    env.survives();
}

#[test]
fn a_notebook_that_is_cut_or_nests_is_noted() {
    let env = TestEnv::new();
    let cell = r#"{"cells":[{"cell_type":"code","source":["open('/eos/user/j/jdoe/x.root')\n"],"outputs":"#;
    env.write("cut.ipynb", cell);
    env.write("deep.ipynb", format!("{cell}{}", "[".repeat(MANY)));
    env.write("whole.ipynb", format!("{cell}[]}}],\"metadata\":{{}},\"nbformat\":4}}"));
    let scan = env.survives();
    assert!(
        !notes(&scan, "cut.ipynb").is_empty() && !notes(&scan, "deep.ipynb").is_empty(),
        "{} {}",
        scan["findings"],
        scan["notes"]
    );
    assert!(paths(&scan).contains(&"whole.ipynb"), "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn every_encoding_is_survived_in_every_language() {
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
        everywhere(case).survives();
    }
}

#[test]
fn a_mark_of_the_encoding_and_ends_of_lines_of_other_systems_hide_nothing() {
    let env = TestEnv::new();
    env.write("mark.py", "\u{feff}open('/eos/user/j/jdoe/x.root')\n");
    env.write("windows.py", "a = 1\r\nopen('/eos/user/j/jdoe/x.root')\r\n");
    env.write("bytes.py", b"# \xe9\nopen('/eos/user/j/jdoe/x.root')\n");
    let scan = env.survives();
    for name in ["mark.py", "windows.py", "bytes.py"] {
        assert!(paths(&scan).contains(&name), "{name}: {} {}", scan["findings"], scan["notes"]);
    }
    let windows = scan["findings"].as_array().expect("findings").iter().find(|one| one["path"] == "windows.py");
    assert_eq!(windows.map(|one| &one["line"]), Some(&2.into()));
}

#[test]
fn what_repeats_without_end_is_cut_and_counted() {
    let env = TestEnv::new();
    env.write("refs.py", (0..5000).map(|n| format!("open(\"data/missing{n}.json\")\n")).collect::<String>());
    env.write("stages/Dockerfile", "FROM a AS b\n".repeat(20_000));
    env.write("requirements.txt", "numpy\n".repeat(20_000));
    env.write("uv.lock", format!("version = 1\n{}", "[[package]]\nname = \"numpy\"\nversion = \"1\"\n".repeat(5000)));
    env.write("signs.py", "# carnet: ignore ".repeat(MANY));
    let scan = env.survives();
    assert!(
        notes(&scan, "refs.py")[0].contains("more of missing-file are not listed"),
        "{} {}",
        scan["findings"],
        scan["notes"]
    );
}

#[test]
fn a_program_of_megabytes_is_read_for_its_paths_alone() {
    let env = TestEnv::new();
    env.write("long.py", "x = foo(1, \"abc\")\n".repeat(150_000) + "open('/eos/user/j/jdoe/x.root')\n");
    let scan = env.survives();
    assert!(notes(&scan, "long.py")[0].contains("too long"), "{} {}", scan["findings"], scan["notes"]);
    assert!(
        paths(&scan).contains(&"long.py") && paths(&scan).contains(&NEIGHBOUR),
        "{} {}",
        scan["findings"],
        scan["notes"]
    );
}
