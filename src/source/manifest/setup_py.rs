//! `setup.py`, read without running it: literal arguments of `setup(...)`, and names with literal values.

use std::collections::BTreeMap;

use ruff_python_ast::{Expr, ExprCall, Stmt};
use ruff_text_size::Ranged as _;

use super::builder::{File, InventoryBuilder};
use super::format::Format;

/// `setup.py`.
pub(super) static FORMAT: Format = Format::declaration("setup-py", &["setup.py"], read);

/// Maximum size of a parsed file in bytes.
const MAX_SIZE: usize = 64 << 10;
/// Stack size of the parser in bytes.
const STACK_SIZE: usize = 64 << 20;
/// Maximum nesting of statements and expressions.
const MAX_DEPTH: usize = 12;

/// Values of names.
type Names<'a> = BTreeMap<&'a str, &'a Expr>;

/// A text and its byte offset.
type Text = (String, usize);

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    if file.text.len() > MAX_SIZE {
        return builder.problem(format!("not parsed, because it is larger than {} KiB", MAX_SIZE >> 10));
    }
    // A sum of ten thousand terms is a tree of ten thousand levels, and dropping it is recursive.
    let text = file.text;
    let reader = std::thread::Builder::new().stack_size(STACK_SIZE);
    let items = std::thread::scope(|scope| {
        reader.spawn_scoped(scope, || parse(text)).ok().and_then(|thread| thread.join().ok())
    });
    let Some(items) = items else { return builder.problem("can't be parsed") };
    for item in items {
        match item {
            Item::Problem(problem) => builder.problem(problem),
            Item::Python(line, range) => builder.push_python(file.path, line, &range),
            Item::Requirement(line, text, group) => builder.push_pep508(file.path, line, &text, group.as_deref()),
        }
    }
}

/// A statement of a file.
enum Item {
    Problem(String),
    /// Line and constraint.
    Python(u32, String),
    /// Line, text and group.
    Requirement(u32, String, Option<String>),
}

fn parse(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let parsed = ruff_python_parser::parse_unchecked_source(text, ruff_python_ast::PySourceType::Python);
    if let Some(error) = parsed.errors().first() {
        let line = line(text, error.location.start().to_usize());
        items.push(Item::Problem(format!("line {line}: {}", error.error)));
    }
    let mut names = Names::new();
    let mut calls = Vec::new();
    walk(&parsed.syntax().body, 0, &mut names, &mut calls);
    for call in calls {
        read_call(call, &names, text, &mut items);
    }
    items
}

fn walk<'a>(body: &'a [Stmt], depth: usize, names: &mut Names<'a>, calls: &mut Vec<&'a ExprCall>) {
    if depth > MAX_DEPTH {
        return;
    }
    for statement in body {
        match statement {
            Stmt::Assign(assign) => {
                if let [Expr::Name(name)] = assign.targets.as_slice() {
                    names.insert(name.id.as_str(), &assign.value);
                }
                calls.extend(as_setup(&assign.value));
            }
            Stmt::AnnAssign(assign) => {
                if let (Expr::Name(name), Some(value)) = (&*assign.target, &assign.value) {
                    names.insert(name.id.as_str(), value);
                }
            }
            Stmt::Expr(expression) => calls.extend(as_setup(&expression.value)),
            Stmt::If(branch) => {
                walk(&branch.body, depth + 1, names, calls);
                for clause in &branch.elif_else_clauses {
                    walk(&clause.body, depth + 1, names, calls);
                }
            }
            Stmt::With(with) => walk(&with.body, depth + 1, names, calls),
            Stmt::Try(block) => walk(&block.body, depth + 1, names, calls),
            Stmt::FunctionDef(function) => walk(&function.body, depth + 1, names, calls),
            _ => {}
        }
    }
}

fn as_setup(value: &Expr) -> Option<&ExprCall> {
    let Expr::Call(call) = value else { return None };
    let is_setup = match &*call.func {
        Expr::Name(name) => name.id.as_str() == "setup",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "setup",
        _ => false,
    };
    is_setup.then_some(call)
}

fn read_call(call: &ExprCall, names: &Names<'_>, text: &str, items: &mut Vec<Item>) {
    for keyword in &call.arguments.keywords {
        let Some(name) = &keyword.arg else { continue };
        let group = match name.as_str() {
            "install_requires" | "requires" => None,
            "setup_requires" => Some("build"),
            "tests_require" => Some("test"),
            "extras_require" => {
                extras(&keyword.value, names, text, items);
                continue;
            }
            "python_requires" => {
                let ranges = texts(&keyword.value, names, 0).into_iter();
                items.extend(ranges.map(|(range, offset)| Item::Python(line(text, offset), range)));
                continue;
            }
            _ => continue,
        };
        push(texts(&keyword.value, names, 0), group, text, items);
    }
}

fn extras(value: &Expr, names: &Names<'_>, text: &str, items: &mut Vec<Item>) {
    let value = resolved(value, names);
    let Expr::Dict(dict) = value else { return };
    for item in &dict.items {
        let Some(Expr::StringLiteral(extra)) = &item.key else { continue };
        push(texts(&item.value, names, 0), Some(extra.value.to_str()), text, items);
    }
}

fn push(found: Vec<Text>, group: Option<&str>, text: &str, items: &mut Vec<Item>) {
    let group = group.map(str::to_owned);
    items.extend(
        found
            .into_iter()
            .map(|(requirement, offset)| Item::Requirement(line(text, offset), requirement, group.clone())),
    );
}

/// Returns the value of a name. Any other expression is returned unchanged.
fn resolved<'a>(value: &'a Expr, names: &Names<'a>) -> &'a Expr {
    match value {
        Expr::Name(name) => names.get(name.id.as_str()).copied().unwrap_or(value),
        _ => value,
    }
}

/// Returns the literal texts of an expression: a text, a list, a tuple, a sum of these, or a name of one.
fn texts(value: &Expr, names: &Names<'_>, depth: usize) -> Vec<Text> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    let deeper = |value: &Expr| texts(value, names, depth + 1);
    match value {
        Expr::StringLiteral(text) => lines_of(text.value.to_str(), value.start().to_usize()),
        Expr::List(list) => list.elts.iter().flat_map(deeper).collect(),
        Expr::Tuple(list) => list.elts.iter().flat_map(deeper).collect(),
        Expr::BinOp(sum) => deeper(&sum.left).into_iter().chain(deeper(&sum.right)).collect(),
        Expr::Starred(rest) => deeper(&rest.value),
        Expr::Name(name) => names.get(name.id.as_str()).map(|value| deeper(value)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Splits a text into lines, which setuptools treats as a list.
fn lines_of(text: &str, offset: usize) -> Vec<Text> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| (line.to_owned(), offset)).collect()
}

fn line(text: &str, offset: usize) -> u32 {
    let before = text.get(..offset).unwrap_or(text);
    u32::try_from(memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1).unwrap_or(u32::MAX)
}
