//! Paths below roots that are not in the catalogue.

use super::super::site_path::RULE;
use crate::model::finding::Severity::{self, Note, Warning};
use crate::scan::rules::testing::{diagnostics_among, severities};

fn in_python(text: &str) -> Vec<Severity> {
    severities(&RULE, "run.py", text)
}

#[test]
fn unknown_root_is_reported_if_file_is_meant() {
    assert_eq!(in_python("f = ROOT.TFile.Open('/myfarm/ntuples/a.root')\n"), [Warning]);
    assert_eq!(in_python("sys.path.append('/myfarm/jane/python/')\n"), [Warning]);
    assert_eq!(in_python("out_dir = f'/myfarm/jane/plots/{year}/'\n"), [Warning]);
    assert_eq!(in_python("files = ['/myfarm/x/a.root', '/myfarm/x/b.root']\n"), [Warning, Warning]);
    assert_eq!(
        in_python("TEST_RUN = '/myfarm/data/run1/'\nd = GetEvent('/myfarm/data/run1/', 3)\n"),
        [Warning, Warning]
    );
    assert_eq!(in_python("sexpath = '/myfarm/x/bin/sex'\nwrite(data, '/myfarm/x/y/z/g')\n"), [Warning, Warning]);
    assert_eq!(in_python("sample_file = '/myfarm/x/a.root'\n"), [Warning]);
    let list = "/myfarm/a/b/c/x.mdst\n  /myfarm/a/b/c/y.mdst\n/tt/run3-v1/AODSIM\n/eos/a/b/c/d.root\n/a b/c\n";
    assert_eq!(severities(&RULE, "files.txt", list), [Note, Warning]);
    assert_eq!(in_python("f = open('/opt/x/a.txt')\ng = open('/project01/other/a.txt')\n"), [Warning]);
    assert_eq!(severities(&RULE, "a.C", "TFile *f = new TFile(\"/myfarm/x/a.root\");\n"), [Warning]);
    assert_eq!(severities(&RULE, "a.sh", "#!/bin/sh\ncd /myfarm/jane\nOUT=/myfarm/out\n"), [Warning, Warning]);
    assert_eq!(severities(&RULE, "a.json", "{\"input_dir\": \"/myfarm/jane/x\"}\n"), [Warning]);
    let run = "#!/bin/sh\n./fill /myfarm/jane/x\nsingularity exec --bind /myfarm/a:/data,/myfarm/b:/b x.sif /inside/bin/run\n";
    assert_eq!(severities(&RULE, "a.sh", run), [Warning; 3]);
    let job = "executable = /myfarm/run.sh\nlog = /myfarm/log/a.log\nqueue\n";
    assert_eq!(severities(&RULE, "a.sub", job), [Warning, Warning]);
    assert_eq!(severities(&RULE, "tests/a.py", "out_dir = '/myfarm/jane/plots'\n"), []);
}

#[test]
fn objects_addresses_and_expressions_are_skipped() {
    for text in [
        "h = f.Get('/signal/nominal')\n",
        "x = h5['/events/tracks']\n",
        "r = requests.get('/jobs/status/all/')\n",
        "@app.route('/jobs/list/all')\ndef a(): pass\n",
        "dataset = '/tt/run3-v1/NANOAODSIM'\nsamples = ['/tt/run3-v1/NANOAODSIM']\n",
        "job.setString('voms', 'x:/myvo/higgs/Role=production')\nh.SetDataPattern('/pass3/AOD/*/x.root')\n",
        "patch = {'op': 'replace', 'path': '/channels/0/samples/0/data'}\n",
        "tree_path = '/signal/nominal/tree'\n",
        "x = base + '/myfarm/x/a.root'\ny = f'{base}/myfarm/x/a.root'\n",
        "open('/usr/share/x/a.txt')\nopen('/etc/passwd/x')\n",
        "ui.ApplyCommand('/process/em/verbose')\n",
        "if path.startswith('/myfarm/x/a.root'): pass\n",
        "print('/myfarm/x/a.root')\n",
    ] {
        assert_eq!(in_python(text), [], "{text}");
    }
    let script = "#!/bin/sh\nsed -i '/failed/d' x\nawk '/foo/bar/ {print}' x\ncurl -X GET /jobs/list/all\n";
    assert_eq!(severities(&RULE, "a.sh", script), []);
    assert_eq!(severities(&RULE, "docker-compose.yml", "a:\n  data_dir: /myfarm/x/y\n"), []);
    assert!(diagnostics_among(&RULE, "a.py", "open('/myconfig/x/a.json')\n", &["myconfig/y"]).is_empty());
    let start = "#!/bin/sh\ncp /myservice/x/a.conf .\n";
    assert!(diagnostics_among(&RULE, "image/bin/start.sh", start, &["image/Dockerfile"]).is_empty());
    let patch = "[{\"op\": \"add\", \"path\": \"/channels/0/samples/1\", \"value\": 1}]\n";
    assert_eq!(severities(&RULE, "patch.json", patch), []);
}
