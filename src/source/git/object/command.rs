//! Objects read by git's own command.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::{Blob, Content, Entries};

/// Bytes that an answer of git may have.
const LARGEST_ANSWER: u64 = 256 << 20;
/// Variables that name places; where they are relative, they are meant from where this process stands.
const PLACES: [&str; 3] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"];

/// The command `git` in a directory.
pub struct Git {
    dir: PathBuf,
    reader: RefCell<Option<Reader>>,
}

/// A `git cat-file --batch` that waits for names of objects.
struct Reader {
    child: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Nothing is lost with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Git {
    /// Git as it sees things from this directory, or from the nearest one above that is there.
    pub fn at(dir: &Path) -> Self {
        let there = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
        Self { dir: there.to_owned(), reader: RefCell::new(None) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.dir).stdin(Stdio::null()).stderr(Stdio::piped());
        // Nothing is fetched that a partial clone lacks, nothing is asked of anybody, and messages are those known here.
        command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        // What `git replace` shows in place of an object is not what is pushed.
        command.env("GIT_NO_REPLACE_OBJECTS", "1");
        for name in PLACES {
            if let Some(value) = std::env::var_os(name)
                && let Ok(absolute) = std::path::absolute(value)
            {
                command.env(name, absolute);
            }
        }
        command
    }

    /// What git answers.
    ///
    /// # Errors
    /// With what git says, when it fails, isn't there, or answers without end.
    pub fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let gone = |error: io::Error| format!("git can't be started: {error}");
        let mut child = self.command(arguments).stdout(Stdio::piped()).spawn().map_err(gone)?;
        // Both are read at once: git waits where nobody reads.
        let stderr = child.stderr.take();
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.map(|stderr| stderr.take(1 << 16).read_to_end(&mut said));
            said
        });
        let mut bytes = Vec::new();
        if let Some(out) = child.stdout.take() {
            out.take(LARGEST_ANSWER + 1).read_to_end(&mut bytes).map_err(gone)?;
        }
        if bytes.len() as u64 > LARGEST_ANSWER {
            // Whatever becomes of it, its answer is of no use.
            let _ = child.kill().and_then(|()| child.wait().map(drop));
            return Err(format!("git {} answers more than {LARGEST_ANSWER} bytes", arguments.join(" ")));
        }
        if child.wait().map_err(gone)?.success() {
            return Ok(bytes);
        }
        let said = said.join().unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it fails without a word");
        Err(last.trim_start_matches("fatal: ").chars().take(300).collect())
    }

    /// The only line that git answers.
    ///
    /// # Errors
    /// As [`Self::run`], and when there is no line or it is no UTF-8.
    pub fn line(&self, arguments: &[&str]) -> Result<String, String> {
        let bytes = self.run(arguments)?;
        let text = String::from_utf8(bytes).map_err(|_| "git answers something that is no text".to_owned())?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        if line.is_empty() { Err("git answers nothing".to_owned()) } else { Ok(line.to_owned()) }
    }

    /// The id of the commit that a name means; tags are followed.
    ///
    /// # Errors
    /// When there is none.
    pub fn commit(&self, name: &str) -> Result<String, String> {
        let wanted = format!("{name}^{{commit}}");
        let id = self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]);
        // Before 2.30 the option came back as a line of its own.
        let id = id.map(|text| text.lines().next_back().unwrap_or_default().to_owned());
        id.map_err(|_| format!("no commit `{name}` is there"))
    }

    /// The best common ancestor of a commit and of others.
    pub fn merge_base(&self, commit: &str, others: &[&str]) -> Option<String> {
        let id = self.line(&[&["merge-base", commit], others].concat()).ok()?;
        id.lines().next().map(str::to_owned)
    }

    /// All best common ancestors of a commit and of others: none of them comes before another.
    pub fn merge_bases(&self, commit: &str, others: &[&str]) -> Vec<String> {
        let ids = self.line(&[&["merge-base", "--all", commit], others].concat()).unwrap_or_default();
        ids.lines().map(str::to_owned).collect()
    }

    /// What a commit has below a directory.
    pub(super) fn entries(&self, commit: &str, prefix: &str) -> Result<Entries, String> {
        let tree = format!("{commit}:{prefix}");
        if self.line(&["rev-parse", "--verify", "--quiet", &tree]).is_err() {
            return Ok(Entries::default());
        }
        // --full-tree: else paths are those below where git stands.
        let listed = self.run(&["ls-tree", "-r", "-z", "--full-tree", &tree])?;
        let mut entries = Entries::default();
        for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            match std::str::from_utf8(line) {
                Ok(line) => entries.blobs.extend(entry(line)),
                Err(_) => entries.is_partial = true,
            }
        }
        Ok(entries)
    }

    /// The content of a blob.
    pub(super) fn content(&self, id: &str, cap: u64) -> Result<Content, String> {
        let mut slot = self.reader.borrow_mut();
        let answer = match &mut *slot {
            Some(reader) => reader.content(id, cap),
            None => self.reader().and_then(|reader| slot.insert(reader).content(id, cap)),
        };
        if answer.is_err() {
            // Nobody knows what it would answer next.
            *slot = None;
        }
        answer.map_err(|error| format!("git cat-file: {error}"))
    }

    fn reader(&self) -> io::Result<Reader> {
        let mut command = self.command(&["cat-file", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(ask), Some(answer)) => Ok(Reader { child, ask, answer: BufReader::new(answer) }),
            _ => Err(io::Error::other("it has no pipes")),
        }
    }
}

impl Reader {
    /// Asks for one object: the answer is `ID TYPE SIZE`, its content and a line end (git-cat-file(1), "BATCH OUTPUT").
    fn content(&mut self, id: &str, cap: u64) -> io::Result<Content> {
        writeln!(self.ask, "{id}")?;
        let mut line = String::new();
        (&mut self.answer).take(1000).read_line(&mut line)?;
        let size = line.split_whitespace().nth(2).and_then(|size| size.parse::<u64>().ok());
        let size = size.ok_or_else(|| io::Error::other(line.trim().to_owned()))?;
        let whole = size.saturating_add(1);
        if size > cap {
            io::copy(&mut (&mut self.answer).take(whole), &mut io::sink())?;
            return Ok(Content::TooLarge(size));
        }
        let mut bytes = Vec::new();
        (&mut self.answer).take(whole).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.pop();
        Ok(Content::Whole(bytes))
    }
}

/// `MODE TYPE ID<tab>PATH`, as `git ls-tree -z` has it.
fn entry(line: &str) -> Option<(String, Blob)> {
    let (about, path) = line.split_once('\t')?;
    let mut words = about.split(' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    Some((path.to_owned(), Blob { mode, id: words.nth(1)?.to_owned() }))
}
