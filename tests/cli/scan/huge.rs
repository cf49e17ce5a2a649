//! Memory use with very large files and many files.

use std::fs;
use std::io::{BufWriter, Write as _};

use nix::sys::resource::{UsageWho, getrusage};

use crate::scan::findings::{FLAGGED, NEIGHBOR, paths};
use crate::support::TestEnv;

/// Maximum resident memory of a scan, in KiB.
const MAX_MEMORY: i64 = 200 << 10;

impl TestEnv {
    /// Scans and fails if a scan of this process has used more than [`MAX_MEMORY`].
    #[track_caller]
    fn assert_memory_is_bounded(&self) {
        self.write(NEIGHBOR, FLAGGED);
        self.carnet(&["scan", "--format", "json", "-o", "../scan.json"]).assert_code(1);
        let scan = self.read_json("../scan.json");
        assert!(paths(&scan).contains(&NEIGHBOR), "{} {}", scan["findings"], scan["notes"]);
        // The maximum over all finished children, in KiB.
        let memory = getrusage(UsageWho::RUSAGE_CHILDREN).expect("resource usage").max_rss();
        assert!(memory < MAX_MEMORY, "{memory} KiB");
    }

    /// Writes a file of 200 MiB that repeats `unit` between `begin` and `end`.
    fn write_long(&self, name: &str, begin: &str, unit: &str, end: &str) {
        let file = fs::File::create(self.analysis().join(name)).expect("a file");
        let mut file = BufWriter::new(file);
        file.write_all(begin.as_bytes()).expect("written");
        for _ in 0..(200 << 20) / unit.len() {
            file.write_all(unit.as_bytes()).expect("written");
        }
        file.write_all(end.as_bytes()).expect("written");
    }
}

#[test]
#[ignore = "takes a minute and 200 MB of disk: run with --ignored"]
fn scan_reads_a_line_of_200_mb_in_bounded_memory() {
    for (name, unit) in [
        ("a.json", "\"/eos/user/j/jdoe/x\", 1, "),
        ("a.py", "f('/eos/user/j/jdoe/x'); "),
        ("a.sh", "ls /eos/user/j/jdoe/x; "),
        ("a.yaml", "[a, /eos/user/j/jdoe/x], "),
        ("a.txt", "xxxxxxxxxxxxxxxx"),
        ("a.txt", "/eos/user/j/jdoe/"),
        ("a.C", "f(\"/eos/user/j/jdoe/x\"); "),
        ("requirements.txt", "numpy "),
        ("uv.lock", "a = ["),
    ] {
        let env = TestEnv::new();
        env.write_long(name, "", unit, "\n");
        env.assert_memory_is_bounded();
    }
}

#[test]
#[ignore = "takes half a minute and 200 MB of disk: run with --ignored"]
fn scan_reads_a_notebook_with_200_mb_of_output_in_bounded_memory() {
    let env = TestEnv::new();
    let begin =
        r#"{"cells":[{"cell_type":"code","source":["open('/eos/user/j/jdoe/x')"],"outputs":[{"data":{"image/png":""#;
    env.write_long("a.ipynb", begin, "iVBORw0KGgoAAAANSUhEUgAA", "\"}}]}],\"metadata\":{},\"nbformat\":4}");
    env.assert_memory_is_bounded();
}

#[test]
#[ignore = "creates 500,000 files: run with --ignored and TMPDIR on an in-memory file system"]
fn scan_reads_half_a_million_files_in_bounded_memory() {
    let env = TestEnv::new();
    for dir in 0..500 {
        fs::create_dir(env.analysis().join(format!("d{dir}"))).expect("a directory");
        for file in 0..1000 {
            fs::write(env.analysis().join(format!("d{dir}/file{file}.txt")), "x\n").expect("a file");
        }
    }
    env.assert_memory_is_bounded();
}
