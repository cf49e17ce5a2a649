//! Combines the safe fixes of findings into one patch.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use similar::TextDiff;

use crate::model::finding::{Finding, Fix};
use crate::model::scan::Note;

/// Timeout for the diff of one file. After it, the patch is correct but longer than necessary.
const DIFF_TIMEOUT: Duration = Duration::from_secs(2);

/// The changes of all fixes of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// Changed files, sorted by path.
    pub files: Vec<FilePatch>,
    /// Fixes that were not applied, with the reason.
    pub notes: Vec<Note>,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// Path relative to the top.
    pub path: String,
    /// Scanned content.
    pub before: String,
    /// Content with the fixes applied.
    pub after: String,
    /// Number of applied fixes.
    pub fixes: usize,
}

/// Collects the fixes of all findings that are not suppressed. `read` returns the content of a file by its path relative
/// to the top; `None` if it is no longer a regular file.
///
/// A fix is skipped with a note if it overlaps another fix, if the file changed since the scan, or if it would make a JSON
/// or TOML file invalid. Line ends are kept.
pub fn patch(findings: &[Finding], read: &mut dyn FnMut(&str) -> Option<Vec<u8>>) -> Patch {
    let mut by_file: BTreeMap<&str, Vec<(&Finding, &Fix)>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.suppressed.is_none()) {
        if let Some(fix) = &finding.fix {
            by_file.entry(&finding.path).or_default().push((finding, fix));
        }
    }
    let mut patch = Patch::default();
    for (path, mut fixes) in by_file {
        fixes.sort_by_key(|(_, fix)| (fix.start, fix.end));
        let mut note = |message: String| patch.notes.push(Note { path: path.to_owned(), message });
        let Some(bytes) = read(path) else {
            note("not fixed: failed to read file".to_owned());
            continue;
        };
        let Ok(before) = String::from_utf8(bytes) else {
            note("not fixed: file is not valid UTF-8".to_owned());
            continue;
        };
        let (after, fixes) = apply(path, &before, &fixes, &mut note);
        if fixes > 0 && after != before {
            patch.files.push(FilePatch { path: path.to_owned(), before, after, fixes });
        }
    }
    patch
}

/// Applies as many fixes as possible. Returns the text and the number of applied fixes.
fn apply(path: &str, before: &str, fixes: &[(&Finding, &Fix)], note: &mut impl FnMut(String)) -> (String, usize) {
    let mut after = String::with_capacity(before.len());
    let (mut done, mut applied) = (0, 0);
    let mut last: Option<&Fix> = None;
    for (finding, fix) in fixes {
        if last.is_some_and(|last| (last.start, last.end, &last.replacement) == (fix.start, fix.end, &fix.replacement))
        {
            continue;
        }
        let Some((start, end)) = range(before, fix).filter(|_| is_unchanged(path, before, finding)) else {
            note(format!("not fixed: file changed since the scan ({})", fix.title));
            continue;
        };
        // The order of two insertions at one offset is undefined.
        let touches = last.is_some_and(|last| last.start == fix.start);
        if start < done || touches {
            note(format!("not fixed: overlaps another fix; apply that one and scan again ({})", fix.title));
            continue;
        }
        after.push_str(&before[done..start]);
        after.push_str(&fix.replacement);
        (done, applied, last) = (end, applied + 1, Some(*fix));
    }
    after.push_str(&before[done..]);
    if applied > 0 && breaks_form(path, before, &after) {
        note("not fixed: the fixes would make the file invalid".to_owned());
        return (before.to_owned(), 0);
    }
    (after, applied)
}

/// Returns the byte range of a fix if it is inside the text and on character boundaries.
fn range(text: &str, fix: &Fix) -> Option<(usize, usize)> {
    let (start, end) = (usize::try_from(fix.start).ok()?, usize::try_from(fix.end).ok()?);
    text.get(start..end).map(|_| (start, end))
}

/// Reports whether the line of the finding is unchanged. Notebooks are not checked, because their lines are those of cells.
fn is_unchanged(path: &str, text: &str, finding: &Finding) -> bool {
    let (Some(span), Some(source)) = (finding.span, &finding.source) else { return true };
    if path.ends_with(".ipynb") {
        return true;
    }
    let line = (span.line as usize).checked_sub(1).and_then(|index| text.split('\n').nth(index));
    line.is_some_and(|line| line.trim().starts_with(source.trim()))
}

/// Reports whether a fix makes a valid file invalid.
fn breaks_form(path: &str, before: &str, after: &str) -> bool {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let is_toml = |text: &str| toml::de::DeTable::parse(text).is_ok();
    match path.rsplit('.').next() {
        Some("json" | "ipynb") => is_json(before) && !is_json(after),
        Some("toml" | "lock") => is_toml(before) && !is_toml(after),
        _ => false,
    }
}

impl Patch {
    /// Returns the number of fixes.
    pub fn fixes(&self) -> usize {
        self.files.iter().map(|file| file.fixes).sum()
    }

    /// Returns the patch for `git apply` in the top directory; empty if nothing changes.
    pub fn unified(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            let (old, new) = (quoted("a/", &file.path), quoted("b/", &file.path));
            // Git appends a tab to a name with white space, because a date could follow otherwise.
            let tab = if file.path.contains(' ') { "\t" } else { "" };
            let before: Vec<&str> = file.before.split_inclusive('\n').collect();
            let after: Vec<&str> = file.after.split_inclusive('\n').collect();
            let diff =
                TextDiff::configure().newline_terminated(true).timeout(DIFF_TIMEOUT).diff_slices(&before, &after);
            // Writing into a string can't fail.
            let _ = write!(out, "diff --git {old} {new}\n--- {old}{tab}\n+++ {new}{tab}\n{}", diff.unified_diff());
        }
        out
    }
}

/// Quotes a path like git: if it contains a quote, a backslash or anything but printable ASCII.
fn quoted(side: &str, path: &str) -> String {
    let plain = path.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\');
    if plain {
        return format!("{side}{path}");
    }
    let mut out = format!("\"{side}");
    for b in path.bytes() {
        match b {
            b'"' | b'\\' => out.extend(['\\', char::from(b)]),
            0x20..=0x7e => out.push(char::from(b)),
            // Writing into a string can't fail.
            other => drop(write!(out, "\\{other:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{Patch, patch};
    use crate::model::finding::{Confidence, Finding, Fix, Reach, Severity, Span};

    fn fix(path: &str, text: &str, wrong: &str, right: &str) -> Finding {
        let start = text.find(wrong).expect("it is there");
        let line = text[..start].matches('\n').count();
        let number = u32::try_from(line + 1).expect("few lines");
        Finding {
            rule: "site-path".to_owned(),
            severity: Severity::Error,
            confidence: Confidence::High,
            path: path.to_owned(),
            span: Some(Span { line: number, column: 1, end_line: number, end_column: 2 }),
            message: "it breaks".to_owned(),
            help: None,
            fix: Some(Fix {
                title: "use the other".to_owned(),
                start: start as u64,
                end: (start + wrong.len()) as u64,
                replacement: right.to_owned(),
            }),
            facilities: Reach::default(),
            source: text.split('\n').nth(line).map(str::to_owned),
            source_columns: None,
            fingerprint: "0".repeat(32),
            suppressed: None,
            count: None,
            locations: Vec::new(),
        }
    }

    fn patch_for(findings: &[Finding], text: &str) -> Patch {
        patch(findings, &mut |_| Some(text.as_bytes().to_vec()))
    }

    /// Returns the content of a file after `git apply` with this patch.
    fn git_apply(path: &str, text: &str, patch: &Patch) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().expect("a parent")).expect("directories");
        fs::write(&file, text).expect("a file");
        fs::write(dir.path().join("fix.patch"), patch.unified()).expect("a file");
        let git = Command::new("git")
            .args(["-c", "core.autocrlf=false", "apply", "fix.patch"])
            .current_dir(dir.path())
            .env("GIT_CEILING_DIRECTORIES", dir.path().parent().expect("a parent"))
            .output()
            .expect("git is there");
        assert!(git.status.success(), "{}\n{}", String::from_utf8_lossy(&git.stderr), patch.unified());
        fs::read_to_string(file).expect("a file")
    }

    #[test]
    fn git_applies_patch_for_any_path_and_line_end() {
        let text = "one\r\nkeep\r\ntwo '/eos/user/x'\r\n\r\nend without line end '/eos/user/y'";
        for path in ["a.py", "a b/c d.py", "é\"q\\ü.py", "tab\there.py", "new\nline.py", "-x #%.py"] {
            let findings =
                [fix(path, text, "/eos/user/x", "root://eosuser//x"), fix(path, text, "/eos/user/y", "root://y")];
            let patch = patch_for(&findings, text);
            assert_eq!((patch.fixes(), patch.notes.len()), (2, 0));
            let expected = text.replace("/eos/user/x", "root://eosuser//x").replace("/eos/user/y", "root://y");
            assert_eq!(patch.files[0].after, expected);
            assert_eq!(git_apply(path, text, &patch), expected, "{path:?}");
        }
    }

    #[test]
    fn overlapping_fixes_are_noted_and_equal_fixes_applied_once() {
        let text = "abcdef\n";
        let patch =
            patch_for(&[fix("a", text, "bcd", "X"), fix("a", text, "bcd", "X"), fix("a", text, "cde", "Y")], text);
        assert_eq!((patch.files[0].after.as_str(), patch.fixes()), ("aXef\n", 1));
        assert!(patch.notes.len() == 1 && patch.notes[0].message.contains("overlaps"), "{:?}", patch.notes);
    }

    #[test]
    fn changed_file_is_not_fixed() {
        let text = "x = '/eos'\n";
        for now in ["y = '/eos'\n", "", "x = "] {
            let patch = patch_for(&[fix("a", text, "/eos", "Z")], now);
            assert_eq!((patch.files.len(), patch.notes.len(), patch.unified()), (0, 1, String::new()), "{now:?}");
        }
        let gone = patch(&[fix("a", text, "/eos", "Z")], &mut |_| None);
        assert_eq!((gone.files.len(), gone.notes.len()), (0, 1));
    }

    #[test]
    fn fix_never_invalidates_json_or_toml() {
        let text = "{\"a\": \"/eos\"}\n";
        assert_eq!(patch_for(&[fix("a.json", text, "/eos", "say \"x\"")], text).files, []);
        assert_eq!(patch_for(&[fix("a.json", text, "/eos", "root:")], text).files.len(), 1);
        let text = "a = \"/eos\"\n";
        assert_eq!(patch_for(&[fix("a.toml", text, "/eos", "\"")], text).files, []);
    }

    #[test]
    fn suppressed_finding_is_not_fixed() {
        let mut finding = fix("a", "x\n", "x", "y");
        finding.suppressed = Some(crate::model::finding::Suppression {
            by: crate::model::finding::Suppressor::Config,
            reason: "why".to_owned(),
        });
        assert_eq!(patch_for(&[finding], "x\n"), Patch::default());
    }

    proptest! {
        #[test]
        fn any_edit_does_not_panic(start in 0_u64..12, end in 0_u64..12, text in "\\PC{0,6}\n\\PC{0,3}", with in "\\PC{0,4}") {
            let mut finding = fix("a", "x", "x", &with);
            finding.source = None;
            if let Some(fix) = &mut finding.fix {
                (fix.start, fix.end) = (start, end);
            }
            let patch = patch_for(&[finding], &text);
            let kept = patch.files.first().map_or(text.clone(), |file| file.before.clone());
            prop_assert_eq!(kept, text);
        }
    }
}
