//! Tests of all readers with any text.

mod config;
mod container;
mod cpp;
mod name;
mod script;

use proptest::prelude::*;

use super::language::Language;
use super::{View, read};

const ALL: [Language; 16] = [
    Language::Cpp,
    Language::Shell,
    Language::Yaml,
    Language::Json,
    Language::Toml,
    Language::Ini,
    Language::Docker,
    Language::Apptainer,
    Language::HtCondor,
    Language::Make,
    Language::Cmake,
    Language::Requirements,
    Language::Data,
    Language::Prose,
    Language::Ignore,
    Language::Generated,
];

/// Fragments with a meaning in some language, for property tests.
const PIECES: [&str; 96] = [
    "'",
    "\"",
    "`",
    "$(",
    "${",
    "}",
    ")",
    "(",
    "[",
    "]",
    "{",
    "\\",
    "\n",
    "\n",
    "\n  ",
    "\n\t",
    " ",
    " ",
    "#",
    "# ",
    "//",
    "/*",
    "*/",
    "<<EOF",
    "EOF",
    "<<-'X'",
    "\nX\n",
    "=",
    ":",
    ": ",
    "- ",
    "|",
    "|\n",
    ">",
    ">>",
    "<",
    ";",
    ";;",
    "&&",
    "||",
    "&",
    "$",
    "$((",
    "))",
    "${A:-/b}",
    "if ",
    "fi",
    "case x in ",
    "esac",
    "[[ ",
    "]]",
    "echo ",
    "docker run ",
    "-v /a:/b ",
    "image",
    "image: x:1",
    "script:",
    "run: |",
    "singularity exec ",
    "bash -c '",
    "sed s/a/b/ ",
    "export A=",
    "setenv A b",
    "#SBATCH -p x",
    "queue",
    "executable = ",
    "+Flavour = \"x\"",
    "RUN ",
    "FROM a AS b",
    "COPY <<EOF /x",
    "ENV A=b ",
    "%post",
    "From: x",
    "Bootstrap: docker",
    "R\"(",
    ")\"",
    "#include \"x\"",
    "TFile f(\"",
    "std::cout << ",
    "set(",
    "include(",
    "'''",
    "\"\"\"",
    "[a.b]",
    "é",
    "\u{feff}",
    "😀",
    "&a ",
    "*a",
    "? ",
    "{{",
    "}}",
    "%",
    "/eos/user/x",
    "root://h//p",
    "~/x",
];

/// Returns active spans and spans with a role: role, text, name.
fn spans(language: Language, text: &str) -> Vec<String> {
    let view = read(language, text.as_bytes());
    let shown = |span: &super::span::Span| {
        let tail = if span.is_head { "" } else { " tail" };
        let name = span.name.as_deref().unwrap_or("-");
        format!("{:?} {:?}{tail} {name} {}", span.kind, span.role, &view.text[span.range.clone()])
    };
    view.spans.iter().map(shown).collect()
}

/// Returns settings: dialect, key, value.
fn settings(language: Language, text: &str) -> Vec<String> {
    let view = read(language, text.as_bytes());
    view.facts
        .settings
        .iter()
        .map(|setting| format!("{:?} {} {}", setting.dialect, setting.key, setting.value.text))
        .collect()
}

/// Returns commands: host, a sign for conditional ones, words.
fn commands(language: Language, text: &str) -> Vec<String> {
    let view = read(language, text.as_bytes());
    let shown = |command: &super::fact::Command| {
        let words: Vec<_> = command.words.iter().map(|word| word.text.as_str()).collect();
        format!("{:?}{} {}", command.host, if command.is_conditional { "?" } else { "" }, words.join(" "))
    };
    view.facts.commands.iter().map(shown).collect()
}

/// Returns the images of a file.
fn images(language: Language, text: &str) -> Vec<String> {
    read(language, text.as_bytes()).facts.images.into_iter().map(|image| image.text).collect()
}

/// Returns references: usage and path.
fn references(language: Language, text: &str) -> Vec<String> {
    let references = read(language, text.as_bytes()).facts.references;
    references.into_iter().map(|reference| format!("{:?} {}", reference.usage, reference.path)).collect()
}

fn holds(view: &View<'_>, language: Language) {
    let mut end = 0;
    for span in &view.spans {
        assert!(span.range.start >= end, "{language:?}: {span:?} after {end}");
        assert!(span.range.start < span.range.end, "{language:?}: {span:?}");
        assert!(view.text.get(span.range.clone()).is_some(), "{language:?}: {span:?}");
        end = span.range.end;
    }
    let facts = &view.facts;
    let words =
        facts.shebang.iter().chain(&facts.images).chain(facts.commands.iter().flat_map(|command| &command.words));
    let words = words.chain(facts.settings.iter().map(|setting| &setting.value)).map(|word| &word.range);
    let ranges = words
        .chain(facts.commands.iter().map(|command| &command.range))
        .chain(facts.settings.iter().map(|setting| &setting.range))
        .chain(facts.references.iter().map(|reference| &reference.range))
        .chain(facts.calls.iter().flat_map(|call| [&call.range, &call.full_range]));
    for range in ranges {
        assert!(view.text.get(range.clone()).is_some(), "{language:?}: {range:?}");
    }
}

proptest! {
    #[test]
    fn any_pieces_make_spans_in_order_and_ranges_in_the_text(pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..60)) {
        let text = pieces.concat();
        for language in ALL {
            holds(&read(language, text.as_bytes()), language);
        }
    }

    #[test]
    fn any_bytes_make_spans_in_order_and_ranges_in_the_text(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for language in ALL {
            let view = read(language, &bytes);
            prop_assert_eq!(view.text.len(), bytes.len());
            holds(&view, language);
        }
        Language::of("x", &bytes);
    }
}

#[test]
fn invalid_utf8_keeps_offsets() {
    let view = read(Language::Shell, b"a \xff\xfe /x");
    assert_eq!(view.text, "a ?? /x");
}

#[test]
fn hostile_texts_are_read_with_bounded_time_and_depth() {
    let many = 100_000;
    let texts = [
        "[".repeat(many),
        "{\"a\":".repeat(many),
        "{a: ".repeat(many),
        "$(".repeat(many),
        "`".repeat(many),
        "${".repeat(many),
        "'".repeat(many) + "x",
        "\"".repeat(many + 1),
        "<<A ".repeat(many),
        "cat <<A\n".repeat(many / 10),
        "bash -c '".repeat(many / 10),
        "- ".repeat(many),
        "a:\n".repeat(many),
        "((".repeat(many),
        "if [[ (".repeat(many / 4),
        "R\"x(".repeat(many),
        "/*".repeat(many),
        "#define A(\n".repeat(many / 10),
        "x = [\n".repeat(many / 4),
        "a.".repeat(many / 4) + "b = 1",
        "InputSandbox = {\"a\",\n".repeat(many / 10),
        format!("{}=({})", "A".repeat(many), "b ".repeat(many)),
        format!("{}: [{}]", "A".repeat(many), "b, ".repeat(many)),
        (0..3000).map(|indent| format!("{}k:\n", " ".repeat(indent % 400))).collect::<String>(),
        "ENV A=$B \\\n".repeat(many / 10),
        "RUN <<E\n".repeat(many / 10),
        "%post\n".repeat(many / 10),
        "set(A \"".repeat(many),
        "V = $(shell ".repeat(many / 10),
        "/".repeat(many * 10),
        "x".repeat(many * 10),
        "a: \"".repeat(many / 10) + "\n",
        "a: '\n".repeat(many / 10),
        "a: [\n".repeat(many / 10),
        "run: x\n".repeat(many / 10),
        "é".repeat(many),
    ];
    for text in texts {
        for language in ALL {
            let view = read(language, text.as_bytes());
            assert!(view.spans.len() <= text.len());
        }
    }
}
