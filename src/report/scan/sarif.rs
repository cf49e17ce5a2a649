use super::super::ReportError;
use crate::model::scan::Scan;
pub(super) fn render(scan: &Scan) -> Result<String, ReportError> {
    super::json(scan)
}
