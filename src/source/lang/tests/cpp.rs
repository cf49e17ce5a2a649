//! C++ and ROOT macros.

use super::super::language::Language::Cpp;
use super::super::read;
use super::{commands, references, spans};

#[test]
fn strings_have_their_call_and_variable() {
    let text = "TFile f(\"/eos/a.root\");\nTString dir = \"/eos/b\";\nauto g = TFile::Open(base + \"/c\");\nchain->Add(R\"x(/eos/d)x\");\n";
    let view = read(Cpp, text.as_bytes());
    let found: Vec<_> = view
        .spans
        .iter()
        .map(|span| (&view.text[span.range.clone()], span.name.as_deref(), span.call.as_deref(), span.is_head))
        .collect();
    let expected = [
        ("/eos/a.root", Some("f"), Some("TFile"), true),
        ("/eos/b", Some("dir"), None, true),
        ("/c", Some("g"), Some("TFile::Open"), false),
        ("/eos/d", None, Some("chain->Add"), true),
    ];
    assert_eq!(found, expected);
}

#[test]
fn strings_have_the_role_of_their_use() {
    let text = "std::cout << \"/a\" << x;\nprintf(\"/b\");\nif (s == \"/c\" || s.Contains(\"/d\")) throw std::runtime_error(\"/e\");\nopen(\"/f\");\n";
    assert_eq!(
        spans(Cpp, text),
        [
            "Text Shown - /a",
            "Text Shown - /b",
            "Text Guard - /c",
            "Text Guard - /d",
            "Text Shown - /e",
            "Text Plain - /f"
        ]
    );
}

#[test]
fn comments_and_character_literals_are_not_strings() {
    let text = "int a = 1'000; char q = '\"'; // \"/x\"\n/* '\n */ f(\"/y\" \"/z\"); //data15\n";
    assert_eq!(
        spans(Cpp, text),
        [
            "Comment Plain -  \"/x\"",
            "Comment Plain -  '\n ",
            "Text Plain - /y",
            "Text Plain tail - /z",
            "Comment Plain - data15"
        ]
    );
}

#[test]
fn included_opened_and_loaded_files_are_references() {
    let text = "#include <vector>\n#include \"a.h\"\nTFile::Open(\"b.root\");\nTFile o(\"c.root\", \"RECREATE\");\nstd::ifstream in(\"d.txt\");\n\
                gROOT->LoadMacro(\"e.C+\");\nROOT::RDataFrame df(\"Events\", \"f.root\");\n";
    assert_eq!(references(Cpp, text), ["Code a.h", "Data b.root", "Data d.txt", "Code e.C", "Data f.root"]);
}

#[test]
fn strings_passed_to_a_shell_are_commands() {
    assert_eq!(
        commands(Cpp, "gSystem->Exec(\"cp /eos/a .\");\nsystem(\"mkdir b && ls\");"),
        ["Program cp /eos/a .", "Program mkdir b", "Program? ls"]
    );
}
