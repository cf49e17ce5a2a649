//! Files of real test runs, truncated files and malicious files.

use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use proptest::prelude::{Strategy as _, any, prop, proptest};

use super::{MANY_CASES, MAX_CASES, Report, parse, read};
use crate::model::cell::Outcome;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suite/recorded").join(name)
}

fn format_cases(report: &Report) -> Vec<String> {
    let lines = report.cases.iter().map(|case| {
        let message = case.message.lines().next().unwrap_or_default();
        format!("{:?} {} {} {message}", case.outcome, case.class, case.name)
    });
    lines.collect()
}

const VERSIONS: &[&str] = &["6", "7", "8", "9"];

#[test]
fn every_pytest_version_and_both_families_give_the_same_cases() {
    for version in VERSIONS {
        let xunit1 = read(&recorded(&format!("pytest-{version}-xunit1.xml"))).expect("a file");
        let xunit2 = read(&recorded(&format!("pytest-{version}-xunit2.xml"))).expect("a file");
        assert_eq!(format_cases(&xunit1), format_cases(&xunit2), "pytest {version}");
        assert_eq!(xunit1.problem, None);
        insta::assert_snapshot!("pytest_cases", format_cases(&xunit1).join("\n"));
        assert!(xunit1.cases.iter().skip(1).all(|case| case.file.is_some() && case.line.is_some()));
    }
}

#[test]
fn junit_parser_reads_the_same_cases() {
    for version in VERSIONS {
        let path = recorded(&format!("pytest-{version}-xunit1.xml"));
        let report = read(&path).expect("a file");
        let expected = junit_parser::from_reader(fs::read(&path).expect("opens").as_slice()).expect("a report");
        let mut expected: Vec<(String, String)> = expected
            .suites
            .iter()
            .flat_map(|suite| &suite.cases)
            .map(|case| (case.classname.clone().unwrap_or_default(), case.original_name.clone()))
            .collect();
        // A failure with an error in the teardown is written as two cases.
        expected.dedup();
        let cases: Vec<(String, String)> =
            report.cases.iter().map(|case| (case.class.clone(), case.name.clone())).collect();
        assert_eq!(cases, expected, "pytest {version}");
    }
}

#[test]
fn text_is_unescaped() {
    for version in VERSIONS {
        let report = read(&recorded(&format!("pytest-{version}-xunit1.xml"))).expect("a file");
        let case = report.cases.iter().find(|case| case.name == "test_fail").expect("a case");
        let text = &case.text.text;
        assert!(text.contains("selected <12> of 20 events & stopped ]]> here"), "{text}");
        assert!(text.contains("assert left == right, \"cut flow: 12 < 20 & rising\""), "{text}");
        assert!(text.contains("#x1B[31mred#x1B[0m #x00 #x08") && text.contains("chi2 & ndf"), "{text}");
        let teardown = report.cases.iter().find(|case| case.name == "test_fail_and_error_in_teardown").expect("run");
        assert_eq!(teardown.outcome, Outcome::Errored);
        assert!(teardown.message.starts_with("assert [1] == [2]; failed on teardown"), "{}", teardown.message);
        assert!(!teardown.text.text.contains("Captured Out"), "{}", teardown.text.text);
    }
}

#[test]
fn truncated_file_gives_the_complete_cases() {
    let whole = fs::read(recorded("pytest-8-xunit1.xml")).expect("a file");
    let all = format_cases(&parse(whole.as_slice()));
    let mut seen = 0;
    for end in (0..whole.len() - 1).step_by(7) {
        let part = parse(&whole[..end]);
        let part_shown = format_cases(&part);
        // The file may be truncated between the two halves of a case that is written twice.
        let same = part_shown.iter().zip(&all).all(|(a, b)| a == b || a.contains("test_fail_and_error_in_teardown"));
        assert!(same && part_shown.len() >= seen, "truncated at {end}");
        seen = part_shown.len();
        assert!(part.problem.is_some() || end < 60, "truncated at {end}");
    }
    assert!(seen >= all.len() - 1);
}

#[test]
fn sum_of_times_is_finite() {
    let case = "<testcase name='a' time='1e308'><failure/></testcase>";
    let cases = parse(format!("<testsuite>{case}{case}</testsuite>").as_bytes()).cases;
    assert_eq!((cases.len(), cases[0].seconds), (1, f64::MAX));
}

#[test]
fn invalid_times_are_zero() {
    let times =
        [("1,024.5", 1024.5), ("nan", 0.0), ("inf", 0.0), ("-1", 0.0), ("", 0.0), ("soon", 0.0), ("0.25", 0.25)];
    for (text, seconds) in times {
        let xml = format!("<testsuite><testcase name='a' time='{text}'/></testsuite>");
        assert_eq!(parse(xml.as_bytes()).cases[0].seconds, seconds, "{text}");
    }
}

#[test]
fn entities_are_not_expanded() {
    let mut xml = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>".to_owned();
    for (outer, inner) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d")] {
        let grown = format!("&{inner};").repeat(10);
        xml.extend(["<!ENTITY ", outer, " '", &grown, "'>"]);
    }
    xml.push_str("]><testsuite><testcase name='&e;'><failure message='&e;'>&e; &lt;</failure></testcase></testsuite>");
    let report = parse(xml.as_bytes());
    assert_eq!((report.cases[0].name.as_str(), report.cases[0].text.text.trim()), ("&e;", "&e; <"));
}

#[test]
fn depth_and_number_of_cases_are_limited() {
    let deep = "<testsuite>".repeat(200_000);
    let problem = parse(deep.as_bytes()).problem;
    assert_eq!(problem.as_deref(), Some("the JUnit file has too many nested elements or too long names"));
    let cases: String = (0..MAX_CASES).map(|i| format!("<testcase name='{i}'/>")).collect();
    let failed: String = (0..5).map(|i| format!("<testcase name='f{i}'><failure/></testcase>")).collect();
    let report = parse(format!("<testsuite>{cases}{failed}</testsuite>").as_bytes());
    assert_eq!((report.cases.len(), report.left_out, report.problem), (MANY_CASES + 5, MAX_CASES - MANY_CASES, None));
    assert_eq!(report.cases[MANY_CASES].outcome, Outcome::Failed);
}

#[test]
fn large_file_gives_every_case() {
    let text = "E   assert 1 &lt; 2\n".repeat(8_000);
    let case = |i: usize| {
        format!("<testcase classname='t' name='{i}'><failure message='{text}'>{text}</failure></testcase>").into_bytes()
    };
    // 818 failed tests in 220 MB.
    let input = (0..820).map(|i| match i {
        0 => b"<testsuite>".to_vec(),
        819 => b"</testsuite>".to_vec(),
        i => case(i),
    });
    let report = parse(Parts { parts: input, part: Vec::new(), at: 0 });
    assert_eq!((report.cases.len(), report.problem, report.left_out), (818, None, 0));
    assert!(report.cases.iter().all(|case| case.outcome == Outcome::Failed && case.message.starts_with("E   assert")));
    let kept: usize = report.cases.iter().map(|case| case.text.text.len() + case.message.len()).sum();
    assert!(kept < 12 << 20, "{kept}");
    assert!(report.cases[817].text.text.len() > 1000);
}

/// An input that is created while it is read.
struct Parts<I> {
    parts: I,
    part: Vec<u8>,
    at: usize,
}

impl<I: Iterator<Item = Vec<u8>>> Read for Parts<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<I: Iterator<Item = Vec<u8>>> BufRead for Parts<I> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.part.len() {
            (self.part, self.at) = (self.parts.next().unwrap_or_default(), 0);
        }
        Ok(&self.part[self.at..])
    }

    fn consume(&mut self, used: usize) {
        self.at += used;
    }
}

#[test]
fn long_parts_need_little_memory() {
    let long = |part: &str| part.repeat((6 << 20) / part.len());
    let problem = |xml: String| parse(xml.as_bytes()).problem.expect("a problem");
    assert!(problem(format!("<!--{}-->", long("x"))).contains("an element is larger than 4 MiB"));
    assert!(problem(format!("<{}/>", long("x"))).contains("an element is larger than 4 MiB"));
    assert!(problem(format!("<!DOCTYPE x [{}]>", long("x"))).contains("an element is larger than 4 MiB"));
    for text in [long("1 &lt; 2 "), format!("<![CDATA[{}]]>", long("1 ] 2 "))] {
        let xml = format!("<testcase name='a'><failure message='{}'>{text}end</failure></testcase>", long("&amp;"));
        let report = parse(xml.as_bytes());
        assert_eq!(report.problem, None);
        let case = &report.cases[0];
        assert!(case.text.text.ends_with("2 end\n"), "{}", &case.text.text[case.text.text.len() - 20..]);
        assert!(case.message.starts_with("&&&&") && case.message.len() <= 2048);
    }
}

#[test]
fn only_a_regular_file_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let (link, pipe) = (dir.path().join("link"), dir.path().join("pipe"));
    std::os::unix::fs::symlink(recorded("pytest-8-xunit1.xml"), &link).expect("linked");
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::RUSR, 0).expect("made");
    for path in [&link, &pipe, &dir.path().to_owned()] {
        assert!(read(path).is_err(), "{}", path.display());
    }
}

proptest! {
    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parse(bytes.as_slice());
    }

    #[test]
    fn any_elements_do_not_panic(parts in prop::collection::vec(
        prop::sample::select(vec!["<testsuite>", "</testsuite>", "<testcase name='a' time='1e999'>", "</testcase>",
            "<failure message=\"", "'>", "</failure>", "<![CDATA[", "]]>", "&#0;", "&#xffffffff;", "&x;", "<!--",
            "<skipped/>", "<error>", "\u{0}", "é", "<?", "<!DOCTYPE", " "]), 0..60)
        .prop_map(|parts| parts.concat())) {
        parse(parts.as_bytes());
    }
}

#[test]
fn texts_of_merged_cases_are_limited() {
    let case =
        "<testcase name='a'><failure message='mmmmmmmmmmmmmmmm'>tttttttttttttttttttttttttttttttt</failure></testcase>";
    let report = parse(format!("<testsuite>{}</testsuite>", case.repeat(50_000)).as_bytes());
    assert_eq!((report.cases.len(), report.problem), (1, None));
    assert!(report.cases[0].message.len() <= super::MAX_MESSAGE_LEN);
    assert!(report.cases[0].text.text.len() <= super::MAX_CASE_OUTPUT + 100);
}
