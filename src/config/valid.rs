//! Validates the values of a configuration file.

use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;
use toml::Spanned;
use toml::value::Datetime;

use super::problem::{InvalidValue, Problem, nearest};
use super::{Config, Expectation, Facility, Test, raw, unit};
use crate::error::Failure as _;
use crate::facility::{self, Catalogue};
use crate::model::contract::{Contract, Ids, Mount, Tmp};
use crate::model::engine::EngineKind;
use crate::model::plan::TestKind;
use crate::model::reference::Reference;

/// Validates every value and their combinations.
pub(super) fn check(file: raw::File, text: &str, base: &Path, problems: &mut Vec<Problem>) -> Config {
    let mut check = Check { base, problems };
    let mut facilities: Vec<Facility> = Vec::new();
    for raw in file.facility {
        let span = raw.id.as_ref().or(raw.catalogue.as_ref()).map_or(raw.span.clone(), Spanned::span);
        let Some(facility) = check.facility(raw) else { continue };
        if facilities.iter().any(|other| other.cell() == facility.cell()) {
            let help = "give each facility a different `id` or `role`";
            check.problem(span, format!("duplicate facility `{}`", facility.cell()), help);
        }
        facilities.push(facility);
    }
    Config {
        name: file.analysis.name.and_then(|name| check.line(name, "name")),
        reference: file.analysis.reference.and_then(|reference| check.reference(reference, &facilities)),
        test: check.test(file.test),
        outputs: file.outputs.into_iter().filter_map(|path| check.inside(path)).collect(),
        inputs: file.data.inputs.into_iter().filter_map(|path| check.inside(path)).collect(),
        facilities,
        scan: check.scan(file.scan, text),
    }
}

pub(super) struct Check<'a> {
    base: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn problem(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.problems.push(Problem { span, message: message.into(), help });
    }

    /// Returns the parsed value; an invalid value is a problem at its position.
    pub(super) fn parse<T, U>(
        &mut self,
        value: Spanned<T>,
        read: impl FnOnce(T) -> Result<U, InvalidValue>,
    ) -> Option<U> {
        let span = value.span();
        match read(value.into_inner()) {
            Ok(parsed) => Some(parsed),
            Err(InvalidValue(message)) => {
                self.problem(span, message, "");
                None
            }
        }
    }

    pub(super) fn line(&mut self, value: Spanned<String>, what: &str) -> Option<String> {
        self.parse(value, |text| match text.trim() {
            "" => Err(InvalidValue(format!("{what} must not be empty"))),
            line if line.contains(char::is_control) => {
                Err(InvalidValue(format!("{what} must be a single line without control characters")))
            }
            line => Ok(line.to_owned()),
        })
    }

    fn command(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |text| match text.trim() {
            "" => Err(InvalidValue("command must not be empty".to_owned())),
            _ if text.contains('\0') => Err(InvalidValue("command must not contain a NUL character".to_owned())),
            _ => Ok(text),
        })
    }

    fn absolute(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |path| {
            if path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|part| part == "..") {
                Ok(path)
            } else {
                Err(InvalidValue(format!(
                    "invalid path `{}`; expected an absolute path without `..`",
                    path.escape_debug()
                )))
            }
        })
    }

    pub(super) fn inside(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |path| {
            let plain = !path.is_empty() && !path.starts_with('/') && !path.contains('\0');
            if plain && !path.split('/').any(|part| part == "..") {
                Ok(path)
            } else {
                Err(InvalidValue(format!(
                    "invalid path `{}`; expected a path relative to the analysis, without `..`",
                    path.escape_debug()
                )))
            }
        })
    }

    /// Returns an identifier that is valid in every report format and engine.
    fn slug(&mut self, value: Spanned<String>, what: &str) -> Option<String> {
        self.parse(value, |id| {
            let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !id.is_empty() && id.len() <= 64 && id.chars().all(is_allowed) && !id.starts_with('-') {
                Ok(id)
            } else {
                Err(InvalidValue(format!(
                    "invalid {what} `{}`; expected at most 64 lowercase letters, digits and hyphens, not starting with a hyphen",
                    id.escape_debug()
                )))
            }
        })
    }

    fn reference(&mut self, value: Spanned<String>, facilities: &[Facility]) -> Option<String> {
        let span = value.span();
        let name = value.into_inner();
        if facilities.iter().any(|facility| facility.cell() == name) {
            return Some(name);
        }
        let known: Vec<String> = facilities.iter().map(Facility::cell).collect();
        let help = match known.as_slice() {
            [] => "add a `[[facility]]` table with this id".to_owned(),
            known => format!("expected one of: {}", known.join(", ")),
        };
        self.problem(span, format!("unknown facility `{}`", name.escape_debug()), &help);
        None
    }

    fn test(&mut self, raw: raw::Test) -> Test {
        let default = Test::default();
        let run = raw.run.into_iter().filter_map(|command| self.command(command));
        Test {
            run: run.map(|command| (TestKind::of_command(&command), command)).collect(),
            setup: raw.setup.and_then(|command| self.command(command)),
            network: raw.network.map_or(default.network, Spanned::into_inner),
            timeout: raw.timeout.and_then(|text| self.parse(text, |t| unit::seconds(&t))).unwrap_or(default.timeout),
            retries: raw.retries.and_then(|n| self.parse(n, retries)).unwrap_or(default.retries),
            git: raw.git.map_or(default.git, Spanned::into_inner),
        }
    }

    fn facility(&mut self, raw: raw::Facility) -> Option<Facility> {
        let span = raw.span.clone();
        let entry = match raw.catalogue.clone() {
            Some(name) => Some(self.catalogued(name)?),
            None => None,
        };
        let contract = self.contract(&raw, entry.map(|entry| entry.contract()).unwrap_or_default());
        let engine = raw.engine.and_then(|engine| self.engine(engine));
        let image = match entry.filter(|_| raw.image.is_none() && engine.as_deref() != Some("host")) {
            Some(entry) => self.usual_image(entry, raw.catalogue.as_ref().map_or(span.clone(), Spanned::span)),
            None => self.image(raw.image, engine.as_deref(), &span),
        };
        let expect = raw.expect.and_then(|expect| self.expectation(expect));
        let role = raw.role.and_then(|role| self.slug(role, "role"));
        let id = match raw.id {
            Some(id) => self.slug(id, "id"),
            None if entry.is_some() => entry.map(|entry| entry.id.clone()),
            None => {
                let help =
                    "add `id = \"my-facility\"`, or `use = \"...\"` with a facility from `carnet facilities list`";
                self.problem(span, "missing `id` for this facility", help);
                None
            }
        };
        let (image, written) = image?;
        Some(Facility { id: id?, role, image, written, engine, contract: contract?, expect })
    }

    /// Returns the facility of the catalogue with this id.
    fn catalogued(&mut self, name: Spanned<String>) -> Option<&'static facility::Facility> {
        let catalogue = Catalogue::builtin();
        if let Some(found) = catalogue.facility(name.get_ref()) {
            return Some(found);
        }
        let known: Vec<&str> = catalogue.facilities.iter().map(|facility| facility.id.as_str()).collect();
        let help = match nearest(name.get_ref(), &known) {
            Some(near) => format!("did you mean `{near}`? `carnet facilities list` lists the known facilities"),
            None => "run `carnet facilities list` to list the known facilities".to_owned(),
        };
        let message = format!("unknown facility `{}`", name.get_ref().escape_debug());
        self.problem(name.span(), message, &help);
        None
    }

    /// Returns the image that a facility of the catalogue usually runs.
    fn usual_image(&mut self, entry: &facility::Facility, span: Range<usize>) -> Option<(Reference, String)> {
        let Some(written) = entry.reference() else {
            let message = format!("the catalogue has no complete image reference for `{}`", entry.id);
            self.problem(span, message, "add the image that you use there: image = \"docker://NAME:TAG\"");
            return None;
        };
        let read = |text: String| match Reference::parse(&text, Path::new("/")) {
            Ok(image) => Ok((image, text)),
            Err(error) => Err(InvalidValue(error.to_string())),
        };
        self.parse(Spanned::new(span, written), read)
    }

    fn engine(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |name| match EngineKind::from_name(&name) {
            Some(_) => Ok(name),
            None => Err(InvalidValue(format!(
                "unknown engine `{}`; expected one of {}",
                name.escape_debug(),
                EngineKind::names().collect::<Vec<_>>().join(", ")
            ))),
        })
    }

    fn image(
        &mut self,
        value: Option<Spanned<String>>,
        engine: Option<&str>,
        span: &Range<usize>,
    ) -> Option<(Reference, String)> {
        let Some(value) = value else {
            if engine == Some("host") {
                return Some((Reference::Host, "host".to_owned()));
            }
            let help = "add an `image`, or `engine = \"host\"` to run on this machine without an image";
            self.problem(span.clone(), "missing `image` for this facility", help);
            return None;
        };
        let (span, written) = (value.span(), value.into_inner());
        match Reference::parse(&written, self.base) {
            Ok(image) if (image == Reference::Host) != (engine == Some("host")) && engine.is_some() => {
                let help = "remove `image` or choose a different `engine`";
                let message = match image {
                    Reference::Host => "image `host` requires engine `host`",
                    _ => "engine `host` runs without an image",
                };
                self.problem(span, message, help);
                None
            }
            Ok(image) => Some((image, written)),
            Err(error) => {
                let help = error.hint().unwrap_or_default();
                self.problem(span, error.to_string(), &help);
                None
            }
        }
    }

    /// Returns the contract, with defaults from the catalogue. `None` if a value is invalid; each is reported.
    fn contract(&mut self, raw: &raw::Facility, defaults: Contract) -> Option<Contract> {
        let before = self.problems.len();
        let size = raw.tmp_size.clone().and_then(|text| self.parse(text, |t| unit::bytes(&t)));
        let noexec = raw.tmp_noexec.as_ref().is_some_and(|flag| *flag.get_ref());
        let contract = Contract {
            user: raw.user.clone().map_or(defaults.user, |text| self.parse(text, ids)),
            home: raw.home.clone().and_then(|path| self.absolute(path)),
            read_only: raw.read_only.as_ref().map_or(defaults.read_only, |flag| *flag.get_ref()),
            tmp: (size.is_some() || noexec).then_some(Tmp { size, noexec }),
            workdir: raw.workdir.clone().and_then(|path| self.absolute(path)),
            env: raw.env.clone().and_then(|env| self.parse(env, variables)).unwrap_or_default(),
            pass_env: raw.pass_env.iter().filter_map(|name| self.parse(name.clone(), variable)).collect(),
            entrypoint: raw.entrypoint.as_ref().map_or(defaults.entrypoint, |flag| *flag.get_ref()),
            prelude: raw.setup.clone().and_then(|command| self.command(command)),
            mounts: raw.mounts.iter().filter_map(|text| self.parse(text.clone(), mount)).collect(),
            memory: raw.memory.clone().and_then(|text| self.parse(text, |t| unit::bytes(&t))),
            disk: raw.disk.clone().and_then(|text| self.parse(text, |t| unit::bytes(&t))),
            pids: raw.pids.clone().and_then(|n| self.parse(n, positive)),
            milli_cpus: raw.cpus.clone().and_then(|n| self.parse(n, milli_cpus)),
        };
        (self.problems.len() == before).then_some(contract)
    }

    fn expectation(&mut self, raw: raw::Expect) -> Option<Expectation> {
        let Some(may_fail) = raw.may_fail else {
            self.problem(raw.span, "missing `may_fail` in `expect`", "add the reason: may_fail = \"...\"");
            return None;
        };
        let until = raw.until.and_then(|date| self.parse(date, date_of));
        Some(Expectation { may_fail: self.line(may_fail, "reason")?, until })
    }
}

pub(super) fn date_of(date: Datetime) -> Result<Date, InvalidValue> {
    date.to_string().parse().map_err(|_| InvalidValue(format!("invalid date `{date}`; expected YYYY-MM-DD")))
}

fn retries(n: u32) -> Result<u32, InvalidValue> {
    if n <= 10 { Ok(n) } else { Err(InvalidValue(format!("invalid number of retries `{n}`; expected at most 10"))) }
}

fn positive(n: u64) -> Result<u64, InvalidValue> {
    if n > 0 { Ok(n) } else { Err(InvalidValue("invalid number `0`; expected at least 1".to_owned())) }
}

fn milli_cpus(n: f64) -> Result<u64, InvalidValue> {
    if n.is_finite() && (0.01..=4096.0).contains(&n) {
        Ok((n * 1000.0).round() as u64)
    } else {
        Err(InvalidValue(format!("invalid number of processors `{n}`; expected e.g. 1 or 1.5")))
    }
}

fn ids(text: String) -> Result<Ids, InvalidValue> {
    let (uid, gid) = text.split_once(':').unwrap_or((&text, &text));
    match (uid.parse(), gid.parse()) {
        (Ok(uid), Ok(gid)) => Ok(Ids { uid, gid }),
        _ => Err(InvalidValue(format!("invalid user `{}`; expected numeric ids, e.g. 1000:1000", text.escape_debug()))),
    }
}

fn variable(name: String) -> Result<String, InvalidValue> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let name = name.escape_debug();
        return Err(InvalidValue(format!("invalid variable name `{name}`; it must not be empty or contain `=`")));
    }
    Ok(name)
}

type Env = std::collections::BTreeMap<String, String>;

fn variables(env: Env) -> Result<Env, InvalidValue> {
    for (name, value) in &env {
        variable(name.clone())?;
        if value.contains('\0') {
            return Err(InvalidValue(format!("value of variable `{name}` contains a NUL character")));
        }
    }
    Ok(env)
}

fn mount(text: String) -> Result<Mount, InvalidValue> {
    let invalid = || {
        InvalidValue(format!("invalid mount `{}`; expected /source:/target or /source:/target:rw", text.escape_debug()))
    };
    let mut parts = text.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else { return Err(invalid()) };
    let writable = match (parts.next(), parts.next()) {
        (None | Some("ro"), None) => false,
        (Some("rw"), None) => true,
        _ => return Err(invalid()),
    };
    let absolute = |path: &str| path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|p| p == "..");
    if !absolute(source) || !absolute(target) || target == "/" {
        return Err(invalid());
    }
    Ok(Mount { source: source.to_owned(), target: target.to_owned(), writable })
}
