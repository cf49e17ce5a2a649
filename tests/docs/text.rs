//! Markdown files as prose and code blocks.

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The text after the opening fence: `console`, `python peak.py`.
    pub(crate) info: String,
    /// Its lines.
    pub(crate) lines: Vec<String>,
    /// Line number of the opening fence, from 1.
    pub(crate) line: usize,
}

/// A Markdown file.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Lines outside of blocks, with their numbers.
    pub(crate) prose: Vec<(usize, String)>,
    /// Blocks in order.
    pub(crate) blocks: Vec<Block>,
}

impl Page {
    pub(crate) fn of(text: &str) -> Self {
        let mut page = Self::default();
        let mut open: Option<(String, Block)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let bare = line.trim_start();
            let fence: String = bare.chars().take_while(|c| *c == '`').collect();
            match &mut open {
                Some((closing, block)) => {
                    if bare.trim_end() == closing {
                        page.blocks.push(block.clone());
                        open = None;
                    } else {
                        block.lines.push(line.to_owned());
                    }
                }
                None if fence.len() >= 3 => {
                    let info = bare[fence.len()..].trim().to_owned();
                    open = Some((fence, Block { info, lines: Vec::new(), line: number }));
                }
                None => page.prose.push((number, line.to_owned())),
            }
        }
        assert!(open.is_none(), "a block has no end");
        page
    }

    pub(crate) fn read(path: &Path) -> Self {
        Self::of(&fs::read_to_string(path).expect("a Markdown file"))
    }
}

/// Every Markdown file of the repository, relative to its top.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut queue = vec![PathBuf::new()];
    while let Some(dir) = queue.pop() {
        for entry in fs::read_dir(Path::new(TOP).join(&dir)).expect("a directory") {
            let entry = entry.expect("an entry");
            let path = dir.join(entry.file_name());
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() && !matches!(name.as_str(), "target" | ".git" | "node_modules" | "carnet-out") {
                queue.push(path);
            } else if kind.is_file() && name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "only {} Markdown files were found", found.len());
    found
}

/// Code spans of a line.
pub(crate) fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

fn blocks_and_prose_are_separated() {
    let page = Page::of("a `b c` d `e`\n```sh x.sh\nls\n```\nf\n");
    assert_eq!(spans(&page.prose[0].1), ["b c", "e"]);
    assert_eq!(page.blocks, [Block { info: "sh x.sh".to_owned(), lines: vec!["ls".to_owned()], line: 2 }]);
    assert_eq!(page.prose[1], (5, "f".to_owned()));
}

crate::support::harness::register!(
    []:
    blocks_and_prose_are_separated,
);
