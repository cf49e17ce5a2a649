//! Makes what the file says into a configuration that can't be wrong.

use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;
use toml::Spanned;
use toml::value::Datetime;

use super::problem::{Problem, nearest};
use super::{Config, Expectation, Facility, Test, raw, unit};
use crate::error::Failure as _;
use crate::facility::{self, Catalogue};
use crate::model::contract::{Contract, Ids, Mount, Tmp};
use crate::model::engine::EngineKind;
use crate::model::plan::TestKind;
use crate::model::reference::Reference;

/// Checks every value and what they say together.
pub(super) fn check(file: raw::File, text: &str, base: &Path, problems: &mut Vec<Problem>) -> Config {
    let mut check = Check { base, problems };
    let mut facilities: Vec<Facility> = Vec::new();
    for raw in file.facility {
        let span = raw.id.as_ref().or(raw.like.as_ref()).map_or(raw.span.clone(), Spanned::span);
        let Some(facility) = check.facility(raw) else { continue };
        if facilities.iter().any(|other| other.cell() == facility.cell()) {
            check.problem(span, format!("a second facility `{}`", facility.cell()), "give each another id or role");
        }
        facilities.push(facility);
    }
    Config {
        name: file.analysis.name.and_then(|name| check.line(name, "a name")),
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

    /// The value when `read` can make something of it, else a problem at its place.
    pub(super) fn parse<T, U>(&mut self, value: Spanned<T>, read: impl FnOnce(T) -> Result<U, String>) -> Option<U> {
        let span = value.span();
        match read(value.into_inner()) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                self.problem(span, message, "");
                None
            }
        }
    }

    pub(super) fn line(&mut self, value: Spanned<String>, what: &str) -> Option<String> {
        self.parse(value, |text| match text.trim() {
            "" => Err(format!("{what} can't be empty")),
            line if line.contains(char::is_control) => Err(format!("{what} is one line without control characters")),
            line => Ok(line.to_owned()),
        })
    }

    fn command(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |text| match text.trim() {
            "" => Err("the command is empty".to_owned()),
            _ if text.contains('\0') => Err("a command can't hold a NUL character".to_owned()),
            _ => Ok(text),
        })
    }

    fn absolute(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |path| {
            if path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|part| part == "..") {
                Ok(path)
            } else {
                Err(format!("`{}` is no absolute path", path.escape_debug()))
            }
        })
    }

    pub(super) fn inside(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |path| {
            let plain = !path.is_empty() && !path.starts_with('/') && !path.contains('\0');
            if plain && !path.split('/').any(|part| part == "..") {
                Ok(path)
            } else {
                Err(format!("`{}` is no path inside the analysis", path.escape_debug()))
            }
        })
    }

    /// An identifier that every report format and every engine can carry.
    fn slug(&mut self, value: Spanned<String>, what: &str) -> Option<String> {
        self.parse(value, |id| {
            let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !id.is_empty() && id.len() <= 64 && id.chars().all(fine) && !id.starts_with('-') {
                Ok(id)
            } else {
                Err(format!(
                    "{what} is made of lowercase letters, digits and hyphens, at most 64: `{}` is not",
                    id.escape_debug()
                ))
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
        self.problem(span, format!("no facility `{name}`"), &format!("the facilities here: {}", known.join(", ")));
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
        let like = match raw.like.clone() {
            Some(name) => Some(self.catalogued(name)?),
            None => None,
        };
        let contract = self.contract(&raw, like.map(|like| like.contract()).unwrap_or_default());
        let engine = raw.engine.and_then(|engine| self.engine(engine));
        let image = match like.filter(|_| raw.image.is_none() && engine.as_deref() != Some("host")) {
            Some(like) => self.usual_image(like, raw.like.as_ref().map_or(span.clone(), Spanned::span)),
            None => self.image(raw.image, engine.as_deref(), &span),
        };
        let expect = raw.expect.and_then(|expect| self.expectation(expect));
        let role = raw.role.and_then(|role| self.slug(role, "a role"));
        let id = match raw.id {
            Some(id) => self.slug(id, "an id"),
            None if like.is_some() => like.map(|like| like.id.clone()),
            None => {
                let help = "write id = \"my-facility\", or use = \"...\" with one of `carnet facilities list`";
                self.problem(span, "a facility needs an `id`", help);
                None
            }
        };
        let (image, written) = image?;
        Some(Facility { id: id?, role, image, written, engine, contract: contract?, expect })
    }

    /// The facility of the catalogue with this name.
    fn catalogued(&mut self, name: Spanned<String>) -> Option<&'static facility::Facility> {
        let catalogue = Catalogue::builtin();
        if let Some(found) = catalogue.facility(name.get_ref()) {
            return Some(found);
        }
        let known: Vec<&str> = catalogue.facilities.iter().map(|facility| facility.id.as_str()).collect();
        let help = match nearest(name.get_ref(), &known) {
            Some(near) => format!("did you mean `{near}`? carnet facilities list shows all of them"),
            None => "carnet facilities list shows those there are".to_owned(),
        };
        let message = format!("no facility `{}` in the catalogue", name.get_ref().escape_debug());
        self.problem(name.span(), message, &help);
        None
    }

    /// The image that is usually run at a facility of the catalogue.
    fn usual_image(&mut self, like: &facility::Facility, span: Range<usize>) -> Option<(Reference, String)> {
        let Some(written) = like.reference() else {
            let message = format!("the catalogue knows no image of `{}` by its whole name", like.id);
            self.problem(span, message, "name the one you use there: image = \"docker://NAME:TAG\"");
            return None;
        };
        let read = |text: String| match Reference::parse(&text, Path::new("/")) {
            Ok(image) => Ok((image, text)),
            Err(error) => Err(error.to_string()),
        };
        self.parse(Spanned::new(span, written), read)
    }

    fn engine(&mut self, value: Spanned<String>) -> Option<String> {
        self.parse(value, |name| match EngineKind::from_name(&name) {
            Some(_) => Ok(name),
            None => Err(format!(
                "unknown engine `{}`; expected one of {}",
                name.escape_debug(),
                EngineKind::names().collect::<Vec<_>>().join(", ")
            )),
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
            self.problem(span.clone(), "a facility needs an `image`", "or engine = \"host\" for this machine as it is");
            return None;
        };
        let (span, written) = (value.span(), value.into_inner());
        match Reference::parse(&written, self.base) {
            Ok(image) if (image == Reference::Host) != (engine == Some("host")) && engine.is_some() => {
                self.problem(span, "the engine `host` runs without an image, the others need one", "");
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

    /// The contract over that of the catalogue; none when some of its values are wrong, each of which is reported.
    fn contract(&mut self, raw: &raw::Facility, like: Contract) -> Option<Contract> {
        let before = self.problems.len();
        let size = raw.tmp_size.clone().and_then(|text| self.parse(text, |t| unit::bytes(&t)));
        let noexec = raw.tmp_noexec.as_ref().is_some_and(|flag| *flag.get_ref());
        let contract = Contract {
            user: raw.user.clone().map_or(like.user, |text| self.parse(text, ids)),
            home: raw.home.clone().and_then(|path| self.absolute(path)),
            read_only: raw.read_only.as_ref().map_or(like.read_only, |flag| *flag.get_ref()),
            tmp: (size.is_some() || noexec).then_some(Tmp { size, noexec }),
            workdir: raw.workdir.clone().and_then(|path| self.absolute(path)),
            env: raw.env.clone().and_then(|env| self.parse(env, variables)).unwrap_or_default(),
            pass_env: raw.pass_env.iter().filter_map(|name| self.parse(name.clone(), variable)).collect(),
            entrypoint: raw.entrypoint.as_ref().map_or(like.entrypoint, |flag| *flag.get_ref()),
            prelude: raw.setup.clone().and_then(|command| self.command(command)),
            mounts: raw.mounts.iter().filter_map(|text| self.parse(text.clone(), mount)).collect(),
            memory: raw.memory.clone().and_then(|text| self.parse(text, |t| unit::bytes(&t))),
            pids: raw.pids.clone().and_then(|n| self.parse(n, positive)),
            milli_cpus: raw.cpus.clone().and_then(|n| self.parse(n, milli_cpus)),
        };
        (self.problems.len() == before).then_some(contract)
    }

    fn expectation(&mut self, raw: raw::Expect) -> Option<Expectation> {
        let Some(may_fail) = raw.may_fail else {
            self.problem(raw.span, "an expectation needs its reason", "write may_fail = \"why\"");
            return None;
        };
        let until = raw.until.and_then(|date| self.parse(date, date_of));
        Some(Expectation { may_fail: self.line(may_fail, "a reason")?, until })
    }
}

pub(super) fn date_of(date: Datetime) -> Result<Date, String> {
    date.to_string().parse().map_err(|_| format!("`{date}` is no date: write 2027-01-31"))
}

fn retries(n: u32) -> Result<u32, String> {
    if n <= 10 { Ok(n) } else { Err(format!("{n} retries hide what is wrong: at most 10")) }
}

fn positive(n: u64) -> Result<u64, String> {
    if n > 0 { Ok(n) } else { Err("it must be at least 1".to_owned()) }
}

fn milli_cpus(n: f64) -> Result<u64, String> {
    if n.is_finite() && (0.01..=4096.0).contains(&n) {
        Ok((n * 1000.0).round() as u64)
    } else {
        Err(format!("`{n}` is no number of processors: write 1 or 1.5"))
    }
}

fn ids(text: String) -> Result<Ids, String> {
    let (uid, gid) = text.split_once(':').unwrap_or((&text, &text));
    match (uid.parse(), gid.parse()) {
        (Ok(uid), Ok(gid)) => Ok(Ids { uid, gid }),
        _ => Err(format!("`{}` is no user: write the numbers, as 1000:1000", text.escape_debug())),
    }
}

fn variable(name: String) -> Result<String, String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("`{}` is no name of a variable", name.escape_debug()));
    }
    Ok(name)
}

type Env = std::collections::BTreeMap<String, String>;

fn variables(env: Env) -> Result<Env, String> {
    for (name, value) in &env {
        variable(name.clone())?;
        if value.contains('\0') {
            return Err(format!("the value of `{name}` holds a NUL character"));
        }
    }
    Ok(env)
}

fn mount(text: String) -> Result<Mount, String> {
    let bad = || format!("`{}` is no mount: write /source:/target or /source:/target:rw", text.escape_debug());
    let mut parts = text.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else { return Err(bad()) };
    let writable = match (parts.next(), parts.next()) {
        (None | Some("ro"), None) => false,
        (Some("rw"), None) => true,
        _ => return Err(bad()),
    };
    let absolute = |path: &str| path.starts_with('/') && !path.contains('\0') && !path.split('/').any(|p| p == "..");
    if !absolute(source) || !absolute(target) || target == "/" {
        return Err(bad());
    }
    Ok(Mount { source: source.to_owned(), target: target.to_owned(), writable })
}
