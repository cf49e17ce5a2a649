//! Reports for a terminal.

use carnet::diff::{RelevantModules, environments};
use carnet::model::cell::{Captured, End, Outcome};
use carnet::model::diff::Diff;
use carnet::model::document::{Cell, Status};
use carnet::report::{Format, Options, render_diff};
use insta::assert_snapshot;

use crate::report::render;
use crate::support::document_fixture::{assemble, cell, document, environment, old_environment};

/// The report of the failed cell of the fixture after `change`, without its differences.
fn failed_cell(change: impl FnOnce(&mut Cell)) -> String {
    let mut document = document();
    document.cells.retain(|cell| cell.id == "desy-naf");
    document.diffs.clear();
    change(&mut document.cells[0]);
    render(&document, Format::Human, &Options { width: 80, ..Options::default() })
}

/// The report of a comparison.
fn comparison(diff: &Diff) -> String {
    render_diff(diff, Format::Human, &Options::default()).expect("a report")
}

#[track_caller]
fn assert_width(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= width, "more than {width} columns: {line}");
        assert_eq!(line, line.trim_end(), "trailing space");
    }
}

#[test]
fn wide_report_shows_versions() {
    let text = render(&document(), Format::Human, &Options { width: 120, ..Options::default() });
    assert_width(&text, 120);
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      laptop                    ✓ 14 passed             4.1 s       python 3.11.7  root -        coffea 2025.7.3
      unl-coffea-casa/notebook  ~ 1 flaky, 13 passed    cached      python 3.11.7  root -        coffea 2025.7.3
                  flaky, passed on retry: tests/test_yields.py::test_cluster
      desy-naf                  ✗ 3 failed, 11 passed   1 min 07 s  python 3.9.2   root 6.30/04  coffea 0.7.22    (5 differ)
                  tests/test_yields.py::test_dimuon: AttributeError: module 'numpy' has no attribute 'trapezoid'
                  tests/test_yields.py::test_dielectron: AttributeError: module 'numpy' has no attribute 'trapezoid'
                  tests/test_yields.py::test_mass[loose]
                    fixture 'events' failed: TypeError: NanoEventsFactory.from_root() got an unexpected keyword argument
                      'mode'
                  1 skipped: no GPU available
                  differs from laptop:
                    python           older    3.11.7 → 3.9.2
                    numpy            older    2.1.0 → 1.19.5
                    awkward          older    2.6.9 → 1.10.3
                    coffea           older    2025.7.3 → 0.7.22
                    C library        older    glibc 2.36 → glibc 2.34
                    python commands  differs  python, python3 → python3
                    awkward-cpp      missing  39 → absent
                    scipy            older    1.14.1 → 1.5.4
                    and 13 more differences in carnet.json
                  note: not enforced: network (see carnet.json for the reasons)
      old-cluster               ✗ 1 failed              6.0 s       python 3.9.2   root 6.30/04  coffea 0.7.22    (5 differ)
                  expected failure: numpy 1 is installed until the upgrade in January
      fnal-lpc                  ! infrastructure error  0.40 s
                  no image: docker://registry.example.org/lpc/el8:latest: manifest unknown
                  help: check the reference, or log in with `docker login registry.example.org`
      swan                      - not run
                  no available engine supports images in /cvmfs/unpacked.cern.ch

    6 cells: 1 passed, 1 flaky, 1 failed, 1 failed as expected, 1 infrastructure error, 1 not run, in 21.3 s
    ✗ the analysis fails at desy-naf
    ");
}

#[test]
fn narrow_report_omits_the_last_versions() {
    let text = render(&document(), Format::Human, &Options { width: 80, ascii: true, ..Options::default() });
    assert_width(&text, 80);
    assert!(text.is_ascii(), "{text}");
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      laptop                    + 14 passed             4.1 s
      unl-coffea-casa/notebook  ~ 1 flaky, 13 passed    cached
                  flaky, passed on retry: tests/test_yields.py::test_cluster
      desy-naf                  x 3 failed, 11 passed   1 min 07 s  (5 differ)
                  tests/test_yields.py::test_dimuon
                    AttributeError: module 'numpy' has no attribute 'trapezoid'
                  tests/test_yields.py::test_dielectron
                    AttributeError: module 'numpy' has no attribute 'trapezoid'
                  tests/test_yields.py::test_mass[loose]
                    fixture 'events' failed: TypeError:
                      NanoEventsFactory.from_root() got an unexpected keyword
                      argument 'mode'
                  1 skipped: no GPU available
                  differs from laptop:
                    python           older    3.11.7 -> 3.9.2
                    numpy            older    2.1.0 -> 1.19.5
                    awkward          older    2.6.9 -> 1.10.3
                    coffea           older    2025.7.3 -> 0.7.22
                    C library        older    glibc 2.36 -> glibc 2.34
                    python commands  differs  python, python3 -> python3
                    awkward-cpp      missing  39 -> absent
                    scipy            older    1.14.1 -> 1.5.4
                    and 13 more differences in carnet.json
                  note: not enforced: network (see carnet.json for the reasons)
      old-cluster               x 1 failed              6.0 s       (5 differ)
                  expected failure: numpy 1 is installed until the upgrade in
                    January
      fnal-lpc                  ! infrastructure error  0.40 s
                  no image: docker://registry.example.org/lpc/el8:latest: manifest
                    unknown
                  help: check the reference, or log in with `docker login
                        registry.example.org`
      swan                      - not run
                  no available engine supports images in /cvmfs/unpacked.cern.ch

    6 cells: 1 passed, 1 flaky, 1 failed, 1 failed as expected, 1 infrastructure
      error, 1 not run, in 21.3 s
    x the analysis fails at desy-naf
    ");
}

#[test]
fn color_adds_only_escape_sequences() {
    let plain = render(&document(), Format::Human, &Options::default());
    let colored = render(&document(), Format::Human, &Options { color: true, ..Options::default() });
    assert_ne!(colored, plain);
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    let lines: Vec<&str> = colored.lines().take(2).collect();
    assert_snapshot!(lines.join("\n").replace('\u{1b}', "[ESC]"), @"
    [ESC][1mdimuon at 3f2a1bc4d5e6, with uncommitted changes[ESC][0m
      [ESC][1mlaptop[ESC][0m                    [ESC][32m✓ 14 passed[ESC][0m             [ESC][2m4.1 s[ESC][0m       python 3.11.7
    ");
}

#[test]
fn failure_without_test_cases_shows_the_end_of_the_output() {
    let text = failed_cell(|cell| {
        let step = &mut cell.steps[0];
        step.cases.retain(|case| case.outcome == Outcome::Passed);
        let text = "collecting\n\nFatal Python error: Segmentation fault\nCore dumped\n".to_owned();
        step.output = Some(Captured { text, dropped: 0 });
        step.end = End::Signal { signal: 11 };
    });
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      desy-naf  ✗ failed, 11 passed  1 min 07 s  python 3.9.2  root 6.30/04
                pytest: killed by signal 11: pytest -q tests
                  collecting
                  Fatal Python error: Segmentation fault
                  Core dumped
                note: not enforced: network (see carnet.json for the reasons)

    1 cell: 1 failed, in 21.3 s
    ✗ the analysis fails at desy-naf
    ");
}

#[test]
fn collection_error_shows_the_file_and_that_no_test_ran() {
    let text = failed_cell(|cell| {
        let step = &mut cell.steps[0];
        step.end = End::Exit { code: 2 };
        step.cases.retain(|case| case.outcome == Outcome::Errored);
        let case = &mut step.cases[0];
        case.name = "tests.test_fit".to_owned();
        case.file = Some("tests/test_fit.py".to_owned());
    });
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      desy-naf  ✗ 1 failed  1 min 07 s  python 3.9.2  root 6.30/04  coffea 0.7.22
                tests/test_fit.py
                  fixture 'events' failed: TypeError: NanoEventsFactory.from_root()
                    got an unexpected keyword argument 'mode'
                pytest stopped before the first test because of these errors
                note: not enforced: network (see carnet.json for the reasons)

    1 cell: 1 failed, in 21.3 s
    ✗ the analysis fails at desy-naf
    ");
}

#[test]
fn differences_named_in_a_failure_come_first() {
    let position = |text: &str, name: &str| text.find(&format!("\n                {name} ")).expect("a difference");
    let mut document = document();
    let text = render(&document, Format::Human, &Options::default());
    assert!(position(&text, "awkward") < position(&text, "coffea"), "{text}");
    document.cells[2].steps[0].cases.iter_mut().for_each(|case| case.message = "no `coffea.processor`".to_owned());
    let text = render(&document, Format::Human, &Options::default());
    assert!(position(&text, "coffea") < position(&text, "awkward"), "{text}");
}

#[test]
fn skipped_tests_show_their_most_common_reason() {
    let skipped = |reasons: [&str; 3]| {
        failed_cell(|cell| {
            let cases = &mut cell.steps[0].cases;
            cases.truncate(reasons.len());
            for (case, reason) in cases.iter_mut().zip(reasons) {
                case.outcome = Outcome::Skipped;
                case.message = reason.to_owned();
            }
        })
    };
    assert_snapshot!(skipped(["no dask", "no GPU", "no dask"]), @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      desy-naf  ✗ failed, 3 skipped  1 min 07 s  python 3.9.2  root 6.30/04
                3 skipped, 2 of them: no dask
                note: not enforced: network (see carnet.json for the reasons)

    1 cell: 1 failed, in 21.3 s
    ✗ the analysis fails at desy-naf
    ");
    assert_snapshot!(skipped(["no dask", "no GPU", "no network"]), @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      desy-naf  ✗ failed, 3 skipped  1 min 07 s  python 3.9.2  root 6.30/04
                3 skipped for different reasons
                note: not enforced: network (see carnet.json for the reasons)

    1 cell: 1 failed, in 21.3 s
    ✗ the analysis fails at desy-naf
    ");
}

#[test]
fn differences_are_not_the_cause_if_the_reference_fails_too() {
    let mut document = document();
    document.cells.retain(|cell| matches!(cell.id.as_str(), "laptop" | "desy-naf"));
    document.cells[0].steps = document.cells[1].steps.clone();
    document.cells[0].status = Status::Failed;
    document.reference = Some(document.cells[0].id.clone());
    let text = render(&document, Format::Human, &Options::default());
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      laptop    ✗ 3 failed, 11 passed  4.1 s       python 3.11.7  root -
                tests/test_yields.py::test_dimuon
                  AttributeError: module 'numpy' has no attribute 'trapezoid'
                tests/test_yields.py::test_dielectron
                  AttributeError: module 'numpy' has no attribute 'trapezoid'
                tests/test_yields.py::test_mass[loose]
                  fixture 'events' failed: TypeError: NanoEventsFactory.from_root() got an unexpected
                    keyword argument 'mode'
                1 skipped: no GPU available
      desy-naf  ✗ 3 failed, 11 passed  1 min 07 s  python 3.9.2   root 6.30/04  (5 relevant differences)
                tests/test_yields.py::test_dimuon
                  AttributeError: module 'numpy' has no attribute 'trapezoid'
                tests/test_yields.py::test_dielectron
                  AttributeError: module 'numpy' has no attribute 'trapezoid'
                tests/test_yields.py::test_mass[loose]
                  fixture 'events' failed: TypeError: NanoEventsFactory.from_root() got an unexpected
                    keyword argument 'mode'
                1 skipped: no GPU available
                fails in the same way as laptop, so differences are not the cause (21 differences in
                  carnet.json)
                note: not enforced: network (see carnet.json for the reasons)

    2 cells: 2 failed, in 21.3 s
    ✗ the analysis fails at laptop, desy-naf
    ");
    let text = render(&document, Format::Markdown, &Options::default());
    let cause = text.lines().filter(|line| line.starts_with("The cell fails in the same way")).collect::<Vec<_>>();
    assert_snapshot!(cause.join("\n"), @"The cell fails in the same way as <code>laptop</code>, so differences are not the cause (21 differences in `carnet.json`).");
}

#[test]
fn failed_setup_shows_its_exit_code_once_and_the_complete_output() {
    let text = failed_cell(|cell| {
        cell.reason = Some("setup: exit code 1".to_owned());
        let step = &mut cell.steps[0];
        (step.name, step.run) = ("setup".to_owned(), "pip install coffea".to_owned());
        (step.kind, step.end) = (None, End::Exit { code: 1 });
        step.cases.clear();
        let text =
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/opt/venv/lib/x'";
        step.output = Some(Captured { text: text.to_owned(), dropped: 0 });
    });
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes
      desy-naf  ✗ failed  1 min 07 s  python 3.9.2  root 6.30/04  coffea 0.7.22
                setup: exit code 1: pip install coffea
                  ERROR: Could not install packages due to an OSError: [Errno 13]
                    Permission denied: '/opt/venv/lib/x'
                note: not enforced: network (see carnet.json for the reasons)

    1 cell: 1 failed, in 21.3 s
    ✗ the analysis fails at desy-naf
    ");
}

#[test]
fn comparison_lists_relevant_differences_and_counts_the_rest() {
    let (new, old) = (environment(), old_environment());
    let relevant = RelevantModules::new(["coffea", "numpy"]);
    let text = comparison(&environments(&[("laptop", &new), ("desy-naf", &old)], &relevant));
    assert_width(&text, 100);
    assert_snapshot!(text, @"
    laptop → desy-naf

    Python
      version   older    3.11.7 → 3.9.2
      commands  differs  python, python3 → python3
      prefix    differs  /opt/venv → /usr
      kind      differs  venv → system
      abi       differs  cpython-311-x86_64-linux-gnu → cpython-39-x86_64-linux-gnu

    Imported by the analysis
      coffea  older  2025.7.3 → 0.7.22
      numpy   older  2.1.0 → 1.19.5

    Required by imported packages
      awkward-cpp  missing           39 → absent
      awkward      older             2.6.9 → 1.10.3
      scipy        older             1.14.1 → 1.5.4
      uproot       different origin  5.4.1 (pip) → 5.4.1 (conda)

    ROOT
      version  added  absent → 6.30/04

    System
      C library         older         glibc 2.36 → glibc 2.34
      gcc               missing       12.2.0 → absent
      operating system  differs       debian 12 → almalinux 9.4
      GLIBCXX           older         3.4.30 → 3.4.29
      time zone         not compared  UTC → unknown: /etc/localtime leads nowhere

    Runtime contract
      HOME writable  differs  yes → no
      /cvmfs         differs  absent → mounted

    Debian packages
      all packages  missing  2 packages → absent

    RPM packages
      all packages  added  absent → 1 package

    21 differences: 4 relevant, 10 possibly relevant, 7 other
    ");
    let text = comparison(&environments(&[("laptop", &new), ("desy-naf", &old), ("casa", &new)], &relevant));
    assert_width(&text, 100);
    assert_snapshot!(text, @"
    laptop, desy-naf, casa

    Python
                         laptop                desy-naf              casa
      version   older    3.11.7                3.9.2                 3.11.7
      commands  differs  python, python3       python3               python, python3
      prefix    differs  /opt/venv             /usr                  /opt/venv
      kind      differs  venv                  system                venv
      abi       differs  cpython-311-x86_6...  cpython-39-x86_64...  cpython-311-x86_6...

    Imported by the analysis
                     laptop    desy-naf  casa
      coffea  older  2025.7.3  0.7.22    2025.7.3
      numpy   older  2.1.0     1.19.5    2.1.0

    Required by imported packages
                                     laptop       desy-naf       casa
      awkward-cpp  missing           39           absent         39
      awkward      older             2.6.9        1.10.3         2.6.9
      scipy        older             1.14.1       1.5.4          1.14.1
      uproot       different origin  5.4.1 (pip)  5.4.1 (conda)  5.4.1 (pip)

    ROOT
                      laptop  desy-naf  casa
      version  added  absent  6.30/04   absent

    System
                                      laptop      desy-naf              casa
      C library         older         glibc 2.36  glibc 2.34            glibc 2.36
      gcc               missing       12.2.0      absent                12.2.0
      operating system  differs       debian 12   almalinux 9.4         debian 12
      GLIBCXX           older         3.4.30      3.4.29                3.4.30
      time zone         not compared  UTC         unknown: /etc/loc...  UTC

    Runtime contract
                              laptop  desy-naf  casa
      HOME writable  differs  yes     no        yes
      /cvmfs         differs  absent  mounted   absent

    Debian packages
                             laptop      desy-naf  casa
      all packages  missing  2 packages  absent    2 packages

    RPM packages
                           laptop  desy-naf   casa
      all packages  added  absent  1 package  absent

    21 differences: 4 relevant, 10 possibly relevant, 7 other
    ");
}

#[test]
fn comparison_of_equal_environments_reports_no_differences() {
    let env = environment();
    let text = comparison(&environments(&[("a", &env), ("b", &env)], &RelevantModules::default()));
    assert_eq!(text, "no differences between a and b\n");
}

#[test]
fn all_lists_every_difference() {
    let short = render(&document(), Format::Human, &Options::default());
    let long = render(&document(), Format::Human, &Options { all: true, ..Options::default() });
    assert_width(&long, 100);
    let changes = similar::TextDiff::from_lines(&short, &long).unified_diff().context_radius(0).to_string();
    assert_snapshot!(changes, @"
    @@ -15,9 +15,21 @@
    -                python           older    3.11.7 → 3.9.2
    -                numpy            older    2.1.0 → 1.19.5
    -                awkward          older    2.6.9 → 1.10.3
    -                coffea           older    2025.7.3 → 0.7.22
    -                C library        older    glibc 2.36 → glibc 2.34
    -                python commands  differs  python, python3 → python3
    -                awkward-cpp      missing  39 → absent
    -                scipy            older    1.14.1 → 1.5.4
    -                and 13 more differences in carnet.json
    +                python               older             3.11.7 → 3.9.2
    +                numpy                older             2.1.0 → 1.19.5
    +                awkward              older             2.6.9 → 1.10.3
    +                coffea               older             2025.7.3 → 0.7.22
    +                C library            older             glibc 2.36 → glibc 2.34
    +                python commands      differs           python, python3 → python3
    +                awkward-cpp          missing           39 → absent
    +                scipy                older             1.14.1 → 1.5.4
    +                root                 added             absent → 6.30/04
    +                gcc                  missing           12.2.0 → absent
    +                operating system     differs           debian 12 → almalinux 9.4
    +                GLIBCXX              older             3.4.30 → 3.4.29
    +                HOME writable        differs           yes → no
    +                /cvmfs               differs           absent → mounted
    +                uproot               different origin  5.4.1 (pip) → 5.4.1 (conda)
    +                python prefix        differs           /opt/venv → /usr
    +                python kind          differs           venv → system
    +                python abi           differs           cpython-311-x86_64-linux-gnu → cpython-39-...
    +                time zone            not compared      UTC → unknown: /etc/localtime leads nowhere
    +                all packages (dpkg)  missing           2 packages → absent
    +                all packages (rpm)   added             absent → 1 package
    ");
}

#[test]
fn report_without_cells_states_that_no_cell_ran() {
    let text = render(&assemble(Vec::new(), Vec::new()), Format::Human, &Options::default());
    assert_snapshot!(text, @"
    dimuon at 3f2a1bc4d5e6, with uncommitted changes

    0 cells, in 21.3 s
    ! no cell ran
    ");
}

#[test]
fn report_supports_every_width() {
    for width in 0..40 {
        render(&document(), Format::Human, &Options { width, ..Options::default() });
    }
    let mut wide = cell(&"long-name-".repeat(30), Status::Passed, Vec::new());
    wide.facility = "x".to_owned();
    render(&assemble(vec![wide], Vec::new()), Format::Human, &Options { width: 10, ..Options::default() });
}
