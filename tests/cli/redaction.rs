//! Planted secrets: no output contains one, in any encoding. Ordinary text stays.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::support::{CommandOutput, TestEnv};

/// Formats of `carnet report`.
const FORMATS: [&str; 9] = ["human", "json", "junit", "markdown", "html", "sarif", "gitlab", "github", "badge"];

/// Texts with a secret that their form reveals. `@@` is the secret.
const FORMS: [&str; 40] = [
    "https://user:@@@host.example/x.git",
    "https://x-access-token:@@@github.com/a/b.git",
    "fatal: could not read from 'https://oauth2:@@@gitlab.cern.ch/a/b/'",
    "https://@@@host.example/x",
    "https://:@@@host.example/x",
    "http://user:@@@host.example:8080",
    "root://u:@@@eos.example//eos/f.root",
    "xroot://u:@@@eos.example//eos/f.root",
    "ssh://git:@@@host.example:22/x",
    "sftp://me:@@@host.example/x",
    "davs://u:@@@se.example:443/x",
    "gsiftp://u:@@@se.example/x",
    "s3://AKID:@@@bucket/x",
    "docker://user:@@@registry.example/img:1",
    "oras://user:@@@registry.example/img",
    "pulling user:@@@registry.example/img:1 failed",
    "pkg @ git+https://u:@@@host.example/x@v1#egg=pkg",
    "pip install --index-url https://u:@@@host.example/simple pkg",
    "https://u:ab/@@/cd@host.example/x",
    "https://u:ab@@@@host.example/x",
    "https://u:a'@@@host.example/x",
    "{\"url\": \"https:\\/\\/u:@@@host.example\\/x\"}",
    "next=https%3A%2F%2Fu%3A@@%40host.example%2Fx",
    "postgresql://u:@@@db.example/x",
    "mongodb://u:@@@a.example,b.example/x",
    "https://host.example/x?access_token=@@&a=b",
    "GET /x?private_token=@@ HTTP/1.1",
    "https://s3.example/x?a=b&X-Amz-Signature=@@",
    "https://s3.example/x?X-Amz-Security-Token=@@&b=c",
    "https://blob.example/x?sv=2&sig=@@%2Bab%3D",
    "root://h.example//f?authz=Bearer%20@@",
    "https://host.example/#id_token=@@",
    "https://host.example/x?a=b&amp;api_key=@@",
    "> Authorization: Bearer @@",
    "> authorization: Basic @@==",
    "{'Authorization': 'token @@'}",
    "Authorization: Digest username=\"u\", response=\"@@\"",
    "> PRIVATE-TOKEN: @@",
    "< Set-Cookie: session=@@; Path=/",
    "> X-Api-Key: @@",
];

/// Ordinary texts, which stay in every report.
const ORDINARY: [&str; 12] = [
    "jane.doe@cern.ch",
    "git@github.com:x/y.git",
    "ssh://git@github.com/x/y",
    "root://eosuser.cern.ch//eos/user/j/jane/a@b.root",
    "pkg @ https://files.example.org/pkg-1.0.whl",
    "https://github.com/x/y@v1",
    "docker://python:3.11-slim@sha256:0123456789abcdef",
    "http://localhost:8080/x?page=2",
    "https://oauth2:$TOKEN@host.example/x",
    "@pytest.mark.slow",
    "std::vector<int>",
    "id-token: write",
];

/// The secret of each form. It is not in the environment.
fn planted(index: usize) -> String {
    format!("Zq{index:02}xKw7Yv{index:02}")
}

fn filled(index: usize) -> String {
    FORMS[index].replacen("@@", &planted(index), 1)
}

/// Variables of the caller, with the names and values of secrets.
const VARIABLES: [(&str, &str); 16] = [
    ("GITHUB_TOKEN", "gt-value-0001"),
    ("GITLAB_API_TOKEN", "gl-value-0002"),
    ("AWS_SECRET_ACCESS_KEY", "aws/value+0003=="),
    ("DB_PASSWORD", "p\"a's<w>&/o+r d\\$4"),
    ("PGPASSWD", "pg-passwd-0005"),
    ("GPG_PASSPHRASE", "a long phrase with spaces 6"),
    ("SERVICE_CREDENTIAL", "cred-value-0007"),
    ("APP_CREDENTIALS_JSON", "{\"key\":\"cred-value-0008\"}"),
    ("MY_KEY", "k3y-09"),
    ("API_KEY", "xyzz1"),
    ("npm_config__authToken", "npm-value-0011"),
    ("SSH_PRIVATE_KEY", "first-line-0012\nsecond-line-0012"),
    ("CLIENT_SECRET", "geheim-é-0013"),
    ("SMTP_PASS", "smtp-pass-0014"),
    ("VAULT_AUTH", "vault-auth-0015"),
    ("SESSION_COOKIE", "cookie-value-0016"),
];

/// A variable that the contract passes to the test, and that has no secret name.
const PASSED: (&str, &str) = ("DEPLOY_TARGET", "passed-value-0017");

/// The value as programs write it.
fn encodings(value: &str) -> Vec<String> {
    let percent: String = value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    let json = serde_json::to_string(value).expect("JSON");
    let markup = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut all = vec![
        value.to_owned(),
        percent.to_lowercase(),
        percent.replace("%20", "+"),
        percent,
        json.trim_matches('"').to_owned(),
        markup.replace('"', "&quot;").replace('\'', "&#39;"),
        markup.replace('"', "&quot;").replace('\'', "&#x27;"),
        markup,
        value.replace('\'', "'\\''"),
        value.replace('\\', "\\\\").replace('\'', "\\'"),
        STANDARD.encode(value),
        URL_SAFE.encode(value),
        STANDARD.encode(format!("user:{value}")),
        STANDARD.encode(format!("us:{value}")),
        STANDARD.encode(format!("use:{value}")),
        hex::encode(value),
        hex::encode_upper(value),
    ];
    // Logs contain single lines.
    all.extend(value.lines().map(str::to_owned));
    all
}

/// Fails if a text contains a secret.
#[track_caller]
fn assert_clean(name: &str, text: &str) {
    let planted = (0..FORMS.len()).map(planted);
    let values = VARIABLES.iter().chain([&PASSED]).map(|(_, value)| (*value).to_owned());
    for secret in planted.chain(values) {
        for encoded in encodings(&secret) {
            if let Some(at) = text.find(&encoded) {
                let start = text.floor_char_boundary(at.saturating_sub(80));
                let end = text.ceil_char_boundary((at + 80).min(text.len()));
                panic!("{name} contains `{secret}`:\n{}", &text[start..end]);
            }
        }
    }
}

/// A shell command that prints a text.
fn print(text: &str) -> String {
    format!("printf '%s\\n' '{}'", text.replace('\'', "'\\''"))
}

fn toml(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

/// Escapes a text for XML.
fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// All texts with secrets.
fn texts() -> Vec<String> {
    let encoded = VARIABLES.iter().chain([&PASSED]).flat_map(|(_, value)| encodings(value));
    let all: BTreeSet<String> = (0..FORMS.len()).map(filled).chain(encoded).collect();
    all.into_iter().collect()
}

/// Installs a pytest whose report is the file `junit.in`.
fn install_pytest(env: &mut TestEnv) {
    fs::create_dir_all(env.path("bin")).expect("a directory");
    env.install_script(
        &env.path("bin").join("pytest"),
        "#!/bin/sh\neval \"set -- $PYTEST_ADDOPTS\"; for a; do case $a in --junitxml=*) cp junit.in \"${a#*=}\";; esac; done\nexit 1\n",
    );
    env.prepend_path(&env.path("bin"));
}

/// An analysis that prints every secret everywhere.
fn hostile() -> TestEnv {
    let mut env = TestEnv::new();
    let lines: Vec<String> = texts().iter().map(|text| print(text)).collect();
    let ordinary: Vec<String> = ORDINARY.iter().map(|text| print(text)).collect();
    env.write_script("t.sh", &format!("{}\n{}\nexit 1", lines.join("\n"), ordinary.join("\n")));
    env.write_script("setup.sh", &format!("{}\nexit 0", lines.join("\n")));
    let mut cases = String::new();
    for text in texts() {
        let text = xml(&text);
        let _ = write!(
            cases,
            "<testcase classname=\"c {text}\" name=\"n {text}\"><failure message=\"m {text}\">f {text}</failure>\
             <system-out>o {text}</system-out></testcase>"
        );
    }
    env.write("junit.in", format!("<testsuites><testsuite name=\"s\">{cases}</testsuite></testsuites>"));
    install_pytest(&mut env);
    let commands: Vec<String> =
        [0, 1, 6, 13].iter().map(|index| toml(&format!("{}; ./t.sh", print(&filled(*index))))).collect();
    let image = |index: usize| {
        let secret = planted(index);
        format!(
            "[[facility]]\nid = \"image{index}\"\nimage = {}\n",
            toml(&FORMS[index].replacen("@@", &secret, 1).replace(' ', ""))
        )
    };
    env.write(
        "carnet.toml",
        format!(
            "[test]\nrun = [\"pytest\", {}]\nsetup = {}\n\n[[facility]]\nid = \"here\"\nengine = \"host\"\npass_env = [{}]\n\
             setup = {}\n\n[facility.env]\nCC = {}\nOTHER = {}\n\n{}",
            commands.join(", "),
            toml(&format!("{}; ./setup.sh", print(&filled(1)))),
            VARIABLES.iter().chain([&PASSED]).map(|(name, _)| toml(name)).collect::<Vec<_>>().join(", "),
            toml(&print(&filled(7))),
            toml(&filled(3)),
            toml(&filled(4)),
            image(13),
        ),
    );
    let source: String = texts().iter().fold(String::new(), |mut source, text| {
        let _ =
            writeln!(source, "open({}, '/afs/cern.ch/user/j/jane/x')", serde_json::to_string(text).expect("a string"));
        source
    });
    env.write("a.py", &source);
    env.write(
        "b.sh",
        format!(
            "#!/bin/bash\n{}\n",
            (0..FORMS.len())
                .map(|i| format!("xrdcp '{}' /afs/cern.ch/user/j/jane/x", filled(i).replace('\'', "")))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    );
    env.write("requirements.txt", format!("{}\n--index-url {}\n", filled(16), filled(0)));
    env.write("Dockerfile", "FROM user:Zq15xKw7Yv15@registry.example/img:1\n");
    env.write(
        ".gitlab-ci.yml",
        format!("test:\n  image: user:{}@registry.example/img:1\n  script:\n    - {}\n", planted(15), toml(&filled(0))),
    );
    env.git(&["init", "--quiet"]).assert_code(0);
    env.git(&["remote", "add", "origin", &filled(1)]).assert_code(0);
    env.commit("files");
    env
}

fn run(env: &TestEnv, arguments: &[&str]) -> CommandOutput {
    let mut command = env.carnet_command(arguments);
    command.envs(VARIABLES).env(PASSED.0, PASSED.1);
    CommandOutput::run(&mut command)
}

fn assert_reports_clean(dir: &Path) {
    let mut count = 0;
    for entry in fs::read_dir(dir).expect("reports").flatten() {
        let text = fs::read_to_string(entry.path()).expect("UTF-8");
        assert_clean(&entry.path().display().to_string(), &text);
        count += 1;
    }
    assert!(count >= 4, "{count} reports");
}

#[test]
fn no_output_contains_a_planted_secret() {
    let env = hostile();
    let check = run(&env, &["check"]).assert_code(1);
    assert_clean("check", &check.text());
    assert_reports_clean(&env.analysis().join("carnet-out"));
    let document = env.read("carnet-out/carnet.json");
    for text in ORDINARY {
        assert!(document.contains(text), "no `{text}`");
    }
    let steps = &env.document()["cells"][0]["steps"];
    let cases = steps.as_array().into_iter().flatten().filter_map(|step| step["cases"].as_array()).flatten();
    let (count, planted) = (cases.count(), texts().len());
    assert!(count >= planted, "{count} of {planted}");
    for format in FORMATS {
        let report = run(&env, &["report", "carnet-out/carnet.json", "--format", format]);
        assert_clean(format, &report.assert_code(0).text());
    }
    let cell = run(&env, &["cell", "here", "--out", "cell-out"]).assert_code(1);
    assert_clean("cell", &cell.text());
    assert_reports_clean(&env.analysis().join("cell-out"));
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["plan", "--format", "github"],
        &["plan", "--format", "gitlab"],
        &["scan"],
        &["scan", "--all"],
        &["scan", "--format", "json"],
        &["scan", "--format", "junit"],
        &["scan", "--format", "markdown"],
        &["scan", "--format", "sarif"],
        &["scan", "--format", "gitlab"],
        &["scan", "--format", "github"],
        &["scan", "--inventory"],
        &["scan", "--inventory", "--format", "json"],
        &["scan", "--fix"],
        &["snapshot"],
        &["diff", "carnet-out/carnet.json", "host"],
        &["doctor"],
        &["init", "--print"],
        &["snapshot", &filled(13)],
        &["snapshot", &format!("--{}", filled(0))],
        &["check", &filled(0)],
    ] {
        assert_clean(&arguments.join(" "), &run(&env, arguments).text());
    }
}

/// Fails if a line is a command of a CI system.
#[track_caller]
fn assert_no_commands(name: &str, output: &CommandOutput) {
    let text = output.text();
    let is_end = |c: char| matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let is_command = |line: &&str| line.trim_start().starts_with("::add-mask") || line.contains("##[");
    assert_eq!(text.split(is_end).find(is_command), None, "{name}:\n{text}");
    assert!(text.contains("add-mask"), "{name}:\n{text}");
}

#[test]
fn no_line_for_readers_is_a_command_of_a_ci_system() {
    let mut env = TestEnv::new();
    let name = "x&#10;::add-mask::n ##[group]";
    env.write(
        "junit.in",
        format!("<testsuite name=\"s\"><testcase classname=\"::add-mask::c\" name=\"::add-mask::n\"><failure message=\"{name}\"/></testcase></testsuite>"),
    );
    install_pytest(&mut env);
    env.write_script(
        "t.sh",
        "printf '::add-mask::a\\n \\t::add-mask::b\\r::add-mask::c\\n\\302\\205::add-mask::d\\n##[group]e\\n'; exit 1",
    );
    env.write(
        "carnet.toml",
        "[test]\nrun = [\"pytest\", \"./t.sh '\\n::add-mask::x'\"]\n[[facility]]\nid = \"here\"\nengine = \"host\"\n",
    );
    env.write(
        "::add-mask::f.sh",
        "#!/bin/bash\ncd /afs/cern.ch/user/j/jdoe/::add-mask::x\n::add-mask::y /afs/cern.ch/user/j/jdoe/\n",
    );
    assert_no_commands("check", &env.carnet(&["check"]).assert_code(1));
    assert_no_commands("color", &env.carnet(&["check", "--color", "always"]).assert_code(1));
    assert_no_commands("report", &env.carnet(&["report", "carnet-out"]).assert_code(0));
    assert_no_commands("scan", &env.carnet(&["scan", "--all"]).assert_code(1));
    assert_no_commands("plan", &env.carnet(&["plan"]).assert_code(0));
    assert_no_commands("target", &env.carnet(&["snapshot", "\n::add-mask::x"]).assert_code(2));
    assert_no_commands("option", &env.carnet(&["check", "--x\n::add-mask::x"]).assert_code(2));
    assert_no_commands("document", &env.carnet(&["report", "\n::add-mask::x"]).assert_code(2));
    env.write("carnet.toml", "[test]\n\"\\n::add-mask::k\" = 1\n");
    assert_no_commands("configuration", &env.carnet(&["check"]).assert_code(2));
}

#[test]
fn baseline_and_hook_contain_no_planted_secret() {
    let env = hostile();
    assert_clean("baseline", &run(&env, &["scan", "--update-baseline"]).assert_code(0).text());
    assert_clean("carnet-baseline.json", &env.read("carnet-baseline.json"));
    assert_clean("accepted", &run(&env, &["scan", "--all"]).text());
    let mut hook = env.carnet_command(&["hook", "run", "pre-commit", "--budget", "600s"]);
    hook.envs(VARIABLES).env("PRE_COMMIT_REMOTE_NAME", "origin").env("PRE_COMMIT_TO_REF", "HEAD");
    let output = CommandOutput::run(&mut hook);
    output.assert_contains(&["push blocked"]);
    assert_clean("hook", &output.text());
}

#[test]
fn error_about_the_configuration_contains_no_planted_secret() {
    let env = TestEnv::new();
    env.write("carnet.toml", format!("[[facility]]\nid = \"a\"\nimage = {} \n", toml(&filled(14))));
    let output = run(&env, &["check"]).assert_code(2);
    assert_clean("check", &output.text());
    insta::assert_snapshot!(env.redact(&output.stderr), @r#"
    error: invalid image reference `oras://[redacted]@registry.example/img`: unknown transport `oras`
     --> [ANALYSIS]/carnet.toml:3:9
      |
    3 | image = "oras://[redacted]@registry.example/img" 
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use docker://NAME:TAG, docker-daemon:NAME:TAG, docker-archive:FILE, oci:DIR[:TAG], oci-archive:FILE[:TAG], dir:ROOTFS or host
    "#);
}

#[test]
fn finding_after_a_secret_is_underlined() {
    let env = TestEnv::new();
    env.write("a.sh", "#!/bin/bash\ncurl https://jane:s3cretpassw0rd@host.example/x -o /afs/cern.ch/user/j/jane/x\n");
    let output = env.carnet(&["scan"]).assert_code(1);
    insta::assert_snapshot!(env.redact(&output.stdout), @"
    error[home-path]: `/afs/cern.ch/user/j/jane/x` is in jane's directory; `/afs/cern.ch/user` exists at cern-lxplus; not at 18 others
     --> a.sh:2:52
      |
    2 | curl https://[redacted]@host.example/x -o /afs/cern.ch/user/j/jane/x
      |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: breaks at atlas-slac, atlas-uchicago, cern-swan, fnal-eaf, fnal-lpc and 13 more; works at cern-lxplus
      = help: read it from an argument, a configuration file or an environment variable, and reference data by logical names or URLs

    note[missing-tests]: repository has no tests
    --> the repository
     = help: add a test that processes a few events, or set `[test] run` in carnet.toml

    1 error, 1 note in 1 file
    1 file scanned in [TIME] s
    ");
    let sarif: serde_json::Value =
        serde_json::from_str(&env.carnet(&["scan", "--format", "sarif"]).assert_code(1).stdout).expect("JSON");
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    insta::assert_snapshot!(region["snippet"]["text"], @r#""/afs/cern.ch/user/j/jane/x""#);
}
