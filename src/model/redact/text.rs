//! The texts of documents.
//!
//! Every field of every type is listed, so that a new field does not compile until it is listed as well. Identifiers that
//! other parts of a document refer to, paths of files of the repository, digests and dates are skipped.

use std::collections::{BTreeMap, BTreeSet};

use super::Redactor;
use crate::model::cell::{Captured, CellResult, End, FileDigest, Step, TestCase};
use crate::model::contract::{Contract, Mount};
use crate::model::diff::{Diff, Row, Section, Value};
use crate::model::digest::Digest;
use crate::model::document::{Analysis, Cell, CellDiff, Document};
use crate::model::environment::{Ecosystem, Environment, Variables};
use crate::model::finding::{Columns, Finding, Suppression};
use crate::model::image::{ImageConfig, ImageIdentity};
use crate::model::inventory::{DeclaringFile, Inventory, Locked, NamedImage, PythonRange, Requirement};
use crate::model::known::Known;
use crate::model::matrix::{Matrix, Planned};
use crate::model::package::Package;
use crate::model::python::{Distribution, Python};
use crate::model::runtime::{Directory, Imposed, Runtime, SitePath};
use crate::model::scan::{Note, Scan, Subject};
use crate::model::system::{Libc, OsRelease, Release, RootInstallation, System, Tool};
use crate::model::tree::{LeftOut, Tree};

/// A value with texts that may contain credentials.
pub trait Redact {
    /// Removes the credentials from every text.
    fn redact(&mut self, redactor: &Redactor);
}

impl Redact for String {
    fn redact(&mut self, redactor: &Redactor) {
        if let std::borrow::Cow::Owned(text) = redactor.redact(self) {
            *self = text;
        }
    }
}

impl<T: Redact> Redact for Option<T> {
    fn redact(&mut self, redactor: &Redactor) {
        if let Some(value) = self {
            value.redact(redactor);
        }
    }
}

impl<T: Redact> Redact for Vec<T> {
    fn redact(&mut self, redactor: &Redactor) {
        self.iter_mut().for_each(|value| value.redact(redactor));
    }
}

impl<T: Redact> Redact for Known<T> {
    fn redact(&mut self, redactor: &Redactor) {
        match self {
            Self::Known(value) => value.redact(redactor),
            Self::Unknown(reason) => reason.redact(redactor),
        }
    }
}

impl Redact for BTreeSet<String> {
    fn redact(&mut self, redactor: &Redactor) {
        if self.iter().any(|text| redactor.finds(text)) {
            *self = std::mem::take(self).into_iter().map(|text| redactor.redact(&text).into_owned()).collect();
        }
    }
}

impl<V: Redact> Redact for BTreeMap<String, V> {
    fn redact(&mut self, redactor: &Redactor) {
        self.values_mut().for_each(|value| value.redact(redactor));
        if self.keys().any(|key| redactor.finds(key)) {
            let entries = std::mem::take(self).into_iter();
            *self = entries.map(|(key, value)| (redactor.redact(&key).into_owned(), value)).collect();
        }
    }
}

impl<V: Redact> Redact for BTreeMap<Digest, V> {
    fn redact(&mut self, redactor: &Redactor) {
        self.values_mut().for_each(|value| value.redact(redactor));
    }
}

impl<V: Redact> Redact for BTreeMap<Ecosystem, V> {
    fn redact(&mut self, redactor: &Redactor) {
        self.values_mut().for_each(|value| value.redact(redactor));
    }
}

/// Implements [`Redact`] for structs from the names of the fields with texts, and of the fields without.
macro_rules! redact {
    ($($name:ident [$($text:ident)*] [$($skipped:ident)*])*) => {
        $(
            impl Redact for $name {
                fn redact(&mut self, redactor: &Redactor) {
                    let Self { $($text,)* $($skipped: _,)* } = self;
                    $($text.redact(redactor);)*
                }
            }
        )*
    };
}

redact! {
    Document [analysis cells environments diffs scan] [schema version reference interrupted timing]
    Analysis [name remote tree imports] [directory commit dirty locks]
    Tree [left_out] [digest entries bytes with_git]
    LeftOut [path reason] []
    Cell [image contract reason hint expected_failure steps outputs inputs not_enforced]
        [id facility role engine status cached environment timing]
    CellDiff [diff] [cell]
    CellResult [environment steps inputs outputs not_enforced trouble] [schema version cell timing]
    Step [name run end output cases unread] [kind attempts timing]
    Captured [text] [dropped]
    TestCase [name class file message output] [line outcome tried_network timing]
    FileDigest [path digest] [bytes]
    Contract [env prelude mounts] [user home read_only tmp workdir pass_env entrypoint memory pids milli_cpus disk]
    Mount [source target] [writable]
    ImageIdentity [reference repo_digests config] [index_digest manifest_digest config_digest platform layers]
    ImageConfig [env entrypoint cmd workdir] [user]
    Matrix [analysis tests cells] [schema version reference]
    Planned [image pull contract] [id slug facility role engine needs]
    Diff [columns sections] []
    Section [rows] [id title]
    Row [name values lines] [change relevance]
    Environment [system pythons packages runtime variables imposed] [schema]
    Variables [lists values names] []
    Package [name version origin prefix] [arch]
    Python [executable commands implementation version abi prefix base_prefix path distributions] [kind system_site]
    Distribution [name normalized version location installer direct_url modules requires]
        [format editable user_site shadowed]
    Runtime [user home root tmp umask site_paths] [uid gid]
    Directory [path] [exists writable noexec]
    Imposed [kernel limits system_calls] [x86_64_level cpus cgroup tmp_size]
    System [os libc glibcxx cxxabi locale timezone tools roots releases] [arch]
    OsRelease [id version name] []
    Libc [name version] []
    Tool [name path version] []
    RootInstallation [version origin prefix cxx_standard python] [jit]
    Release [name version platform path] []
    Scan [analysis findings notes inventory] [schema version facilities rules files timing]
    Subject [name remote] [commit dirty]
    Note [message] [path]
    Suppression [reason] [by]
    Inventory [files requirements locked pythons images binder] []
    DeclaringFile [problem] [path format lock digest]
    Requirement [name constraint group source marker] [path line index exact hashed]
    Locked [name version files platform marker requires_python machine source] [path line index]
    PythonRange [constraint] [path line]
    NamedImage [image] [path line]
}

impl Redact for Digest {
    fn redact(&mut self, _: &Redactor) {}
}

impl Redact for SitePath {
    fn redact(&mut self, _: &Redactor) {}
}

impl Redact for End {
    fn redact(&mut self, redactor: &Redactor) {
        match self {
            Self::NotStarted { reason } => reason.redact(redactor),
            Self::Exit { .. } | Self::Signal { .. } | Self::OutOfMemory {} | Self::Timeout { .. } => {}
        }
    }
}

impl Redact for Value {
    fn redact(&mut self, redactor: &Redactor) {
        match self {
            Self::Is { text, origin } => {
                text.redact(redactor);
                origin.redact(redactor);
            }
            Self::Absent {} => {}
            Self::Unknown { reason } => reason.redact(redactor),
        }
    }
}

impl Redact for Finding {
    fn redact(&mut self, redactor: &Redactor) {
        let Self {
            rule: _,
            severity: _,
            confidence: _,
            path: _,
            span: _,
            message,
            help,
            fix,
            facilities: _,
            source: _,
            source_columns: _,
            fingerprint: _,
            suppressed,
            count: _,
            locations: _,
        } = self;
        message.redact(redactor);
        help.redact(redactor);
        suppressed.redact(redactor);
        // A replacement without its credential would change the file.
        if fix.as_ref().is_some_and(|fix| [&fix.title, &fix.replacement].iter().any(|text| redactor.finds(text))) {
            *fix = None;
        }
        redact_source(self, redactor);
    }
}

/// Removes the credentials from the source line of a finding, and sets the columns that the span has afterwards.
fn redact_source(finding: &mut Finding, redactor: &Redactor) {
    let Some(source) = &finding.source else { return };
    let Some(redacted) = redactor.apply(source) else { return };
    finding.source_columns = finding.columns().map(|columns| {
        let column = |column: u32, end: bool| {
            let characters = (column.max(1) as usize) - 1;
            let at = source.char_indices().nth(characters).map_or(source.len(), |(at, _)| at);
            let before = &redacted.text[..redacted.position(at, end)];
            u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX)
        };
        Columns { start: column(columns.start, false), end: column(columns.end, true) }
    });
    finding.source = Some(redacted.text);
}

#[cfg(test)]
mod tests {
    use super::{FileDigest, Known, LeftOut, Redact as _, Redactor};
    use crate::model::redact::Variable;

    #[test]
    fn paths_that_a_test_chooses_are_redacted() {
        let variables: Vec<_> = Variable::secret("MY_TOKEN", "hunter2hunter2", &|_| false).into_iter().collect();
        let redactor = Redactor::new(&variables);
        let path = || "out/hunter2hunter2.root".to_owned();
        let mut file = FileDigest { path: path(), digest: Known::Unknown("missing".to_owned()), bytes: 0 };
        let mut left_out = LeftOut { path: path(), reason: String::new() };
        file.redact(&redactor);
        left_out.redact(&redactor);
        assert_eq!([file.path, left_out.path], ["out/[redacted].root"; 2]);
    }
}
