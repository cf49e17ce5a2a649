//! A value that may be unknown.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A value, or the reason why it could not be read.
///
/// In JSON, a known value is written as is and an unknown value as `{"unknown": "reason"}`.
/// Two unknown values are never equal, so a comparison cannot mistake them for the same value.
#[derive(Debug, Clone)]
pub enum Known<T> {
    /// The value.
    Known(T),
    /// Why the value is unknown: a lowercase fragment for display.
    Unknown(String),
}

impl<T> Known<T> {
    /// Creates an unknown value with a reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown(reason.into())
    }

    /// Returns the value, if known.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Returns the reason, if unknown.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(reason),
        }
    }

    /// Converts the value; an unknown value keeps its reason.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known(value) => Known::Known(change(value)),
            Self::Unknown(reason) => Known::Unknown(reason),
        }
    }
}

impl<T> From<T> for Known<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::Unknown("not read".to_owned())
    }
}

/// Deliberately not reflexive: an unknown value is not equal to any value, including itself.
impl<T: PartialEq> PartialEq for Known<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a == b,
            _ => false,
        }
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(reason) => Unknown { unknown: reason.into() }.serialize(serializer),
        }
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Value::Object(map) = &value
            && map.len() == 1
            && let Some(Value::String(reason)) = map.get("unknown")
        {
            return Ok(Self::Unknown(reason.clone()));
        }
        serde_json::from_value(value).map(Self::Known).map_err(serde::de::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for Known<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Known_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let known = generator.subschema_for::<T>();
        let unknown = generator.subschema_for::<Unknown<'_>>();
        json_schema!({ "anyOf": [known, unknown] })
    }
}

/// An unknown value, with the reason why it could not be read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Unknown", deny_unknown_fields)]
struct Unknown<'a> {
    unknown: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::Known;

    #[test]
    fn unknown_values_are_never_equal() {
        let unknown: Known<u8> = Known::unknown("no /proc");
        assert!(unknown != unknown.clone());
        assert!(unknown != Known::Known(1));
        assert!(Known::Known(1) == Known::Known(1));
    }

    #[test]
    fn known_and_unknown_values_round_trip() {
        let known: Known<u8> = serde_json::from_str("3").expect("a number");
        assert_eq!(known.get(), Some(&3));
        let unknown: Known<u8> = serde_json::from_str(r#"{"unknown":"denied"}"#).expect("an unknown");
        assert_eq!(unknown.reason(), Some("denied"));
        assert_eq!(serde_json::to_string(&unknown).expect("writes"), r#"{"unknown":"denied"}"#);
    }
}
