//! Commands of CI jobs: which of them set an environment up, install, test, or only talk.

use super::test_file::is_test_script;
use crate::source::lang::shell::words;

/// Most bytes of a job's commands that are read.
const MOST: usize = 64 << 10;

/// What the commands of a job do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// Lines that set variables and source files, before anything else is done.
    pub(super) setup: Vec<String>,
    /// Lines that install something.
    pub(super) installs: Vec<String>,
    /// Everything else that does something, in order.
    pub(super) work: Vec<String>,
    /// Whether a test runner is among them.
    pub(super) has_test: bool,
}

/// Kinds of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Setup,
    Install,
    Talk,
    Work,
}

impl Script {
    /// Reads commands that one shell runs; `has` knows the files of the repository.
    pub(super) fn read(text: &str, has: &dyn Fn(&str) -> bool) -> Self {
        let mut script = Self::default();
        let text = head(text);
        let Some(lines) = statements(text) else {
            // With branches and loops in it, only the whole of it means something.
            script.work.push(text.trim_end().to_owned());
            script.has_test = text.lines().any(is_test);
            return script;
        };
        let mut has_begun = false;
        for line in lines {
            match kind(&line, has) {
                // What lies on CVMFS is there whatever was done before.
                Kind::Setup if !has_begun || sources_cvmfs(&line) => push(&mut script.setup, line),
                Kind::Install if !has_begun => push(&mut script.installs, line),
                Kind::Talk => {}
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

/// One command that does what several shells did, one after the other.
pub(super) fn joined(steps: &[Vec<String>]) -> String {
    match steps {
        [] => String::new(),
        [one] => match one.as_slice() {
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
    let mut end = text.len().min(MOST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The commands of a text, one by one. None when they can't be told apart by lines.
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
        found.extend(parts(line).into_iter().map(evened));
    }
    Some(found)
}

/// White space as one blank each, where it is outside of quotes.
fn evened(line: &str) -> String {
    if line.contains(['"', '\'']) { line.to_owned() } else { line.split_whitespace().collect::<Vec<_>>().join(" ") }
}

/// The line up to a comment. None when a quote stays open: the command goes on.
fn without_comment(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return Some(line[..at].trim_end()),
            (None, '"' | '\'') if before != '\\' => quote = Some(c),
            (Some(open), _) if open == c && (c == '\'' || before != '\\') => quote = None,
            _ => {}
        }
        before = c;
    }
    quote.is_none().then_some(line)
}

/// Commands between `&&` and `;` of one line; others than plain ones stay together.
fn parts(line: &str) -> Vec<&str> {
    if line.replace("${", "").contains(['"', '\'', '(', '`', '|', '{']) {
        return vec![line];
    }
    line.split("&&").flat_map(|part| part.split(';')).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The first words of a command, without what only wraps it.
fn bare(line: &str) -> &str {
    let mut line = line.trim_start();
    while let Some(rest) = ["sudo ", "time ", "exec ", "travis_wait ", "-E "].iter().find_map(|w| line.strip_prefix(w))
    {
        line = rest.trim_start();
    }
    line
}

fn kind(line: &str, has: &dyn Fn(&str) -> bool) -> Kind {
    let line = bare(line);
    let mut parts = line.split_whitespace();
    let (first, second) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    match first {
        "source" | "." => return if is_there(second, has) { Kind::Setup } else { Kind::Work },
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
    if !writes && is_talk(first, second, line) { Kind::Talk } else { Kind::Work }
}

fn sources_cvmfs(line: &str) -> bool {
    ["source /cvmfs/", ". /cvmfs/"].iter().any(|start| line.starts_with(start))
}

/// Whether a sourced file is there before the job makes anything.
fn is_there(path: &str, has: &dyn Fn(&str) -> bool) -> bool {
    let path = path.trim_matches(['"', '\'']);
    // A variable that a path begins with is set by the image or by the CI file: nothing else was done yet.
    let is_named = path.starts_with('$') && !path.starts_with("$(");
    path.starts_with(['/', '~']) || is_named || has(path.trim_start_matches("./"))
}

/// Whether a command gets something from elsewhere.
pub(super) fn installs(line: &str) -> bool {
    let mut parts = bare(line).split_whitespace();
    let mut next = || parts.next().unwrap_or("");
    let (first, second, third) = (next(), next(), next());
    if matches!((first, second), ("conda" | "mamba" | "micromamba", "run")) {
        return installs(&parts.collect::<Vec<_>>().join(" "));
    }
    is_install(first, second, third, line)
}

fn is_install(first: &str, second: &str, third: &str, line: &str) -> bool {
    let gets = |word: &str| matches!(word, "install" | "sync" | "update" | "upgrade" | "create" | "env" | "makecache");
    match first {
        "apt" | "apt-get" | "dnf" | "yum" | "microdnf" | "apk" | "zypper" | "brew" | "npm" | "gem" => true,
        "pip" | "pip3" | "conda" | "mamba" | "micromamba" | "poetry" | "pdm" | "pixi" | "spack" | "cpm" => {
            gets(second) || second == "config"
        }
        "uv" => matches!(second, "sync" | "venv") || second == "pip" && gets(third),
        "python" | "python3" => line.contains("-m pip install") || line.contains("setup.py install"),
        "git" => matches!(second, "clone" | "submodule"),
        "curl" | "wget" => true,
        _ => false,
    }
}

fn is_talk(first: &str, second: &str, line: &str) -> bool {
    let asks = match first {
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
        || asks && !matches!(first, "make" | "bash" | "sh")
        || line.contains("pip list")
        || line.contains("pip freeze")
        || first == "git" && matches!(second, "status" | "log" | "config" | "branch" | "describe")
        || line.ends_with("--version")
}

/// Whether a line starts something that tests.
pub(super) fn is_test(line: &str) -> bool {
    let found = words(line);
    let texts: Vec<&str> = found.iter().map(|word| word.text.as_str()).collect();
    texts.iter().enumerate().any(|(at, word)| {
        let next = texts.get(at + 1).copied().unwrap_or("");
        let name = word.rsplit('/').next().unwrap_or(word).trim_matches([';', '(', ')', '`']);
        let is_first = at == 0 || matches!(texts[at - 1], "&&" | ";" | "||" | "sudo" | "time" | "exec" | "do" | "then");
        match name {
            "pytest" | "py.test" | "ctest" | "nosetests" | "tox" | "nox" | "cmsRun" | "papermill" => {
                !matches!(texts.get(at.wrapping_sub(1)).copied(), Some("install" | "which"))
                    && !texts.contains(&"install")
            }
            "unittest" => at > 0 && texts[at - 1] == "-m",
            "make" | "ninja" | "gmake" | "just" => {
                texts[at + 1..].iter().any(|w| matches!(*w, "test" | "tests" | "check"))
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
    fn commands_are_told_apart_by_what_they_do() {
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
    fn branches_stay_whole() {
        let text = "if [ -e x ]; then\n  pytest\nfi";
        let script = read(text);
        assert_eq!((script.work, script.has_test), (vec![text.to_owned()], true));
        assert_eq!(read("cat <<E\npip install x\nE").work.len(), 1);
    }

    #[test]
    fn test_runners_are_known() {
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
    fn several_shells_become_one_command() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert_eq!(joined(&[lines(&["pytest"])]), "pytest");
        assert_eq!(joined(&[lines(&["cd build", "ctest"])]), "set -e\ncd build\nctest");
        assert_eq!(joined(&[lines(&["make"]), lines(&["ctest"])]), "set -e\n(\nmake\n)\n(\nctest\n)");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(\\PC|\n){0,200}") {
            let script = read(&text);
            prop_assert!(script.work.iter().chain(&script.setup).all(|line| !line.trim().is_empty()) || text.trim().is_empty());
        }
    }
}
