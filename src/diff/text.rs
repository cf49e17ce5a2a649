//! Differences of lists and of unstructured text, as the lines of a unified diff.

use similar::{Algorithm, ChangeTag, TextDiff};

use crate::model::text::clip;

/// Lines of each side that are looked at; what lies beyond is counted, not compared. The time is bounded by this and not
/// by a clock, so that equal inputs give equal lines.
const MAX_INPUT: usize = 4_000;
/// Characters kept of a line.
const MAX_LINE: usize = 500;

/// The difference of two texts, `context` unchanged lines around each change, and at most `cap` lines: more end in a
/// line that counts them. Empty when the texts are equal.
pub fn lines(old: &str, new: &str, context: usize, cap: usize) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    slices(&old_lines, &new_lines, context, cap)
}

/// The difference of two lists, element by element; limits as for [`lines`].
pub fn slices(old: &[&str], new: &[&str], context: usize, cap: usize) -> Vec<String> {
    let (kept_old, kept_new) = (&old[..old.len().min(MAX_INPUT)], &new[..new.len().min(MAX_INPUT)]);
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_slices(kept_old, kept_new);
    let mut out = Vec::new();
    let mut more = 0;
    for (index, group) in diff.grouped_ops(context).iter().enumerate() {
        if index > 0 {
            push(&mut out, &mut more, cap, || "@@".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            push(&mut out, &mut more, cap, || format!("{}{}", sign(change.tag()), clip(change.value(), MAX_LINE)));
        }
    }
    let unseen = (old.len() - kept_old.len()) + (new.len() - kept_new.len());
    if more + unseen > 0 {
        out.push(format!("[... {} more lines not shown ...]", more + unseen));
    }
    out
}

fn push(out: &mut Vec<String>, more: &mut usize, cap: usize, line: impl FnOnce() -> String) {
    if out.len() < cap {
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
    fn a_change_is_shown_with_its_neighbours() {
        assert_eq!(lines("a\nb\nc\nd\n", "a\nB\nc\nd\n", 1, 100), [" a", "-b", "+B", " c"]);
        assert!(lines("same", "same", 3, 100).is_empty());
    }

    #[test]
    fn long_differences_end_in_a_count() {
        let old: Vec<String> = (0..50).map(|i| format!("old {i}")).collect();
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let out = slices(&old, &[], 0, 10);
        assert_eq!(out.len(), 11);
        assert_eq!(out.last().map(String::as_str), Some("[... 40 more lines not shown ...]"));
    }

    #[test]
    fn what_lies_beyond_the_limit_is_counted() {
        let (old, new) = ("a\n".repeat(5_000), "b\n".repeat(5_000));
        let out = lines(&old, &new, 3, 100);
        assert_eq!(out.last().map(String::as_str), Some("[... 9900 more lines not shown ...]"));
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "é".repeat(10_000);
        let out = lines("", &long, 0, 10);
        assert!(out[0].chars().count() < 600);
    }
}
