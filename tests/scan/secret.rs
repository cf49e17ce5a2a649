//! Secrets in lines that are reported.

use crate::audit::FORMATS;
use crate::room::Room;

const PASSWORD: &str = "hunter2secret";

#[test]
fn no_format_shows_a_secret_of_a_line_it_reports() {
    let token = format!("ghp_{}", "Ab3dEf6h".repeat(5).split_at(36).0);
    let room = Room::new();
    room.write("a.py", format!("open('/eos/user/j/jdoe/x.root', token='{token}')\n"));
    room.write("b.sh", format!("#!/bin/bash\ncurl https://jdoe:{PASSWORD}@lxplus.cern.ch/x /afs/cern.ch/user/j/jdoe/x\nexport TOKEN={token}\n"));
    room.write("requirements.txt", format!("a @ git+https://jdoe:{PASSWORD}@github.com/x/y.git\n--index-url https://jdoe:{PASSWORD}@example.org/simple\n"));
    room.write(
        ".gitmodules",
        format!("[submodule \"a\"]\n\tpath = a\n\turl = https://jdoe:{PASSWORD}@github.com/x/y.git\n"),
    );
    let mut commands: Vec<Vec<&str>> = FORMATS.iter().map(|format| vec!["scan", "--all", "--format", format]).collect();
    commands.extend([vec!["scan", "--inventory"], vec!["scan", "--inventory", "--format", "json"]]);
    for command in commands {
        let said = room.run(&command);
        for secret in [PASSWORD, &token] {
            assert!(!said.out.contains(secret) && !said.err.contains(secret), "{command:?}\n{}", said.out);
        }
    }
    room.run(&["scan", "--update-baseline"]).expect(0);
    let baseline = std::fs::read_to_string(room.top().join("carnet-baseline.json")).expect("a baseline");
    assert!(!baseline.contains(PASSWORD) && !baseline.contains(&token), "{baseline}");
}
