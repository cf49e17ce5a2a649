//! Queries an interpreter for its search path and its ABI.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::super::ProbeContext;
use crate::sys::bounded;

/// Time limit of an interpreter. It is a hundred times the usual time, for busy machines and a cold CVMFS cache.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for an interpreter to exit after it closed its output.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum size of an answer in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// Prefix of every line of the answer, because start-up files may print too.
const MARK: &str = "carnet\t";

/// Compatible with Python 2.7 and 3. `_imp` is built in; `sysconfig` would double the start-up time.
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

/// The answer of an interpreter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) implementation: String,
    pub(super) version: String,
    pub(super) abi: Option<String>,
    pub(super) prefix: String,
    pub(super) base_prefix: String,
    pub(super) executable: String,
    /// The user site directory, if it is enabled; it may not exist.
    pub(super) user_site: Option<String>,
    pub(super) path: Vec<String>,
}

/// An interpreter could not be queried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    #[error("interpreter did not start: {0}")]
    Start(String),
    #[error("interpreter timed out")]
    Timeout,
    #[error("interpreter {0}")]
    Ended(String),
    #[error("invalid output from the interpreter")]
    Answer,
    #[error("interpreter not queried: time limit for querying interpreters exceeded")]
    Skipped,
}

/// Starts an interpreter in a separate process group and reads its answer; the group is always killed.
pub(super) fn query(context: &ProbeContext, executable: &str, limit: Duration) -> Result<Answer, QueryError> {
    let mut child = Command::new(executable)
        .args(["-B", "-c", SCRIPT])
        .env_clear()
        .envs(&context.env)
        .env_remove("PYTHONINSPECT")
        .current_dir("/")
        .stdin(null_device())
        .stdout(Stdio::piped())
        .stderr(null_device())
        .process_group(0)
        .spawn()
        .map_err(|error| QueryError::Start(error.kind().to_string()))?;
    drop((child.stdin.take(), child.stderr.take()));
    let Some(output) = child.stdout.take() else { return Err(QueryError::Answer) };
    let answer = bounded::start(move || {
        let mut bytes = Vec::new();
        output.take(MAX_ANSWER).read_to_end(&mut bytes).map(|_| bytes)
    });
    let answer = answer.recv_timeout(limit);
    let status = wait_and_kill_group(&mut child, answer.is_ok());
    match answer {
        Ok(Ok(bytes)) => parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| match status {
            Some(status) if !status.success() => QueryError::Ended(describe(status)),
            _ => QueryError::Answer,
        }),
        Ok(Err(_)) => Err(QueryError::Answer),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(QueryError::Timeout),
    }
}

/// Returns `/dev/null`, or a closed pipe if it does not exist.
fn null_device() -> Stdio {
    match OpenOptions::new().read(true).write(true).open("/dev/null") {
        Ok(file) => file.into(),
        Err(_) => Stdio::piped(),
    }
}

/// Waits briefly for a child that closed its output, then kills its process group.
fn wait_and_kill_group(child: &mut Child, finished: bool) -> Option<ExitStatus> {
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
    let status = if finished { wait(child, EXIT_TIMEOUT) } else { None };
    if let Ok(group) = i32::try_from(child.id()) {
        // The group exists as long as any process of the group runs.
        let _ = Pid::from_raw(group).map(|group| kill_process_group(group, Signal::KILL));
    }
    status.or_else(|| wait(child, EXIT_TIMEOUT))
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended with an unknown status".to_owned(),
    }
}

/// Parses the answer in the output of an interpreter. `None` if it is incomplete.
fn parse(output: &str) -> Option<Answer> {
    let mut answer = Answer::default();
    let mut complete = false;
    for line in output.lines() {
        // Output of start-up files without a newline precedes the mark.
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
            // The empty entry is the directory of the script.
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

    fn context() -> ProbeContext {
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
        // Written by another process: a file open for writing in this process is inherited by processes that other
        // tests start, and the kernel does not execute such a file.
        let done = Command::new("install").args(["-m", "755"]).args([&written, &path]).status();
        assert!(done.expect("install starts").success());
        path.display().to_string()
    }

    #[test]
    fn hanging_interpreter_is_killed_with_its_children() {
        let dir = tempfile::tempdir().expect("a directory");
        let mark = dir.path().join("alive");
        let python = script(dir.path(), &format!("#!/bin/sh\n(sleep 2; touch {}) &\nsleep 60\n", mark.display()));
        let start = Instant::now();
        assert_eq!(query(&context(), &python, Duration::from_secs(1)), Err(QueryError::Timeout));
        assert!(start.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_secs(2));
        assert!(!mark.exists());
    }

    #[test]
    fn failing_interpreter_reports_its_exit_code() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(
            query(&context(), &script(dir.path(), "#!/bin/sh\nexit 3\n"), QUERY_TIMEOUT),
            Err(QueryError::Ended("exited with code 3".to_owned()))
        );
        assert!(matches!(query(&context(), "/nowhere/python3", QUERY_TIMEOUT), Err(QueryError::Start(_))));
    }

    #[test]
    fn answer_is_found_in_other_output() {
        let output = "hello carnet\tversion\t3.11.2\ncarnet\texecutable\t/usr/bin/python3\ncarnet\tpath\t\ncarnet\tpath\t/a\ncarnet\tend\t\n";
        let answer = parse(output).expect("complete");
        assert_eq!((answer.version.as_str(), answer.path.as_slice()), ("3.11.2", ["/a".to_owned()].as_slice()));
        assert_eq!(parse("carnet\tversion\t3.11.2\n"), None);
    }
}
