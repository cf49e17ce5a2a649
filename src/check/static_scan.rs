//! The scan that is part of a check.

use super::options::Options;
use crate::error::Error;
use crate::model::scan::Scan;
use crate::scan;

/// Scans the analysis. Returns `None` if a bug ended the scan, which must not end the check.
///
/// # Errors
/// If the analysis or its baseline can't be read.
pub async fn scan_analysis(options: &Options) -> Result<Option<Scan>, Error> {
    let config = options.config.clone();
    let scan_options = scan::Options { jobs: options.jobs, ..scan::Options::new(options.top.clone(), &config) };
    let Ok(result) = tokio::task::spawn_blocking(move || scan::run_configured(scan_options, &config)).await else {
        return Ok(None);
    };
    let mut scan = result?;
    // Documents describe an analysis; the pages of the rules are available from `carnet rules`.
    scan.rules.iter_mut().for_each(|rule| rule.page.clear());
    Ok(Some(scan))
}
