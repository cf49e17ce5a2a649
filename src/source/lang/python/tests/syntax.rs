use super::{facts, view};

/// Returns the versions of the newer syntax in a source.
fn versions(text: &str) -> Vec<(u8, u8)> {
    facts(text).syntax.iter().map(|syntax| syntax.since).collect()
}

/// Returns the Python 2 syntax in a source.
fn old(text: &str) -> Option<&str> {
    facts(text).python2.map(|range| &text[range])
}

#[test]
fn newer_syntax_has_its_version() {
    assert_eq!(versions("(x := 1)"), [(3, 8)]);
    assert_eq!(versions("def f(a, /): pass"), [(3, 8)]);
    assert_eq!(versions("f'{x=}'"), [(3, 6), (3, 8)]);
    assert_eq!(versions("with (open(a) as b, open(c) as d): pass"), [(3, 9)]);
    assert_eq!(versions("match x:\n    case 1: pass\n"), [(3, 10)]);
    assert_eq!(versions("try:\n    pass\nexcept* E:\n    pass\n"), [(3, 11)]);
    assert_eq!(versions("x[*a]"), [(3, 11)]);
    assert_eq!(versions("type X = int"), [(3, 12)]);
    assert_eq!(versions("def f[T](x): pass"), [(3, 12)]);
    assert_eq!(versions("f'{x['a']}'"), [(3, 6), (3, 12)]);
    assert_eq!(versions("def f[T = int](x): pass"), [(3, 12), (3, 13)]);
    assert_eq!(versions("t'{x}'"), [(3, 14)]);
    assert_eq!(versions("try:\n    pass\nexcept A, B:\n    pass\n"), [(3, 14)]);
}

#[test]
fn first_use_for_each_version_is_recorded() {
    let syntax = facts("f'a'\n(x := 1)\n(y := 2)\n").syntax;
    assert_eq!((syntax.len(), syntax[1].range.clone()), (2, 6..12));
}

#[test]
fn only_evaluated_annotations_are_checked() {
    assert_eq!(versions("def f(x: list[int]) -> int | None: pass"), [(3, 9), (3, 10)]);
    assert_eq!(versions("x: dict[str, int] = {}"), [(3, 6), (3, 9)]);
    assert_eq!(versions("from __future__ import annotations\ndef f(x: list[int] | None): pass"), [(3, 7)]);
    assert_eq!(versions("def f():\n    x: list[int] = []\n"), [(3, 6)]);
    assert_eq!(versions("def f(x: List[int]): pass"), []);
}

#[test]
fn python_2_is_known_by_its_syntax() {
    assert_eq!(old("print 'a'\n"), Some("print"));
    assert_eq!(old("import x\nprint >>f, 'a'\n"), Some("print"));
    assert_eq!(old("exec 'a' in b\n"), Some("exec"));
    assert!(old("try:\n    pass\nexcept E, e:\n    pass\n").is_some());
    assert!(old("x = `y`\n").is_some());
    assert!(old("if a <> b: pass\n").is_some());
    assert!(old("x = ur'a'\n").is_some());
    assert!(old("os.chmod(a, 0777)\n").is_some());
    assert!(old("raise E, 'a'\n").is_some());
    assert!(old("x = 10L\n").is_some());
}

#[test]
fn python_3_is_not_taken_for_python_2() {
    for text in [
        "print('a')\n",
        "print\n'a'\n",
        "print; 'a'\n",
        "def f(:\n",
        "x = (1\n",
        "raise E('a')\n",
        "x = 0\n",
        "a < b > c\n",
    ] {
        assert_eq!(old(text), None, "{text}");
    }
    assert_eq!(old("try:\n    pass\nexcept A, B:\n    pass\n"), None);
}

#[test]
fn what_is_python_2_uses_no_newer_syntax() {
    assert_eq!(versions("try:\n    print 'a'\nexcept E, e:\n    pass\n"), []);
}

#[test]
fn invalid_file_has_a_problem() {
    assert!(view("x = (\n").problem.is_some());
    assert_eq!(view("x = 1\n").problem, None);
}
