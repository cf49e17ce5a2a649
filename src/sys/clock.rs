//! The current date and time. No other module reads the clock.

use std::time::SystemTime;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};

/// Returns the current time.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Returns the current time in the type that file times have.
#[expect(clippy::disallowed_methods, reason = "the only function that reads the clock in this type")]
pub fn system_now() -> SystemTime {
    SystemTime::now()
}

/// Returns the current date in the time zone of this machine.
pub fn today() -> Date {
    Zoned::now().date()
}
