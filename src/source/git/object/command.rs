//! Objects read with the `git` command.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::{Blob, Content, Entries};
use crate::source::git::command::Git;
use crate::source::git::error::GitError;

/// A repository read with the `git` command.
pub(in crate::source) struct CommandObjects {
    git: Git,
    reader: RefCell<Option<BatchReader>>,
}

impl CommandObjects {
    /// Opens the repository that contains `top`.
    ///
    /// # Errors
    /// If git finds no repository.
    pub(super) fn open(top: &Path) -> Result<Self, GitError> {
        let git = Git::at(top);
        git.line(&["rev-parse", "--git-dir"])?;
        Ok(Self { git, reader: RefCell::new(None) })
    }

    pub(super) fn workdir(&self) -> Option<PathBuf> {
        self.git.line(&["rev-parse", "--show-toplevel"]).ok().map(PathBuf::from)
    }

    pub(super) fn commit(&self, name: &str) -> Result<String, GitError> {
        self.git.commit(name)
    }

    pub(super) fn merge_base(&self, commit: &str, other: &str) -> Option<String> {
        self.git.merge_base(commit, &[other])
    }

    pub(super) fn entries(&self, commit: &str, prefix: &str) -> Result<Entries, GitError> {
        let tree = format!("{commit}:{prefix}");
        if self.git.line(&["rev-parse", "--verify", "--quiet", &tree]).is_err() {
            return Ok(Entries::default());
        }
        // Without `--full-tree`, git lists only paths below the current directory.
        let output = self.git.run(&["ls-tree", "-r", "-z", "--full-tree", &tree])?;
        let mut entries = Entries::default();
        for line in output.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            match std::str::from_utf8(line) {
                Ok(line) => entries.blobs.extend(parse_entry(line)),
                Err(_) => entries.is_partial = true,
            }
        }
        Ok(entries)
    }

    pub(super) fn content(&self, id: &str, max_bytes: u64) -> Result<Content, GitError> {
        let mut slot = self.reader.borrow_mut();
        let content = match &mut *slot {
            Some(reader) => reader.content(id, max_bytes),
            None => BatchReader::start(&self.git).and_then(|reader| slot.insert(reader).content(id, max_bytes)),
        };
        if content.is_err() {
            // The position in its output is unknown.
            *slot = None;
        }
        content.map_err(GitError::Object)
    }
}

/// A running `git cat-file --batch`.
struct BatchReader {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for BatchReader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl BatchReader {
    fn start(git: &Git) -> io::Result<Self> {
        let mut command = git.command(&["cat-file", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { child, input, output: BufReader::new(output) }),
            _ => Err(io::Error::other("missing pipes")),
        }
    }

    /// Reads one object. The output is `ID TYPE SIZE`, the content and a line break (git-cat-file(1), "BATCH OUTPUT").
    fn content(&mut self, id: &str, max_bytes: u64) -> io::Result<Content> {
        writeln!(self.input, "{id}")?;
        let mut line = String::new();
        (&mut self.output).take(1000).read_line(&mut line)?;
        let size = line.split_whitespace().nth(2).and_then(|size| size.parse::<u64>().ok());
        let size = size.ok_or_else(|| io::Error::other(line.trim().to_owned()))?;
        let with_line_break = size.saturating_add(1);
        if size > max_bytes {
            io::copy(&mut (&mut self.output).take(with_line_break), &mut io::sink())?;
            return Ok(Content::TooLarge(size));
        }
        let mut bytes = Vec::new();
        (&mut self.output).take(with_line_break).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != with_line_break {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.pop();
        Ok(Content::Whole(bytes))
    }
}

/// Parses `MODE TYPE ID<tab>PATH`, a line of `git ls-tree -z`.
fn parse_entry(line: &str) -> Option<(String, Blob)> {
    let (metadata, path) = line.split_once('\t')?;
    let mut words = metadata.split(' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    Some((path.to_owned(), Blob { mode, id: words.nth(1)?.to_owned() }))
}
