//! Commands on a page print the output that is shown. A test writes the files of the page, and runs its commands in order.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::engine::image;
use crate::support::{CARNET, lasting_dir};
use crate::text::{Block, Page, TOP};

/// A home with a clone of carnet, and the current directory.
struct Reader {
    home: TempDir,
    dir: PathBuf,
}

impl Reader {
    fn new() -> Self {
        let images = image("busybox").parent().expect("the directory of images").to_owned();
        let home = tempfile::tempdir().expect("a temporary directory");
        let target = home.path().join("carnet/target");
        fs::create_dir_all(&target).expect("directories");
        symlink(&images, target.join("images")).expect("a link");
        let dir = home.path().join("analysis");
        fs::create_dir(&dir).expect("a directory");
        Self { home, dir }
    }

    /// The cache, which keeps unpacked images for the next run.
    fn cache() -> PathBuf {
        lasting_dir("docs-cache")
    }

    /// Writes the files of a page of `docs` and runs its commands.
    fn follow(mut self, page: &str) {
        let path = Path::new(TOP).join("docs").join(page);
        let _ = fs::remove_dir_all(Self::cache().join("results"));
        let mut commands = 0;
        for block in Page::read(&path).blocks {
            let mut words = block.info.split(' ');
            match (words.next(), words.next()) {
                (Some("console"), None) => commands += self.console(page, &block),
                (Some(_), Some(file)) => self.write(file, &block),
                _ => {}
            }
        }
        assert!(commands > 0, "{page} shows no commands");
    }

    fn write(&self, file: &str, block: &Block) {
        let path = self.dir.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, block.lines.join("\n") + "\n").expect("a file");
    }

    /// Runs the commands of a block and compares their output. Returns the number of commands.
    fn console(&mut self, page: &str, block: &Block) -> usize {
        let mut steps: Vec<(usize, &str, Vec<&str>)> = Vec::new();
        for (offset, line) in block.lines.iter().enumerate() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(typed), _) => steps.push((block.line + 1 + offset, typed, Vec::new())),
                (None, Some((_, _, shown))) => shown.push(line),
                (None, None) => panic!("{page}:{}: output without a command", block.line),
            }
        }
        for (line, typed, shown) in &steps {
            let (code, out, err) = self.run(typed);
            assert!(matches!(code, Some(0 | 1)), "{page}:{line}: `{typed}` ended with exit code {code:?}\n{out}{err}");
            if let Err(why) = compare(shown, &out) {
                panic!("{page}:{line}: `{typed}` printed other output: {why}\n{out}{err}");
            }
        }
        steps.len()
    }

    fn run(&mut self, typed: &str) -> (Option<i32>, String, String) {
        let after = self.home.path().join(".where");
        let script = format!("{typed}\ncode=$?\npwd > \"$HOME/.where\"\nexit $code");
        let bin = Path::new(CARNET).parent().expect("a directory").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(bin).chain(std::env::split_paths(&path));
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(&self.dir)
            .env_clear()
            .env("PATH", std::env::join_paths(path).expect("a path"))
            .env("HOME", self.home.path())
            .env("CARNET_CACHE", Self::cache())
            .env("GIT_CEILING_DIRECTORIES", self.home.path())
            .output()
            .expect("bash starts");
        self.dir = PathBuf::from(fs::read_to_string(after).expect("the current directory").trim());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

/// Fails unless the output has the shown lines in the same order. `...` stands for any lines. Numbers, the commit and the number of
/// relevant differences depend on the machine, so they are ignored.
fn compare(shown: &[&str], out: &str) -> Result<(), String> {
    let is_whole = !shown.contains(&"...") && !shown.is_empty();
    let expected: Vec<String> = shown.iter().filter(|line| **line != "...").map(|line| normalized(line)).collect();
    let expected: Vec<&String> = expected.iter().filter(|line| !line.is_empty()).collect();
    let actual: Vec<String> = out.lines().map(normalized).filter(|line| !line.is_empty()).collect();
    let mut rest = actual.iter();
    for line in &expected {
        if !rest.any(|actual| actual == *line) {
            return Err(format!("no line `{line}`"));
        }
    }
    match is_whole && actual.len() != expected.len() {
        true => Err(format!("{} lines were printed, {} are shown", actual.len(), expected.len())),
        false => Ok(()),
    }
}

/// A line without the parts that depend on the machine and the day.
fn normalized(line: &str) -> String {
    let line = match (line.rfind(" ("), line.find(" at ")) {
        (Some(at), _) if line.ends_with("relevant difference)") || line.ends_with("relevant differences)") => {
            &line[..at]
        }
        // `peak at e4a3791cad81, with changes`
        (_, Some(at)) if !line.starts_with(' ') && !line.contains('`') && !line.contains("fails at") => &line[..at],
        _ => line,
    };
    let mut made = String::new();
    let mut is_number = false;
    for c in line.chars() {
        let is_part = c.is_ascii_digit() || is_number && c == '.';
        if !is_part {
            made.push(c);
        } else if !is_number {
            made.push('#');
        }
        is_number = is_part;
    }
    made.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tutorial_shows_real_output() {
    Reader::new().follow("tutorial.md");
}

fn how_to_pages_show_real_output() {
    for page in ["facility", "gitlab-cern", "cmssw", "atlas", "coffea", "reana-binder"] {
        Reader::new().follow(&format!("how-to/{page}.md"));
    }
}

/// The README shows a scan in a clone of this repository.
fn readme_shows_real_scan() {
    let page = Page::read(&Path::new(TOP).join("README.md"));
    let mut reader = Reader::new();
    reader.dir = PathBuf::from(TOP);
    let is_scan = |block: &&Block| block.info == "console" && block.lines[0].starts_with("$ carnet scan ");
    let block = page.blocks.iter().find(is_scan).expect("the README shows a scan");
    assert_eq!(reader.console("README.md", block), 1);
}

fn different_output_is_found() {
    assert_eq!(
        compare(&["  laptop  ✓ 3 passed  0.61 s  python 3.11.7"], " laptop ✓ 2 passed 1.2 s python 3.13.5\n"),
        Ok(())
    );
    assert!(compare(&["✓ passed"], "✗ failed\n").is_err());
    assert!(compare(&["a"], "a\nb\n").is_err());
    assert_eq!(compare(&["a", "...", "c"], "a\nb\nc\nd\n"), Ok(()));
    assert!(compare(&["c", "...", "a"], "a\nb\nc\n").is_err());
    assert_eq!(
        compare(
            &["peak", "  old  ✗ 1 failed  1 s  (2 relevant differences)"],
            "peak at e4a379, with changes\n old ✗ 1 failed 1 s\n"
        ),
        Ok(())
    );
}

crate::support::harness::register!([]: different_output_is_found);

crate::support::harness::register!(
    [Image("busybox"), Image("bookworm-coffea"), Image("bullseye-coffea07")]:
    tutorial_shows_real_output,
    how_to_pages_show_real_output,
    readme_shows_real_scan,
);
