//! What well-known functions and keywords make of their arguments.

use crate::source::lang::function_name::shows;
use crate::source::lang::span::Role;

/// What a function makes of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Text for people.
    Shown,
    /// Compared, searched for, or asked whether it is there.
    Guard,
    /// The first is searched for, the second stands in its place.
    Replace,
    /// The first is a regular expression.
    Pattern,
    /// The one of this index stands in for what is missing.
    Fallback(usize),
    /// Joined to one path, which is used as the call is.
    Join,
    /// Joined behind what the method is called on.
    Tail,
    /// Handed through: the result is used as the call is.
    Wrap,
    /// Nothing known.
    Other,
}

/// What the function of a name does; the name is dotted, or begins with a dot when it is a method of a value.
pub(super) fn sort(name: &str) -> Sort {
    let (base, last) = name.rsplit_once('.').unwrap_or(("", name));
    let is_method = name.contains('.');
    match last {
        "print" | "pprint" | "secho" | "echo" | "publish_message" | "input" | "raw_input" | "cprint" => Sort::Shown,
        _ if shows(last) => Sort::Shown,
        "exit" if matches!(base, "" | "sys" | "parser") => Sort::Shown,
        "quit" if base.is_empty() => Sort::Shown,
        "skip" | "fail" | "xfail" if base == "pytest" => Sort::Shown,
        "debug" | "info" | "warning" | "critical" | "exception" | "warn" if is_method => Sort::Shown,
        "warn" if base.is_empty() => Sort::Shown,
        "error" | "log" | "fatal" | "fail" if is_log(base) => Sort::Shown,
        "write" if matches!(base, "sys.stdout" | "sys.stderr" | "stderr" | "stdout" | "tqdm") => Sort::Shown,
        "set_title" | "set_xlabel" | "set_ylabel" | "set_label" | "xlabel" | "ylabel" | "suptitle" | "annotate"
        | "set_description" | "set_xticklabels" | "set_yticklabels" | "SetTitle" | "AddEntry" | "DrawLatex"
        | "DrawLatexNDC" | "DrawText" | "SetHeader" | "AddText"
            if is_method =>
        {
            Sort::Shown
        }
        "title" | "text" | "legend" if matches!(base, "plt" | "ax" | "self.ax" | "fig" | "pyplot") => Sort::Shown,
        "match" | "search" | "sub" | "subn" | "compile" | "findall" | "finditer" | "split" | "fullmatch"
            if matches!(base, "re" | "regex") =>
        {
            Sort::Pattern
        }
        // A variable is called `path` more often than the module is.
        "split" | "splitext" | "commonpath" if is_path_module(base) && base != "path" => Sort::Wrap,
        "split" if base == "shlex" => Sort::Wrap,
        "replace" if matches!(base, "os" | "dataclasses" | "shutil") => Sort::Other,
        "replace" if is_method => Sort::Replace,
        "startswith" | "endswith" | "find" | "rfind" | "split" | "rsplit" | "strip" | "lstrip" | "rstrip"
        | "partition" | "rpartition" | "removeprefix" | "removesuffix" | "is_relative_to" | "relative_to" | "index"
        | "count" | "AccessPathName" | "contains"
            if is_method =>
        {
            Sort::Guard
        }
        "isdir" | "exists" | "isfile" | "islink" | "lexists" | "ismount" | "fnmatch" | "fnmatchcase" => Sort::Guard,
        "access" if matches!(base, "" | "os") => Sort::Guard,
        "filter" if base == "fnmatch" => Sort::Guard,
        "get" | "pop" | "setdefault" if is_method && !is_client(base) => Sort::Fallback(1),
        "getenv" => Sort::Fallback(1),
        "getattr" if base.is_empty() => Sort::Fallback(2),
        "register" if base.contains("option") => Sort::Fallback(1),
        "join" if is_path_module(base) => Sort::Join,
        "Path" | "PurePath" | "PosixPath" | "PurePosixPath" | "urljoin" => Sort::Join,
        "joinpath" => Sort::Tail,
        "str" | "bytes" | "list" | "tuple" | "set" | "sorted" if base.is_empty() => Sort::Wrap,
        "format" | "expanduser" | "expandvars" | "abspath" | "realpath" | "normpath" | "basename" | "dirname"
        | "resolve" | "fspath" | "encode" | "decode" | "as_posix" | "absolute" | "dedent" | "lower" | "upper" => {
            Sort::Wrap
        }
        _ => Sort::Other,
    }
}

fn is_path_module(base: &str) -> bool {
    matches!(base, "os.path" | "path" | "osp" | "op" | "posixpath" | "ospath" | "_os.path")
}

/// Whether a value of a name writes a log.
fn is_log(base: &str) -> bool {
    let last = base.rsplit('.').next().unwrap_or(base).to_ascii_lowercase();
    last.contains("log") || matches!(last.as_str(), "parser" | "console" | "messages" | "warnings")
}

/// Whether a value of a name speaks HTTP, so that `get` fetches.
fn is_client(base: &str) -> bool {
    let last = base.rsplit('.').next().unwrap_or(base);
    matches!(last, "requests" | "session" | "httpx" | "ray" | "http" | "urllib")
}

/// Methods of strings and paths whose result is used as the string they are called on is.
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

/// Methods that ask whether the path they are called on is there.
pub(super) fn tests_receiver(last: &str) -> bool {
    matches!(last, "exists" | "is_dir" | "is_file" | "is_symlink" | "is_mount")
}

/// The role of a keyword argument, when its name alone tells it.
pub(super) fn keyword(name: &str) -> Option<Role> {
    match name {
        "default" | "fallback" => Some(Role::Default),
        "help" | "description" | "epilog" | "title" | "label" | "labels" | "xlabel" | "ylabel" | "suptitle"
        | "desc" | "usage" | "metavar" | "message" | "msg" | "reason" | "caption" | "doc" | "prompt" | "summary" => {
            Some(Role::Shown)
        }
        _ => None,
    }
}

/// Whether a function of a name gives its first argument to a shell or starts it.
pub(super) fn runs(name: &str) -> bool {
    let (base, last) = name.rsplit_once('.').unwrap_or(("", name));
    match last {
        "system" => matches!(base, "os" | ""),
        "popen" | "popen2" | "popen3" | "popen4" => matches!(base, "os" | "os.popen"),
        // A directive of a Snakefile.
        "shell" => base.is_empty(),
        "call" | "run" => matches!(base, "subprocess" | "sp" | "subp"),
        "check_call" | "check_output" | "Popen" | "getoutput" | "getstatusoutput" => true,
        "create_subprocess_shell" | "interruptable_popen" => true,
        "Exec" => base.ends_with("gSystem"),
        _ => false,
    }
}
