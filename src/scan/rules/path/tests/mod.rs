//! Tests of rules about paths.

mod community;
mod unlisted;

use std::collections::BTreeSet;

use super::*;
use crate::facility::Catalogue;
use crate::model::finding::Severity::{self, Error, Note, Warning};
use crate::model::inventory::Inventory;
use crate::scan::rules::context::{RepositoryInput, RuleContext};
use crate::scan::rules::testing::{diagnostics_among, nothing, severities};
use crate::scan::rules::{Check, Rule};
use crate::source::lang;
use crate::source::lang::language::Language;

fn context(paths: &[&str]) -> RuleContext<'static> {
    let catalogue = Catalogue::builtin();
    let paths = paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    RuleContext::new(catalogue, catalogue.facilities.iter().collect(), paths, Inventory::default())
}

fn in_python(rule: &Rule, text: &str) -> Vec<Severity> {
    severities(rule, "run.py", text)
}

#[test]
fn site_path_in_code_is_error_with_facilities() {
    let found = diagnostics_among(&site_path::RULE, "run.py", "base = \"/ceph/submit/data/group/x\"\n", &[]);
    let [diagnostic] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(diagnostic.severity, Some(Error));
    assert!(diagnostic.message.contains("exists at mit-submit; not at"), "{}", diagnostic.message);
    assert_eq!(diagnostic.reach.works, ["mit-submit"]);
    assert!(diagnostic.reach.breaks.contains(&"cern-lxplus".to_owned()));
    assert_eq!(diagnostic.group, "/ceph/submit");
}

#[test]
fn default_and_test_are_warnings() {
    let default =
        "import argparse\np = argparse.ArgumentParser()\np.add_argument(\"-o\", default=\"/depot/cms/out\")\n";
    assert_eq!(in_python(&site_path::RULE, default), [Warning]);
    assert_eq!(in_python(&site_path::RULE, "import os\nok = os.path.isdir(\"/depot/cms/out\")\n"), [Warning]);
    assert_eq!(in_python(&site_path::RULE, "if path.startswith(\"/data/x/y\"):\n    pass\n"), [Note]);
}

#[test]
fn comments_documentation_and_messages_are_skipped() {
    let text = "\"\"\"Reads /depot/cms/x and /home/jane/x.\"\"\"\n# /depot/cms/x /home/jane/x\nprint(\"/depot/cms/x /home/jane/x\")\n";
    assert!(in_python(&site_path::RULE, text).is_empty());
    assert!(in_python(&home_path::RULE, text).is_empty());
    assert!(severities(&home_path::RULE, "README.md", "cd /home/jane/x\n").is_empty());
}

#[test]
fn comment_in_script_inside_string_is_skipped() {
    let text = "job = \"\"\"#!/bin/bash\n#cp x /depot/cms/out\ncp x /depot/cms/out\n\"\"\"\n";
    assert_eq!(in_python(&site_path::RULE, text), [Error]);
}

#[test]
fn continuation_of_another_path_is_skipped() {
    assert!(in_python(&site_path::RULE, "x = base + \"/depot/cms/out\"\n").is_empty());
    assert!(in_python(&site_path::RULE, "x = f\"{base}/depot/cms/out\"\n").is_empty());
}

#[test]
fn value_with_two_leading_slashes_is_path() {
    let found = severities(&site_path::RULE, "put.sh", "#!/bin/sh\nEOSPATH=//eos/user/${NAME:0:1}/$NAME/x\n");
    assert_eq!(found, [Error]);
    assert!(severities(&site_path::RULE, "a.C", "void a() { //eos/user/x\n}\n").is_empty());
}

#[test]
fn home_directory_is_error_even_as_default() {
    assert_eq!(in_python(&home_path::RULE, "x = \"/home/albert/repos/x\"\n"), [Error]);
    assert_eq!(in_python(&home_path::RULE, "def f(x=\"/eos/user/j/jane/x\"):\n    pass\n"), [Error]);
    assert_eq!(in_python(&home_path::RULE, "x = f\"/home/{user}/x\"\n"), [Warning]);
    assert_eq!(severities(&home_path::RULE, "a.sh", "#!/bin/sh\ncd ~jane/x\n"), [Error]);
}

#[test]
fn branches_for_several_sites_are_warnings() {
    let text = "import socket\nif \"naf\" in socket.gethostname():\n    x = \"/data/dust/user/jane/x\"\nelse:\n    x = \"/eos/user/j/jane/x\"\n";
    assert_eq!(in_python(&home_path::RULE, text), [Warning, Warning]);
}

#[test]
fn eos_path_is_fixed_if_call_accepts_urls() {
    let open = diagnostics_among(
        &home_path::RULE,
        "run.py",
        "import uproot\nf = uproot.open(\"/eos/user/j/jane/x.root\")\n",
        &[],
    );
    let edit = open[0].edit.as_ref().expect("an edit");
    assert_eq!(edit.replacement, "root://eosuser.cern.ch//eos/user");
    let plain = diagnostics_among(&home_path::RULE, "run.py", "f = open(\"/eos/user/j/jane/x.root\")\n", &[]);
    assert!(plain[0].edit.is_none());
    assert!(plain[0].help.as_ref().is_some_and(|help| help.contains("root://eosuser.cern.ch//eos/user/j/jane/x.root")));
}

#[test]
fn home_directory_is_replaced_with_its_variable() {
    for (path, replacement) in [("/home/jane/x/y.root", "`$HOME/x/y.root`"), ("/Users/jane", "`$HOME`")] {
        let found = diagnostics_among(&home_path::RULE, "run.py", &format!("f = open(\"{path}\")\n"), &[]);
        let help = found[0].help.as_deref().unwrap_or_default();
        assert!(help.starts_with(&format!("use {replacement}, or")), "{help}");
    }
}

#[test]
fn own_file_is_distinguished_from_other_files() {
    let text = "x = \"/home/jane/my/config/selection.json\"\ny = \"/home/jane/my/other/selection.json\"\n";
    let found = diagnostics_among(&own_file::RULE, "run.py", text, &["config/selection.json"]);
    let [diagnostic] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(diagnostic.edit.as_ref().map(|edit| edit.replacement.as_str()), Some("config/selection.json"));
    assert_eq!(diagnostics_among(&home_path::RULE, "run.py", text, &["config/selection.json"]).len(), 1);
    let below = diagnostics_among(&own_file::RULE, "scripts/run.py", text, &["config/selection.json"]);
    assert!(below[0].edit.is_none(), "the working directory is unknown");
}

#[test]
fn retired_storage_is_error_with_replacement() {
    let found = diagnostics_among(&retired_path::RULE, "a.yaml", "out: /nfs/dust/cms/user/jane/x\n", &[]);
    assert_eq!(found[0].severity, Some(Error));
    assert!(found[0].help.as_ref().is_some_and(|help| help.contains("/data/dust/user/jane/x")), "{found:?}");
}

#[test]
fn doors_and_redirectors_are_distinguished() {
    let own = "f = [\"root://cmseos.fnal.gov//store/user/jane/x.root\"]\n";
    let registered = "f = [\"root://cmseos.fnal.gov//store/mc/x/y.root\"]\n";
    let global = "f = [\"root://cms-xrd-global.cern.ch//store/mc/x/y.root\"]\n";
    assert_eq!(in_python(&xrootd_door::RULE, own), [Error]);
    assert_eq!(in_python(&xrootd_door::RULE, registered), [Warning]);
    assert!(in_python(&xrootd_door::RULE, global).is_empty());
    assert_eq!(in_python(&xrootd_redirector::RULE, global), [Note]);
    assert_eq!(
        in_python(&xrootd_redirector::RULE, "f = \"root://xrootd-cms.infn.it//store/user/jane/x.root\"\n"),
        [Warning]
    );
    assert_eq!(in_python(&xrootd_redirector::RULE, "f = \"root://eospublic.cern.ch//eos/opendata/x.root\"\n"), [Note]);
}

#[test]
fn bare_door_name_is_reported_and_file_name_is_not() {
    assert_eq!(in_python(&xrootd_door::RULE, "host = \"xrootd.cmsaf.mit.edu\"\n"), [Error]);
    assert_eq!(in_python(&xrootd_door::RULE, "source = \"cmseos.fnal.gov\"\n"), [Warning], "a label, or a door");
    assert_eq!(in_python(&xrootd_door::RULE, "if \"cmseos.fnal.gov\" in path:\n    pass\n"), [Note]);
    assert_eq!(severities(&xrootd_door::RULE, "a.yaml", "door: cmseos.fnal.gov:1094\n"), [Error]);
    assert!(
        in_python(
            &xrootd_door::RULE,
            "x = \"root://file.root\"\ny = \"root://{host}//x\"\nz = \"root://localhost//x\"\n"
        )
        .is_empty()
    );
}

#[test]
fn doors_in_table_of_all_sites_are_warnings() {
    let many: Vec<_> = (0..12).map(|n| format!("\"s{n}\": \"root://door{n}.site{n}.edu//store/\"")).collect();
    let found = severities(&xrootd_door::RULE, "sites.json", &format!("{{{}}}", many.join(",\n")));
    assert_eq!(found, [Warning; 12]);
    let found = severities(&xrootd_door::RULE, "sites.json", &format!("{{{}}}", many[..2].join(",\n")));
    assert_eq!(found, [Error; 2]);
}

#[test]
fn personal_logical_name_is_warning_and_registered_data_is_skipped() {
    assert_eq!(in_python(&personal_store::RULE, "x = \"/store/user/jane/x\"\n"), [Warning]);
    assert!(in_python(&personal_store::RULE, "x = \"/store/mc/a/b\"\n").is_empty());
}

#[test]
fn cvmfs_is_note_unless_few_facilities_mount_it() {
    assert_eq!(in_python(&cvmfs_path::RULE, "x = \"/cvmfs/cms.cern.ch/x\"\n"), [Note]);
    assert_eq!(in_python(&cvmfs_path::RULE, "x = \"/cvmfs/grid.desy.de/x\"\n"), [Warning]);
    assert_eq!(in_python(&cvmfs_path::RULE, "x = \"/cvmfs/unpacked.cern.ch/x:1\"\n"), [Warning]);
    assert_eq!(in_python(&cvmfs_nightly::RULE, "x = \"/cvmfs/sft-nightlies.cern.ch/x\"\n"), [Warning]);
}

#[test]
fn proxy_of_one_account_is_error_and_templated_proxy_is_note() {
    assert_eq!(in_python(&proxy_path::RULE, "p = \"/tmp/x509up_u12345\"\n"), [Error]);
    assert_eq!(in_python(&proxy_path::RULE, "p = f\"/tmp/x509up_u{uid}\"\n"), [Warning]);
    assert_eq!(in_python(&proxy_path::RULE, "p = f\"x509up_u{uid}\"\n"), [Note]);
    let asks = "import os\np = os.environ.get(\"X509_USER_PROXY\", f\"/tmp/x509up_u{uid}\")\n";
    assert_eq!(in_python(&proxy_path::RULE, asks), [Note]);
}

#[test]
fn fixed_name_in_tmp_is_warning_only_in_programs() {
    assert_eq!(in_python(&fixed_tmp::RULE, "c.SaveAs(\"/tmp/plot.root\")\n"), [Warning]);
    assert!(in_python(&fixed_tmp::RULE, "x = f\"/tmp/{name}\"\ny = \"/tmp/\"\n").is_empty());
    assert!(severities(&fixed_tmp::RULE, "Dockerfile", "FROM a:1\nRUN touch /tmp/x\n").is_empty());
}

#[test]
fn image_directory_is_skipped_in_recipe() {
    assert_eq!(in_python(&image_path::RULE, "load(\"/code/HiggsAnalysis/lib.so\")\n"), [Error]);
    assert!(severities(&image_path::RULE, "Dockerfile", "FROM a:1\nCOPY . /code/x\n").is_empty());
    let with_recipe = diagnostics_among(&image_path::RULE, "run.py", "load(\"/code/x/lib.so\")\n", &["Dockerfile"]);
    assert_eq!(with_recipe[0].severity, Some(Warning));
}

#[test]
fn web_directories_and_dotfiles_are_warnings() {
    assert_eq!(in_python(&public_html::RULE, "out = \"~/public_html/plots\"\n"), [Warning]);
    assert_eq!(severities(&dotfile::RULE, "a.sh", "#!/bin/sh\nsource ~/.bashrc\n"), [Warning]);
    assert!(severities(&dotfile::RULE, "a.sh", "#!/bin/sh\nsource ./setup.sh\n").is_empty());
}

#[test]
fn branch_and_personal_urls_are_reported_and_commits_are_not() {
    assert_eq!(in_python(&moving_url::RULE, "u = \"https://github.com/a/b/raw/master/x.root\"\n"), [Warning]);
    assert_eq!(in_python(&moving_url::RULE, "u = \"https://raw.githubusercontent.com/a/b/main/x.json\"\n"), [Warning]);
    assert_eq!(in_python(&moving_url::RULE, "u = \"https://www.example.ac.uk/~jane/vjets/x.dat\"\n"), [Warning]);
    assert!(
        in_python(
            &moving_url::RULE,
            "u = \"https://github.com/a/b/raw/v1.2/x.root\"\nv = \"https://github.com/a/b\"\n"
        )
        .is_empty()
    );
}

#[test]
fn machines_are_distinguished_from_services_and_versions() {
    assert_eq!(in_python(&host_address::RULE, "c = connect(\"129.93.183.34:8786\")\n"), [Error]);
    assert_eq!(in_python(&host_address::RULE, "host = \"lxplus700.cern.ch\"\n"), [Error]);
    let clean = "v = \"10.2.0.1\"\nb = (\"0.0.0.0\", 80)\nl = \"127.0.0.1:80\"\nu = \"https://twiki.cern.ch/x\"\nm = \"jane.doe@cern.ch\"\ng = \"gitlab.cern.ch\"\np = jets.pt\n";
    assert!(in_python(&host_address::RULE, clean).is_empty());
}

#[test]
fn link_that_leaves_repository_is_error() {
    let context = context(&[]);
    let links = [("a/in", "../b/x"), ("out", "../x"), ("inputs", "/eos/cms/store/x"), ("python", "/usr/bin/python3")];
    let links = links.iter().map(|(path, target)| ((*path).to_owned(), (*target).to_owned())).collect();
    let input = RepositoryInput { links, ..nothing(&context) };
    let Check::Repository(check) = link_out::RULE.check else { panic!("it is a rule for repositories") };
    let mut found = Vec::new();
    check(&input, &mut found);
    let found: Vec<_> = found.iter().map(|diagnostic| (diagnostic.path.as_deref(), diagnostic.severity)).collect();
    let expected = [(Some("out"), Some(Error)), (Some("inputs"), Some(Error)), (Some("python"), Some(Warning))];
    assert_eq!(found, expected);
}

#[test]
fn web_url_of_door_is_warning() {
    let json = "{\"path\": \"https://xrootd-local.unl.edu:1094//store/user/group/file.root\"}\n";
    assert_eq!(severities(&xrootd_door::RULE, "inputs.json", json), [Warning]);
    assert_eq!(in_python(&xrootd_door::RULE, "u = 'https://www.unl.edu/store/x'\n"), []);
    assert_eq!(in_python(&xrootd_door::RULE, "u = 'https://xrootd-local.unl.edu:1094/docs'\n"), []);
}

#[test]
fn large_json_list_is_scanned_as_data() {
    let line = "  \"/eos/user/j/jane/file.root\",\n";
    let text = format!("{{\"a\": [\n{}  \"b\"]}}\n", line.repeat((1 << 20) / line.len() + 1));
    let found = severities(&home_path::RULE, "inputs.json", &text);
    assert!(found.len() > 1000 && found.iter().all(|severity| *severity == Error), "{}", found.len());
}

#[test]
fn replacement_argument_is_reported() {
    assert_eq!(
        in_python(&home_path::RULE, "f = f.replace('/eos/user/j/jane', '/depot/cms/users/jane')\n"),
        [Warning, Error]
    );
    assert_eq!(in_python(&home_path::RULE, "f = f.replace('x', '/eos/user/j/jane')\n"), []);
}

#[test]
fn gateway_in_configuration_is_host() {
    let text = "gateway-address: \"http://dask-gateway-k8s.geddes.rcac.purdue.edu/\"\n";
    assert_eq!(severities(&host_address::RULE, "options.yaml", text), [Error]);
    let page = "page: \"http://dask-gateway-k8s.geddes.rcac.purdue.edu/\"\n";
    assert_eq!(severities(&host_address::RULE, "options.yaml", page), []);
}

#[test]
fn proxy_in_home_directory_is_error_for_any_key() {
    let text = "voms-proxy: /eos/user/j/jane/my_x509_user_proxy\n";
    assert_eq!(severities(&proxy_path::RULE, "options.yaml", text), [Error]);
    let variable = "import os\nos.environ['X509_USER_PROXY'] = '/eos/user/j/jane/my_x509'\n";
    assert_eq!(in_python(&proxy_path::RULE, variable).len(), 1);
}

#[test]
fn paths_and_images_in_snakefiles_are_found() {
    let text = "rule a:\n    input:\n        \"/eos/user/j/jane/x.root\"\n    container:\n        \"docker://a/b\"\n    shell:\n        \"cp {input} /depot/cms/users/jane/\"\n";
    assert_eq!(severities(&home_path::RULE, "workflow/Snakefile", text), [Error, Error]);
    let view = lang::read(Language::of("Snakefile", text.as_bytes()), text.as_bytes());
    assert_eq!(view.facts.images.iter().map(|image| image.text.as_str()).collect::<Vec<_>>(), ["docker://a/b"]);
    assert_eq!(view.facts.commands.len(), 1);
}

#[test]
fn recorded_output_is_treated_as_generated() {
    let text = "{\"file\": \"/eos/user/j/jane/x.py\"}\n";
    assert_eq!(severities(&home_path::RULE, "tests/a/output_98fcca4c/config.json", text), []);
    assert_eq!(severities(&home_path::RULE, "tests/a/config.json", text), [Error]);
}

#[test]
fn own_file_in_list_is_home_path() {
    let text = "/eos/user/j/jane/analysis/data/a.txt\n/eos/user/j/jane/analysis/data/b.txt\n";
    let found = diagnostics_among(&home_path::RULE, "list.txt", text, &["data/a.txt"]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn door_without_domain_is_recognized() {
    assert_eq!(in_python(&xrootd_door::RULE, "f = 'root://eoscms//eos/cms/store/group/x/a.root'\n"), [Error]);
}

#[test]
fn own_file_in_list_with_personal_path_is_reported() {
    let line = "/afs/cern.ch/work/j/jane/src/data/sf.root\n";
    let found = diagnostics_among(&home_path::RULE, "list.txt", line, &["data/sf.root"]);
    assert_eq!(found.len(), 1);
}

#[test]
fn door_as_split_separator_is_warning() {
    let text = "ok = os.path.exists(path.split('dcap://maite.iihe.ac.be/')[1])\n";
    assert_eq!(in_python(&xrootd_door::RULE, text), [Warning]);
}

#[test]
fn directory_bound_by_script_is_skipped() {
    let starts = "cat <<EOF > shell\napptainer exec -B \\${PWD}:/srv x.sif bash --rcfile /srv/.bashrc\nEOF\n";
    let text = format!("{starts}cat <<EOF > .bashrc\nexport JUPYTER_PATH=/srv/.jupyter\nEOF\n");
    assert_eq!(severities(&image_path::RULE, "bootstrap.sh", &text), []);
    assert_eq!(severities(&image_path::RULE, "job.sh", "cp a.root /srv/out/\n"), [Warning]);
}

#[test]
fn generic_word_is_not_an_owner() {
    assert_eq!(in_python(&personal_store::RULE, "copy('/store/user/jane/a.root')\n"), [Warning]);
    assert_eq!(in_python(&personal_store::RULE, "copy('/store/user/dir/a.root')\n"), [Note]);
    assert_eq!(in_python(&personal_store::RULE, "copy('/store/user/username/a.root')\n"), [Note]);
    assert_eq!(in_python(&personal_store::RULE, "copy('/store/group/phys/a.root')\n"), [Warning]);
}

#[test]
fn part_of_repository_path_is_not_a_mount() {
    let text = "f = open('/zork/data/x.root')\n";
    assert_eq!(diagnostics_among(&site_path::RULE, "run.py", text, &[]).len(), 1);
    assert_eq!(diagnostics_among(&site_path::RULE, "run.py", text, &["package/zork/data/y.root"]).len(), 0);
}
