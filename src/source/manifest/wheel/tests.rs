use proptest::prelude::{any, proptest};

use super::{Machine, Reason, Verdict, allows, verdict};

/// Combinations of glibc and Python in the order of the fixture (`COMBINATIONS` of make.py).
const COMBINATIONS: [((u8, u8), (u8, u8)); 6] = [
    ((2, 17), (3, 8)),
    ((2, 28), (3, 9)),
    ((2, 28), (3, 11)),
    ((2, 31), (3, 9)),
    ((2, 34), (3, 12)),
    ((2, 41), (3, 13)),
];

/// Name, version, Requires-Python, files, verdicts.
type Row = (String, String, Option<String>, Vec<String>, String);

/// Packages for which carnet and pip disagree, and why: package, version, combination.
///
/// pip treated `3.9` as 3.9.0. carnet only has the minor version of a facility's Python, and rejects a package if no patch version
/// is allowed.
const EXPLAINED: &[(&str, &str, usize, &str)] = &[
    ("cryptography", "50.0.2", 1, "!=3.9.0,>=3.9,!=3.9.1 allows 3.9.2"),
    ("cryptography", "50.0.2", 3, "!=3.9.0,>=3.9,!=3.9.1 allows 3.9.2"),
    ("soupsieve", "4.1.2", 2, ">=3.11.5 allows 3.11.5"),
];

fn machine(glibc: (u8, u8), python: (u8, u8)) -> Machine {
    Machine { python, glibc: Some(glibc), arch: "x86_64".to_owned() }
}

fn verdict_of(files: &[&str], python: Option<&str>, machine: &Machine) -> Verdict {
    verdict(&files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>(), python, machine)
}

#[test]
fn verdicts_agree_with_pip_on_locked_packages() {
    let rows: Vec<Row> = include_str!("../../../../tests/data/wheels/verdicts.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row of the fixture"))
        .collect();
    let mut names: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    names.dedup();
    assert!(names.len() >= 200, "{} packages", names.len());
    let mut differ = Vec::new();
    for (name, version, python, files, pip) in &rows {
        for (index, (glibc, python_version)) in COMBINATIONS.into_iter().enumerate() {
            let carnet = verdict(files, python.as_deref(), &machine(glibc, python_version)) == Verdict::Wheel;
            let pip = pip.as_bytes()[index] == b'w';
            if carnet != pip {
                differ.push((name.as_str(), version.as_str(), index));
            }
        }
    }
    let explained: Vec<_> = EXPLAINED.iter().map(|(name, version, index, _)| (*name, *version, *index)).collect();
    assert_eq!(differ, explained);
}

#[test]
fn machine_accepts_wheels_for_itself_and_older_machines() {
    let old = machine((2, 28), (3, 9));
    for file in [
        "a-1-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "a-1-cp39-cp39-linux_x86_64.whl",
        "a-1-cp36-abi3-manylinux1_x86_64.whl",
        "a-1-py3-none-any.whl",
        "a-1-1build-py2.py3-none-any.whl",
        "a-1-py39-none-manylinux_2_28_x86_64.whl",
        "a-1-cp39-none-any.whl",
    ] {
        assert_eq!(verdict_of(&[file], None, &old), Verdict::Wheel, "{file}");
    }
    for file in [
        "a-1-cp310-cp310-manylinux_2_17_x86_64.whl",
        "a-1-cp39-cp39-manylinux_2_31_x86_64.whl",
        "a-1-cp39-cp39-musllinux_1_1_x86_64.whl",
        "a-1-cp39-cp39-manylinux2014_aarch64.whl",
        "a-1-cp310-abi3-manylinux1_x86_64.whl",
        "a-1-cp38-none-any.whl",
        "a-1-py2-none-any.whl",
        "a-1-py310-none-any.whl",
        "a-1-pp39-pypy39_pp73-manylinux2014_x86_64.whl",
        "a-1-cp39-cp39-win_amd64.whl",
    ] {
        assert_ne!(verdict_of(&[file], None, &old), Verdict::Wheel, "{file}");
    }
}

#[test]
fn incompatibility_has_reason() {
    let old = machine((2, 28), (3, 9));
    let new = "a-1-cp39-cp39-manylinux_2_34_x86_64.whl";
    assert_eq!(verdict_of(&[new], None, &old), Verdict::Nothing(Reason::Glibc((2, 34))));
    assert_eq!(verdict_of(&[new, "a-1.tar.gz"], None, &old), Verdict::Build(Reason::Glibc((2, 34))));
    let other = "a-1-cp312-cp312-manylinux2014_x86_64.whl";
    assert_eq!(verdict_of(&[other], None, &old), Verdict::Nothing(Reason::OtherPythons));
    assert_eq!(verdict_of(&["a-1-cp39-cp39-win_amd64.whl"], None, &old), Verdict::Nothing(Reason::OtherMachines));
    assert_eq!(verdict_of(&["a-1.tar.gz"], None, &old), Verdict::Build(Reason::NoWheels));
    let range = Some(">=3.10");
    assert_eq!(verdict_of(&["a-1-py3-none-any.whl"], range, &old), Verdict::Nothing(Reason::Python(">=3.10".into())));
}

#[test]
fn unknown_patch_version_may_be_any() {
    assert_eq!(allows(">=3.9.1,!=3.9.7", (3, 9)), Some(true));
    assert_eq!(allows("<3.9", (3, 9)), Some(false));
    assert_eq!(allows("<=3.11", (3, 11)), Some(true));
    assert_eq!(allows("nonsense", (3, 9)), None);
}

proptest! {
    #[test]
    fn any_name_gets_a_verdict(name in any::<String>(), odd in "[a-z0-9_.-]{0,40}\\.whl") {
        let _ = verdict_of(&[&name, &odd], Some(&name), &machine((2, 28), (3, 9)));
    }
}
