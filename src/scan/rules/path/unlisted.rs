//! Absolute paths below roots that no table knows: what surrounds them must say that a file system is meant.

mod keywords;

use std::collections::BTreeSet;
use std::ops::Range;

use keywords::{ADDRESSES, ASKERS, CONTAINERS, ENDINGS, EXPRESSIVE, GENERAL, PARTS, PLACES, TAKERS};

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::message;
use super::usage::{Test, Usage};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};

/// Longest text that is looked at, in bytes.
const LONGEST: usize = 1024;
/// Components from which on nothing but a path of a file system is that deep.
const DEEP: usize = 5;

/// Reports the paths of a file that no table knows.
pub(super) fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let is_wanted = matches!(
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
        reports.extend(of_list(input));
    } else if is_wanted && !is_of_a_service(input) {
        reports.extend(input.view.spans.iter().filter_map(|span| of_span(input, span)));
    }
}

/// Whether a file is that of a service, a CI system or an image, whose paths are those of its machines.
fn is_of_a_service(input: &FileInput<'_>) -> bool {
    let lower = input.path.to_ascii_lowercase();
    let services =
        [".github/", ".gitlab", "docker", "compose", "k8s", "helm", "chart", "devcontainer", "binder/", "reana"];
    let is_settings = matches!(input.language, Language::Yaml | Language::Json | Language::Toml);
    is_settings && services.iter().any(|word| lower.contains(word))
        || lower.contains("entrypoint")
        || is_of_an_image(input)
}

/// Whether a directory above a file, below the top, holds the recipe of an image.
fn is_of_an_image(input: &FileInput<'_>) -> bool {
    let mut rest = input.path;
    while let Some((directory, _)) = rest.rsplit_once('/') {
        if ["Dockerfile", "dockerfile", "Containerfile"]
            .iter()
            .any(|name| input.world.has_file(&format!("{directory}/{name}")))
        {
            return true;
        }
        rest = directory;
    }
    false
}

/// Files that stand in a list, one a line: the first below each root that nothing is known of.
fn of_list(input: &FileInput<'_>) -> Vec<Diagnostic> {
    let text: &str = &input.view.text;
    // A list of files begins with one: tables and texts are not read.
    if !text.trim_start().starts_with('/') {
        return Vec::new();
    }
    let mut roots = BTreeSet::new();
    let mut reports = Vec::new();
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let at = end + line.len() - line.trim_start().len();
        end += line.len();
        let path = line.trim();
        let Some(root) = root(path).filter(|root| path.len() <= LONGEST && !roots.contains(root)) else { continue };
        let file = path.rsplit('/').next().unwrap_or_default();
        if file.contains('.') && path.trim_matches('/').split('/').count() >= DEEP {
            roots.insert(root);
            if input.world.catalogue.place(path).is_none() {
                reports.push(report(&(at..at + path.len()), path, root, Severity::Warning));
            }
        }
    }
    reports
}

fn of_span(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let is_kind = matches!(span.kind, Kind::Text | Kind::Value | Kind::Word);
    if !is_kind || !span.is_head || !span.is_active() || span.role == Role::Guard || span.range.len() > LONGEST {
        return None;
    }
    let text = input.view.text.get(span.range.clone())?;
    let root = root(text)?;
    if input.world.catalogue.place(text).is_some()
        || input.world.has_directory(root)
        || !is_meant(input.language, span, text)
    {
        return None;
    }
    // A test may name what it likes.
    let usage = Usage::of(input, &span.range).filter(|usage| usage.in_test == Test::No)?;
    // `/processor/data/x` is put behind the directory of a package that has `processor/data` in it.
    let start: Vec<&str> = text.trim_start_matches('/').split('/').take(2).collect();
    let inside = format!("/{}/", start.join("/"));
    if input.world.paths.iter().any(|path| path.contains(&inside)) {
        return None;
    }
    Some(report(&span.range, text, root, usage.lower(Severity::Warning, false)))
}

fn report(range: &Range<usize>, text: &str, root: &str, severity: Severity) -> Diagnostic {
    let message = format!("`{}` is a path that no other machine need have", excerpt(text));
    let help = "take it from an argument, a configuration file or an environment variable".to_owned();
    let report = message::report(range, severity, message, help);
    Diagnostic { confidence: Some(Confidence::Medium), group: format!("/{root}"), ..report }
}

/// The first component of a path that is one and has a second.
fn root(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let (root, behind) = rest.split_once('/')?;
    let is_name = root.len() > 1
        && root.starts_with(|first: char| first.is_ascii_lowercase())
        && root.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    // Nothing of a pattern, a sentence or an expression.
    let is_path = !behind.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-.+=@,:~${}%*[]?".contains(&byte))
        && !text.contains("//");
    (is_name && is_path && !GENERAL.contains(&root)).then_some(root)
}

/// Whether a file system is meant, by what a text is given to, by its name, or by the ending of the file.
fn is_meant(language: Language, span: &Span, text: &str) -> bool {
    let parts = text.trim_matches('/').split('/').count();
    let call = span.call.as_deref().unwrap_or_default();
    let function = if language == Language::Shell { call } else { call.rsplit(['.', ':', '>']).next().unwrap_or(call) };
    let name = span.name.as_deref().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_file = text.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending));
    let has_ending = text.ends_with('/') || is_file;
    let has = |words: &[&str]| name.split(['_', '-']).any(|part| words.iter().any(|word| part.starts_with(word)));
    // `/channels/0/data` points into a document.
    let is_number = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_command = matches!(language, Language::Shell | Language::Make | Language::HtCondor);
    let is_pointer = !is_command && !has_ending && text.split('/').any(is_number);
    if is_pointer || has(ADDRESSES) || has(PARTS) && !is_file || is_dataset(text) {
        return false;
    }
    let is_named = PLACES.iter().any(|word| name.contains(word));
    let is_taken = TAKERS.contains(&function) || call.starts_with("sys.path");
    match language {
        Language::Shell | Language::Make if CONTAINERS.contains(&call) => matches!(name.as_str(), "b" | "bind" | "v"),
        // `sed`, `awk` and their kin take expressions.
        Language::Shell | Language::Make if !call.is_empty() => {
            parts >= 2 && is_taken || parts >= 3 && !EXPRESSIVE.contains(&call)
        }
        Language::Shell | Language::HtCondor => parts >= 2 && (has_ending || !name.is_empty()),
        Language::Yaml | Language::Json | Language::Toml | Language::Ini => parts >= 3 && (has_ending || is_named),
        _ if !call.is_empty() && !is_taken => {
            let asks = ASKERS.contains(&function) || function.contains("Pattern");
            (parts >= DEEP || parts >= 3 && has_ending) && !asks
        }
        _ => is_taken || parts >= 3 && (has_ending || is_named) || is_named && has_ending,
    }
}

/// Whether a text is the name of a data set of CMS, `/primary/processed/TIER`.
fn is_dataset(text: &str) -> bool {
    let mut parts = text.trim_matches('/').split('/');
    let tier = parts.nth(2).filter(|_| parts.next().is_none());
    tier.is_some_and(|tier| tier.len() > 2 && tier.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{reports_among, severities};
    use super::super::site_path::RULE;
    use crate::model::finding::Severity::{self, Note, Warning};

    fn in_python(text: &str) -> Vec<Severity> {
        severities(&RULE, "run.py", text)
    }

    #[test]
    fn a_path_below_an_unknown_root_is_one_where_files_are_taken_or_named() {
        assert_eq!(in_python("f = ROOT.TFile.Open('/myfarm/ntuples/a.root')\n"), [Warning]);
        assert_eq!(in_python("sys.path.append('/myfarm/jane/python/')\n"), [Warning]);
        assert_eq!(in_python("out_dir = f'/myfarm/jane/plots/{year}/'\n"), [Warning]);
        assert_eq!(in_python("files = ['/myfarm/x/a.root', '/myfarm/x/b.root']\n"), [Warning, Warning]);
        assert_eq!(
            in_python("TEST_RUN = '/myfarm/data/run1/'\nd = GetEvent('/myfarm/data/run1/', 3)\n"),
            [Warning, Warning]
        );
        assert_eq!(in_python("sexpath = '/myfarm/x/bin/sex'\nwrite(data, '/myfarm/x/y/z/g')\n"), [Warning, Warning]);
        assert_eq!(in_python("sample_file = '/myfarm/x/a.root'\n"), [Warning]);
        let list = "/myfarm/a/b/c/x.mdst\n  /myfarm/a/b/c/y.mdst\n/tt/run3-v1/AODSIM\n/eos/a/b/c/d.root\n/a b/c\n";
        assert_eq!(severities(&RULE, "files.txt", list), [Note, Warning]);
        assert_eq!(in_python("f = open('/opt/x/a.txt')\ng = open('/project01/other/a.txt')\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.C", "TFile *f = new TFile(\"/myfarm/x/a.root\");\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.sh", "#!/bin/sh\ncd /myfarm/jane\nOUT=/myfarm/out\n"), [Warning, Warning]);
        assert_eq!(severities(&RULE, "a.json", "{\"input_dir\": \"/myfarm/jane/x\"}\n"), [Warning]);
        let run = "#!/bin/sh\n./fill /myfarm/jane/x\nsingularity exec --bind /myfarm/a:/data,/myfarm/b:/b x.sif /inside/bin/run\n";
        assert_eq!(severities(&RULE, "a.sh", run), [Warning; 3]);
        let job = "executable = /myfarm/run.sh\nlog = /myfarm/log/a.log\nqueue\n";
        assert_eq!(severities(&RULE, "a.sub", job), [Warning, Warning]);
        assert_eq!(severities(&RULE, "tests/a.py", "out_dir = '/myfarm/jane/plots'\n"), []);
    }

    #[test]
    fn parts_of_files_addresses_and_expressions_are_no_paths() {
        for text in [
            "h = f.Get('/signal/nominal')\n",
            "x = h5['/events/tracks']\n",
            "r = requests.get('/jobs/status/all/')\n",
            "@app.route('/jobs/list/all')\ndef a(): pass\n",
            "dataset = '/tt/run3-v1/NANOAODSIM'\nsamples = ['/tt/run3-v1/NANOAODSIM']\n",
            "job.setString('voms', 'x:/myvo/higgs/Role=production')\nh.SetDataPattern('/pass3/AOD/*/x.root')\n",
            "patch = {'op': 'replace', 'path': '/channels/0/samples/0/data'}\n",
            "tree_path = '/signal/nominal/tree'\n",
            "x = base + '/myfarm/x/a.root'\ny = f'{base}/myfarm/x/a.root'\n",
            "open('/usr/share/x/a.txt')\nopen('/etc/passwd/x')\n",
            "ui.ApplyCommand('/process/em/verbose')\n",
            "if path.startswith('/myfarm/x/a.root'): pass\n",
            "print('/myfarm/x/a.root')\n",
        ] {
            assert_eq!(in_python(text), [], "{text}");
        }
        let script = "#!/bin/sh\nsed -i '/failed/d' x\nawk '/foo/bar/ {print}' x\ncurl -X GET /jobs/list/all\n";
        assert_eq!(severities(&RULE, "a.sh", script), []);
        assert_eq!(severities(&RULE, "docker-compose.yml", "a:\n  data_dir: /myfarm/x/y\n"), []);
        assert!(reports_among(&RULE, "a.py", "open('/myconfig/x/a.json')\n", &["myconfig/y"]).is_empty());
        let start = "#!/bin/sh\ncp /myservice/x/a.conf .\n";
        assert!(reports_among(&RULE, "image/bin/start.sh", start, &["image/Dockerfile"]).is_empty());
        let patch = "[{\"op\": \"add\", \"path\": \"/channels/0/samples/1\", \"value\": 1}]\n";
        assert_eq!(severities(&RULE, "patch.json", patch), []);
    }
}
