//! Site directories as added by the `site` module of Python: the directory, then the paths in its `.pth` files.

use std::path::Path;

use super::super::file_tree::{FileTree, Kind, absolute};

/// Maximum number of lines of a `.pth` file.
const MAX_LINES: usize = 10_000;

/// Returns a site directory and the existing directories in its `.pth` files, in the order of Python. Empty if the
/// directory does not exist.
pub(super) fn expand(root: &FileTree, directory: &str) -> Vec<String> {
    let Ok(entries) = root.list(directory) else { return Vec::new() };
    let mut out = vec![directory.to_owned()];
    // `site` skips hidden files and reads the rest sorted by name.
    let files = entries
        .iter()
        .filter(|entry| entry.kind != Kind::Directory && entry.name.ends_with(".pth") && !entry.name.starts_with('.'));
    for file in files {
        let text = root.text(format!("{directory}/{}", file.name)).unwrap_or_default();
        for entry in paths(&text) {
            let path = lexical(&Path::new(directory).join(entry));
            if root.exists(&path) && !out.contains(&path) {
                out.push(path);
            }
        }
    }
    out
}

/// Returns the paths in a `.pth` file; `import` lines are code and are skipped.
pub(super) fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take(MAX_LINES).map(str::trim_end).filter(|line| {
        !line.trim().is_empty()
            && !line.starts_with('#')
            && !line.starts_with("import ")
            && !line.starts_with("import\t")
    })
}

/// Resolves `..` in a path without following links, like `os.path.abspath`.
fn lexical(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in absolute(path).iter().skip(1) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part.to_string_lossy().into_owned());
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn directories_of_pth_files_follow_their_site_directory() {
        let dir = tempfile::tempdir().expect("a directory");
        let site = dir.path().join("site");
        fs::create_dir_all(dir.path().join("src/pkg")).expect("directories");
        fs::create_dir_all(&site).expect("directories");
        fs::write(site.join("b.pth"), "# note\nimport os; os.system('no')\n../src\n/missing\n").expect("a file");
        fs::write(site.join(".hidden.pth"), "../src/pkg\n").expect("a file");
        let root = FileTree::new(dir.path());
        assert_eq!(expand(&root, "/site"), ["/site", "/src"]);
        assert!(expand(&root, "/none").is_empty());
    }
}
