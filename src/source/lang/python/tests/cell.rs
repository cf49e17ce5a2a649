use std::borrow::Cow;

use super::super::{Mode, read};
use crate::source::lang::fact::{Dialect, Usage};

#[test]
fn commands_of_a_cell_are_no_errors() {
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
fn a_file_has_no_commands() {
    assert!(read(Cow::Borrowed("!ls\n"), Mode::File).problem.is_some());
}
