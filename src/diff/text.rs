//! Differences between lists and between texts, as lines of a unified diff.

use similar::{Algorithm, ChangeTag, TextDiff};

use crate::model::text::clip;

/// Maximum number of compared lines per side; the rest is counted. A limit on lines, unlike a time limit, makes the
/// output deterministic.
const MAX_INPUT: usize = 4_000;
/// Maximum length of a line in characters.
const MAX_LINE_LEN: usize = 500;

/// Compares two texts with `context` unchanged lines around each change. At most `max_lines` lines are returned,
/// followed by a line with the number of omitted lines. Empty if the texts are equal.
pub fn lines(old: &str, new: &str, context: usize, max_lines: usize) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    slices(&old_lines, &new_lines, context, max_lines)
}

/// Compares two lists by element, with the limits of [`lines`].
pub fn slices(old: &[&str], new: &[&str], context: usize, max_lines: usize) -> Vec<String> {
    let (kept_old, kept_new) = (&old[..old.len().min(MAX_INPUT)], &new[..new.len().min(MAX_INPUT)]);
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_slices(kept_old, kept_new);
    let mut out = Vec::new();
    let mut more = 0;
    for (index, group) in diff.grouped_ops(context).iter().enumerate() {
        if index > 0 {
            push(&mut out, &mut more, max_lines, || "@@".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            push(&mut out, &mut more, max_lines, || {
                format!("{}{}", sign(change.tag()), clip(change.value(), MAX_LINE_LEN))
            });
        }
    }
    let unseen = (old.len() - kept_old.len()) + (new.len() - kept_new.len());
    if more + unseen > 0 {
        out.push(format!("[... {} more lines not shown ...]", more + unseen));
    }
    out
}

fn push(out: &mut Vec<String>, more: &mut usize, max_lines: usize, line: impl FnOnce() -> String) {
    if out.len() < max_lines {
        out.push(line());
    } else {
        *more += 1;
    }
}

fn sign(tag: ChangeTag) -> char {
    match tag {
        ChangeTag::Equal => ' ',
        ChangeTag::Delete => '-',
        ChangeTag::Insert => '+',
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, slices};

    #[test]
    fn change_is_shown_with_context() {
        assert_eq!(lines("a\nb\nc\nd\n", "a\nB\nc\nd\n", 1, 100), [" a", "-b", "+B", " c"]);
        assert!(lines("same", "same", 3, 100).is_empty());
    }

    #[test]
    fn long_differences_end_with_a_count() {
        let old: Vec<String> = (0..50).map(|i| format!("old {i}")).collect();
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let out = slices(&old, &[], 0, 10);
        assert_eq!(out.len(), 11);
        assert_eq!(out.last().map(String::as_str), Some("[... 40 more lines not shown ...]"));
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let (old, new) = ("a\n".repeat(5_000), "b\n".repeat(5_000));
        let out = lines(&old, &new, 3, 100);
        assert_eq!(out.last().map(String::as_str), Some("[... 9900 more lines not shown ...]"));
    }

    #[test]
    fn long_line_is_truncated_between_characters() {
        let long = "é".repeat(10_000);
        let out = lines("", &long, 0, 10);
        assert!(out[0].chars().count() < 600);
    }
}
