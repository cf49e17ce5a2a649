//! The table of report formats. A new format is a row here and a module that writes it.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use super::{Options, ReportError, badge, github, html, human, json, junit, markdown, scan};
use crate::model::diff::Diff;
use crate::model::document::Document;
use crate::model::scan::Scan;

/// The functions that write a format.
pub(super) struct Writers {
    /// Writes a document; `None` if the format contains only the scan of the document.
    pub(super) document: Option<WriteDocument>,
    /// Renders a scan; `None` if the format does not support scans.
    pub(super) scan: Option<RenderScan>,
    /// Renders a comparison of environments; `None` if the format does not support comparisons.
    pub(super) diff: Option<RenderDiff>,
}

type RenderScan = fn(&Scan, &Options) -> Result<String, ReportError>;
type RenderDiff = fn(&Diff, &Options) -> Result<String, ReportError>;
/// Returns what was shortened in the report, if anything.
type WriteDocument = fn(&Document, &Options, &mut dyn Write) -> Result<Option<String>, ReportError>;

/// An unknown name of a report format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`; expected one of {names}", names = list(Format::ALL))]
pub struct UnknownFormat(String);

/// Defines [`Format`] from rows of `Variant(name, file name, description) => writers`.
macro_rules! formats {
    ($($format:ident($name:literal, $file_name:literal, $description:literal) => $writers:expr,)+) => {
        /// A format of reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $(#[doc = $description] $format,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &[Self] = &[$(Self::$format),+];

            /// Returns the name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$format => $name,)+
                }
            }

            /// Returns the name of the file among the reports of a check.
            pub fn file_name(self) -> &'static str {
                match self {
                    $(Self::$format => $file_name,)+
                }
            }

            /// Returns a line for the help text.
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$format => $description,)+
                }
            }

            pub(super) fn writers(self) -> Writers {
                match self {
                    $(Self::$format => $writers,)+
                }
            }
        }
    };
}

formats! {
    Human("human", "report.txt", "Plain text for a terminal") => Writers {
        document: Some(|document, options, out| put(out, &human::document(document, options))),
        scan: Some(|scan, options| Ok(scan::human::render(scan, options))),
        diff: Some(|diff, options| Ok(human::difference(diff, options))),
    },
    Html("html", "report.html", "Self-contained HTML page with results, evidence and findings") => Writers {
        document: Some(|document, _, out| html::write(document, &[], out).map(|()| None)),
        scan: None,
        diff: None,
    },
    Badge("badge", "badge.svg", "SVG badge with the number of facilities at which the analysis works") => Writers {
        document: Some(|document, _, out| put(out, &badge::svg(document, &badge::Age::default()))),
        scan: None,
        diff: None,
    },
    Json("json", "carnet.json", "Canonical JSON with all details") => Writers {
        document: Some(|document, _, out| json::write(document, out).map(|()| None)),
        scan: Some(|scan, _| json::scan(scan)),
        diff: Some(|diff, _| json::difference(diff)),
    },
    Junit("junit", "junit.xml", "JUnit XML with one suite per cell, or per rule of a scan") => Writers {
        document: Some(|document, _, out| junit::write(document, out)),
        scan: Some(|scan, _| scan::junit::render(scan)),
        diff: None,
    },
    Markdown("markdown", "summary.md", "GitHub-flavored Markdown") => Writers {
        document: Some(|document, options, out| put(out, &markdown::document(document, options))),
        scan: Some(|scan, _| Ok(scan::markdown::render(scan))),
        diff: Some(|diff, options| Ok(markdown::difference(diff, options))),
    },
    Sarif("sarif", "carnet.sarif", "SARIF 2.1.0 with the findings of the scan") => Writers {
        document: None,
        scan: Some(|scan, options| scan::sarif::render(scan, options.all)),
        diff: None,
    },
    Gitlab("gitlab", "codequality.json", "GitLab Code Quality report with the findings of the scan") => Writers {
        document: None,
        scan: Some(|scan, _| scan::gitlab::render(scan)),
        diff: None,
    },
    Github("github", "annotations.txt", "GitHub Actions annotations") => Writers {
        document: Some(|document, _, out| put(out, &github::document(document))),
        scan: Some(|scan, _| Ok(scan::github::render(scan))),
        diff: None,
    },
}

impl Format {
    /// Formats of lists.
    pub const FOR_LISTS: &[Self] = &[Self::Human, Self::Json];

    /// Returns the formats of a scan.
    pub fn for_scans() -> Vec<Self> {
        Self::ALL.iter().copied().filter(|format| format.writers().scan.is_some()).collect()
    }

    /// Returns the formats of a comparison of environments.
    pub fn for_diffs() -> Vec<Self> {
        Self::ALL.iter().copied().filter(|format| format.writers().diff.is_some()).collect()
    }
}

impl Default for Format {
    /// Returns the format for terminals.
    fn default() -> Self {
        Self::Human
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut formats = Self::ALL.iter().copied();
        formats.find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Returns the names of the formats, separated by commas.
pub(super) fn list(formats: &[Format]) -> String {
    formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

fn put(out: &mut dyn Write, text: &str) -> Result<Option<String>, ReportError> {
    out.write_all(text.as_bytes())?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Format;

    #[test]
    fn names_and_file_names_are_unique() {
        let names: BTreeSet<_> = Format::ALL.iter().map(|format| format.name()).collect();
        let files: BTreeSet<_> = Format::ALL.iter().map(|format| format.file_name()).collect();
        assert_eq!((names.len(), files.len()), (Format::ALL.len(), Format::ALL.len()));
    }

    #[test]
    fn names_are_parsed() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(*format));
        }
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        assert!(error.starts_with("unknown format `xml`; expected one of human, html, badge"), "{error}");
    }

    #[test]
    fn scans_and_comparisons_have_fewer_formats() {
        let names = |formats: Vec<Format>| super::list(&formats);
        assert_eq!(names(Format::for_scans()), "human, json, junit, markdown, sarif, gitlab, github");
        assert_eq!(names(Format::for_diffs()), "human, json, markdown");
    }
}
