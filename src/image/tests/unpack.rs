use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use proptest::prelude::*;
use tar::EntryType;

use crate::image::disk::OnDisk;
use crate::image::error::ImageError;
use crate::image::fixture::{Layout, Tar};
use crate::image::unpack::{is_damaged, remove_partial_trees, unpack, unpack_into};
use crate::sys::cache::Cache;
use crate::sys::lock::Lock;
use crate::sys::remove::remove_tree;

/// Unpacks layers and returns every path with its content: text of a file, target of a link, `/` for a directory.
fn tree(layers: Vec<Tar>) -> BTreeMap<String, String> {
    let layout = Layout::of(layers.into_iter().map(Tar::bytes).collect());
    let dir = tempfile::tempdir().unwrap();
    let rootfs = dir.path().join("rootfs");
    unpack_into(&OnDisk::open(&layout.reference(None)).unwrap(), &rootfs, &|| false).unwrap();
    let found = list(&rootfs, &rootfs);
    remove_tree(&rootfs).unwrap();
    found
}

fn list(root: &Path, dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_symlink() {
            found.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
        } else if kind.is_dir() {
            found.extend(list(root, &path));
            found.insert(name, "/".to_owned());
        } else {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn entry_error(layer: Tar) -> String {
    let layout = Layout::of(vec![layer.bytes()]);
    let cache = tempfile::tempdir().unwrap();
    let error = unpack(&OnDisk::open(&layout.reference(None)).unwrap(), &Cache::at(cache.path().to_owned()), &|| false)
        .unwrap_err();
    assert!(matches!(error, ImageError::Entry { .. }), "{error}");
    let remaining: Vec<_> = fs::read_dir(cache.path().join("trees")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(remaining.iter().all(|name| name.to_str().unwrap().ends_with(".lock")), "{remaining:?}");
    error.to_string()
}

#[test]
fn upper_layers_override_lower_layers() {
    let lower = Tar::new().dir("a/", 0o755).file("a/x", "lower").file("a/y", "lower").file("b", "file").dir("c", 0o755);
    let upper = Tar::new().file("./a/x", "upper").dir("b", 0o755).file("b/in", "new").link("c", "a").file("/abs", "1");
    let expected =
        [("a", "/"), ("a/x", "upper"), ("a/y", "lower"), ("b", "/"), ("b/in", "new"), ("c", "-> a"), ("abs", "1")];
    assert_eq!(tree(vec![lower, upper]), map(expected));
}

#[test]
fn whiteouts_only_hide_entries_of_lower_layers() {
    let lower = Tar::new().file("a/x", "lower").file("a/deep/y", "lower").file("b", "lower").file("d/e", "lower");
    let upper = Tar::new()
        .file("a/.wh.x", "")
        .file("a/.wh.deep", "")
        .file("a/.wh.none", "")
        .file("b", "upper")
        .file(".wh.b", "")
        .file(".wh.d", "")
        .file(".wh..wh.plnk", "");
    assert_eq!(tree(vec![lower, upper]), map([("a", "/"), ("b", "upper")]));
}

#[test]
fn opaque_directory_hides_lower_layers_regardless_of_the_marker_position() {
    for last in [false, true] {
        let lower =
            Tar::new().file("a/x", "lower").file("a/deep/y", "lower").file("a/same/z", "lower").file("b", "lower");
        let mark = |tar: Tar, here: bool| if here { tar.file("a/.wh..wh..opq", "") } else { tar };
        let upper = mark(Tar::new().dir("a", 0o755), !last).file("a/same/new", "upper").file("a/own", "upper");
        let upper = mark(upper, last);
        let expected = [("a", "/"), ("a/same", "/"), ("a/same/new", "upper"), ("a/own", "upper"), ("b", "lower")];
        assert_eq!(tree(vec![lower, upper]), map(expected), "mark last: {last}");
    }
}

#[test]
fn hard_links_share_their_file_across_layers() {
    let layout = Layout::of(vec![
        Tar::new().file("usr/lib/a", "shared").link("lib", "usr/lib").bytes(),
        Tar::new().hard("b", "/lib/a").hard("usr/lib/c", "b").hard("b", "b").bytes(),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let rootfs = dir.path().join("rootfs");
    unpack_into(&OnDisk::open(&layout.reference(None)).unwrap(), &rootfs, &|| false).unwrap();
    let inode = |name: &str| fs::metadata(rootfs.join(name)).unwrap().ino();
    assert_eq!(inode("b"), inode("usr/lib/a"));
    assert_eq!(inode("b"), inode("usr/lib/c"));
}

#[test]
fn entries_below_a_link_are_written_to_its_target() {
    let layers = vec![Tar::new().file("usr/lib/a", "1").link("lib", "/usr/lib"), Tar::new().file("lib/b", "2")];
    let expected = [("usr", "/"), ("usr/lib", "/"), ("usr/lib/a", "1"), ("usr/lib/b", "2"), ("lib", "-> /usr/lib")];
    assert_eq!(tree(layers), map(expected));
}

#[test]
fn modes_and_times_are_preserved() {
    let layout = Layout::of(vec![
        Tar::new()
            .raw(EntryType::Regular, b"suid", b"", 0o4755, b"x")
            .raw(EntryType::Regular, b"closed", b"", 0o000, b"x")
            .dir("sticky", 0o1777)
            .file("sticky/later", "x")
            .dir("shut", 0o500)
            .file("shut/in", "x")
            .raw(EntryType::Char, b"device", b"", 0o666, b"")
            .raw(EntryType::Fifo, b"pipe", b"", 0o666, b"")
            .bytes(),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().to_owned());
    let image = OnDisk::open(&layout.reference(None)).unwrap();
    let rootfs = unpack(&image, &cache, &|| false).unwrap();
    let meta = |name: &str| fs::symlink_metadata(rootfs.join(name)).unwrap();
    assert_eq!(meta("suid").mode() & 0o7777, 0o4755);
    assert_eq!(meta("closed").mode() & 0o7777, 0);
    assert_eq!(meta("sticky").mode() & 0o7777, 0o1777);
    assert_eq!(meta("shut").mode() & 0o700, if nix::unistd::geteuid().is_root() { 0o500 } else { 0o700 });
    for name in ["suid", "sticky", "shut"] {
        assert_eq!(meta(name).mtime(), 1_000_000_000, "{name}");
    }
    assert!(!rootfs.join("device").exists() && !rootfs.join("pipe").exists());
    // Other users cannot access the set-user-id program.
    assert_eq!(fs::metadata(cache.trees()).unwrap().permissions().mode() & 0o077, 0);
    assert_eq!(unpack(&image, &cache, &|| panic!("already unpacked")).unwrap(), rootfs);
    cache.remove_tree(image.identity().config_digest.as_ref().unwrap()).unwrap();
    assert!(!rootfs.exists());
}

#[test]
fn malicious_entries_are_rejected() {
    assert!(entry_error(Tar::new().file("../x", "")).contains("contains `..`"));
    assert!(entry_error(Tar::new().file("a/../../x", "")).contains("contains `..`"));
    assert!(entry_error(Tar::new().hard("x", "../../etc/passwd")).contains("contains `..`"));
    assert!(entry_error(Tar::new().hard("x", "/etc/passwd")).contains("missing file"));
    assert!(entry_error(Tar::new().link("l", "/etc").hard("x", "l/passwd")).contains("missing file"));
    assert!(entry_error(Tar::new().dir("d", 0o755).hard("x", "d")).contains("directory"));
    assert!(entry_error(Tar::new().file("a", "").file("a/b", "")).contains("not a directory"));
    assert!(entry_error(Tar::new().link("l", "")).contains("target"));
}

#[test]
fn link_out_of_the_tree_is_resolved_inside() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    let found = tree(vec![Tar::new().link("l", target).file("l/x", "1").link("u", "../../../..").file("u/tmp/y", "2")]);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(found[&format!("{}/x", &target[1..])], "1");
    assert_eq!(found["tmp/y"], "2");
}

#[test]
fn sparse_file_stays_sparse() {
    let mut header = tar::Header::new_gnu();
    header.set_path("hole").unwrap();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    // One gigabyte in octal, without data.
    gnu.realsize = *b"10000000000\0";
    gnu.sparse[0].offset = *b"10000000000\0";
    gnu.sparse[0].numbytes = *b"00000000000\0";
    header.set_cksum();
    let mut layer = header.as_bytes().to_vec();
    layer.extend([0; 1024]);
    let layout = Layout::of(vec![layer]);
    let image = OnDisk::open(&layout.reference(None)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let rootfs = dir.path().join("rootfs");
    unpack_into(&image, &rootfs, &|| false).unwrap();
    let found = fs::metadata(rootfs.join("hole")).unwrap();
    assert_eq!(found.len(), 1 << 30);
    assert!(std::os::unix::fs::MetadataExt::blocks(&found) < 1024, "the file is not sparse");
}

#[test]
fn oversized_header_is_rejected() {
    let mut layer = Tar::new().raw(EntryType::GNULongName, b"././@LongLink", b"", 0, &vec![b'a'; 64 << 20]).bytes();
    layer.extend(Tar::new().file("x", "").bytes());
    let layout = Layout::of(vec![layer]);
    let dir = tempfile::tempdir().unwrap();
    let image = OnDisk::open(&layout.reference(None)).unwrap();
    let error = unpack_into(&image, &dir.path().join("r"), &|| false).unwrap_err();
    assert!(crate::error::chain(&error).contains("too long"), "{}", crate::error::chain(&error));
}

#[test]
fn damaged_or_cancelled_image_leaves_no_tree() {
    let layout =
        Layout::of(vec![Tar::new().file("a", &"x".repeat(1 << 20)).bytes(), Tar::new().file("b", "y").bytes()]);
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().to_owned());
    let image = OnDisk::open(&layout.reference(None)).unwrap();
    let calls = Cell::new(0);
    let error = unpack(&image, &cache, &|| calls.replace(calls.get() + 1) > 1).unwrap_err();
    assert!(matches!(error, ImageError::Stopped), "{error}");
    assert_eq!(cache.tree(image.identity().config_digest.as_ref().unwrap()), None);
    for path in fs::read_dir(layout.path().join("blobs/sha256")).unwrap().map(|e| e.unwrap().path()) {
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let error = unpack(&image, &cache, &|| false).unwrap_err();
    assert!(matches!(error, ImageError::Mismatch { .. }), "{error}");
    assert_eq!(cache.tree(image.identity().config_digest.as_ref().unwrap()), None);
}

#[test]
fn concurrent_processes_unpack_once() {
    let layout = Layout::of(vec![Tar::new().file("a", &"x".repeat(1 << 22)).bytes()]);
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().to_owned());
    let unpack_once = || unpack(&OnDisk::open(&layout.reference(None)).unwrap(), &cache, &|| false).unwrap();
    let inodes: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| fs::metadata(unpack_once()).unwrap().ino())).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(inodes.iter().all(|inode| *inode == inodes[0]), "{inodes:?}");
}

const NAMES: &[&str] = &[
    "a",
    "b",
    "a/b",
    "a/b/c",
    "../x",
    "/x",
    "./a",
    "a//b",
    "a/../b",
    "..",
    ".",
    "",
    "/",
    "a/.wh.b",
    ".wh.a",
    ".wh..wh..opq",
];
const TARGETS: &[&str] = &["a", "b", "/", "..", "../..", "/tmp", "../outside", "a/b", "outside", "/a", ""];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_entry_is_written_outside(
        entries in prop::collection::vec((0..4u8, 0..NAMES.len(), 0..TARGETS.len()), 1..14),
        more in prop::collection::vec((0..4u8, 0..NAMES.len(), 0..TARGETS.len()), 0..8),
    ) {
        let layer = |entries: &[(u8, usize, usize)]| {
            entries.iter().fold(Tar::new(), |tar, (kind, name, target)| match kind {
                0 => tar.file(NAMES[*name], "written"),
                1 => tar.dir(NAMES[*name], 0o755),
                2 => tar.link(NAMES[*name], TARGETS[*target]),
                _ => tar.hard(NAMES[*name], TARGETS[*target]),
            })
            .bytes()
        };
        let layout = Layout::of(vec![layer(&entries), layer(&more)]);
        let dir = tempfile::tempdir().unwrap();
        let (rootfs, outside) = (dir.path().join("in/rootfs"), dir.path().join("in/outside"));
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("file"), "untouched").unwrap();
        // The result is irrelevant; only the surrounding directory is checked.
        let _ = unpack_into(&OnDisk::open(&layout.reference(None)).unwrap(), &rootfs, &|| false);
        remove_tree(&rootfs).unwrap();
        let expected = map([("in", "/"), ("in/outside", "/"), ("in/outside/file", "untouched")]);
        prop_assert_eq!(list(dir.path(), dir.path()), expected);
        prop_assert_eq!(fs::metadata(outside.join("file")).unwrap().nlink(), 1);
    }
}

#[test]
fn damaged_tree_is_unpacked_again() {
    let layout = Layout::of(vec![Tar::new().dir("bin", 0o755).file("bin/sh", "x").file("etc", "x").bytes()]);
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().to_owned());
    let image = OnDisk::open(&layout.reference(None)).unwrap();
    let rootfs = unpack(&image, &cache, &|| false).unwrap();
    let marker = rootfs.parent().unwrap().join("complete");
    let damages: [&dyn Fn(); 4] = [
        &|| fs::remove_file(rootfs.join("bin/sh")).unwrap(),
        &|| remove_tree(&rootfs).unwrap(),
        &|| fs::remove_dir_all(&rootfs).and_then(|()| fs::write(&rootfs, "")).unwrap(),
        &|| fs::write(&marker, "").unwrap(),
    ];
    for damage in damages {
        assert!(!is_damaged(&image, &cache));
        damage();
        assert!(is_damaged(&image, &cache));
        assert_eq!(unpack(&image, &cache, &|| false).unwrap(), rootfs);
        assert!(rootfs.join("bin/sh").exists() && rootfs.join("etc").exists());
    }
    // Older versions recorded only the identity.
    fs::write(&marker, serde_json::to_vec(image.identity()).unwrap()).unwrap();
    assert!(!is_damaged(&image, &cache));
}

#[test]
fn partial_tree_is_removed_unless_it_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().to_owned());
    for name in ["dead.new", "used.new", "whole"] {
        fs::create_dir_all(cache.trees().join(name).join("rootfs")).unwrap();
    }
    let lock = |name: &str| Lock::try_take(&cache.trees().join(name)).unwrap().unwrap();
    let _used = lock("used.lock");
    drop((lock("dead.lock"), lock("whole.lock")));
    assert_eq!(remove_partial_trees(&cache).len(), 1);
    let exists = |name: &str| cache.trees().join(name).exists();
    assert_eq!(["dead.new", "used.new", "whole"].map(exists), [false, true, true]);
}
