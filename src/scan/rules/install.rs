//! Packages in install commands: `pip install`, `conda install`, `apt-get install` and others.

use crate::source::lang::fact::{Command, Word};

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Pip,
    Conda,
    System,
}

/// Returns the packages of an install command and the package manager. `None` for other commands.
pub(super) fn packages(command: &Command) -> Option<(Manager, Vec<&Word>)> {
    let words = &command.words;
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let skip = usize::from(texts.first() == Some(&"sudo"));
    let name = base(texts.get(skip)?);
    let (manager, verb) = match name {
        "pip" | "pip2" | "pip3" => (Manager::Pip, skip + 1),
        _ if name.starts_with("pip3.") => (Manager::Pip, skip + 1),
        _ if name.starts_with("python") && texts.get(skip + 1..skip + 3) == Some(&["-m", "pip"]) => {
            (Manager::Pip, skip + 3)
        }
        "uv" if texts.get(skip + 1) == Some(&"pip") => (Manager::Pip, skip + 2),
        "conda" | "mamba" | "micromamba" => (Manager::Conda, skip + 1),
        "apt-get" | "apt" | "yum" | "dnf" | "apk" | "microdnf" => (Manager::System, skip + 1),
        _ => return None,
    };
    // Options may precede the verb: `apt-get -y install`.
    let verb_index = (verb..texts.len()).find(|verb_index| !texts[*verb_index].starts_with('-'))?;
    let installs = match texts[verb_index] {
        "install" => true,
        "create" => manager == Manager::Conda,
        "add" => name == "apk",
        _ => false,
    };
    installs.then(|| (manager, names(&words[verb_index + 1..], manager)))
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Options that take the next word as their value.
const WITH_VALUE: &[&str] = &[
    "-c",
    "--channel",
    "--constraint",
    "-e",
    "--editable",
    "--extra-index-url",
    "-f",
    "--file",
    "--find-links",
    "-i",
    "--index-url",
    "-n",
    "--name",
    "-p",
    "--prefix",
    "--python",
    "-r",
    "--requirement",
    "-t",
    "--target",
    "--root",
    "--cache-dir",
    "--group",
    "--only-binary",
    "--no-binary",
    "--config-settings",
    "-C",
    "--prefix",
    "--src",
    "--abi",
    "--trusted-host",
    "--platform",
    "--timeout",
    "--retries",
    "-o",
    "--option",
];

fn names(words: &[Word], manager: Manager) -> Vec<&Word> {
    let mut found = Vec::new();
    let mut takes_next = false;
    for word in words {
        let text = word.text.as_str();
        if takes_next {
            takes_next = false;
        } else if text.starts_with('-') {
            takes_next = WITH_VALUE.contains(&text);
        } else if text.starts_with(['>', '<', '&', '|', ';', '#']) || text.is_empty() {
            break;
        } else if !is_local(text, manager) {
            found.push(word);
        }
    }
    found
}

/// Reports whether a word is a local file or contains a variable.
fn is_local(text: &str, manager: Manager) -> bool {
    let is_file = text.starts_with(['.', '/', '~', '$', '{']) && !text.starts_with("git+");
    let is_archive = manager == Manager::System && (text.ends_with(".deb") || text.ends_with(".rpm"));
    let is_wheel = text.ends_with(".whl") && !text.contains("://");
    is_file || is_archive || is_wheel || text.contains("${") || text.starts_with("file:")
}
