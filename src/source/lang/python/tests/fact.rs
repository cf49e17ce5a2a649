use super::facts;
use crate::source::lang::fact::{Dialect, Usage};

fn imports(text: &str) -> Vec<(String, Vec<String>, bool, bool)> {
    let imports = facts(text).imports.into_iter();
    imports.map(|import| (import.module, import.names, import.is_optional, import.runs_at_import)).collect()
}

fn import(module: &str, names: &[&str], is_optional: bool, runs_at_import: bool) -> (String, Vec<String>, bool, bool) {
    (module.to_owned(), names.iter().map(|&name| name.to_owned()).collect(), is_optional, runs_at_import)
}

fn settings(text: &str) -> Vec<(Dialect, String, String)> {
    facts(text).settings.into_iter().map(|setting| (setting.dialect, setting.key, setting.value.text)).collect()
}

fn setting(dialect: Dialect, key: &str, value: &str) -> (Dialect, String, String) {
    (dialect, key.to_owned(), value.to_owned())
}

fn references(text: &str) -> Vec<(String, Usage)> {
    facts(text).references.into_iter().map(|reference| (reference.path, reference.usage)).collect()
}

fn data(path: &str) -> (String, Usage) {
    (path.to_owned(), Usage::Data)
}

fn code(path: &str) -> (String, Usage) {
    (path.to_owned(), Usage::Code)
}

#[test]
fn optional_imports_are_marked() {
    assert_eq!(imports("import a.b, c"), [import("a.b", &[], false, true), import("c", &[], false, true)]);
    assert_eq!(imports("from ..x import a, b"), [import("..x", &["a", "b"], false, true)]);
    assert_eq!(imports("from . import a"), [import(".", &["a"], false, true)]);
    let tried = "try:\n    import a\nexcept ImportError:\n    import b\nfinally:\n    import c\n";
    assert_eq!(
        imports(tried),
        [import("a", &[], true, true), import("b", &[], true, true), import("c", &[], false, true)]
    );
    assert_eq!(imports("try:\n    import a\nfinally:\n    pass\n"), [import("a", &[], false, true)]);
    assert_eq!(imports("if TYPE_CHECKING:\n    import a\n"), [import("a", &[], true, true)]);
    assert_eq!(imports("def f():\n    import a\n"), [import("a", &[], false, false)]);
    assert_eq!(imports("if __name__ == '__main__':\n    import a\n"), [import("a", &[], false, false)]);
    assert_eq!(imports("with suppress(ImportError):\n    import a\n"), [import("a", &[], true, true)]);
    assert_eq!(imports("m = importlib.import_module('a.b')"), [import("a.b", &[], false, true)]);
}

#[test]
fn calls_have_arguments_and_time_of_execution() {
    let text = "c = LPCCondorCluster(4, x, 'a', image='b', n=-1, *y, **z)\n";
    let call = facts(text).calls.remove(0);
    assert_eq!((call.name.as_str(), &text[call.range.clone()]), ("LPCCondorCluster", "LPCCondorCluster"));
    assert_eq!(&text[call.full_range], &text[4..text.len() - 1]);
    let arguments: Vec<_> = call.arguments.iter().map(|word| word.as_ref().map(|word| word.text.as_str())).collect();
    assert_eq!(arguments, [Some("4"), None, Some("a"), None]);
    let keywords: Vec<_> =
        call.keywords.iter().map(|(key, word)| (key.as_str(), word.as_ref().map(|word| word.text.as_str()))).collect();
    assert_eq!(keywords, [("image", Some("b")), ("n", Some("-1"))]);
    assert!(call.runs_at_import && !call.is_conditional);
}

#[test]
fn conditional_calls_and_calls_in_functions_are_marked() {
    let flags = |text: &str| {
        let call = facts(text).calls.remove(0);
        (call.is_conditional, call.runs_at_import)
    };
    assert_eq!(flags("f()"), (false, true));
    assert_eq!(flags("if x:\n    f()\n"), (true, true));
    assert_eq!(flags("try:\n    pass\nexcept E:\n    f()\n"), (true, true));
    assert_eq!(flags("class A:\n    x = f()\n"), (false, true));
    assert_eq!(flags("def g():\n    f()\n"), (false, false));
    assert_eq!(flags("if __name__ == '__main__':\n    f()\n"), (false, false));
    assert_eq!(flags("x = f() if y else 1"), (true, true));
    assert_eq!(flags("x = lambda: f()"), (false, false));
}

#[test]
fn dictionary_entries_keywords_and_variables_are_settings() {
    assert_eq!(
        settings("d = {'+Flavour': '\"x\"', 'n': 4, 'v': y}"),
        [setting(Dialect::Program, "+Flavour", "\"x\""), setting(Dialect::Program, "n", "4"),]
    );
    assert_eq!(settings("f(queue='long', n=x)"), [setting(Dialect::Program, "queue", "long")]);
    assert_eq!(settings("os.environ['A'] = '/b'"), [setting(Dialect::Variable, "A", "/b")]);
    assert_eq!(settings("os.putenv('A', '/b')"), [setting(Dialect::Variable, "A", "/b")]);
    assert_eq!(settings("c['A'] = True"), [setting(Dialect::Program, "A", "True")]);
}

#[test]
fn ranges_of_settings_contain_their_text() {
    let text = "d = {'é': 'über'}";
    let setting = facts(text).settings.remove(0);
    assert_eq!((&text[setting.value.range.clone()], &text[setting.range]), ("über", "'é': 'über"));
}

#[test]
fn images_that_are_run_are_found() {
    let images = |text: &str| facts(text).images.into_iter().map(|word| word.text).collect::<Vec<_>>();
    assert_eq!(images("C(worker_image='a/b:latest')"), ["a/b:latest"]);
    assert_eq!(
        images("image = 'docker://a/b'\nx = {'+SingularityImage': '\"/cvmfs/a\"'}"),
        ["docker://a/b", "/cvmfs/a"]
    );
    assert!(images("image = 'a/b.png'; f(image='plot')").is_empty());
}

#[test]
fn lists_of_words_are_commands() {
    let text = "subprocess.run(['xrdcp', f'root://a/{x}', '-f', y])";
    let command = facts(text).commands.remove(0);
    let words: Vec<_> = command.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["xrdcp", "root://a/{x}", "-f", "{y}"]);
    assert_eq!(&text[command.words[0].range.clone()], "xrdcp");
}

#[test]
fn files_opened_for_reading_are_references() {
    assert_eq!(references("open('a'); open('b', 'r'); open('c', mode='rb')"), [data("a"), data("b"), data("c")]);
    assert!(references("open('a', 'w'); open('b', mode='a'); open('c', m); open(f'{d}'); x.open('e')").is_empty());
    assert_eq!(references("json.load(open('a'))"), [data("a")]);
    assert_eq!(
        references("uproot.open('a.root'); ROOT.TFile.Open('b.root'); TFile('c.root', 'READ')"),
        [data("a.root"), data("b.root"), data("c.root"),]
    );
    assert!(references("ROOT.TFile.Open('b.root', 'RECREATE')").is_empty());
    assert_eq!(
        references("pd.read_csv('a'); np.load('b'); CorrectionSet.from_file('c')"),
        [data("a"), data("b"), data("c")]
    );
    assert_eq!(references("Path('a').read_text()"), [data("a")]);
}

#[test]
fn files_opened_by_embedded_cpp_are_references() {
    let text =
        "ROOT.gROOT.ProcessLine(\n    f'auto c = correction::CorrectionSet::from_file(\"./config/x.json\");'\n)\n";
    assert_eq!(references(text), [data("./config/x.json")]);
    assert_eq!(&text[facts(text).references[0].range.clone()], "./config/x.json");
    assert_eq!(references("gInterpreter.Declare('auto f = TFile::Open(\"a/b.root\");')"), [data("a/b.root")]);
    assert!(references("gROOT.ProcessLine(f'auto f = TFile::Open(\"{name}.root\");')").is_empty());
}

#[test]
fn loaded_code_is_a_reference() {
    assert_eq!(references("ROOT.gROOT.LoadMacro('a.C')"), [code("a.C")]);
    assert_eq!(references("ROOT.gROOT.ProcessLine('.L b.C+')"), [code("b.C")]);
    let text = "ROOT.gInterpreter.Declare('''\n#include <c>\n#include \"x.h\"\n''')";
    assert_eq!(references(text), [code("x.h")]);
    assert_eq!(&text[facts(text).references[0].range.clone()], "x.h");
    assert_eq!(references("ROOT.gInterpreter.Declare('#include \"x.h\"\\nint a;')"), [code("x.h")]);
    assert_eq!(references("exec(open('a.py').read())"), [code("a.py"), data("a.py")]);
    assert_eq!(references("sys.path.append('../x'); sys.path.insert(0, 'y')"), [code("../x"), code("y")]);
    assert_eq!(references("subprocess.call(['bash', '-x', 'run/a.sh', 'b'])"), [code("run/a.sh")]);
}

/// Returns the commands and settings of embedded texts, and checks the range of the first word of each command.
fn inner(text: &str) -> (Vec<String>, Vec<String>) {
    let facts = facts(text);
    let commands = facts.commands.iter().map(|command| {
        let words: Vec<_> = command.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(text[command.words[0].range.clone()], command.words[0].text, "{text}");
        words.join(" ")
    });
    let commands = commands.collect();
    let settings = facts.settings.iter().filter(|setting| setting.dialect != Dialect::Program);
    (
        commands,
        settings.map(|setting| format!("{:?} {}={}", setting.dialect, setting.key, setting.value.text)).collect(),
    )
}

#[test]
fn shell_strings_are_commands() {
    assert_eq!(inner("os.system('mkdir -p /a')").0, ["mkdir -p /a"]);
    assert_eq!(inner("os.system(f'xrdcp /a/{x} b')").0, ["xrdcp /a/{x} b"]);
    assert_eq!(inner("os.system('cp \\'x y\\' ' + z)").0, ["cp x y {z}"]);
    assert_eq!(inner("cmd = 'ls %s' % x\nsubprocess.call(cmd, shell=True)").0, ["ls %s"]);
    assert_eq!(inner("subprocess.check_output(['bash', '-c', 'ls /a'])").0, ["ls /a"]);
    assert_eq!(inner("commands.getoutput('ls /a')").0, ["ls /a"]);
    assert_eq!(inner("subprocess.run('ls /a'.split())").0, ["ls /a"]);
    assert_eq!(inner("subprocess.run(shlex.split('ls /a'))").0, ["ls /a"]);
}

#[test]
fn scripts_in_strings_are_read() {
    let script = "s = \"\"\"#!/bin/bash\nexport A=/b\ncd {x}\n\"\"\"";
    assert_eq!(inner(script), (vec!["export A=/b".to_owned(), "cd {x}".to_owned()], vec!["Variable A=/b".to_owned()]));
    let escaped = "s = '#!/bin/bash\\nexport A=/b\\ncd \\'c d\\'\\n'";
    assert_eq!(inner(escaped), (vec!["export A=/b".to_owned(), "cd c d".to_owned()], vec!["Variable A=/b".to_owned()]));
    let lines = "env_extra = ['export A=/b', f'source {x}/c.sh']";
    assert_eq!(
        inner(lines),
        (vec!["export A=/b".to_owned(), "source {x}/c.sh".to_owned()], vec!["Variable A=/b".to_owned()])
    );
    let named = "s = '''#!/bin/sh\ncd %(base)s/x\n'''";
    assert_eq!(inner(named).0, ["cd {base}/x"]);
    let appended = "e = []\ne.append('export A=/b')\ne.append('cd ' + x)\n";
    assert_eq!(inner(appended).0, ["export A=/b", "cd {x}"]);
    let batch = "s = '''#!/bin/sh\n#SBATCH --partition=long\n'''";
    assert_eq!(inner(batch).1, ["Batch partition=long"]);
}

#[test]
fn job_descriptions_in_strings_are_read() {
    let expected = ["HtCondor universe=vanilla", "HtCondor +JobFlavour=long"];
    assert_eq!(inner("s = '''universe = vanilla\n+JobFlavour = \"long\"\nqueue\n'''").1, expected);
    let written =
        "f.write('universe = vanilla\\n')\nfor x in y: pass\nf.write('+JobFlavour = \"long\"\\n')\nf.write('queue')\n";
    assert_eq!(inner(written).1, expected);
    let printed = "print >>f, 'universe = vanilla'\nprint >>f, '+JobFlavour = \"long\"'\n";
    assert_eq!(inner(printed).1, expected);
    let added = "s = 'universe = vanilla\\n'\ns += '+JobFlavour = \"%s\"\\n' % x\ns += 'queue'\n";
    assert_eq!(inner(added).1[1], "HtCondor +JobFlavour=%s");
    let options = "SLURMCluster(job_extra_directives=['--partition=long', '-A x'])";
    assert_eq!(inner(options).1, ["Batch partition=long", "Batch account=x"]);
}

#[test]
fn displayed_text_is_not_a_script() {
    let prose = "s = '''To run:\nsource setup.sh and wait.\nThen go on.\n'''";
    for text in [prose, "s = 'a = b\\nc = d\\n'", "x = ['/export', 'source']"] {
        assert_eq!(inner(text), (vec![], vec![]), "{text}");
    }
}
