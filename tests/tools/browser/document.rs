//! Documents of several sizes for the HTML report.

use carnet::model::cell::{Captured, Outcome};
use carnet::model::digest::Digest;
use carnet::model::document::{Document, Status};
use carnet::model::environment::Environment;
use carnet::model::image::ImageIdentity;
use carnet::model::known::Known;
use carnet::report::history::State;

use crate::support::document_fixture::{
    assemble, case, cell, distributions, document, environment, old_environment, passed, step,
};
use crate::support::scan_fixture;

/// The digest of an environment.
fn digest(environment: &Environment) -> Digest {
    environment.digest().expect("an environment is JSON")
}

/// A document with one failed cell and a scan.
pub(crate) fn one_cell() -> Document {
    let mut document = document();
    let mut cells = document.cells.drain(..);
    let kept = cells.nth(2).expect("the third cell fails");
    drop(cells);
    let environment = document.environments[kept.environment.as_ref().expect("it has one")].clone();
    let mut document = assemble(vec![kept], vec![environment]);
    document.scan = Some(scan_fixture::scan());
    document
}

/// A document with eight cells and a scan, and four earlier states.
pub(crate) fn eight_cells() -> (Document, Vec<State>) {
    let base = document();
    let mut cells = base.cells;
    let mut worker = cell("unl-coffea-casa/worker", Status::Failed, vec![step(passed(12))]);
    let mut network = case("test_remote", Outcome::Failed, "OSError: no route to host", "socket.gaierror: -3");
    network.tried_network = true;
    worker.steps[0].cases.push(network);
    worker.environment = cells[1].environment.clone();
    cells.insert(2, worker);
    let mut last = cell("lxplus", Status::Passed, vec![step(passed(14))]);
    let mut middle = environment();
    for distribution in distributions(&mut middle) {
        if distribution.normalized == "uproot" {
            distribution.version = "5.6.0".to_owned();
        }
    }
    last.environment = Some(digest(&middle));
    last.engine = "embedded".to_owned();
    cells.push(last);
    let environments = base.environments.into_values().chain([middle]).collect();
    let mut now = assemble(cells, environments);
    now.scan = Some(scan_fixture::scan());
    let past = (18..22).map(|day| earlier(&now, day)).collect();
    (now, past)
}

/// The state of the document on a day in November. Before the 20th, the NAF passes with another environment.
fn earlier(now: &Document, day: u32) -> State {
    let mut old = now.clone();
    old.timing.started = format!("2026-11-{day}T10:00:00Z");
    old.analysis.commit = Some(Digest::of(&day.to_le_bytes()).hex()[..40].to_owned());
    old.analysis.tree.digest = Digest::of(day.to_string().as_bytes());
    for cell in &mut old.cells {
        if cell.id == "desy-naf" && day < 20 {
            cell.status = Status::Passed;
            cell.steps = vec![step(passed(14))];
            cell.environment = Some(Digest::of(b"before"));
        }
    }
    old.cells.retain(|cell| cell.id != "lxplus" || day > 19);
    State::new(&old)
}

/// A document with fifty facilities of four roles, 2,000 tests in each cell, and 40 environments.
pub(crate) fn many_cells() -> Document {
    let environments: Vec<Environment> = (0..40).map(variant).collect();
    let trace = "E   assert 1 == 2\n".repeat(50);
    let mut cells = Vec::new();
    for number in 0..200 {
        let role = ["login", "notebook", "worker", "ci"][number % 4];
        let status = [Status::Passed, Status::Passed, Status::Passed, Status::Failed][number / 4 % 4];
        let status = if number % 41 == 40 { Status::Error } else { status };
        let mut cases = passed(1995);
        let outcome = if status == Status::Failed { Outcome::Failed } else { Outcome::Passed };
        let message = if status == Status::Failed { "assert 1 == 2" } else { "" };
        let output = if status == Status::Failed { trace.as_str() } else { "" };
        cases.extend((0..5).map(|n| case(&format!("test_last[{n}]"), outcome, message, output)));
        let mut cell = cell(&format!("facility-{:02}/{role}", number / 4), status, vec![step(cases)]);
        if status == Status::Error {
            cell.steps.clear();
            cell.reason = Some("no image: registry.example.org/tools/el9: manifest unknown".to_owned());
        } else {
            cell.environment = Some(digest(&environments[number / 4 % 40]));
        }
        cell.image = Some(ImageIdentity {
            reference: format!("docker://registry.example.org/facility-{:02}/analysis:2026.1", number / 4),
            config_digest: Some(Digest::of(&number.to_le_bytes())),
            platform: "linux/amd64".to_owned(),
            ..ImageIdentity::default()
        });
        cells.push(cell);
    }
    assemble(cells, environments)
}

/// An environment that is different for each number.
fn variant(number: usize) -> Environment {
    let mut environment = if number % 3 == 2 { old_environment() } else { environment() };
    environment.runtime.umask = Known::Known(format!("{number:04o}"));
    for distribution in distributions(&mut environment) {
        if distribution.normalized == "uproot" {
            distribution.version = format!("5.{number}.0");
        }
    }
    environment
}

/// Text that a browser could interpret as markup, a script, a link or a control sequence.
const EVIL: &str = "<script>alert(1)</script><img src=x onerror=alert(2)></script><!--<svg onload=alert(3)>\" onclick=\"alert(4) \
    'x' {{7*7}} javascript:alert(5) \u{1b}[31mred\u{1b}[0m \0 \u{202e}gnp.exe &lt;b&gt; http://evil.example/ </style></pre></details>";

/// A document with hostile text in every field of external origin, and with lines of 1 MiB.
pub(crate) fn hostile() -> Document {
    let (mut document, _) = eight_cells();
    document.analysis.name = EVIL.to_owned();
    document.analysis.commit = Some(EVIL.to_owned());
    document.analysis.remote = Some("javascript:alert(6)".to_owned());
    document.version = EVIL.to_owned();
    for cell in &mut document.cells {
        cell.id.push_str(EVIL);
        cell.facility.push_str(EVIL);
        cell.role = cell.role.as_ref().map(|role| format!("{role}{EVIL}"));
        cell.engine.push_str(EVIL);
        cell.reason = Some(EVIL.to_owned());
        cell.hint = Some(EVIL.to_owned());
        cell.not_enforced = vec![EVIL.to_owned(), "x".repeat(1 << 20)];
        cell.contract.env.insert(EVIL.to_owned(), EVIL.to_owned());
        cell.contract.prelude = Some(EVIL.to_owned());
        for case in cell.steps.iter_mut().flat_map(|step| &mut step.cases) {
            case.name.push_str(EVIL);
            case.class.push_str(EVIL);
            case.file = Some(EVIL.to_owned());
            if case.outcome != Outcome::Passed {
                case.message = format!("{EVIL}{}", "y".repeat(1 << 20));
                let long = format!("{EVIL}\n{}\n{EVIL}", "z".repeat(1 << 20));
                case.output = Some(Captured { text: long, dropped: 0 });
            }
        }
    }
    document.reference = document.cells.first().map(|cell| cell.id.clone());
    for (diff, cell) in document.diffs.iter_mut().zip(document.cells.iter().skip(1).filter(|c| c.environment.is_some()))
    {
        diff.cell = cell.id.clone();
        for section in &mut diff.diff.sections {
            section.title = EVIL.to_owned();
            for row in &mut section.rows {
                row.name.push_str(EVIL);
                if let [_, carnet::model::diff::Value::Is { text, origin }] = row.values.as_mut_slice() {
                    text.push_str(EVIL);
                    origin.push_str(EVIL);
                }
                row.lines = row.lines.iter().map(|line| format!("{line}{EVIL}")).collect();
            }
        }
    }
    let scan = document.scan.as_mut().expect("the document has a scan");
    for finding in &mut scan.findings {
        finding.message.push_str(EVIL);
        finding.path.push_str(EVIL);
        finding.source = Some(EVIL.to_owned());
        finding.fingerprint.push_str(EVIL);
        finding.facilities.breaks.push(EVIL.to_owned());
    }
    document
}

/// An earlier state of the hostile document.
pub(crate) fn hostile_past() -> Vec<State> {
    let mut past = State::new(&hostile());
    past.started = format!("2026-11-21{EVIL}");
    past.commit = Some(EVIL.to_owned());
    vec![past]
}
