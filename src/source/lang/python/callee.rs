//! How well-known functions and keywords use their arguments.

use crate::source::lang::function_name::is_display_function;
use crate::source::lang::span::Role;

/// How a function uses its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArgumentUse {
    /// Displayed to users.
    Shown,
    /// Compared, searched for, or tested for existence.
    Guard,
    /// The first is searched for, the second is its replacement.
    Replace,
    /// The first is a regular expression.
    Pattern,
    /// The argument at this index is a default.
    Fallback(usize),
    /// Joined to one path, which has the role of the call.
    Join,
    /// Joined to the object of the method.
    Tail,
    /// Returned: the argument has the role of the call.
    Wrap,
    /// Unknown.
    Other,
}

/// Returns how a function uses its arguments. The name is dotted, or starts with a dot for a method of an expression.
pub(super) fn argument_use(name: &str) -> ArgumentUse {
    let (base, last) = name.rsplit_once('.').unwrap_or(("", name));
    let is_method = name.contains('.');
    match last {
        "print" | "pprint" | "secho" | "echo" | "publish_message" | "input" | "raw_input" | "cprint" => {
            ArgumentUse::Shown
        }
        _ if is_display_function(last) => ArgumentUse::Shown,
        "exit" if matches!(base, "" | "sys" | "parser") => ArgumentUse::Shown,
        "quit" if base.is_empty() => ArgumentUse::Shown,
        "skip" | "fail" | "xfail" if base == "pytest" => ArgumentUse::Shown,
        "debug" | "info" | "warning" | "critical" | "exception" | "warn" if is_method => ArgumentUse::Shown,
        "warn" if base.is_empty() => ArgumentUse::Shown,
        "error" | "log" | "fatal" | "fail" if is_log(base) => ArgumentUse::Shown,
        "write" if matches!(base, "sys.stdout" | "sys.stderr" | "stderr" | "stdout" | "tqdm") => ArgumentUse::Shown,
        "set_title" | "set_xlabel" | "set_ylabel" | "set_label" | "xlabel" | "ylabel" | "suptitle" | "annotate"
        | "set_description" | "set_xticklabels" | "set_yticklabels" | "SetTitle" | "AddEntry" | "DrawLatex"
        | "DrawLatexNDC" | "DrawText" | "SetHeader" | "AddText"
            if is_method =>
        {
            ArgumentUse::Shown
        }
        "title" | "text" | "legend" if matches!(base, "plt" | "ax" | "self.ax" | "fig" | "pyplot") => {
            ArgumentUse::Shown
        }
        "match" | "search" | "sub" | "subn" | "compile" | "findall" | "finditer" | "split" | "fullmatch"
            if matches!(base, "re" | "regex") =>
        {
            ArgumentUse::Pattern
        }
        // `path` is a variable more often than the module.
        "split" | "splitext" | "commonpath" if is_path_module(base) && base != "path" => ArgumentUse::Wrap,
        "split" if base == "shlex" => ArgumentUse::Wrap,
        "replace" if matches!(base, "os" | "dataclasses" | "shutil") => ArgumentUse::Other,
        "replace" if is_method => ArgumentUse::Replace,
        "startswith" | "endswith" | "find" | "rfind" | "split" | "rsplit" | "strip" | "lstrip" | "rstrip"
        | "partition" | "rpartition" | "removeprefix" | "removesuffix" | "is_relative_to" | "relative_to" | "index"
        | "count" | "AccessPathName" | "contains"
            if is_method =>
        {
            ArgumentUse::Guard
        }
        "isdir" | "exists" | "isfile" | "islink" | "lexists" | "ismount" | "fnmatch" | "fnmatchcase" => {
            ArgumentUse::Guard
        }
        "access" if matches!(base, "" | "os") => ArgumentUse::Guard,
        "filter" if base == "fnmatch" => ArgumentUse::Guard,
        "get" | "pop" | "setdefault" if is_method && !is_client(base) => ArgumentUse::Fallback(1),
        "getenv" => ArgumentUse::Fallback(1),
        "getattr" if base.is_empty() => ArgumentUse::Fallback(2),
        "register" if base.contains("option") => ArgumentUse::Fallback(1),
        "join" if is_path_module(base) => ArgumentUse::Join,
        "Path" | "PurePath" | "PosixPath" | "PurePosixPath" | "urljoin" => ArgumentUse::Join,
        "joinpath" => ArgumentUse::Tail,
        "str" | "bytes" | "list" | "tuple" | "set" | "sorted" if base.is_empty() => ArgumentUse::Wrap,
        "format" | "expanduser" | "expandvars" | "abspath" | "realpath" | "normpath" | "basename" | "dirname"
        | "resolve" | "fspath" | "encode" | "decode" | "as_posix" | "absolute" | "dedent" | "lower" | "upper" => {
            ArgumentUse::Wrap
        }
        _ => ArgumentUse::Other,
    }
}

fn is_path_module(base: &str) -> bool {
    matches!(base, "os.path" | "path" | "osp" | "op" | "posixpath" | "ospath" | "_os.path")
}

/// Reports whether an object is a logger, by its name.
fn is_log(base: &str) -> bool {
    let last = base.rsplit('.').next().unwrap_or(base).to_ascii_lowercase();
    last.contains("log") || matches!(last.as_str(), "parser" | "console" | "messages" | "warnings")
}

/// Reports whether an object is an HTTP client, by its name.
fn is_client(base: &str) -> bool {
    let last = base.rsplit('.').next().unwrap_or(base);
    matches!(last, "requests" | "session" | "httpx" | "ray" | "http" | "urllib")
}

/// Reports whether the result of a method of a string or path has the role of the object.
pub(super) fn keeps_receiver(last: &str) -> bool {
    matches!(
        last,
        "format"
            | "strip"
            | "lstrip"
            | "rstrip"
            | "replace"
            | "encode"
            | "lower"
            | "upper"
            | "expanduser"
            | "resolve"
            | "joinpath"
            | "as_posix"
            | "absolute"
            | "with_suffix"
            | "split"
            | "splitlines"
    )
}

/// Reports whether a method tests if its path exists.
pub(super) fn tests_receiver(last: &str) -> bool {
    matches!(last, "exists" | "is_dir" | "is_file" | "is_symlink" | "is_mount")
}

/// Returns the role of a keyword argument by its name.
pub(super) fn keyword_role(name: &str) -> Option<Role> {
    match name {
        "default" | "fallback" => Some(Role::Default),
        "help" | "description" | "epilog" | "title" | "label" | "labels" | "xlabel" | "ylabel" | "suptitle"
        | "desc" | "usage" | "metavar" | "message" | "msg" | "reason" | "caption" | "doc" | "prompt" | "summary" => {
            Some(Role::Shown)
        }
        _ => None,
    }
}

/// Reports whether a function runs its first argument, directly or in a shell.
pub(super) fn runs(name: &str) -> bool {
    let (base, last) = name.rsplit_once('.').unwrap_or(("", name));
    match last {
        "system" => matches!(base, "os" | ""),
        "popen" | "popen2" | "popen3" | "popen4" => matches!(base, "os" | "os.popen"),
        // A Snakefile directive.
        "shell" => base.is_empty(),
        "call" | "run" => matches!(base, "subprocess" | "sp" | "subp"),
        "check_call" | "check_output" | "Popen" | "getoutput" | "getstatusoutput" => true,
        "create_subprocess_shell" | "interruptable_popen" => true,
        "Exec" => base.ends_with("gSystem"),
        _ => false,
    }
}
