//! Asks an interpreter for what only it knows: its search path and its ABI.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::super::ProbeContext;
use super::super::bounded;

/// Time an interpreter is given: a hundred times what it takes, since a busy machine or a cold CVMFS stretches it.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// Time it is given to end once it has closed its output.
const CLOSING: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const MAX_ANSWER: u64 = 1 << 20;
/// Every line of the answer begins so; start-up files may print too.
const MARK: &str = "carnet\t";

/// Runs in Python 2.7 and 3. `_imp` is built in; `sysconfig` would double the start-up time.
const SCRIPT: &str = r#"
import sys, site
def say(key, value):
    line = 'carnet\t' + key + '\t' + str(value).replace('\n', ' ') + '\n'
    if sys.version_info[0] > 2:
        sys.stdout.buffer.write(line.encode('utf-8', 'replace'))
    else:
        sys.stdout.write(line)
say('implementation', getattr(getattr(sys, 'implementation', None), 'name', 'cpython'))
say('version', sys.version.split()[0].rstrip('+'))
try:
    import _imp as imp
    suffix = [s for s in imp.extension_suffixes() if s.count('.') > 1 and 'abi3' not in s]
    if suffix:
        say('abi', suffix[0][1:].rsplit('.', 1)[0])
except Exception:
    pass
say('prefix', sys.prefix)
say('base_prefix', getattr(sys, 'base_prefix', sys.prefix))
say('executable', sys.executable)
if getattr(site, 'ENABLE_USER_SITE', False):
    say('user_site', site.USER_SITE)
for entry in sys.path:
    say('path', entry)
say('end', '')
"#;

/// What an interpreter said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) implementation: String,
    pub(super) version: String,
    pub(super) abi: Option<String>,
    pub(super) prefix: String,
    pub(super) base_prefix: String,
    pub(super) executable: String,
    /// The user site directory, when it is enabled; it need not exist.
    pub(super) user_site: Option<String>,
    pub(super) path: Vec<String>,
}

/// Why an interpreter could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AskError {
    #[error("it did not start: {0}")]
    Start(String),
    #[error("it gave no answer in time")]
    Timeout,
    #[error("it ended with {0}")]
    Ended(String),
    #[error("its answer can't be read")]
    Answer,
    #[error("it was not asked: too many interpreters took too long")]
    TooMany,
}

/// Starts an interpreter in a process group of its own and reads its answer; the group is killed in any case.
pub(super) fn ask(place: &ProbeContext, executable: &str, limit: Duration) -> Result<Answer, AskError> {
    let mut child = Command::new(executable)
        .args(["-B", "-c", SCRIPT])
        .env_clear()
        .envs(&place.env)
        .env_remove("PYTHONINSPECT")
        .current_dir("/")
        .stdin(nothing())
        .stdout(Stdio::piped())
        .stderr(nothing())
        .process_group(0)
        .spawn()
        .map_err(|error| AskError::Start(error.kind().to_string()))?;
    drop((child.stdin.take(), child.stderr.take()));
    let Some(output) = child.stdout.take() else { return Err(AskError::Answer) };
    let answer = bounded::start(move || {
        let mut bytes = Vec::new();
        output.take(MAX_ANSWER).read_to_end(&mut bytes).map(|_| bytes)
    });
    let answer = answer.recv_timeout(limit);
    let status = end(&mut child, answer.is_ok());
    match answer {
        Ok(Ok(bytes)) => parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| match status {
            Some(status) if !status.success() => AskError::Ended(describe(status)),
            _ => AskError::Answer,
        }),
        Ok(Err(_)) => Err(AskError::Answer),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(AskError::Timeout),
    }
}

/// `/dev/null`, or where a bare tree has none, a pipe whose other end nobody holds.
fn nothing() -> Stdio {
    match OpenOptions::new().read(true).write(true).open("/dev/null") {
        Ok(file) => file.into(),
        Err(_) => Stdio::piped(),
    }
}

/// Waits for a child that closed its output, shortly, then kills its whole group.
fn end(child: &mut Child, finished: bool) -> Option<ExitStatus> {
    let wait = |child: &mut Child, limit: Duration| {
        let start = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if start.elapsed() < limit => thread::sleep(Duration::from_millis(1)),
                Ok(None) | Err(_) => return None,
            }
        }
    };
    let status = if finished { wait(child, CLOSING) } else { None };
    if let Ok(group) = i32::try_from(child.id()) {
        // The group outlives its leader for as long as anything that it started runs.
        let _ = Pid::from_raw(group).map(|group| kill_process_group(group, Signal::KILL));
    }
    status.or_else(|| wait(child, CLOSING))
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

/// The answer in an interpreter's output; none when it isn't complete.
fn parse(output: &str) -> Option<Answer> {
    let mut answer = Answer::default();
    let mut complete = false;
    for line in output.lines() {
        // What start-up files print without a newline stands before the mark.
        let Some((_, line)) = line.split_once(MARK) else { continue };
        let (key, value) = line.split_once('\t')?;
        let value = value.to_owned();
        match key {
            "implementation" => answer.implementation = value,
            "version" => answer.version = value,
            "abi" => answer.abi = Some(value),
            "prefix" => answer.prefix = value,
            "base_prefix" => answer.base_prefix = value,
            "executable" => answer.executable = value,
            "user_site" => answer.user_site = Some(value),
            // The empty entry is the script's own directory.
            "path" if !value.is_empty() => answer.path.push(value),
            "end" => complete = true,
            _ => {}
        }
    }
    (complete && !answer.version.is_empty() && answer.executable.starts_with('/')).then_some(answer)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use super::super::super::file_tree::FileTree;
    use super::*;

    fn place() -> ProbeContext {
        ProbeContext {
            root: Arc::new(FileTree::new(Path::new("/"))),
            live: true,
            env: BTreeMap::new(),
            path: Vec::new(),
        }
    }

    fn script(dir: &Path, text: &str) -> String {
        let (written, path) = (dir.join("text"), dir.join("python3"));
        std::fs::write(&written, text).expect("a file");
        // Written by another process: what this one has open for writing is open in every process that another test's thread is
        // just starting, and the kernel starts no such file.
        let done = Command::new("install").args(["-m", "755"]).args([&written, &path]).status();
        assert!(done.expect("install starts").success());
        path.display().to_string()
    }

    #[test]
    fn an_interpreter_that_hangs_is_killed_with_its_children() {
        let dir = tempfile::tempdir().expect("a directory");
        let mark = dir.path().join("alive");
        let python = script(dir.path(), &format!("#!/bin/sh\n(sleep 2; touch {}) &\nsleep 60\n", mark.display()));
        let start = Instant::now();
        assert_eq!(ask(&place(), &python, Duration::from_secs(1)), Err(AskError::Timeout));
        assert!(start.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_secs(2));
        assert!(!mark.exists());
    }

    #[test]
    fn an_interpreter_that_fails_says_how() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(
            ask(&place(), &script(dir.path(), "#!/bin/sh\nexit 3\n"), LIMIT),
            Err(AskError::Ended("exit code 3".to_owned()))
        );
        assert!(matches!(ask(&place(), "/nowhere/python3", LIMIT), Err(AskError::Start(_))));
    }

    #[test]
    fn an_answer_is_found_among_other_output() {
        let output = "hello carnet\tversion\t3.11.2\ncarnet\texecutable\t/usr/bin/python3\ncarnet\tpath\t\ncarnet\tpath\t/a\ncarnet\tend\t\n";
        let answer = parse(output).expect("complete");
        assert_eq!((answer.version.as_str(), answer.path.as_slice()), ("3.11.2", ["/a".to_owned()].as_slice()));
        assert_eq!(parse("carnet\tversion\t3.11.2\n"), None);
    }
}
