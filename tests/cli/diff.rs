//! Differences between fixed and generated environments.

use std::collections::{BTreeMap, BTreeSet};

use carnet::diff::{RelevantModules, environments};
use carnet::model::diff::{Change, Diff, Relevance, Row, Value};
use carnet::model::environment::{Ecosystem, Environment};
use carnet::model::known::Known;
use carnet::model::package::Package;
use carnet::model::python::{Distribution, DistributionFormat};
use carnet::model::runtime::SitePath;
use carnet::model::system::{Release, RootInstallation, Tool};
use proptest::prelude::*;

use crate::support::document_fixture::{distribution, distributions, environment, old_environment};

/// A fact, which is sometimes unknown if `unknowns`.
fn fact<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
    unknowns: bool,
) -> BoxedStrategy<Known<T>> {
    let known = value.prop_map(Known::Known);
    if unknowns {
        prop_oneof![5 => known, 1 => "no [a-z]{1,5}".prop_map(Known::Unknown)].boxed()
    } else {
        known.boxed()
    }
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-3]\\.[0-2](\\.[0-2])?",
        "[0-2]\\.[0-2](a1|rc1|\\.post1|\\+cu118|~rc1|-1|-1\\+b1)",
        Just("odd version".to_owned()),
    ]
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["numpy", "awkward", "coffea", "yaml", "root", "zlib", "a-b", "xyz"])
        .prop_map(str::to_owned)
}

fn one_distribution() -> impl Strategy<Value = Distribution> {
    (
        word(),
        version(),
        prop::sample::select(vec!["pip", "uv", "conda", "debian", ""]),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::collection::vec(word(), 0..3),
        prop::collection::vec(word(), 0..3),
    )
        .prop_map(|(name, version, installer, egg, shadowed, modules, requires)| Distribution {
            installer: installer.to_owned(),
            format: if egg { DistributionFormat::EggInfo } else { DistributionFormat::DistInfo },
            shadowed,
            modules,
            requires,
            ..distribution(&name, &version, &[], &[])
        })
}

fn packages(unknowns: bool) -> impl Strategy<Value = BTreeMap<Ecosystem, Known<Vec<Package>>>> {
    let package = (word(), version(), word()).prop_map(|(name, version, origin)| Package {
        name,
        version,
        arch: String::new(),
        origin,
        prefix: String::new(),
    });
    let ecosystem = prop::sample::select(vec![Ecosystem::Apk, Ecosystem::Conda, Ecosystem::Dpkg, Ecosystem::Rpm]);
    prop::collection::btree_map(ecosystem, fact(prop::collection::vec(package, 0..5), unknowns), 0..4)
}

fn root(unknowns: bool) -> impl Strategy<Value = Vec<RootInstallation>> {
    let one = (
        fact(version(), unknowns),
        word(),
        fact("1[47]", unknowns),
        fact("3\\.(9|11)", unknowns),
        fact(any::<bool>(), unknowns),
    )
        .prop_map(|(version, origin, cxx_standard, python, jit)| RootInstallation {
            version,
            prefix: format!("/opt/{origin}"),
            origin,
            cxx_standard,
            python,
            jit,
        });
    prop::collection::vec(one, 0..2)
}

fn lists() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let name = prop::sample::select(vec!["PATH", "PYTHONPATH"]).prop_map(str::to_owned);
    prop::collection::btree_map(name, prop::collection::vec("/[ab:]", 0..4), 0..3)
}

/// Any environment, with unknown facts only if `unknowns`.
fn any_environment(unknowns: bool) -> impl Strategy<Value = Environment> {
    let python = (
        fact(version(), unknowns),
        fact(prop::collection::vec(one_distribution(), 0..8), unknowns),
        fact(prop::collection::vec("/[abc]", 0..4), unknowns),
        prop::bool::weighted(0.9),
    );
    let system = (
        fact(version(), unknowns),
        root(unknowns),
        prop::collection::vec(fact(version(), unknowns), 0..2),
        any::<bool>(),
    );
    let runtime = (0..3_u32, fact(any::<bool>(), unknowns), any::<bool>(), fact(0..3_u64, unknowns));
    (python, system, runtime, packages(unknowns), lists(), any::<bool>()).prop_map(
        |(python, system, runtime, packages, lists, kept)| {
            let mut env = environment();
            let (version, distributions, path, has_python) = python;
            env.pythons[0].version = version;
            env.pythons[0].distributions = distributions;
            env.pythons[0].path = path;
            env.pythons.truncate(usize::from(has_python));
            let (glibcxx, roots, tools, released) = system;
            env.system.glibcxx = glibcxx;
            env.system.roots = roots;
            env.system.tools = tools
                .into_iter()
                .map(|version| Tool { name: "cmake".to_owned(), path: "/usr/bin/cmake".to_owned(), version })
                .collect();
            let release = Release {
                name: "lcg".to_owned(),
                version: "LCG_106".to_owned(),
                platform: String::new(),
                path: String::new(),
            };
            env.system.releases = if released { vec![release] } else { Vec::new() };
            let (uid, writable, mounted, cpus) = runtime;
            env.runtime.uid = uid.into();
            env.runtime.home.writable = writable;
            let cvmfs = if mounted { SitePath::Mount } else { SitePath::Absent };
            env.runtime.site_paths = BTreeMap::from([("/cvmfs".to_owned(), cvmfs)]);
            env.imposed.cpus = cpus;
            env.packages = packages;
            env.variables.lists = lists;
            if kept {
                env.variables.values.insert("TERM".to_owned(), "xterm".to_owned());
                env.variables.names.clear();
            }
            env
        },
    )
}

fn relevant() -> impl Strategy<Value = RelevantModules> {
    prop::collection::btree_set(word(), 0..3).prop_map(|imports| RelevantModules { imports })
}

/// The rows, by a key that does not depend on the imports of the other columns.
fn rows(diff: &Diff) -> BTreeMap<(String, String), &Row> {
    let mut rows = BTreeMap::new();
    for section in &diff.sections {
        let section_id = match section.id.as_str() {
            "imported" | "required" | "packages-python" => "distributions",
            other => other,
        };
        for row in &section.rows {
            let key = (section_id.to_owned(), row.name.clone());
            assert!(rows.insert(key, row).is_none(), "{} twice in {section_id}", row.name);
        }
    }
    rows
}

fn mirrored(change: Change) -> Change {
    match change {
        Change::Added => Change::Removed,
        Change::Removed => Change::Added,
        Change::Newer => Change::Older,
        Change::Older => Change::Newer,
        other => other,
    }
}

fn has_distributions(environment: &Environment) -> bool {
    environment.main_python().is_some_and(|python| python.distributions.get().is_some())
}

fn is_unknown(value: &Value) -> bool {
    matches!(value, Value::Unknown { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn environment_does_not_differ_from_itself(env in any_environment(false), relevant in relevant()) {
        let diff = environments(&[("a", &env), ("b", &env)], &relevant);
        prop_assert!(diff.is_empty(), "{diff:#?}");
    }

    #[test]
    fn unknown_facts_are_not_compared_with_themselves(env in any_environment(true), relevant in relevant()) {
        let diff = environments(&[("a", &env), ("b", &env)], &relevant);
        for row in rows(&diff).values() {
            prop_assert_eq!(row.change, Change::NotCompared, "{:?}", row);
            prop_assert!(row.values.iter().all(is_unknown), "{:?}", row);
        }
    }

    #[test]
    fn swapped_columns_mirror_the_difference(a in any_environment(true), b in any_environment(true), relevant in relevant()) {
        let forward = environments(&[("a", &a), ("b", &b)], &relevant);
        let backward = environments(&[("b", &b), ("a", &a)], &relevant);
        let order = |diff: &Diff| -> Vec<(String, Vec<String>)> {
            let names = |rows: &[Row]| rows.iter().map(|row| row.name.clone()).collect();
            diff.sections.iter().map(|section| (section.id.clone(), names(&section.rows))).collect()
        };
        prop_assert_eq!(order(&forward), order(&backward));
        let (forward, backward) = (rows(&forward), rows(&backward));
        for (key, row) in forward {
            let other = backward[&key];
            prop_assert_eq!(row.values.iter().rev().collect::<Vec<_>>(), other.values.iter().collect::<Vec<_>>());
            prop_assert_eq!(mirrored(row.change), other.change);
            prop_assert_eq!(row.relevance, other.relevance);
        }
    }

    #[test]
    fn rows_with_unknown_values_are_not_compared(a in any_environment(true), b in any_environment(true), relevant in relevant()) {
        for row in rows(&environments(&[("a", &a), ("b", &b)], &relevant)).values() {
            prop_assert_eq!(row.change == Change::NotCompared, row.values.iter().any(is_unknown), "{:?}", row);
        }
    }

    #[test]
    fn three_columns_agree_with_pairwise_differences(
        a in any_environment(true), b in any_environment(true), c in any_environment(true), relevant in relevant(),
    ) {
        let all = environments(&[("a", &a), ("b", &b), ("c", &c)], &relevant);
        let pairs = [environments(&[("a", &a), ("b", &b)], &relevant), environments(&[("a", &a), ("c", &c)], &relevant)];
        let all = rows(&all);
        let pairs = [rows(&pairs[0]), rows(&pairs[1])];
        for (column, pair) in pairs.iter().enumerate() {
            for (key, row) in pair {
                let whole = all.get(key);
                prop_assert!(whole.is_some(), "{:?} is missing", key);
                if let Some(whole) = whole {
                    prop_assert_eq!(&whole.values[0], &row.values[0]);
                    prop_assert_eq!(&whole.values[column + 1], &row.values[1]);
                    prop_assert!(whole.change == row.change || whole.change == Change::Mixed, "{:?} {:?}", whole, row);
                }
            }
        }
        for key in all.keys() {
            // A requirement of one column has its own row in all columns. A pair with a column without a list of
            // distributions has only the summary row.
            let is_required_by_another = key.0 == "distributions" && [&a, &b, &c].iter().any(|env| !has_distributions(env));
            prop_assert!(is_required_by_another || pairs.iter().any(|pair| pair.contains_key(key)), "{:?} is in no pair", key);
        }
    }

    #[test]
    fn rows_are_sorted_by_relevance_in_a_fixed_order(a in any_environment(true), b in any_environment(true), relevant in relevant()) {
        let diff = || environments(&[("a", &a), ("b", &b)], &relevant);
        prop_assert_eq!(diff(), diff());
        for section in &diff().sections {
            prop_assert!(section.rows.is_sorted_by_key(|row| row.relevance));
        }
    }
}

fn compare(a: &Environment, b: &Environment, imports: &[&str]) -> Diff {
    environments(&[("a", a), ("b", b)], &RelevantModules::new(imports.iter().copied()))
}

fn find<'a>(diff: &'a Diff, section: &str, name: &str) -> &'a Row {
    let rows = diff.sections.iter().find(|candidate| candidate.id == section).map(|section| &section.rows);
    let row = rows.and_then(|rows| rows.iter().find(|row| row.name == name));
    row.unwrap_or_else(|| panic!("no row {name} in {section}: {diff:#?}"))
}

#[test]
fn imported_packages_come_before_required_packages() {
    let diff = compare(&environment(), &old_environment(), &["coffea", "yaml"]);
    let order: Vec<&str> = diff.sections.iter().map(|section| section.id.as_str()).collect();
    assert_eq!(order, ["python", "imported", "required", "root", "system", "runtime", "packages-dpkg", "packages-rpm"]);
    let coffea = find(&diff, "imported", "coffea");
    assert_eq!((coffea.change, coffea.relevance), (Change::Older, Relevance::Direct));
    let required: BTreeSet<&str> = diff.sections[2].rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(required, BTreeSet::from(["awkward", "awkward-cpp", "numpy", "scipy", "uproot"]));
}

#[test]
fn same_version_from_another_origin_is_a_change_of_origin() {
    let (a, mut b) = (environment(), environment());
    for distribution in distributions(&mut b) {
        match distribution.normalized.as_str() {
            "numpy" => distribution.installer = "conda".to_owned(),
            "awkward" => distribution.installer = "uv".to_owned(),
            "pyyaml" => {
                distribution.name = "pyyaml".to_owned();
                distribution.installer = "debian".to_owned();
                distribution.modules.clear();
            }
            _ => {}
        }
    }
    let diff = compare(&a, &b, &["numpy", "awkward", "yaml"]);
    let numpy = find(&diff, "imported", "numpy");
    assert_eq!((numpy.change, numpy.relevance), (Change::Origin, Relevance::Required));
    let is = |origin: &str| Value::Is { text: "2.1.0".to_owned(), origin: origin.to_owned() };
    assert_eq!(numpy.values, [is("pip"), is("conda")]);
    assert_eq!(find(&diff, "imported", "pyyaml").change, Change::Origin);
    // pip and uv install the same wheels from the same index.
    assert_eq!(rows(&diff).len(), 2, "{diff:#?}");
}

#[test]
fn shadowed_copy_of_a_distribution_has_its_own_row() {
    let (a, mut b) = (environment(), environment());
    let mut copy = distribution("numpy", "1.19.5", &["numpy"], &[]);
    copy.shadowed = true;
    distributions(&mut b).insert(3, copy);
    let diff = compare(&a, &b, &["numpy"]);
    assert_eq!(rows(&diff).len(), 1, "{diff:#?}");
    let row = find(&diff, "imported", "numpy (shadowed copies)");
    assert_eq!((row.change, row.relevance), (Change::Added, Relevance::Direct));
}

#[test]
fn unknown_distributions_have_a_row_per_import_and_one_for_the_rest() {
    let (a, mut b) = (environment(), environment());
    b.pythons[0].distributions = Known::unknown("cannot read /opt/venv");
    let diff = compare(&a, &b, &["coffea"]);
    assert_eq!(find(&diff, "imported", "coffea").relevance, Relevance::Direct);
    assert_eq!(find(&diff, "required", "numpy").relevance, Relevance::Rest);
    let rest: Vec<&str> = diff
        .sections
        .iter()
        .filter(|section| section.id == "packages-python")
        .flat_map(|s| &s.rows)
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(rest, ["all distributions"]);
}

#[test]
fn search_path_is_reordered_or_changed_line_by_line() {
    let (a, mut b) = (environment(), environment());
    let path = b.variables.lists.get_mut("PATH").expect("a PATH");
    path.reverse();
    let diff = compare(&a, &b, &[]);
    assert_eq!(find(&diff, "paths", "PATH").change, Change::Reordered);
    let path = b.variables.lists.get_mut("PATH").expect("a PATH");
    *path = vec!["/opt/venv/bin".to_owned(), "/usr/local/bin".to_owned(), "/usr/bin".to_owned(), "/bin".to_owned()];
    let diff = compare(&a, &b, &[]);
    let row = find(&diff, "paths", "PATH");
    assert_eq!(row.change, Change::Changed);
    assert_eq!(row.lines, [" /opt/venv/bin", "+/usr/local/bin", " /usr/bin"]);
}

#[test]
fn missing_package_manager_is_one_row() {
    let diff = compare(&environment(), &old_environment(), &[]);
    let row = find(&diff, "packages-dpkg", "all packages");
    assert_eq!(row.change, Change::Removed);
    assert_eq!(row.values[0], Value::Is { text: "2 packages".to_owned(), origin: String::new() });
}

#[test]
fn value_recorded_in_one_environment_is_not_compared() {
    let (a, mut b) = (environment(), environment());
    b.variables.names.clear();
    b.variables.values.insert("TERM".to_owned(), "xterm".to_owned());
    assert_eq!(find(&compare(&a, &b, &[]), "variables", "TERM").change, Change::NotCompared);
}

#[test]
fn fewer_than_two_columns_never_differ() {
    let env = environment();
    assert!(environments(&[], &RelevantModules::default()).is_empty());
    assert!(environments(&[("a", &env)], &RelevantModules::default()).is_empty());
}
