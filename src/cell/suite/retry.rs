//! Retried commands: a case that failed at first is flaky.

use std::collections::HashMap;

use super::is_failure;
use crate::model::cell::{Outcome, TestCase};

/// Marks the cases in `last` that failed in an earlier attempt and passed now, and adds cases that failed in an earlier
/// attempt and are missing now.
pub(super) fn mark(last: &mut Vec<TestCase>, earlier: Vec<Vec<TestCase>>) {
    let mut positions: HashMap<(String, String), usize> =
        last.iter().enumerate().map(|(index, case)| ((case.class.clone(), case.name.clone()), index)).collect();
    for (attempt, cases) in earlier.into_iter().enumerate() {
        for case in cases.into_iter().filter(is_failure) {
            let key = (case.class.clone(), case.name.clone());
            let message = format!("attempt {}: {}", attempt + 1, case.message);
            match positions.get(&key).and_then(|&index| last.get_mut(index)) {
                Some(now) if now.outcome == Outcome::Passed => {
                    now.outcome = Outcome::Flaky;
                    now.message = message;
                    now.output = case.output;
                    now.tried_network = case.tried_network;
                }
                Some(_) => {}
                None => {
                    positions.insert(key, last.len());
                    last.push(TestCase { outcome: Outcome::Flaky, message, ..case });
                }
            }
        }
    }
}
