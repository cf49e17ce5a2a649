//! `[scan]`: what the static audit looks for, and what it lets pass.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;

use super::problem::{Problem, nearest};
use super::raw;
use super::valid::{Check, date_of};
use crate::model::finding::Severity;

/// How the static audit is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Facilities that findings are told for, in place of all; see [`Scan::unknown`].
    pub facilities: Vec<Named>,
    /// Rules that run, in place of all.
    pub select: Vec<Named>,
    /// What is known and accepted.
    pub ignore: Vec<Ignore>,
    /// Globs of files that are not looked at.
    pub exclude: Vec<String>,
    /// Path of the baseline relative to the analysis.
    pub baseline: Option<String>,
    /// Severities in place of the rules' own.
    pub severity: Vec<(Named, Severity)>,
}

/// A name that only the caller can check, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Byte range in the text.
    pub span: Range<usize>,
}

/// Findings that are known and accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The rule.
    pub rule: Named,
    /// Glob of the paths, relative to the analysis; `**` for all.
    pub glob: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub until: Option<Date>,
    /// Line in the file, from 1.
    pub line: u32,
}

impl Scan {
    /// The overridden severities by rule.
    pub fn severities(&self) -> BTreeMap<String, Severity> {
        self.severity.iter().map(|(rule, severity)| (rule.name.clone(), *severity)).collect()
    }

    /// A problem for each facility and each rule that isn't among those there are. What to do with them:
    /// [`super::ConfigError::with`].
    pub fn unknown(&self, facilities: &[&str], rules: &[&str]) -> Vec<Problem> {
        let named = self.select.iter().chain(self.ignore.iter().map(|ignore| &ignore.rule));
        let named = named.chain(self.severity.iter().map(|(rule, _)| rule)).map(|named| (named, "rule", rules));
        let placed = self.facilities.iter().map(|named| (named, "facility", facilities));
        placed.chain(named).filter_map(|(named, what, known)| named.unknown(what, known)).collect()
    }
}

impl Named {
    fn unknown(&self, what: &str, known: &[&str]) -> Option<Problem> {
        if known.contains(&self.name.as_str()) {
            return None;
        }
        let help = match (nearest(&self.name, known), what) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, "facility") => "carnet facilities list shows those there are".to_owned(),
            (None, _) => "carnet rules lists those there are".to_owned(),
        };
        Some(Problem {
            span: self.span.clone(),
            message: format!("no {what} `{}`", self.name.escape_debug()),
            help: Some(help),
        })
    }
}

impl Check<'_> {
    /// The section, as far as it can be checked without a catalogue.
    pub(super) fn scan(&mut self, raw: raw::Scan, text: &str) -> Scan {
        Scan {
            facilities: self.names(raw.facilities, "a facility"),
            select: self.names(raw.select, "a rule"),
            ignore: raw.ignore.into_iter().filter_map(|ignore| self.ignore(ignore, text)).collect(),
            exclude: raw.exclude.into_iter().filter_map(|glob| self.glob(glob)).collect(),
            baseline: raw.baseline.and_then(|path| self.inside(path)),
            severity: raw.severity.into_iter().filter_map(|entry| self.severity(entry)).collect(),
        }
    }

    fn names(&mut self, values: Vec<Spanned<String>>, what: &str) -> Vec<Named> {
        values.into_iter().filter_map(|value| self.named(value, what)).collect()
    }

    fn named(&mut self, value: Spanned<String>, what: &str) -> Option<Named> {
        let span = value.span();
        Some(Named { name: self.line(value, what)?, span })
    }

    fn ignore(&mut self, raw: raw::Ignore, text: &str) -> Option<Ignore> {
        let line = text.get(..raw.span.start).unwrap_or_default().matches('\n').count() + 1;
        let glob = raw.path.map_or(Some("**".to_owned()), |glob| self.glob(glob));
        let until = raw.until.and_then(|date| self.parse(date, date_of));
        if raw.rule.is_none() {
            self.problem(raw.span.clone(), "an ignore needs its rule", "write rule = \"site-path\"");
        }
        let rule = raw.rule.and_then(|rule| self.named(rule, "a rule"));
        let Some(reason) = raw.reason else {
            self.problem(raw.span, "an ignore needs its reason", "write reason = \"why\"");
            return None;
        };
        let reason = self.line(reason, "a reason")?;
        Some(Ignore { rule: rule?, glob: glob?, reason, until, line: u32::try_from(line).unwrap_or(u32::MAX) })
    }

    fn glob(&mut self, value: Spanned<String>) -> Option<String> {
        let span = value.span();
        let glob = self.inside(value)?;
        match globset::Glob::new(&glob) {
            Ok(_) => Some(glob),
            Err(error) => {
                self.problem(span, format!("`{}` is no glob: {}", glob.escape_debug(), error.kind()), "");
                None
            }
        }
    }

    fn severity(&mut self, (rule, severity): (Spanned<String>, Spanned<String>)) -> Option<(Named, Severity)> {
        let rule = self.named(rule, "a rule")?;
        let severity = self.parse(severity, |word| match word.as_str() {
            "note" => Ok(Severity::Note),
            "warning" => Ok(Severity::Warning),
            "error" => Ok(Severity::Error),
            other => Err(format!("no severity `{}`: one of note, warning, error", other.escape_debug())),
        })?;
        Some((rule, severity))
    }
}
