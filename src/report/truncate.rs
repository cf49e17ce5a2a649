//! Truncates Markdown to a size.

/// Line starts of parts that can be omitted.
const STARTS: [&str; 4] = ["## ", "### ", "<details", "| "];
/// Last line of a truncated report.
const REST: &str = "\n_Truncated because of the size limit; the reports of this job are complete._\n";

/// Truncates a report to `max_bytes` bytes between sections or rows of a table, never inside a fence or a tag, and adds a line
/// that it is truncated. Returns an empty text if no part fits.
pub fn truncate(markdown: &str, max_bytes: usize) -> String {
    if markdown.len() <= max_bytes {
        return markdown.to_owned();
    }
    let room = max_bytes.saturating_sub(REST.len());
    let (mut at, mut end) = (0, 0);
    let mut fence: Option<usize> = None;
    let mut depth = 0_usize;
    for line in markdown.split_inclusive('\n') {
        if at > room {
            break;
        }
        let ticks = line.bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            Some(open) if ticks >= open && line[ticks..].trim().is_empty() => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(ticks),
            None => {
                if depth == 0 && STARTS.iter().any(|start| line.starts_with(start)) {
                    end = at;
                }
                depth += usize::from(line.starts_with("<details"));
                depth -= usize::from(line.starts_with("</details") && depth > 0);
            }
        }
        at += line.len();
    }
    match end {
        0 => String::new(),
        end => format!("{}{REST}", &markdown[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::{REST, truncate};

    const REPORT: &str = "## title\n\n| a |\n|---|\n| b |\n\n<details>\n<summary>x</summary>\n\n```text\n<details>\n## no\n```\n\
                          </details>\n\n<details>\n<summary>y</summary>\n</details>\n";

    #[test]
    fn truncate_keeps_a_report_that_fits() {
        assert_eq!(truncate(REPORT, REPORT.len()), REPORT);
    }

    #[test]
    fn truncate_cuts_between_parts() {
        for room in 0..REPORT.len() {
            let text = truncate(REPORT, room);
            assert!(text.len() <= room, "{room}: {text}");
            let kept = text.strip_suffix(REST).unwrap_or("");
            assert!(REPORT.starts_with(kept));
            assert_eq!(kept.matches("```").count() % 2, 0, "{room}: {text}");
            assert_eq!(kept.matches("<summary>").count(), kept.matches("</details>").count(), "{room}: {text}");
        }
    }

    #[test]
    fn truncate_keeps_parts_that_fit() {
        let text = truncate(REPORT, REPORT.len() - 1);
        assert!(text.ends_with(REST));
        // The last line is as long as a section of this short report.
        let long = format!("{REPORT}\n<details>\n{}\n</details>\n", "z".repeat(500));
        assert_eq!(truncate(&long, 400), format!("{REPORT}\n{REST}"));
    }
}
