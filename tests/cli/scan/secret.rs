//! Secrets in lines that are reported.

use crate::scan::findings::FORMATS;
use crate::support::TestEnv;

const PASSWORD: &str = "hunter2secret";

#[test]
fn no_format_shows_a_secret_of_a_line_it_reports() {
    let token = format!("ghp_{}", "Ab3dEf6h".repeat(5).split_at(36).0);
    let env = TestEnv::new();
    env.write("a.py", format!("open('/eos/user/j/jdoe/x.root', token='{token}')\n"));
    env.write("b.sh", format!("#!/bin/bash\ncurl https://jdoe:{PASSWORD}@lxplus.cern.ch/x /afs/cern.ch/user/j/jdoe/x\nexport TOKEN={token}\n"));
    env.write("requirements.txt", format!("a @ git+https://jdoe:{PASSWORD}@github.com/x/y.git\n--index-url https://jdoe:{PASSWORD}@example.org/simple\n"));
    env.write(
        ".gitmodules",
        format!("[submodule \"a\"]\n\tpath = a\n\turl = https://jdoe:{PASSWORD}@github.com/x/y.git\n"),
    );
    let mut commands: Vec<Vec<&str>> = FORMATS.iter().map(|format| vec!["scan", "--all", "--format", format]).collect();
    commands.extend([vec!["scan", "--inventory"], vec!["scan", "--inventory", "--format", "json"]]);
    for command in commands {
        let said = env.carnet(&command);
        for secret in [PASSWORD, &token] {
            assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{command:?}\n{}", said.stdout);
        }
    }
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    let baseline = std::fs::read_to_string(env.analysis().join("carnet-baseline.json")).expect("a baseline");
    assert!(!baseline.contains(PASSWORD) && !baseline.contains(&token), "{baseline}");
}
