//! The `[scan]` section.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;

use super::problem::{InvalidValue, Problem, nearest};
use super::raw;
use super::valid::{Check, date_of};
use crate::model::finding::Severity;

/// Options of the static scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Target facilities; all if empty. See [`Scan::unknown_names`].
    pub facilities: Vec<Named>,
    /// Rules to run; all if empty.
    pub select: Vec<Named>,
    /// Findings to ignore.
    pub ignore: Vec<Ignore>,
    /// Globs of files to exclude.
    pub exclude: Vec<String>,
    /// Path of the baseline, relative to the analysis.
    pub baseline: Option<String>,
    /// Overridden severities of rules.
    pub severity: Vec<(Named, Severity)>,
}

/// A name with its position; the caller checks whether it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Byte range in the text.
    pub span: Range<usize>,
}

/// Findings to ignore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The rule.
    pub rule: Named,
    /// Glob of the paths, relative to the analysis; `**` for all.
    pub glob: String,
    /// The reason.
    pub reason: String,
    /// Last day on which the findings are ignored.
    pub until: Option<Date>,
    /// Line in the file, starting at 1.
    pub line: u32,
}

impl Scan {
    /// Returns the overridden severities by rule.
    pub fn severities(&self) -> BTreeMap<String, Severity> {
        self.severity.iter().map(|(rule, severity)| (rule.name.clone(), *severity)).collect()
    }

    /// Returns a problem for each facility and each rule that does not exist, to be reported with
    /// [`super::ConfigError::with`].
    pub fn unknown_names(&self, facilities: &[&str], rules: &[&str]) -> Vec<Problem> {
        let named = self.select.iter().chain(self.ignore.iter().map(|ignore| &ignore.rule));
        let named = named.chain(self.severity.iter().map(|(rule, _)| rule)).map(|named| (named, "rule", rules));
        let located = self.facilities.iter().map(|named| (named, "facility", facilities));
        located.chain(named).filter_map(|(named, what, known)| named.unknown(what, known)).collect()
    }
}

impl Named {
    fn unknown(&self, what: &str, known: &[&str]) -> Option<Problem> {
        if known.contains(&self.name.as_str()) {
            return None;
        }
        let help = match (nearest(&self.name, known), what) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, "facility") => "run `carnet facilities list` to list the known facilities".to_owned(),
            (None, _) => "run `carnet rules` to list the rules".to_owned(),
        };
        Some(Problem {
            span: self.span.clone(),
            message: format!("unknown {what} `{}`", self.name.escape_debug()),
            help: Some(help),
        })
    }
}

impl Check<'_> {
    /// Validates the section, except for the names of facilities and rules.
    pub(super) fn scan(&mut self, raw: raw::Scan, text: &str) -> Scan {
        Scan {
            facilities: self.names(raw.facilities, "facility"),
            select: self.names(raw.select, "rule"),
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
            self.problem(raw.span.clone(), "missing `rule` in `ignore`", "add the id of a rule: rule = \"site-path\"");
        }
        let rule = raw.rule.and_then(|rule| self.named(rule, "rule"));
        let Some(reason) = raw.reason else {
            self.problem(raw.span, "missing `reason` in `ignore`", "add the reason: reason = \"...\"");
            return None;
        };
        let reason = self.line(reason, "reason")?;
        Some(Ignore { rule: rule?, glob: glob?, reason, until, line: u32::try_from(line).unwrap_or(u32::MAX) })
    }

    fn glob(&mut self, value: Spanned<String>) -> Option<String> {
        let span = value.span();
        let glob = self.inside(value)?;
        match globset::Glob::new(&glob) {
            Ok(_) => Some(glob),
            Err(error) => {
                self.problem(span, format!("invalid glob `{}`: {}", glob.escape_debug(), error.kind()), "");
                None
            }
        }
    }

    fn severity(&mut self, (rule, severity): (Spanned<String>, Spanned<String>)) -> Option<(Named, Severity)> {
        let rule = self.named(rule, "rule")?;
        let severity = self.parse(severity, |word| match word.as_str() {
            "note" => Ok(Severity::Note),
            "warning" => Ok(Severity::Warning),
            "error" => Ok(Severity::Error),
            other => Err(InvalidValue(format!(
                "invalid severity `{}`; expected note, warning or error",
                other.escape_debug()
            ))),
        })?;
        Some((rule, severity))
    }
}
