//! Paths relative to the top of the repository.

/// Returns the directory of a path; empty for the top.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Returns the last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Joins a directory and a relative path and resolves dots. `None` if the result is outside the repository.
pub(super) fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn join_resolves_dots() {
        assert_eq!(join("a/b", "../c.json").as_deref(), Some("a/c.json"));
        assert_eq!(join("", "./c").as_deref(), Some("c"));
        assert_eq!(join("", "../c"), None);
    }
}
