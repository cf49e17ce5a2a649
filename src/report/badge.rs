//! An SVG badge with the number of facilities at which the analysis works and the date of the check.
//!
//! An image cannot determine the date on which it is viewed, so the age is evaluated when the badge is written, and the badge
//! always contains the date of the check. A scheduled job should rewrite the badge.

use askama::Template as _;
use jiff::{SignedDuration, Timestamp};

use crate::model::document::{Document, Status};
use crate::model::text::{count, one_line};
use crate::model::verdict::{Verdict, verdict};

/// Default number of days after which a result is old.
pub const MAX_AGE: u32 = 30;

/// How the age of a result is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Time at which the badge is written; `None` if the badge does not depend on it.
    pub now: Option<Timestamp>,
    /// Number of days after which a result is old.
    pub max_days: u32,
}

impl Default for Age {
    /// Returns an age that treats no result as old.
    fn default() -> Self {
        Self { now: None, max_days: MAX_AGE }
    }
}

#[derive(askama::Template)]
#[template(path = "badge.svg")]
struct Badge {
    /// Text for screen readers and the tooltip.
    title: String,
    status: String,
    color: &'static str,
    left: usize,
    right: usize,
    width: usize,
    left_text: usize,
    right_text: usize,
    left_at: usize,
    right_at: usize,
}

/// Text on the left.
const NAME: &str = "carnet";
/// Horizontal margin of a text in pixels.
const MARGIN: usize = 7;
// White on each of these has a contrast of at least 4.5 (WCAG 2, AA).
const GREEN: &str = "#1a7f37";
const RED: &str = "#c5222f";
const AMBER: &str = "#8a5d00";
const GREY: &str = "#59636e";

/// Returns the badge as SVG.
pub fn svg(document: &Document, age: &Age) -> String {
    let day = day(document);
    let (words, color) = words(document);
    let old = is_old(document, age);
    let (status, color) = match (&day, old) {
        (Some(day), false) => (format!("{words} · {day}"), color),
        (Some(day), true) => (format!("{words} · as of {day}"), GREY),
        (None, _) => (format!("{words} · undated"), GREY),
    };
    let name = one_line(&document.analysis.name, 60);
    let remark =
        if old { format!(" That is more than {} ago.", count(age.max_days as usize, "day")) } else { String::new() };
    let when = day.map_or_else(|| "at an unknown time".to_owned(), |day| format!("on {day}"));
    let title = format!("carnet: {name} {words}, checked {when}.{remark}");
    let (left_text, right_text) = (extent(NAME), extent(&status));
    let (left, right) = (left_text + 2 * MARGIN, right_text + 2 * MARGIN);
    let badge = Badge {
        title,
        status,
        color,
        left,
        right,
        width: left + right,
        left_text,
        right_text,
        left_at: MARGIN,
        right_at: left + MARGIN,
    };
    // A template of numbers and strings cannot fail.
    badge.render().unwrap_or_default()
}

/// Returns the date of the check in UTC.
fn day(document: &Document) -> Option<String> {
    let started: Timestamp = document.timing.started.parse().ok()?;
    Some(started.to_string().chars().take(10).collect())
}

fn is_old(document: &Document, age: &Age) -> bool {
    let started: Option<Timestamp> = document.timing.started.parse().ok();
    let (Some(now), Some(started)) = (age.now, started) else { return false };
    now.duration_since(started) > SignedDuration::from_hours(24 * i64::from(age.max_days))
}

/// Returns the text, such as `works at 8 of 9 facilities`, and the color of the verdict.
fn words(document: &Document) -> (String, &'static str) {
    let mut facilities: Vec<(&str, bool)> = Vec::new();
    for cell in &document.cells {
        let works = matches!(cell.status, Status::Passed | Status::Flaky);
        match facilities.iter_mut().find(|(facility, _)| *facility == cell.facility) {
            Some((_, all)) => *all &= works,
            None => facilities.push((&cell.facility, works)),
        }
    }
    let good = facilities.iter().filter(|(_, works)| *works).count();
    let at = format!("works at {good} of {}", count(facilities.len(), "facility"));
    match verdict(document) {
        _ if document.interrupted => (format!("{at}, interrupted"), GREY),
        Verdict::Good => (at, GREEN),
        Verdict::Analysis => (at, RED),
        Verdict::Infrastructure => (format!("{at}, not all tested"), AMBER),
        Verdict::Nothing => ("not run".to_owned(), GREY),
    }
}

/// Returns the approximate width of a text in pixels in Verdana or DejaVu Sans at size 11. The image sets it as the text length,
/// so that the text fits in any font.
fn extent(text: &str) -> usize {
    let tenths = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | '\'' | ' ' | '·' | 'f' | 't' | 'r' => 43,
        'm' | 'w' | 'M' | 'W' => 98,
        '0'..='9' => 70,
        c if c.is_ascii_uppercase() => 76,
        c if c.is_ascii() => 67,
        _ => 110,
    };
    text.chars().map(tenths).sum::<usize>().div_ceil(10)
}
