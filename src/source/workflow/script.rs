//! Classification of the commands of CI jobs: setup, installation, tests, other work, and output only.

use super::test_file::is_test_script;
use crate::source::lang::shell::words;

/// Maximum length of the commands of a job in bytes.
const MAX_LEN: usize = 64 << 10;

/// The commands of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// Lines that set variables and source files, before any other command.
    pub(super) setup: Vec<String>,
    /// Lines that install dependencies.
    pub(super) installs: Vec<String>,
    /// All other commands that have an effect, in order.
    pub(super) work: Vec<String>,
    /// Whether one of the commands is a test.
    pub(super) has_test: bool,
}

/// The kind of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Setup,
    Install,
    /// Only prints or lints.
    Output,
    Work,
}

impl Script {
    /// Reads the commands of one shell. `has` reports whether the repository contains a file.
    pub(super) fn read(text: &str, has: &dyn Fn(&str) -> bool) -> Self {
        let mut script = Self::default();
        let text = head(text);
        let Some(lines) = statements(text) else {
            // A script with branches or loops can't be split.
            script.work.push(text.trim_end().to_owned());
            script.has_test = text.lines().any(is_test);
            return script;
        };
        let mut has_begun = false;
        for line in lines {
            match kind(&line, has) {
                // CVMFS does not depend on earlier commands.
                Kind::Setup if !has_begun || sources_cvmfs(&line) => push(&mut script.setup, line),
                Kind::Install if !has_begun => push(&mut script.installs, line),
                Kind::Output => {}
                _ => {
                    has_begun = true;
                    script.has_test |= is_test(&line);
                    script.work.push(line);
                }
            }
        }
        script
    }
}

/// Joins the commands of several shells into one command.
pub(super) fn joined(steps: &[Vec<String>]) -> String {
    match steps {
        [] => String::new(),
        [single] => match single.as_slice() {
            [line] => line.clone(),
            lines => format!("set -e\n{}", lines.join("\n")),
        },
        several => {
            let groups: Vec<String> = several.iter().map(|lines| format!("(\n{}\n)", lines.join("\n"))).collect();
            format!("set -e\n{}", groups.join("\n"))
        }
    }
}

fn push(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(MAX_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Splits a text into commands. `None` if it contains branches, loops or here-documents.
fn statements(text: &str) -> Option<Vec<String>> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines() {
        let line = without_comment(line.trim())?;
        if line.is_empty() {
            continue;
        }
        let first = line.split_whitespace().next().unwrap_or("");
        let first = first.trim_end_matches(';');
        let is_control = matches!(
            first,
            "if" | "then" | "else" | "elif" | "fi" | "for" | "while" | "until" | "do" | "done" | "case" | "esac"
        ) || first.starts_with(['{', '(', '}', ')'])
            || first.ends_with("()");
        if is_control || line.contains("<<") {
            return None;
        }
        found.extend(parts(line).into_iter().map(normalized));
    }
    Some(found)
}

/// Collapses white space, unless the line has quotes.
fn normalized(line: &str) -> String {
    if line.contains(['"', '\'']) { line.to_owned() } else { line.split_whitespace().collect::<Vec<_>>().join(" ") }
}

/// Returns the line up to a comment. `None` if a quote is not closed, because the command continues.
fn without_comment(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return Some(line[..index].trim_end()),
            (None, '"' | '\'') if before != '\\' => quote = Some(c),
            (Some(open), _) if open == c && (c == '\'' || before != '\\') => quote = None,
            _ => {}
        }
        before = c;
    }
    quote.is_none().then_some(line)
}

/// Splits a line at `&&` and `;`, unless it has quotes, pipes or substitutions.
fn parts(line: &str) -> Vec<&str> {
    if line.replace("${", "").contains(['"', '\'', '(', '`', '|', '{']) {
        return vec![line];
    }
    line.split("&&").flat_map(|part| part.split(';')).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Returns a command without its wrappers: `sudo`, `time`, `exec`.
fn without_wrappers(line: &str) -> &str {
    let mut line = line.trim_start();
    while let Some(rest) = ["sudo ", "time ", "exec ", "travis_wait ", "-E "].iter().find_map(|w| line.strip_prefix(w))
    {
        line = rest.trim_start();
    }
    line
}

fn kind(line: &str, has: &dyn Fn(&str) -> bool) -> Kind {
    let line = without_wrappers(line);
    let mut parts = line.split_whitespace();
    let (first, second) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    match first {
        "source" | "." => return if exists_before_job(second, has) { Kind::Setup } else { Kind::Work },
        "export" | "declare" if !line.contains("$(") && !line.contains('`') => return Kind::Setup,
        "unset" | "set" | "ulimit" | "umask" | "module" | "shopt" | "alias" | "cmsenv" | "asetup" | "lsetup"
        | "setupATLAS" => return Kind::Setup,
        "conda" | "mamba" | "micromamba" if second == "activate" => return Kind::Setup,
        "eval" if line.contains("scram") || line.contains("hook") || line.contains("activate") => return Kind::Setup,
        _ => {}
    }
    if installs(line) {
        return Kind::Install;
    }
    let writes = line.contains('>') || line.contains('|') || line.contains("&&") || line.contains(';');
    if !writes && prints_only(first, second, line) { Kind::Output } else { Kind::Work }
}

fn sources_cvmfs(line: &str) -> bool {
    ["source /cvmfs/", ". /cvmfs/"].iter().any(|start| line.starts_with(start))
}

/// Reports whether a sourced file exists before the job creates files.
fn exists_before_job(path: &str, has: &dyn Fn(&str) -> bool) -> bool {
    let path = path.trim_matches(['"', '\'']);
    // The image or the CI file sets the variable, because no other command ran before.
    let starts_with_variable = path.starts_with('$') && !path.starts_with("$(");
    path.starts_with(['/', '~']) || starts_with_variable || has(path.trim_start_matches("./"))
}

/// Reports whether a command installs or downloads something.
pub(super) fn installs(line: &str) -> bool {
    let mut parts = without_wrappers(line).split_whitespace();
    let mut next = || parts.next().unwrap_or("");
    let (first, second, third) = (next(), next(), next());
    if matches!((first, second), ("conda" | "mamba" | "micromamba", "run")) {
        return installs(&parts.collect::<Vec<_>>().join(" "));
    }
    is_install(first, second, third, line)
}

fn is_install(first: &str, second: &str, third: &str, line: &str) -> bool {
    let is_verb =
        |word: &str| matches!(word, "install" | "sync" | "update" | "upgrade" | "create" | "env" | "makecache");
    match first {
        "apt" | "apt-get" | "dnf" | "yum" | "microdnf" | "apk" | "zypper" | "brew" | "npm" | "gem" => true,
        "pip" | "pip3" | "conda" | "mamba" | "micromamba" | "poetry" | "pdm" | "pixi" | "spack" | "cpm" => {
            is_verb(second) || second == "config"
        }
        "uv" => matches!(second, "sync" | "venv") || second == "pip" && is_verb(third),
        "python" | "python3" => line.contains("-m pip install") || line.contains("setup.py install"),
        "git" => matches!(second, "clone" | "submodule"),
        "curl" | "wget" => true,
        _ => false,
    }
}

fn prints_only(first: &str, second: &str, line: &str) -> bool {
    let is_query = match first {
        "pip" | "pip3" | "conda" | "mamba" | "micromamba" => matches!(second, "list" | "freeze" | "info"),
        "ccache" => matches!(second, "-s" | "-z"),
        _ => matches!(second, "--version" | "-V"),
    };
    matches!(
        first,
        "echo"
            | "printf"
            | "ls"
            | "pwd"
            | "printenv"
            | "which"
            | "whoami"
            | "id"
            | "date"
            | "uname"
            | "df"
            | "free"
            | "hostname"
            | "nproc"
            | "lscpu"
            | "tree"
            | "cat"
            | "true"
            | ":"
            | "voms-proxy-info"
            | "flake8"
            | "black"
            | "isort"
            | "mypy"
            | "pylint"
            | "ruff"
            | "pre-commit"
    ) || matches!(line, "env" | "export")
        || is_query && !matches!(first, "make" | "bash" | "sh")
        || line.contains("pip list")
        || line.contains("pip freeze")
        || first == "git" && matches!(second, "status" | "log" | "config" | "branch" | "describe")
        || line.ends_with("--version")
}

/// Reports whether a command runs tests.
pub(super) fn is_test(line: &str) -> bool {
    let found = words(line);
    let texts: Vec<&str> = found.iter().map(|word| word.text.as_str()).collect();
    texts.iter().enumerate().any(|(index, word)| {
        let next = texts.get(index + 1).copied().unwrap_or("");
        let name = word.rsplit('/').next().unwrap_or(word).trim_matches([';', '(', ')', '`']);
        let is_first =
            index == 0 || matches!(texts[index - 1], "&&" | ";" | "||" | "sudo" | "time" | "exec" | "do" | "then");
        match name {
            "pytest" | "py.test" | "ctest" | "nosetests" | "tox" | "nox" | "cmsRun" | "papermill" => {
                !matches!(texts.get(index.wrapping_sub(1)).copied(), Some("install" | "which"))
                    && !texts.contains(&"install")
            }
            "unittest" => index > 0 && texts[index - 1] == "-m",
            "make" | "ninja" | "gmake" | "just" => {
                texts[index + 1..].iter().any(|w| matches!(*w, "test" | "tests" | "check"))
            }
            "--target" => next == "test",
            "root" | "root.exe" => is_first && texts.iter().any(|w| w.contains(".C") || w.contains(".py")),
            "python" | "python3" | "bash" | "sh" => is_first && is_test_script(next),
            _ => is_first && word.contains('/') && is_test_script(word),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{Script, is_test, joined};

    fn read(text: &str) -> Script {
        Script::read(text, &|path| path == "setup.sh")
    }

    #[test]
    fn commands_are_classified() {
        let script = read(
            "echo hello\nset +u && source /cvmfs/cms.cern.ch/cmsset_default.sh; set -u\nsource setup.sh\n\
             python -m pip install -e .  # comes first\nmkdir build\ncd build\ncmake .. \\\n  -DX=1\nsource build/setup.sh\n\
             ctest -j2\nexport LATE=1\n",
        );
        assert_eq!(
            script.setup,
            ["set +u", "source /cvmfs/cms.cern.ch/cmsset_default.sh", "set -u", "source setup.sh"]
        );
        assert_eq!(script.installs, ["python -m pip install -e ."]);
        assert_eq!(
            script.work,
            ["mkdir build", "cd build", "cmake .. -DX=1", "source build/setup.sh", "ctest -j2", "export LATE=1"]
        );
        assert!(script.has_test);
    }

    #[test]
    fn script_with_branches_is_not_split() {
        let text = "if [ -e x ]; then\n  pytest\nfi";
        let script = read(text);
        assert_eq!((script.work, script.has_test), (vec![text.to_owned()], true));
        assert_eq!(read("cat <<E\npip install x\nE").work.len(), 1);
    }

    #[test]
    fn test_runners_are_recognized() {
        for line in [
            "pytest -v",
            "python -m pytest tests",
            "python3 -m unittest",
            "cd build && ctest",
            "make -j4 test",
            "root -b -q 'tests/run.C(1)'",
            "./run-tests.sh --check",
            "python tests/test_fit.py",
            "bash tests/all.sh",
        ] {
            assert!(is_test(line), "{line}");
        }
        for line in ["pip install pytest", "make", "cmake --build .", "python run.py", "echo test", "which pytest"] {
            assert!(!is_test(line), "{line}");
        }
    }

    #[test]
    fn several_shells_are_joined() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert_eq!(joined(&[lines(&["pytest"])]), "pytest");
        assert_eq!(joined(&[lines(&["cd build", "ctest"])]), "set -e\ncd build\nctest");
        assert_eq!(joined(&[lines(&["make"]), lines(&["ctest"])]), "set -e\n(\nmake\n)\n(\nctest\n)");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC|\n){0,200}") {
            let script = read(&text);
            prop_assert!(script.work.iter().chain(&script.setup).all(|line| !line.trim().is_empty()) || text.trim().is_empty());
        }
    }
}
