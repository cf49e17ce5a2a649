//! Markdown cut to a size.

/// What begins a part that can be left out, at the start of a line.
const STARTS: [&str; 4] = ["## ", "### ", "<details", "| "];
/// Where the rest is.
const REST: &str = "\n_The rest is left out for size: the reports of this job have it all._\n";

/// The report, as long as it has at most `room` bytes; else its first parts, and a line that says so. It is cut between
/// sections or rows of a table, never inside a fence or a tag. Empty when there is no room for a part.
pub fn cut(markdown: &str, room: usize) -> String {
    if markdown.len() <= room {
        return markdown.to_owned();
    }
    let room = room.saturating_sub(REST.len());
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
    use super::{REST, cut};

    const REPORT: &str = "## title\n\n| a |\n|---|\n| b |\n\n<details>\n<summary>x</summary>\n\n```text\n<details>\n## no\n```\n\
                          </details>\n\n<details>\n<summary>y</summary>\n</details>\n";

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(cut(REPORT, REPORT.len()), REPORT);
    }

    #[test]
    fn a_report_is_cut_between_its_parts_at_any_size() {
        for room in 0..REPORT.len() {
            let text = cut(REPORT, room);
            assert!(text.len() <= room, "{room}: {text}");
            let kept = text.strip_suffix(REST).unwrap_or("");
            assert!(REPORT.starts_with(kept));
            assert_eq!(kept.matches("```").count() % 2, 0, "{room}: {text}");
            assert_eq!(kept.matches("<summary>").count(), kept.matches("</details>").count(), "{room}: {text}");
        }
    }

    #[test]
    fn a_part_that_fits_is_kept() {
        let text = cut(REPORT, REPORT.len() - 1);
        assert!(text.ends_with(REST));
        // The report is so short that what says it was cut takes the room of a section.
        let long = format!("{REPORT}\n<details>\n{}\n</details>\n", "z".repeat(500));
        assert_eq!(cut(&long, 400), format!("{REPORT}\n{REST}"));
    }
}
