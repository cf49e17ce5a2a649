//! How functions and types of C++ and ROOT use strings.

use crate::source::lang::fact::{Usage, Word};
use crate::source::lang::span::Role;
use crate::source::lang::view_builder::ViewBuilder;

/// Returns the last part of a name: `Open` of `TFile::Open`.
fn tail(name: &str) -> &str {
    name.rsplit([':', '.', '>']).next().unwrap_or(name)
}

/// Reports whether text written to it is displayed.
pub(super) fn is_stream(name: &str) -> bool {
    matches!(name, "std::cout" | "cout" | "std::cerr" | "cerr" | "std::clog" | "clog" | "B2INFO" | "B2ERROR" | "LOG")
        || name.starts_with("ATH_MSG_")
        || name.starts_with("ANA_MSG_")
}

/// The use of a string.
pub(super) fn role(call: Option<&str>, is_compared: bool, is_shown: bool) -> Role {
    if is_compared {
        return Role::Guard;
    }
    if is_shown {
        return Role::Shown;
    }
    let Some(call) = call else { return Role::Plain };
    match tail(call) {
        "printf" | "fprintf" | "puts" | "perror" | "Error" | "Info" | "Warning" | "Fatal" | "SysError" | "Break"
        | "print" | "println" | "LogError" | "LogWarning" | "LogInfo" | "LogDebug" | "Exception" | "runtime_error"
        | "invalid_argument" | "logic_error" | "out_of_range" | "domain_error" | "static_assert" | "assert"
        | "ATH_MSG_INFO" | "ATH_MSG_ERROR" | "ATH_MSG_WARNING" | "ATH_MSG_DEBUG" | "ANA_MSG_INFO" | "ANA_MSG_ERROR"
        | "SetTitle" | "DrawLatex" | "DrawLatexNDC" | "AddEntry" => Role::Shown,
        "Contains" | "find" | "rfind" | "BeginsWith" | "EndsWith" | "compare" | "strcmp" | "strncmp" | "strstr"
        | "starts_with" | "ends_with" | "Index" | "CompareTo" | "EqualTo" | "AccessPathName" | "exists"
        | "is_directory" | "access" | "stat" | "ReplaceAll" | "find_first_of" => Role::Guard,
        "regex" | "TRegexp" | "TPRegexp" | "Regex" => Role::Pattern,
        _ => Role::Plain,
    }
}

/// Reports whether it passes its first argument to a shell.
pub(super) fn is_shell(call: &str) -> bool {
    matches!(call, "system" | "std::system" | "popen" | "gSystem->Exec" | "gSystem->GetFromPipe" | "gSystem->OpenPipe")
}

/// Returns how a call uses the file of its first argument: it reads, compiles or runs the file.
pub(super) fn references(builder: &mut ViewBuilder<'_>, call: &str, arguments: &[Option<Word>]) {
    let at = |index: usize| arguments.get(index).and_then(Option::as_ref);
    let mode = at(1).map_or("", |word| word.text.as_str()).to_ascii_lowercase();
    let (file, usage) = match tail(call) {
        "Open" | "TFile" if matches!(mode.as_str(), "" | "read") => (at(0), Usage::Data),
        "ifstream" | "AddFile" | "from_file" => (at(0), Usage::Data),
        "fopen" if mode.starts_with('r') => (at(0), Usage::Data),
        "RDataFrame" => (at(1), Usage::Data),
        "Add" => (at(0).filter(|word| word.text.contains(".root")), Usage::Data),
        "LoadMacro" | "Macro" | "CompileMacro" => (at(0), Usage::Code),
        "ProcessLine" => {
            let word = at(0).filter(|word| word.text.starts_with(".L ") || word.text.starts_with(".x "));
            (word, Usage::Code)
        }
        _ => return,
    };
    let Some(word) = file else { return };
    let path = word.text.strip_prefix(".L ").or_else(|| word.text.strip_prefix(".x ")).unwrap_or(&word.text);
    let path = if usage == Usage::Code { path.split('(').next().unwrap_or("").trim_end_matches('+') } else { path };
    let path = path.trim().to_owned();
    builder.refer(&path, word.range.clone(), usage);
}
