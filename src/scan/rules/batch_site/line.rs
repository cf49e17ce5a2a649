//! Lines of job descriptions that a program writes one by one.

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::{CONDOR, JOB_SETTINGS, PROFILE, bare_key, is_placeholder};
use crate::model::finding::Severity;
use crate::model::text::excerpt;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Span};

/// Attributes that only HTCondor jobs have.
const HTCONDOR_ATTRIBUTES: &[&str] =
    &["jobflavour", "testjobflavour", "desired_sites", "accounting_group", "accountinggroup", "acctgroup"];
/// Attributes of the HTCondor wrapper at LLR, with any value.
const LLR_ATTRIBUTES: &[&str] = &["t3queue", "wntag"];
/// Maximum length of an inspected line in bytes.
const MAX_LINE: usize = 400;

/// Reports lines like `f.write('+JobFlavour = "workday"' + end)`, which are not part of a complete template.
pub(super) fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !matches!(input.language, Language::Python | Language::Notebook) {
        return;
    }
    for span in input.view.spans.iter().filter(|span| span.kind == Kind::Text && span.is_active()) {
        let overlaps = |diagnostic: &Diagnostic| {
            diagnostic.range.as_ref().is_some_and(|range| range.start < span.range.end && span.range.start < range.end)
        };
        if span.range.len() <= MAX_LINE
            && let Some(diagnostic) = span_diagnostic(input, span).filter(|_| !diagnostics.iter().any(overlaps))
        {
            diagnostics.push(diagnostic);
        }
    }
}

fn span_diagnostic(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let text = input.view.text.get(span.range.clone())?;
    let (key, value) = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\').split_once('=')?;
    let key = key.trim();
    let name = bare_key(key);
    let value = value.trim().trim_end_matches("\\n").trim_matches(['\\', '"', '\'']);
    let is_attribute = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'.'));
    if !is_attribute || value.starts_with('=') {
        return None;
    }
    let (severity, what) = if LLR_ATTRIBUTES.contains(&name.as_str()) {
        (Severity::Error, "an attribute of the LLR pool")
    } else {
        let is_job = key.starts_with('+') || name.contains("group");
        let job_setting = JOB_SETTINGS
            .iter()
            .find(|job_setting| job_setting.dialects.contains(&CONDOR[0]) && job_setting.key == name)?;
        if !HTCONDOR_ATTRIBUTES.contains(&name.as_str()) || !is_job || is_placeholder(value) {
            return None;
        }
        (job_setting.severity, job_setting.what)
    };
    let message = format!("`{key} = {}` is specific to one site: {what}", excerpt(value));
    Some(Diagnostic::at(&span.range, message).severity(severity).help(PROFILE).group(key))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::severities;
    use super::super::RULE;
    use crate::model::finding::Severity::{Error, Warning};

    #[test]
    fn job_line_is_recognized_by_attribute() {
        assert_eq!(severities(&RULE, "a.py", "m = end + '+JobFlavour = \"longlunch\"' + end\n"), [Warning]);
        assert_eq!(
            severities(&RULE, "a.py", "m = end.join(('T3Queue = {}'.format(q), 'WNTag=el7', x))\n"),
            [Error, Error]
        );
        assert_eq!(severities(&RULE, "a.py", "m += end + 'accounting_group = cms.higgs'\n"), [Error]);
        assert_eq!(severities(&RULE, "a.py", "m = end + '+JobFlavour = {}'.format(q)\n"), []);
        assert_eq!(severities(&RULE, "a.py", "print('+JobFlavour = \"longlunch\"')\nx = 'queue = long'\n"), []);
        assert_eq!(severities(&RULE, "a.py", "f.write('+JobFlavour = \"workday\"\\n')\n").len(), 1);
    }
}
