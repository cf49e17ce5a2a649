//! `--fix`: a patch that git takes, and files that need no other.

use std::fs;

use crate::room::Room;

/// Files with a safe fix each, in several ways of writing.
fn room() -> Room {
    let room = Room::new();
    room.git(&["init", "-q"]);
    room.git(&["config", "core.autocrlf", "false"]);
    room.script("run.py", "");
    room.write("run.py", "#!/opt/python/bin/python3\nprint('é')\n");
    room.write("windows.py", "#!/opt/python/bin/python3\r\nprint(1)\r\n");
    room.write("no end.py", "#!/opt/python/bin/python3\nprint(1)");
    room.write("dir/deep.py", "#!/opt/python/bin/python3\n");
    room.commit("one");
    room
}

#[test]
fn the_patch_is_one_that_git_takes_and_nothing_is_left_to_mend() {
    let room = room();
    let before = room.content();
    let said = room.run(&["scan", "--fix"]).expect(0);
    assert_eq!(room.content(), before, "nothing is written without --write");
    let patch = room.top().join("../fix.patch");
    fs::write(&patch, &said.out).expect("a file");
    room.git(&["apply", patch.to_str().expect("UTF-8")]);
    let applied = files(&room);
    assert!(applied.iter().all(|(_, text)| text.starts_with("#!/usr/bin/env python3")), "{applied:#?}");
    room.git(&["checkout", "-q", "."]);
    let said = room.run(&["scan", "--fix", "--write"]).expect(0);
    assert!(said.err.contains("run.py: 1 fixes"), "{}", said.err);
    assert_eq!(files(&room), applied);
    let again = room.run(&["scan", "--fix"]).expect(0);
    assert!(again.out.is_empty() && again.err.contains("nothing here can be mended"), "{}{}", again.out, again.err);
    let last = files(&room);
    room.run(&["scan", "--fix", "--write"]).expect(0);
    assert_eq!(files(&room), last);
}

#[test]
fn the_patch_of_commits_is_for_what_they_hold() {
    let room = room();
    room.write("run.py", "#!/opt/python/bin/python3\nprint('dirty')\n");
    let said = room.run(&["scan", "--changed", "HEAD", "--fix"]).expect(0);
    assert!(said.out.contains("+#!/usr/bin/env python3") && !said.out.contains("dirty"), "{}", said.out);
    room.run(&["scan", "--changed", "HEAD", "--fix", "--write"]).expect(2);
    room.run(&["scan", "--write"]).expect(2);
}

/// Programs, by path.
fn files(room: &Room) -> Vec<(String, String)> {
    ["dir/deep.py", "no end.py", "run.py", "windows.py"]
        .map(|path| (path.to_owned(), fs::read_to_string(room.top().join(path)).expect("a file")))
        .to_vec()
}

#[test]
fn a_digest_that_one_file_knows_is_put_to_the_image_of_another() {
    let room = Room::new();
    room.git(&["init", "-q"]);
    let digest = format!("sha256:{}", "1".repeat(64));
    room.write("Dockerfile", "FROM ghcr.io/a/b:1.0\n");
    room.write(".gitlab-ci.yml", format!("test:\n  image: ghcr.io/a/b:1.0@{digest}\n"));
    room.write("reana.yaml", "workflow:\n  specification:\n    steps:\n    - environment: ghcr.io/a/b:1.0\n");
    room.commit("one");
    // As commits have it, and as it lies here.
    let said = room.run(&["scan", "--changed", "HEAD", "--fix"]).expect(0);
    assert!(said.out.contains(&format!("+FROM ghcr.io/a/b:1.0@{digest}\n")), "{}", said.out);
    room.run(&["scan", "--fix", "--write"]).expect(0);
    let text = |path: &str| fs::read_to_string(room.top().join(path)).expect("a file");
    assert_eq!(text("Dockerfile"), format!("FROM ghcr.io/a/b:1.0@{digest}\n"));
    assert!(text("reana.yaml").ends_with(&format!("- environment: ghcr.io/a/b@{digest}\n")), "{}", text("reana.yaml"));
    let again = room.run(&["scan", "--fix"]).expect(0);
    assert!(again.out.is_empty(), "{}", again.out);
    // Two digests of one tag: nobody knows which it is.
    room.write("Dockerfile", "FROM ghcr.io/a/b:1.0\n");
    room.write(
        ".github/workflows/a.yml",
        format!("jobs: {{x: {{container: 'ghcr.io/a/b:1.0@sha256:{}'}}}}\n", "2".repeat(64)),
    );
    let said = room.run(&["scan", "--fix"]).expect(0);
    assert!(!said.out.contains("ghcr.io"), "{}", said.out);
}
