//! A tree of values with line numbers for TOML, YAML and JSON.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A value and its line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct Node {
    /// Line, from 1; 0 if unknown.
    pub(in super::super) line: u32,
    pub(in super::super) value: Value,
}

/// A value. Numbers are kept as text, because here they are versions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) enum Value {
    #[default]
    None,
    Text(String),
    Bool(bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a file is not valid TOML, YAML or JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(in super::super) struct ParseError {
    /// Line, from 1; 0 if unknown.
    pub(in super::super) line: u32,
    /// The parser's message.
    pub(in super::super) message: String,
}

impl Node {
    /// Returns the value of a key. The last of duplicate keys wins.
    pub(in super::super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().filter(|(name, _)| *name == key).last().map(|(_, node)| node)
    }

    /// Returns the value at a path of keys.
    pub(in super::super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the text. `None` for any other value.
    pub(in super::super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::None | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Returns the text of a key.
    pub(in super::super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// Returns the items of a list. Empty for any other value.
    pub(in super::super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::None | Value::Bool(_) | Value::Text(_) | Value::Map(_) => &[],
        }
    }

    /// Returns the items of the list of a key.
    pub(in super::super) fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    /// Returns the entries of a mapping. Empty for any other value.
    pub(in super::super) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries: &[(String, Self)] = match &self.value {
            Value::Map(entries) => entries,
            Value::None | Value::Bool(_) | Value::Text(_) | Value::List(_) => &[],
        };
        entries.iter().map(|(key, node)| (key.as_str(), node))
    }

    /// Returns the entries of the mapping at a path of keys.
    pub(in super::super) fn entries_at(&self, keys: &[&str]) -> Vec<(&str, &Self)> {
        self.at(keys).map(|node| node.entries().collect()).unwrap_or_default()
    }
}

/// Offsets of line ends.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < offset) + 1).unwrap_or(u32::MAX)
    }
}

/// Parses TOML.
pub(in super::super) fn toml(text: &str) -> Result<Node, ParseError> {
    let lines = Lines::of(text);
    let table = toml::de::DeTable::parse(text).map_err(|error| ParseError {
        line: error.span().map_or(0, |span| lines.line(span.start)),
        message: error.message().to_owned(),
    })?;
    Ok(Node { line: 1, value: toml_table(table.get_ref(), &lines) })
}

fn toml_table(table: &toml::de::DeTable<'_>, lines: &Lines) -> Value {
    let mut entries: Vec<(usize, String, Node)> = table
        .iter()
        .map(|(key, value)| {
            // A table starts in its header, so its line is that of its key.
            let start = key.span().start;
            let line = if value.get_ref().is_table() { start } else { value.span().start };
            let node = Node { line: lines.line(line), value: toml_value(value.get_ref(), lines) };
            (start, key.get_ref().to_string(), node)
        })
        .collect();
    entries.sort_by_key(|(start, _, _)| *start);
    Value::Map(entries.into_iter().map(|(_, key, node)| (key, node)).collect())
}

fn toml_value(value: &toml::de::DeValue<'_>, lines: &Lines) -> Value {
    use toml::de::DeValue;
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => Value::Text(number.as_str().to_owned()),
        DeValue::Float(number) => Value::Text(number.as_str().to_owned()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node { line: lines.line(item.span().start), value: toml_value(item.get_ref(), lines) })
                .collect(),
        ),
        DeValue::Table(table) => toml_table(table, lines),
    }
}

/// Parses JSON, at most 512 levels deep (the parser's own limit).
pub(in super::super) fn json(text: &str) -> Result<Node, ParseError> {
    let lines = Lines::of(text);
    let options = jsonc_parser::ParseOptions::default();
    let parsed = jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &options)
        .map_err(|error| ParseError { line: lines.line(error.range().start), message: error.kind().to_string() })?;
    let value = parsed.value.ok_or_else(|| ParseError { line: 1, message: "empty file".to_owned() })?;
    Ok(json_node(&value, &lines))
}

fn json_node(value: &jsonc_parser::ast::Value<'_>, lines: &Lines) -> Node {
    use jsonc_parser::ast::Value as Json;
    use jsonc_parser::common::Ranged as _;
    let inner = match value {
        Json::StringLit(text) => Value::Text(text.value.to_string()),
        Json::NumberLit(number) => Value::Text(number.value.to_owned()),
        Json::BooleanLit(value) => Value::Bool(value.value),
        Json::Object(object) => Value::Map(
            object
                .properties
                .iter()
                .map(|entry| {
                    let mut node = json_node(&entry.value, lines);
                    node.line = lines.line(entry.range.start);
                    (entry.name.as_str().to_owned(), node)
                })
                .collect(),
        ),
        Json::Array(list) => Value::List(list.elements.iter().map(|item| json_node(item, lines)).collect()),
        Json::NullKeyword(_) => Value::None,
    };
    Node { line: lines.line(value.range().start), value: inner }
}

/// Parses YAML. The last of duplicate keys wins. Only the first of several documents is read.
pub(in super::super) fn yaml(text: &str) -> Result<Node, ParseError> {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins };
    let value: Spanned<Loose> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().and_then(|location| u32::try_from(location.line()).ok()).unwrap_or(0);
        let message = error.without_snippet().to_string();
        ParseError { line, message: message.lines().next().unwrap_or_default().to_owned() }
    })?;
    Ok(node(value))
}

fn node(value: Spanned<Loose>) -> Node {
    Node { line: u32::try_from(value.referenced.line()).unwrap_or(0), value: value.value.0 }
}

/// Any YAML value.
struct Loose(Value);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose(Value::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose(Value::Text(value.to_string())))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose(Value::Text(value.to_string())))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Loose, E> {
        Ok(Loose(Value::Text(value.to_string())))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Loose, E> {
        Ok(Loose(Value::Text(value.to_string())))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose(Value::Text(value.to_string())))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose(Value::Text(value.to_owned())))
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Loose, E> {
        Ok(Loose(Value::None))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
        Ok(Loose(Value::None))
    }

    fn visit_none<E: de::Error>(self) -> Result<Loose, E> {
        Ok(Loose(Value::None))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose, D::Error> {
        Loose::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Spanned<Loose>>()? {
            items.push(node(item));
        }
        Ok(Loose(Value::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<Loose>, Spanned<Loose>>()? {
            let line = u32::try_from(key.referenced.line()).unwrap_or(0);
            let mut inner = node(value);
            // A mapping starts at its first key, so its line is that of its own key.
            if matches!(inner.value, Value::Map(_)) && line > 0 {
                inner.line = line;
            }
            if let Value::Text(key) = key.value.0 {
                entries.push((key, inner));
            }
        }
        Ok(Loose(Value::Map(entries)))
    }
}

#[cfg(test)]
mod tests {
    use super::{json, toml, yaml};

    #[test]
    fn values_have_lines() {
        let node = toml("a = 1\n[t]\nlist = [\n 'x',\n 'y',\n]\n[[p]]\nname = 'n'\n").expect("TOML");
        assert_eq!(node.get("t").expect("t").items_of("list").iter().map(|item| item.line).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(node.items_of("p")[0].get("name").map(|name| (name.line, name.text())), Some((8, Some("n"))));
        let node = yaml("a:\n  - x\n  - y: [1,\n     2.50]\na: {b: 3}\n").expect("YAML");
        assert_eq!(node.at(&["a", "b"]).map(|node| (node.line, node.text())), Some((5, Some("3"))));
        let node = yaml("a:\n- x\n- pip:\n  - y\n").expect("YAML");
        assert_eq!(node.items_of("a")[1].items_of("pip")[0].line, 4);
        let node = json("{\n\"a\": {\n\"b\": [1,\n\"x\"]}}").expect("JSON");
        assert_eq!(node.at(&["a", "b"]).expect("b").items()[1].line, 4);
    }

    #[test]
    fn errors_have_lines() {
        assert!(toml("a = 1\nb = = 2\n").expect_err("invalid TOML").to_string().starts_with("line 2: "));
        assert!(json("{\n\"a\" 1}").expect_err("invalid JSON").to_string().starts_with("line 2: "));
        assert!(yaml("a: 1\nb: [\n").expect_err("invalid YAML").to_string().starts_with("line "));
        assert!(json(&"[".repeat(100_000)).is_err());
        assert!(yaml(&"[".repeat(100_000)).is_err());
        assert!(toml(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
