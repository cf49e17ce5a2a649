//! Pages are followed word by word: files are written as they stand, commands are typed, and what a page shows must come.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::text::{Block, Page, TOP};

/// Somebody's home with a clone of carnet, and where she stands.
struct Reader {
    home: TempDir,
    dir: PathBuf,
}

impl Reader {
    fn new() -> Self {
        let images =
            std::env::var_os("CARNET_IMAGES").map_or_else(|| Path::new(TOP).join("target/images"), PathBuf::from);
        for name in ["busybox", "bookworm-coffea", "bullseye-coffea07"] {
            let image = images.join(name);
            assert!(
                image.join("index.json").is_file(),
                "no image {}: make it as root with `bash examples/images/build.sh {name}`, or set CARNET_IMAGES",
                image.display()
            );
        }
        let home = tempfile::tempdir().expect("a temporary directory");
        let clone = home.path().join("carnet/target");
        fs::create_dir_all(&clone).expect("directories");
        symlink(&images, clone.join("images")).expect("a link");
        let dir = home.path().join("analysis");
        fs::create_dir(&dir).expect("a directory");
        Self { home, dir }
    }

    /// Unpacked images stay from one run to the next, results don't.
    fn cache() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs-cache")
    }

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
            assert!(matches!(code, Some(0 | 1)), "{page}:{line}: `{typed}` ended with {code:?}\n{out}{err}");
            if let Err(why) = compare(shown, &out) {
                panic!("{page}:{line}: `{typed}` shows something else: {why}\nit printed:\n{out}{err}");
            }
        }
        steps.len()
    }

    fn run(&mut self, typed: &str) -> (Option<i32>, String, String) {
        let after = self.home.path().join(".where");
        let script = format!("{typed}\ncode=$?\npwd > \"$HOME/.where\"\nexit $code");
        let bin = Path::new(env!("CARGO_BIN_EXE_carnet")).parent().expect("a directory").to_owned();
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
        self.dir = PathBuf::from(fs::read_to_string(after).expect("where it is").trim());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

/// Whether the output has the lines that are shown, in their order. Times, versions, digests and how much differs from
/// this machine may be others; `...` stands for any lines.
fn compare(shown: &[&str], out: &str) -> Result<(), String> {
    let is_whole = !shown.contains(&"...") && !shown.is_empty();
    let wanted: Vec<String> = shown.iter().filter(|line| **line != "...").map(|line| even(line)).collect();
    let wanted: Vec<&String> = wanted.iter().filter(|line| !line.is_empty()).collect();
    let actual: Vec<String> = out.lines().map(even).filter(|line| !line.is_empty()).collect();
    let mut rest = actual.iter();
    for line in &wanted {
        if !rest.any(|have| have == *line) {
            return Err(format!("no line `{line}`"));
        }
    }
    match is_whole && actual.len() != wanted.len() {
        true => Err(format!("{} lines came, {} are shown", actual.len(), wanted.len())),
        false => Ok(()),
    }
}

/// A line without what depends on the machine and the day.
fn even(line: &str) -> String {
    let line = match (line.rfind(" ("), line.find(" at ")) {
        (Some(at), _) if line.ends_with("relevant difference)") || line.ends_with("relevant differences)") => &line[..at],
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

fn the_tutorial_works_as_it_stands() {
    Reader::new().follow("tutorial.md");
}

fn how_to_pages_show_what_happens() {
    for page in ["facility", "gitlab-cern", "cmssw", "atlas", "coffea", "reana-binder"] {
        Reader::new().follow(&format!("how-to/{page}.md"));
    }
}

fn other_output_than_the_shown_one_is_seen() {
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

crate::support::harness::register!(
    [Image("busybox"), Image("bookworm-coffea"), Image("bullseye-coffea07")]:
    the_tutorial_works_as_it_stands,
    how_to_pages_show_what_happens,
    other_output_than_the_shown_one_is_seen,
);
