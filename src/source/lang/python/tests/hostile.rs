use proptest::prelude::*;

use super::super::{Mode, read};
use super::view;
use crate::source::lang::View;
use crate::source::lang::embedded;
use crate::source::lang::fact::Facts;
use crate::source::lang::span::Kind;

/// Checks that spans are sorted, without overlap and on character boundaries, and that all facts are in the text.
fn check(view: &View<'_>) {
    let text = &view.text;
    let mut end = 0;
    for span in &view.spans {
        assert!(span.range.start >= end && span.range.start < span.range.end, "{:?} in {text:?}", span.range);
        assert!(text.get(span.range.clone()).is_some(), "{:?} in {text:?}", span.range);
        end = span.range.end;
    }
    let mut facts: Facts = view.facts.clone();
    embedded::relocate(&mut facts, |range| {
        assert!(text.get(range.clone()).is_some(), "{range:?} in {text:?}");
        range.clone()
    });
}

fn check_on_small_stack(text: String) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let handle = thread.spawn(move || check(&view(&text))).expect("a thread starts");
    handle.join().expect("no panic");
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let many = 100_000;
    for piece in [
        "(",
        "[",
        "{",
        "f(",
        "x[",
        "not ",
        "-",
        "lambda: ",
        "f'{",
        "await ",
        "a.",
        "x if y else ",
        "*",
        "'a'+",
        "a**",
        "if x:\n",
        "{1:",
    ] {
        check_on_small_stack(piece.repeat(many));
        check_on_small_stack(format!("x = {}1", piece.repeat(many)));
        check_on_small_stack(format!("x = {}1", piece.repeat(390)));
    }
    for piece in ["()", "[0]", ".a", "+1", " + '/a'", " and x", " or '/a'", " == '/a'", ", '/a'", "\n('a',)", " 'a'"] {
        check_on_small_stack(format!("x{}", piece.repeat(many)));
        check_on_small_stack(format!("x{}", piece.repeat(380)));
    }
    let steps: String = (0..1000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    check_on_small_stack(steps);
    let clauses = format!("if x:\n  a\n{}", "elif x:\n  a\n".repeat(many));
    check_on_small_stack(clauses);
    check_on_small_stack(format!("match x:\n  case {}1: pass", "[".repeat(many)));
    check_on_small_stack(format!("try: pass\n{}", "except E: pass\n".repeat(10_000)));
}

#[test]
fn strings_of_too_deeply_nested_text_are_found() {
    let text = format!("# note\nx = '/a' + '/b'\ny = {}1", "(".repeat(1000));
    let view = view(&text);
    let spans: Vec<_> =
        view.spans.iter().map(|span| (&view.text[span.range.clone()], span.kind, span.is_head)).collect();
    assert_eq!(spans, [(" note", Kind::Comment, true), ("/a", Kind::Text, true), ("/b", Kind::Text, false)]);
    assert!(view.problem.is_some_and(|problem| problem.contains("too deeply")));
}

#[test]
fn a_long_sum_is_parsed() {
    let text = format!("x = 'a'{}", " + 'b'".repeat(300));
    let view = view(&text);
    assert_eq!((view.spans.len(), view.problem), (301, None));
}

#[test]
fn long_list_is_not_deep_nesting() {
    let text = format!("x = [{}]", "('/a' + b, c.d(1)),\n".repeat(5000));
    assert_eq!(view(&text).problem, None);
}

/// Fragments of real files.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'",
        "\"",
        "'''",
        "\"\"\"",
        "f'",
        "f\"",
        "rf'''",
        "t'",
        "b'",
        "ur'",
        "\\",
        "\\n",
        "\n",
        "\n    ",
        "{",
        "}",
        "{{",
        "}}",
        "(",
        ")",
        "[",
        "]",
        "+",
        "/",
        "%",
        "=",
        ":=",
        ":",
        ",",
        ".",
        "#",
        "!",
        "%%",
        "é",
        "日",
        "🦀",
        "\r\n",
        "\u{feff}",
        "\0",
        "x",
        "y.z",
        "print ",
        "print(",
        "open(",
        "os.system(",
        "os.path.join(",
        ".format(",
        ".write(",
        "import a",
        "from . import b",
        "def f(x=",
        "class A",
        "if ",
        "try:\n",
        "except E, e:\n",
        "lambda ",
        "match x:\n case ",
        "image=",
        "universe = vanilla",
        "queue",
        "#!/bin/sh\\n",
        "#SBATCH -p x",
        "cd /a",
        "`",
        "<>",
        "0777",
        "10L",
        "raise E, ",
        "exec ",
        "$(",
        "ROOT.gInterpreter.Declare(",
        "#include \"a.h\"",
        "!ls ",
        "%run a.py",
        "%env A=b",
        "x = !ls",
        "subprocess.run([",
        "/eos/user",
        ";",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_harms(text in "\\PC*") {
        check(&read(text.clone().into(), Mode::File));
        check(&read(text.into(), Mode::Cell));
    }

    #[test]
    fn no_mix_of_pieces_harms(text in pieces()) {
        check(&read(text.clone().into(), Mode::File));
        check(&read(text.into(), Mode::Cell));
    }
}
