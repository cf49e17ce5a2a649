//! Reference pages, made of what the program says of itself.

use std::fmt::Write as _;

use carnet::cli::schema::Format;
use carnet::exit;
use clap::{Arg, Command};
use serde_json::Value;

const MADE: &str = "<!-- Made by tests/cli/reference.rs: CARNET_BLESS=1 cargo test --test cli generated -->\n";

/// `docs/reference/cli.md`.
pub(crate) fn commands() -> String {
    let mut root = carnet::cli::command();
    root.build();
    let mut text = format!("{MADE}\n# Commands\n\n");
    let _ = writeln!(text, "{}\n\nEvery command takes these:\n", root.get_about().expect("a line"));
    table(&mut text, root.get_arguments().filter(|argument| argument.is_global_set() || is_own(argument)));
    for command in visible(&root) {
        section(&mut text, command, &format!("carnet {}", command.get_name()));
    }
    text.push_str("\nExit codes: [exit-codes.md](exit-codes.md).\n");
    spaced(&text)
}

/// The text with one empty line where there were several.
fn spaced(text: &str) -> String {
    let mut made = text.to_owned();
    while made.contains("\n\n\n") {
        made = made.replace("\n\n\n", "\n\n");
    }
    format!("{}\n", made.trim_end())
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

/// Whether it is `--help` or `--version`.
fn is_own(argument: &Arg) -> bool {
    matches!(argument.get_id().as_str(), "help" | "version")
}

fn section(text: &mut String, command: &Command, name: &str) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = writeln!(text, "\n## {name}\n\n{}\n\n```text\n{usage}\n```\n", escaped(&about));
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && !argument.is_global_set() && !is_own(argument))
        .collect();
    if !arguments.is_empty() {
        table(text, arguments.into_iter());
    }
    for inner in visible(command) {
        section(text, inner, &format!("{name} {}", inner.get_name()));
    }
}

fn table<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    text.push_str("| argument | meaning |\n|---|---|\n");
    for argument in arguments {
        let _ = writeln!(text, "| {} | {} |", called(argument), meaning(argument));
    }
}

/// How it is written: `-c`, `--cell NAME`.
fn called(argument: &Arg) -> String {
    let names: Vec<String> =
        argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let value = if argument.get_action().takes_values() { names.join(" ") } else { String::new() };
    if argument.is_positional() {
        return format!("`{value}`");
    }
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    format!("`{}`", format!("{} {value}", names.join(", ")).trim())
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut made = escaped(&help).split_whitespace().collect::<Vec<_>>().join(" ");
    if made.ends_with('.') {
        made.pop();
    }
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| argument.get_action().takes_values() && !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({})", value.get_name(), lowered(&escaped(&help.to_string()))),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(made, ". One of {}", values.join(", "));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if !defaults.is_empty() && !argument.is_hide_default_value_set() && argument.get_action().takes_values() {
        let _ = write!(made, ". Default: {}", defaults.join(", "));
    }
    made.replace('|', "\\|")
}

/// The text with the first letter small, unless it begins a name.
fn lowered(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or("");
    if first.chars().skip(1).any(|c| c.is_uppercase() || c.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map(|c| format!("{}{}", c.to_lowercase(), chars.as_str())).unwrap_or_default()
}

/// Angle brackets outside of code would be taken for HTML.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let made: Vec<String> =
        parts.map(|(n, part)| if n % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() }).collect();
    made.join("`")
}

/// `docs/reference/config.md`.
pub(crate) fn config() -> String {
    let schema = serde_json::to_value(Format::Config.schema()).expect("JSON");
    let mut text = format!(
        "{MADE}\n# carnet.toml\n\n{} Every key is optional unless it says otherwise; an unknown one is refused. `carnet schema config` prints\n\
         the same as a JSON Schema, for editors; `carnet init` writes a first file.\n",
        schema["description"].as_str().expect("a description")
    );
    for (name, property) in schema["properties"].as_object().expect("properties") {
        let is_list = property["type"] == "array";
        let heading = if is_list { format!("[[{name}]]") } else { format!("[{name}]") };
        let _ = writeln!(text, "\n## {heading}\n\n{}\n", described(property));
        let inner = resolved(&schema, if is_list { &property["items"] } else { property });
        keys(&mut text, &schema, inner, "");
    }
    spaced(&text)
}

/// The definition that a value refers to, or the value.
fn resolved<'a>(schema: &'a Value, value: &'a Value) -> &'a Value {
    let any = value["anyOf"].as_array().and_then(|any| any.iter().find(|one| one.get("$ref").is_some()));
    let target = value.get("$ref").or_else(|| any.and_then(|one| one.get("$ref")));
    let name = target.and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(value, |name| &schema["$defs"][name])
}

fn described(value: &Value) -> String {
    let text = value["description"].as_str().unwrap_or("");
    escaped(&text.split_whitespace().collect::<Vec<_>>().join(" ")).replace('|', "\\|")
}

/// A table of the keys of a definition, and after it those of tables in it.
fn keys(text: &mut String, schema: &Value, definition: &Value, prefix: &str) {
    let Some(properties) = definition["properties"].as_object() else { return };
    let required: Vec<&str> =
        definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if prefix.is_empty() {
        text.push_str("| key | value | meaning |\n|---|---|---|\n");
    }
    for (name, property) in properties {
        let needed = if required.contains(&name.as_str()) { " Needed." } else { "" };
        let _ = writeln!(text, "| `{prefix}{name}` | {} | {}{needed} |", kind(schema, property), described(property));
        let inner = resolved(schema, property);
        let inner = if inner["type"].as_str() == Some("array") { resolved(schema, &inner["items"]) } else { inner };
        keys(text, schema, inner, &format!("{prefix}{name}."));
    }
}

/// What a value is, in words of TOML.
fn kind(schema: &Value, property: &Value) -> String {
    let value = resolved(schema, property);
    if value.get("oneOf").is_some() || value.get("enum").is_some() {
        let list = value["oneOf"].as_array().or_else(|| value["enum"].as_array()).cloned().unwrap_or_default();
        let names: Vec<String> = list
            .iter()
            .filter_map(|one| one["const"].as_str().or_else(|| one.as_str()))
            .map(|name| format!("`\"{name}\"`"))
            .collect();
        return names.join(", ");
    }
    if value["anyOf"].as_array().is_some_and(|any| any.iter().any(|one| one["type"] == "array")) {
        return "string or list of strings".to_owned();
    }
    let types = &value["type"];
    let name = types.as_str().or_else(|| types.as_array().and_then(|list| list.first()).and_then(Value::as_str));
    match (name, value["format"].as_str()) {
        (_, Some("date")) => "date",
        (Some("boolean"), _) => "`true` or `false`",
        (Some("integer"), _) => "whole number",
        (Some("number"), _) => "number",
        (Some("array"), _) if value["items"]["type"] == "string" => "list of strings",
        (Some("array"), _) => "list of tables",
        (Some("object"), _) => "table",
        _ => "string",
    }
    .to_owned()
}

/// `docs/reference/exit-codes.md`.
pub(crate) fn exit_codes() -> String {
    let mut text = format!("{MADE}\n# Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in exit::TABLE {
        let _ = writeln!(text, "| {code} | {meaning} |");
    }
    text.push_str(
        "\nA format never changes the code. `--fail-on` says from where on the analysis counts as failed; a place that failed is never below it.\n",
    );
    text
}
