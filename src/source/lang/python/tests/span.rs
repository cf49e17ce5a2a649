use super::view;
use crate::source::lang::span::{Kind, Role, Span};

/// Returns the spans of a source as `text role`, with `…` before a span that does not start its value.
fn roles(text: &str) -> Vec<String> {
    let view = view(text);
    let show = |span: &Span| {
        let role = match (span.kind, span.role) {
            (Kind::Text, role) => format!("{role:?}"),
            (kind, Role::Plain) => format!("{kind:?}"),
            (kind, role) => format!("{kind:?} {role:?}"),
        };
        format!("{}{} {role}", if span.is_head { "" } else { "…" }, &view.text[span.range.clone()])
    };
    view.spans.iter().map(show).collect()
}

/// Returns text, name and call of the spans of a source.
fn owners(text: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let view = view(text);
    view.spans
        .iter()
        .map(|span| (view.text[span.range.clone()].to_owned(), span.name.clone(), span.call.clone()))
        .collect()
}

fn owner(text: &str, name: Option<&str>, call: Option<&str>) -> (String, Option<String>, Option<String>) {
    (text.to_owned(), name.map(str::to_owned), call.map(str::to_owned))
}

#[test]
fn span_excludes_prefix_and_quotes() {
    assert_eq!(roles("a = 'x' + r\"y\" + b'z' + '''t'''"), ["x Plain", "…y Plain", "…z Plain", "…t Plain"]);
}

#[test]
fn comments_and_docstrings_have_their_own_kind() {
    let source = "#!/usr/bin/python\n'''Doc /a'''\ndef f():\n    \"d\" # why\n    x = 'v'\n    'lone'\n";
    let expected =
        ["!/usr/bin/python Comment", "Doc /a Docstring", "d Docstring", " why Comment", "v Plain", "lone Docstring"];
    assert_eq!(roles(source), expected);
}

#[test]
fn text_after_a_placeholder_is_not_the_head() {
    assert_eq!(roles("f'/a/{x}/b{y}'"), ["/a/ Plain", "…/b Plain"]);
    assert_eq!(roles("x = f'{base}/b'"), ["…/b Plain"]);
    assert_eq!(roles("x = '{}/b'.format(y)"), ["…{}/b Plain"]);
    assert_eq!(roles("x = '%s/b' % '/c'"), ["…%s/b Plain", "/c Plain"]);
    assert_eq!(roles("x = f'{y}' '/b'"), ["…/b Plain"]);
}

#[test]
fn appended_text_is_not_the_head() {
    assert_eq!(roles("x = '/a' + y + '/b'"), ["/a Plain", "…/b Plain"]);
    assert_eq!(roles("x = Path('/a') / '/b'"), ["/a Plain", "…/b Plain"]);
    assert_eq!(roles("x += '/b'"), ["…/b Plain"]);
    assert_eq!(roles("x = a + ['/b']"), ["/b Plain"]);
    assert_eq!(roles("x = '/a' '/b'"), ["/a Plain", "…/b Plain"]);
}

#[test]
fn only_first_argument_of_join_is_the_head() {
    assert_eq!(roles("os.path.join('/a', b, '/c')"), ["/a Plain", "…/c Plain"]);
    assert_eq!(roles("Path('/a', '/c').joinpath('/d')"), ["/a Plain", "…/c Plain", "…/d Plain"]);
    assert_eq!(roles("sample_path.join('/a')"), ["/a Plain"]);
}

#[test]
fn span_has_the_innermost_name() {
    let none: Option<&str> = None;
    assert_eq!(owners("base = '/a'"), [owner("/a", Some("base"), none)]);
    assert_eq!(owners("base = ['/a', ('/b',)]"), [owner("/a", Some("base"), none), owner("/b", Some("base"), none)]);
    assert_eq!(owners("d = {'k': ['/a']}"), [owner("k", Some("d"), none), owner("/a", Some("k"), none)]);
    assert_eq!(owners("d['k'] = '/a'"), [owner("k", None, none), owner("/a", Some("k"), none)]);
    assert_eq!(owners("self.x, y = '/a', '/b'"), [owner("/a", Some("self.x"), none), owner("/b", Some("y"), none)]);
    assert_eq!(owners("f(g.h(image='/a'))"), [owner("/a", Some("image"), Some("g.h"))]);
    assert_eq!(owners("def f(where='/a'): pass"), [owner("/a", Some("where"), none)]);
    assert_eq!(owners("x = os.path.join('/a', b)"), [owner("/a", Some("x"), Some("os.path.join"))]);
    assert_eq!(owners("a().b('/a')"), [owner("/a", None, Some(".b"))]);
}

#[test]
fn dictionary_keys_have_kind_key() {
    assert_eq!(roles("x = {'/a': '/b'}['/c']"), ["/a Key", "/b Plain", "/c Key"]);
}

#[test]
fn defaults_have_role_default() {
    assert_eq!(roles("p.add_argument('--x', default='/a')"), ["--x Plain", "/a Default"]);
    assert_eq!(
        roles("p.add_argument('--x', default=os.path.join('/a', 'b'))"),
        ["--x Plain", "/a Default", "…b Default"]
    );
    assert_eq!(roles("x = luigi.Parameter(default=['/a', '/b'])"), ["/a Default", "/b Default"]);
    assert_eq!(roles("def f(x='/a', *, y=f'/b{z}'): pass"), ["/a Default", "/b Default"]);
    assert_eq!(roles("os.environ.get('X', '/a')"), ["X Plain", "/a Default"]);
    assert_eq!(roles("os.getenv('X', '/a'); kw.pop('k', '/b')"), ["X Plain", "/a Default", "k Plain", "/b Default"]);
    assert_eq!(roles("getattr(o, 'n', '/a')"), ["n Plain", "/a Default"]);
    assert_eq!(roles("x = args.x or '/a'"), ["/a Default"]);
    assert_eq!(roles("requests.get('u', '/a')"), ["u Plain", "/a Plain"]);
    assert_eq!(roles("parser.set_defaults(x='/a')"), ["/a Default"]);
}

#[test]
fn displayed_text_has_role_shown() {
    assert_eq!(roles("print('/a', f'/b{x}', '/c' + y)"), ["/a Shown", "/b Shown", "/c Shown"]);
    assert_eq!(roles("logger.error('/a %s' % x)"), ["/a %s Shown"]);
    assert_eq!(roles("self.log.info('/a {}'.format('b'))"), ["/a {} Shown", "b Shown"]);
    assert_eq!(roles("raise ValueError('/a')"), ["/a Shown"]);
    assert_eq!(roles("assert x, '/a'"), ["/a Shown"]);
    assert_eq!(roles("p.add_argument('-x', help='/a' '/b')"), ["-x Plain", "/a Shown", "…/b Shown"]);
    assert_eq!(roles("sys.exit('/a'); ax.set_title('/b'); warnings.warn('/c')"), ["/a Shown", "/b Shown", "/c Shown"]);
    assert_eq!(roles("sys.stderr.write('/a')"), ["/a Shown"]);
}

#[test]
fn file_opened_inside_displayed_text_is_not_shown() {
    assert_eq!(roles("print(open('/a').read())"), ["/a Plain"]);
    assert_eq!(roles("print(f\"x {open('/a')}\")"), ["x  Shown", "/a Plain"]);
    assert_eq!(roles("print('/a', file=out)"), ["/a Plain"]);
    assert_eq!(roles("print('/a', file=sys.stderr)"), ["/a Shown"]);
}

#[test]
fn compared_and_tested_strings_are_guards() {
    assert_eq!(roles("if x == '/a' or '/b' in y: pass"), ["/a Guard", "/b Guard"]);
    assert_eq!(roles("if x in ['/a', '/b']: pass"), ["/a Guard", "/b Guard"]);
    assert_eq!(roles("x.startswith('/a'); y.replace('/b', '/c')"), ["/a Guard", "/b Guard", "/c Plain"]);
    assert_eq!(roles("os.path.isdir(os.path.join('/a', u))"), ["/a Guard"]);
    assert_eq!(roles("Path('/a').exists()"), ["/a Guard"]);
    assert_eq!(roles("x = '/a'.replace('b', 'c')"), ["/a Plain", "b Guard", "…c Plain"]);
    assert_eq!(roles("match x:\n    case '/a' | ['/b']: y = '/c'\n"), ["/a Guard", "/b Guard", "/c Plain"]);
    assert_eq!(roles("for f in ['/a']: open(f)"), ["/a Plain"]);
}

#[test]
fn variable_tested_later_is_not_a_guard() {
    assert_eq!(roles("p = '/a'\nif os.path.exists(p): open(p)"), ["/a Plain"]);
}

#[test]
fn regular_expressions_are_patterns() {
    assert_eq!(roles("re.sub('/a', '/b', '/c')"), ["/a Pattern", "/b Guard", "/c Plain"]);
    assert_eq!(roles("re.compile(r'^/a')"), ["^/a Pattern"]);
}

#[test]
fn print_statements_of_python_2_show() {
    assert_eq!(roles("print '/a'\nprint '/b %s' % x, '/c'\n"), ["/a Shown", "/b %s Shown", "/c Shown"]);
    assert_eq!(roles("print >>sys.stderr, '/a'\nprint >>out, '/b'\n"), ["/a Shown", "/b Plain"]);
}

#[test]
fn strings_of_invalid_files_are_found() {
    assert_eq!(roles("x = ('/a'\ny = '/b'\nz = = '/c'\n"), ["/a Plain", "/b Plain", "/c Plain"]);
    assert_eq!(roles("x = '/a"), ["/a Plain"]);
}

#[test]
fn embedded_script_has_spans_of_its_language() {
    let text = "s = f'''#!/bin/bash\n# note\ncd /a/{x}/b\\\n''' + '/c'\n";
    let view = view(text);
    let found: Vec<_> = view.spans.iter().map(|span| (&text[span.range.clone()], span.kind)).collect();
    assert!(found.contains(&("cd", Kind::Word)) && found.contains(&(" note", Kind::Comment)), "{found:?}");
    assert!(found.iter().all(|(_, kind)| *kind != Kind::Text), "{found:?}");
}
