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
