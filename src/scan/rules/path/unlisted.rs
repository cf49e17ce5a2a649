//! Absolute paths below roots that are not in the catalogue. Their context must show that a file system is meant.

mod keywords;

use std::collections::BTreeSet;
use std::ops::Range;

use keywords::{
    ADDRESS_WORDS, CONTAINER_COMMANDS, EXPRESSION_COMMANDS, FILE_EXTENSIONS, FILE_FUNCTIONS, GENERAL_ROOTS,
    OBJECT_FUNCTIONS, OBJECT_WORDS, PATH_WORDS,
};

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::message;
use super::usage::{TestFile, Usage};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};

/// Maximum length of an inspected text in bytes.
const MAX_LEN: usize = 1024;
/// Number of components that only a file system path has.
const MIN_DEPTH: usize = 5;

/// Reports the paths of a file that are not in the catalogue.
pub(super) fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let is_relevant = matches!(
        input.language,
        Language::Python
            | Language::Notebook
            | Language::Cpp
            | Language::Shell
            | Language::HtCondor
            | Language::Make
            | Language::Yaml
            | Language::Json
            | Language::Toml
            | Language::Ini
    );
    if input.language == Language::Data {
        diagnostics.extend(list_diagnostics(input));
    } else if is_relevant && !is_service_file(input) {
        diagnostics.extend(input.view.spans.iter().filter_map(|span| span_diagnostic(input, span)));
    }
}

/// Reports whether a file configures a service, a CI system or an image, so that its paths are those of other machines.
fn is_service_file(input: &FileInput<'_>) -> bool {
    let lower = input.path.to_ascii_lowercase();
    let services =
        [".github/", ".gitlab", "docker", "compose", "k8s", "helm", "chart", "devcontainer", "binder/", "reana"];
    let is_settings = matches!(input.language, Language::Yaml | Language::Json | Language::Toml);
    is_settings && services.iter().any(|word| lower.contains(word))
        || lower.contains("entrypoint")
        || is_image_file(input)
}

/// Reports whether a parent directory of a file, below the top, contains an image recipe.
fn is_image_file(input: &FileInput<'_>) -> bool {
    let mut rest = input.path;
    while let Some((directory, _)) = rest.rsplit_once('/') {
        if ["Dockerfile", "dockerfile", "Containerfile"]
            .iter()
            .any(|name| input.context.has_file(&format!("{directory}/{name}")))
        {
            return true;
        }
        rest = directory;
    }
    false
}

/// Reports the first path below each unknown root in a list of files with one path per line.
fn list_diagnostics(input: &FileInput<'_>) -> Vec<Diagnostic> {
    let text: &str = &input.view.text;
    // A list of files starts with a path. Tables and other texts are skipped.
    if !text.trim_start().starts_with('/') {
        return Vec::new();
    }
    let mut roots = BTreeSet::new();
    let mut diagnostics = Vec::new();
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let offset = end + line.len() - line.trim_start().len();
        end += line.len();
        let path = line.trim();
        let Some(root) = root(path).filter(|root| path.len() <= MAX_LEN && !roots.contains(root)) else { continue };
        let file = path.rsplit('/').next().unwrap_or_default();
        if file.contains('.') && path.trim_matches('/').split('/').count() >= MIN_DEPTH {
            roots.insert(root);
            if input.context.catalogue.path_facts(path).is_none() {
                diagnostics.push(diagnostic(&(offset..offset + path.len()), path, root, Severity::Warning));
            }
        }
    }
    diagnostics
}

fn span_diagnostic(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let is_kind = matches!(span.kind, Kind::Text | Kind::Value | Kind::Word);
    if !is_kind || !span.is_head || !span.is_active() || span.role == Role::Guard || span.range.len() > MAX_LEN {
        return None;
    }
    let text = input.view.text.get(span.range.clone())?;
    let root = root(text)?;
    if input.context.catalogue.path_facts(text).is_some()
        || input.context.has_directory(root)
        || !is_meant(input.language, span, text)
    {
        return None;
    }
    // Paths in tests are often invented.
    let usage = Usage::find(input, &span.range).filter(|usage| usage.in_test == TestFile::No)?;
    // `/processor/data/x` is appended to the directory of a package that contains `processor/data`.
    let start: Vec<&str> = text.trim_start_matches('/').split('/').take(2).collect();
    let inside = format!("/{}/", start.join("/"));
    if input.context.paths.iter().any(|path| path.contains(&inside)) {
        return None;
    }
    Some(diagnostic(&span.range, text, root, usage.lower(Severity::Warning, false)))
}

fn diagnostic(range: &Range<usize>, text: &str, root: &str, severity: Severity) -> Diagnostic {
    let message = format!("absolute path `{}` may not exist elsewhere", excerpt(text));
    let help = "read it from an argument, a configuration file or an environment variable".to_owned();
    let diagnostic = message::diagnostic(range, severity, message, help);
    Diagnostic { confidence: Some(Confidence::Medium), group: format!("/{root}"), ..diagnostic }
}

/// Returns the first component of an absolute path with at least two components.
fn root(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let (root, behind) = rest.split_once('/')?;
    let is_name = root.len() > 1
        && root.starts_with(|first: char| first.is_ascii_lowercase())
        && root.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    // Excludes patterns, sentences and expressions.
    let is_path = !behind.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-.+=@,:~${}%*[]?".contains(&byte))
        && !text.contains("//");
    (is_name && is_path && !GENERAL_ROOTS.contains(&root)).then_some(root)
}

/// Reports whether a file system path is meant, by the function, the name of the variable, or the file extension.
fn is_meant(language: Language, span: &Span, text: &str) -> bool {
    let parts = text.trim_matches('/').split('/').count();
    let call = span.call.as_deref().unwrap_or_default();
    let function = if language == Language::Shell { call } else { call.rsplit(['.', ':', '>']).next().unwrap_or(call) };
    let name = span.name.as_deref().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_file = text.rsplit_once('.').is_some_and(|(_, ending)| FILE_EXTENSIONS.contains(&ending));
    let has_ending = text.ends_with('/') || is_file;
    let has = |words: &[&str]| name.split(['_', '-']).any(|part| words.iter().any(|word| part.starts_with(word)));
    // `/channels/0/data` points into a document.
    let is_number = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_command = matches!(language, Language::Shell | Language::Make | Language::HtCondor);
    let is_pointer = !is_command && !has_ending && text.split('/').any(is_number);
    if is_pointer || has(ADDRESS_WORDS) || has(OBJECT_WORDS) && !is_file || is_dataset(text) {
        return false;
    }
    let is_named = PATH_WORDS.iter().any(|word| name.contains(word));
    let takes_files = FILE_FUNCTIONS.contains(&function) || call.starts_with("sys.path");
    match language {
        Language::Shell | Language::Make if CONTAINER_COMMANDS.contains(&call) => {
            matches!(name.as_str(), "b" | "bind" | "v")
        }
        // `sed`, `awk` and similar commands take expressions.
        Language::Shell | Language::Make if !call.is_empty() => {
            parts >= 2 && takes_files || parts >= 3 && !EXPRESSION_COMMANDS.contains(&call)
        }
        Language::Shell | Language::HtCondor => parts >= 2 && (has_ending || !name.is_empty()),
        Language::Yaml | Language::Json | Language::Toml | Language::Ini => parts >= 3 && (has_ending || is_named),
        _ if !call.is_empty() && !takes_files => {
            let takes_objects = OBJECT_FUNCTIONS.contains(&function) || function.contains("Pattern");
            (parts >= MIN_DEPTH || parts >= 3 && has_ending) && !takes_objects
        }
        _ => takes_files || parts >= 3 && (has_ending || is_named) || is_named && has_ending,
    }
}

/// Reports whether a text is the name of a CMS dataset, `/primary/processed/TIER`.
fn is_dataset(text: &str) -> bool {
    let mut parts = text.trim_matches('/').split('/');
    let tier = parts.nth(2).filter(|_| parts.next().is_none());
    tier.is_some_and(|tier| tier.len() > 2 && tier.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-'))
}
