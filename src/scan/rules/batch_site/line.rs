//! Lines of job descriptions that a program puts together one by one.

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::{CONDOR, KNOWN, PROFILE, bare, is_open};
use crate::model::finding::Severity;
use crate::model::text::excerpt;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Span};

/// Attributes that say by themselves that a job of HTCondor is meant.
const UNMISTAKABLE: &[&str] =
    &["jobflavour", "testjobflavour", "desired_sites", "accounting_group", "accountinggroup", "acctgroup"];
/// Attributes that one site's wrapper of HTCondor has, whatever their value.
const OF_LLR: &[&str] = &["t3queue", "wntag"];
/// Longest line that is looked at.
const LONGEST: usize = 400;

/// `f.write('+JobFlavour = "workday"' + end)`: what no template of a whole description shows.
pub(super) fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    if !matches!(input.language, Language::Python | Language::Notebook) {
        return;
    }
    for span in input.view.spans.iter().filter(|span| span.kind == Kind::Text && span.is_active()) {
        let is_told = |report: &Diagnostic| {
            report.range.as_ref().is_some_and(|range| range.start < span.range.end && span.range.start < range.end)
        };
        if span.range.len() <= LONGEST
            && let Some(report) = of_span(input, span).filter(|_| !reports.iter().any(is_told))
        {
            reports.push(report);
        }
    }
}

fn of_span(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let text = input.view.text.get(span.range.clone())?;
    let (key, value) = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\').split_once('=')?;
    let key = key.trim();
    let name = bare(key);
    let value = value.trim().trim_end_matches("\\n").trim_matches(['\\', '"', '\'']);
    let is_attribute = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'.'));
    if !is_attribute || value.starts_with('=') {
        return None;
    }
    let (severity, what) = if OF_LLR.contains(&name.as_str()) {
        (Severity::Error, "what the pool of LLR alone has")
    } else {
        let is_meant = key.starts_with('+') || name.contains("group");
        let known = KNOWN.iter().find(|known| known.dialects.contains(&CONDOR[0]) && known.key == name)?;
        if !UNMISTAKABLE.contains(&name.as_str()) || !is_meant || is_open(value, &name) {
            return None;
        }
        (known.severity, known.what)
    };
    let message = format!("`{key} = {}` names {what}", excerpt(value));
    Some(Diagnostic::at(&span.range, message).severity(severity).help(PROFILE).group(key))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::severities;
    use super::super::RULE;
    use crate::model::finding::Severity::{Error, Warning};

    #[test]
    fn a_line_of_a_job_is_known_by_its_attribute() {
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
