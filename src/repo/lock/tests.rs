use super::{LISTED, NAMED, is_lock};

#[test]
fn names_are_sorted_for_the_search() {
    assert!(LISTED.is_sorted());
    assert!(NAMED.is_sorted_by_key(|(name, _)| *name));
}

#[test]
fn lock_files_are_known_by_name() {
    for path in ["requirements.txt", "env/requirements-dev.txt", "sub/uv.lock", "environment.yml", "requirements.lock"]
    {
        assert!(is_lock(path), "{path}");
    }
    for path in ["my-requirements.md", "uv.lock.bak", "data/lock"] {
        assert!(!is_lock(path), "{path}");
    }
}
