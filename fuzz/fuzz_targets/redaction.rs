//! Removes credentials and commands of CI systems from any text, with the first line as the value of a secret variable.

#![no_main]

use carnet::model::redact::{Redactor, Variable};
use carnet::model::text::without_commands;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let input = String::from_utf8_lossy(data);
    let (value, text) = input.split_once('\n').unwrap_or(("", &*input));
    let redactor = Redactor::default();
    let once = redactor.redact(text);
    assert_eq!(redactor.redact(&once), once, "redaction is idempotent");
    let safe = without_commands(&once);
    assert_eq!(without_commands(&safe), safe, "the removal of commands is idempotent");
    if let Some(redacted) = redactor.apply(text) {
        let position = redacted.position(text.len(), true);
        assert_eq!(position, redacted.text.len(), "the end stays the end");
        assert_eq!(redacted.text.matches('\n').count(), text.matches('\n').count(), "the number of lines stays the same");
    }
    if let Some(variable) = Variable::secret("TOKEN", value, &|_| false) {
        let masked = Redactor::new(&[variable]).redact(text).into_owned();
        // A shorter value is masked only as a whole word, and one with brackets can be completed by a replacement.
        let value = value.trim();
        let is_plain = value.bytes().all(|b| b.is_ascii_alphanumeric()) && !"redacted".contains(value);
        assert!(value.len() < 8 || !is_plain || !masked.contains(value), "the value is masked");
    }
});
