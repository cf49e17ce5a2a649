//! Baselines, which contain accepted findings: `carnet/baseline@1`.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Failure, Kind};
use crate::model::canonical;
use crate::model::finding::{Finding, Suppressor};
use crate::scan::rules::unused_ignore;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/baseline@1";
/// Default name of the file.
pub const FILE: &str = "carnet-baseline.json";

/// A baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Last day on which its entries apply, as `2027-01-31`. The date of an entry takes precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub until: Option<String>,
    /// Accepted findings, sorted by path, rule and fingerprint.
    pub findings: Vec<Entry>,
}

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Rule.
    pub rule: String,
    /// File, relative to the top.
    pub path: String,
    /// Fingerprint of the finding.
    pub fingerprint: String,
    /// Message of the finding when it was added, for readers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Reason for accepting it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Last day on which it applies, as `2027-01-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub until: Option<String>,
}

/// Error in the text of a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The text is not JSON with the fields of a baseline.
    #[error("invalid JSON: {0}")]
    Shape(#[from] serde_json::Error),
    /// The text has another schema.
    #[error("unsupported schema `{0}`; expected `{SCHEMA}`")]
    Schema(String),
    /// An invalid date.
    #[error("invalid date `{0}`; expected YYYY-MM-DD")]
    Date(String),
}

impl Failure for BaselineError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Date(_) => "write a date such as 2027-01-31".to_owned(),
            Self::Schema(_) | Self::Shape(_) => "create a new baseline with carnet scan --update-baseline".to_owned(),
        })
    }
}

impl Baseline {
    /// Returns a baseline without entries.
    pub fn empty() -> Self {
        Self { schema: SCHEMA.to_owned(), until: None, findings: Vec::new() }
    }

    /// Parses the text of a baseline.
    ///
    /// # Errors
    /// If the text is not a baseline of this version, or contains an invalid date.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
        if baseline.schema != SCHEMA {
            return Err(BaselineError::Schema(baseline.schema));
        }
        let days = baseline.findings.iter().map(|entry| &entry.until).chain([&baseline.until]).flatten();
        let wrong = days.into_iter().find(|day| day.parse::<Date>().is_err()).cloned();
        wrong.map_or(Ok(baseline), |day| Err(BaselineError::Date(day)))
    }

    /// Returns the text of the baseline.
    ///
    /// # Errors
    /// If serialization fails.
    pub fn to_text(&self) -> Result<String, BaselineError> {
        Ok(canonical::to_string(self)?)
    }

    /// Returns the last day of an entry.
    pub(super) fn until(&self, entry: &Entry) -> Option<Date> {
        entry.until.as_ref().or(self.until.as_ref()).and_then(|day| day.parse().ok())
    }

    /// Returns a baseline with every finding that nothing else suppresses. Reasons and dates of existing entries are kept.
    /// Expired entries are renewed without a date.
    pub fn updated(&self, findings: &[Finding], today: Date) -> Self {
        let known = findings.iter().filter(|finding| match &finding.suppressed {
            None => true,
            Some(suppression) => suppression.by == Suppressor::Baseline,
        });
        let entries = known.filter(|finding| finding.rule != unused_ignore::ID).map(|finding| {
            let old = self.findings.iter().find(|entry| entry.is_of(finding));
            let holds = |entry: &&Entry| self.until(entry).is_none_or(|day| day >= today);
            Entry {
                rule: finding.rule.clone(),
                path: finding.path.clone(),
                fingerprint: finding.fingerprint.clone(),
                message: finding.message.clone(),
                reason: old.and_then(|entry| entry.reason.clone()),
                until: old.filter(holds).and_then(|entry| entry.until.clone()),
            }
        });
        let until = self.until.clone().filter(|day| day.parse::<Date>().is_ok_and(|day| day >= today));
        Self { schema: SCHEMA.to_owned(), until, findings: sorted(entries.collect()) }
    }

    /// Returns the baseline without entries that match no finding.
    pub fn pruned(&self, findings: &[Finding]) -> Self {
        let there: BTreeSet<(&str, &str, &str)> = findings.iter().map(key).collect();
        let mut pruned = self.clone();
        pruned.findings.retain(|entry| there.contains(&entry.key()));
        pruned
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| (&a.path, &a.rule, &a.fingerprint).cmp(&(&b.path, &b.rule, &b.fingerprint)));
    entries.dedup_by(|a, b| a.key() == b.key());
    entries
}

/// Returns the key of a finding in a baseline.
pub(super) fn key(finding: &Finding) -> (&str, &str, &str) {
    (&finding.rule, &finding.path, &finding.fingerprint)
}

impl Entry {
    /// Returns the key of the entry.
    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.rule, &self.path, &self.fingerprint)
    }

    fn is_of(&self, finding: &Finding) -> bool {
        self.key() == key(finding)
    }
}
