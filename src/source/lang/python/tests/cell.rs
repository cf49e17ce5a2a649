use std::borrow::Cow;

use super::super::{Mode, read};
use crate::source::lang::fact::{Dialect, Usage};

#[test]
fn cell_commands_are_not_syntax_errors() {
    let text = "import a\n!ls /x \\\n  /y\nfiles = !ls /z\n%matplotlib inline\nif a:\n  %run b.py\n%env C=/d\nprint?\nx = y % z\nw = (1\n%2)\n'''\n!no\n'''\n";
    let view = read(Cow::Borrowed(text), Mode::Cell);
    assert_eq!(view.problem, None);
    let setting = &view.facts.settings[0];
    assert_eq!(
        (setting.dialect, setting.key.as_str(), &text[setting.value.range.clone()]),
        (Dialect::Variable, "C", "/d")
    );
    let reference = &view.facts.references[0];
    assert_eq!((reference.usage, &text[reference.range.clone()]), (Usage::Code, "b.py"));
}

#[test]
fn commands_in_a_file_are_syntax_errors() {
    assert!(read(Cow::Borrowed("!ls\n"), Mode::File).problem.is_some());
}
