//! Paths of collaborations other than CMS.

use super::super::{home_path, host_address, image_path, personal_store, site_path};
use crate::model::finding::Severity::{self, Error, Warning};
use crate::scan::rules::Rule;
use crate::scan::rules::testing::{diagnostics_among, severities};

fn in_python(rule: &Rule, text: &str) -> Vec<Severity> {
    severities(rule, "run.py", text)
}

#[test]
fn storage_of_other_collaborations_is_site_path() {
    for path in ["/pnfs/icarus/persistent/x", "/exp/sbnd/data/x", "/grand/project/x.sif", "/dcache/group/x"] {
        assert_eq!(in_python(&site_path::RULE, &format!("x = '{path}'\n")), [Error], "{path}");
    }
    for path in ["/dcache/bfys/jane/x", "/data/user/jane/x", "/group/belle2/users2022/jane/x", "/home/belle2/jane/x"] {
        assert_eq!(in_python(&home_path::RULE, &format!("x = '{path}'\n")), [Error], "{path}");
    }
}

#[test]
fn home_in_grid_catalogue_is_personal_data() {
    let list = "InputFile = {\n   \"LF:/alice/cern.ch/user/j/jane/work/run.C\",\n   \"LF:/alice/sim/2015/x\"\n};\n";
    let executable = "Executable = \"/alice/cern.ch/user/j/jane/work/run.sh\";\n";
    assert_eq!(severities(&personal_store::RULE, "task.jdl", &format!("{executable}{list}")), [Warning; 2]);
    assert_eq!(in_python(&personal_store::RULE, "lfn = '/lhcb/user/j/jane/x.dst'\n"), [Warning]);
    for registered in ["/lhcb/LHCb/Collision17/x.dst", "/alice/data/2018/LHC18q/AliESDs.root", "/belle/MC/x/sub00/"] {
        let text = format!("lfn_dir = '{registered}'\n");
        assert!(in_python(&personal_store::RULE, &text).is_empty() && in_python(&site_path::RULE, &text).is_empty());
    }
    let found = diagnostics_among(&personal_store::RULE, "run.py", "lfn = '/belle/user/jane/x'\n", &[]);
    assert!(found[0].message.contains("jane's directory"), "{}", found[0].message);
}

#[test]
fn file_url_is_path() {
    let text = "f = cms.vstring('file:///mnt/hadoop/store/x/a.root', 'file:/eos/user/j/jane/b.root')\n";
    assert_eq!(in_python(&site_path::RULE, text), [Error]);
    assert_eq!(in_python(&home_path::RULE, text), [Error]);
    assert!(in_python(&site_path::RULE, "schema = 'file:///schema/x.json'\n").is_empty());
}

#[test]
fn redirected_echo_is_not_a_message() {
    let text = "c = f'echo \"x: /depot/cms/a\" >> {name}'\nd = 'echo \"see /depot/cms/b\"'\n";
    assert_eq!(in_python(&site_path::RULE, text), [Error]);
}

#[test]
fn xml_comment_is_skipped() {
    let text = "<a>\n<!-- export X=/home/jane/a.xml\n-->\n<b>\n/home/jane/b.xml\n</b>\n</a>\n";
    assert_eq!(severities(&home_path::RULE, "a.xml", text).len(), 1);
}

#[test]
fn host_alias_and_site_proxy_are_reported() {
    let copy = "#!/bin/sh\nrsync -vr data lxplus:work/\nscp lxplus x\nssh jane@lxplus ls\nscp a gateway:b\n";
    assert_eq!(severities(&host_address::RULE, "copy.sh", copy), [Error, Error]);
    let proxy = "#!/bin/sh\nexport http_proxy=\"http://proxy.example.org:3128\"\nexport https_proxy=$http_proxy\n";
    assert_eq!(severities(&host_address::RULE, "job.sh", proxy), [Error]);
    let script = format!("JOB = r'''\n{}'''\n", &proxy[10..]);
    assert_eq!(in_python(&host_address::RULE, &script), [Error]);
    assert!(severities(&host_address::RULE, "job.sh", "export http_proxy=http://localhost:3128\n").is_empty());
}

#[test]
fn exported_conda_prefix_is_skipped() {
    let text = "name: hep\ndependencies:\n  - python=3.9\nprefix: /Users/jane/anaconda3/envs/hep\n";
    assert!(severities(&home_path::RULE, "environment.yml", text).is_empty());
    assert_eq!(severities(&home_path::RULE, "job.yml", "prefix: /Users/jane/x\n"), [Error]);
}

#[test]
fn server_in_host_variable_is_reported() {
    let text =
        "def read(hostname='runsdb.fnal.gov', port=3306):\n    pass\nhost = 'gitlab.cern.ch'\nx = 'runsdb.fnal.gov'\n";
    assert_eq!(in_python(&host_address::RULE, text).len(), 1);
}

#[test]
fn file_next_to_image_recipe_is_skipped() {
    let text = "#!/bin/sh\nsource /home/atlas/release_setup.sh\n";
    assert_eq!(severities(&image_path::RULE, "scripts/setup.sh", text), [Warning]);
    assert!(severities(&image_path::RULE, "docker/setup.sh", text).is_empty());
}

#[test]
fn proxy_role_is_not_a_path() {
    assert!(
        in_python(&site_path::RULE, "job.setString('nc_voms', 'atlas:/atlas/phys-higgs/Role=production')\n").is_empty()
    );
    assert_eq!(in_python(&site_path::RULE, "x = '/atlas/phys-higgs/ntuples/a.root'\n"), [Warning]);
}
