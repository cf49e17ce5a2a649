mod cell;
mod fact;
mod hostile;
mod span;
mod syntax;

use super::*;

fn view(text: &str) -> View<'_> {
    read(Cow::Borrowed(text), Mode::File)
}

fn facts(text: &str) -> Facts {
    view(text).facts
}

#[test]
fn texts_that_panicked_the_parser_are_read() {
    for text in ["?*@A.c{z,\"\"b'=,el\\n-\u{fffd}", "'''\\n'''t'é"] {
        for mode in [Mode::File, Mode::Cell] {
            let view = read(Cow::Borrowed(text), mode);
            assert!(view.spans.iter().all(|span| view.text.get(span.range.clone()).is_some()), "{text}");
        }
    }
}
