//! A value that may be unknown.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// Reads the value without an intermediate copy, because the input may be malicious.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KnownVisitor(PhantomData))
    }
}

struct KnownVisitor<T>(PhantomData<T>);

/// Defines functions that pass a scalar to the type of the known value.
macro_rules! scalars {
    ($($visit:ident: $type:ty,)+) => {
        $(fn $visit<E: de::Error>(self, value: $type) -> Result<Self::Value, E> {
            T::deserialize(Present(value.into_deserializer())).map(Known::Known)
        })+
    };
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for KnownVisitor<T> {
    type Value = Known<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or an object with the key `unknown`")
    }

    scalars! {
        visit_bool: bool,
        visit_i64: i64,
        visit_u64: u64,
        visit_f64: f64,
        visit_str: &str,
        visit_string: String,
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        T::deserialize(().into_deserializer()).map(Known::Known)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(Present(SeqAccessDeserializer::new(seq))).map(Known::Known)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut rest: A) -> Result<Self::Value, A::Error> {
        let mut first: Option<String> = rest.next_key()?;
        if first.as_deref() == Some("unknown") {
            let reason = rest.next_value()?;
            first = rest.next_key()?;
            if first.is_none() {
                return Ok(Known::Unknown(reason));
            }
            // A value with other keys, of which no format has `unknown`.
        }
        T::deserialize(Present(MapAccessDeserializer::new(Resumed { first, rest }))).map(Known::Known)
    }
}

/// A value that is not null.
struct Present<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Present<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self.0)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// An object whose first key was already read.
struct Resumed<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Resumed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
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
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::Known;
    use crate::model::runtime::SitePath;
    use crate::model::system::Libc;

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

    #[test]
    fn values_of_every_kind_are_read() {
        fn read<T: DeserializeOwned + PartialEq + Debug>(json: &str, expected: T) {
            let found: Known<T> = serde_json::from_str(json).expect(json);
            assert_eq!(found.get(), Some(&expected), "{json}");
        }
        read("true", true);
        read("-2", -2);
        read("1.5", 1.5);
        read("4294967295", u32::MAX);
        read(r#""\u00e9""#, "é".to_owned());
        read("null", None::<u64>);
        read("7", Some(7_u64));
        read(r#""x""#, Some("x".to_owned()));
        read(r#"["a","b"]"#, Some(vec!["a".to_owned(), "b".to_owned()]));
        read(r#""empty""#, SitePath::Empty);
        let libc = || Libc { name: "musl".to_owned(), version: "1".to_owned() };
        read(r#"{"new":[{}],"name":"musl","version":"1"}"#, libc());
        read(r#"{"unknown":"x","name":"musl","version":"1"}"#, Some(libc()));
        for json in ["{}", "[]", "7", r#"{"unknown":1}"#, r#"{"name":"musl"}"#] {
            assert!(serde_json::from_str::<Known<Libc>>(json).is_err(), "{json}");
        }
    }
}
