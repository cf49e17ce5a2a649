//! Command lines of docker, podman and Apptainer: the image, the options and the command in the container.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::lang::fact::Word;
use crate::source::lang::shell::{takes_value, words};

/// A command line that uses containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    /// Starts a container.
    Run(Box<ContainerRun>),
    /// Runs a command in a running container.
    Exec {
        /// Name of the container.
        name: String,
        /// The command.
        command: String,
    },
    /// Builds an image with these names.
    Build(Vec<String>),
}

/// A container that a command starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ContainerRun {
    /// The image as written, with a transport for Apptainer.
    pub(super) image: String,
    /// Its name, if set.
    pub(super) name: Option<String>,
    /// Whether it runs in the background.
    pub(super) is_detached: bool,
    /// The options.
    pub(super) options: Options,
    /// The command in the container. Empty for the image's default command.
    pub(super) command: String,
}

/// Options of `docker run` and of GitHub's `container.options`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Environment variables with values.
    pub(super) env: BTreeMap<String, String>,
    /// Mounted directories of the host, as `SOURCE:TARGET[:rw]`.
    pub(super) mounts: BTreeSet<String>,
    /// Where the repository is mounted.
    pub(super) top: Option<String>,
    /// `user`, `workdir`, `memory`, `cpus` and `pids` as written, and an empty `read_only`.
    pub(super) settings: BTreeMap<&'static str, String>,
    /// Options without a facility setting.
    pub(super) unsupported: Vec<String>,
}

/// Splits a text into command lines. Quotes and backslashes can continue a command on the next line.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(line) = found.last_mut() else { break };
        match (quote, c) {
            (_, '\\') if quote != Some('\'') => match chars.next() {
                Some('\n') => line.push(' '),
                Some(next) => line.extend(['\\', next]),
                None => {}
            },
            (None, '\n') => found.push(String::new()),
            (None, '"' | '\'') => {
                quote = Some(c);
                line.push(c);
            }
            (Some(open), _) if open == c => {
                quote = None;
                line.push(c);
            }
            _ => line.push(c),
        }
    }
    found.retain(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    found
}

/// Parses a command line. `None` if it does not use containers.
pub(super) fn parse(line: &str) -> Option<Call> {
    let all = words(line);
    let index = all.iter().take(24).position(|word| is_engine(base(&word.text)))?;
    // `echo docker run`, `which docker`
    if index > 0
        && matches!(all[0].text.as_str(), "echo" | "printf" | "which" | "apt-get" | "apt" | "pip" | "type" | "sudo")
        && all[0].text != "sudo"
    {
        return None;
    }
    let is_docker = !matches!(base(&all[index].text), "apptainer" | "singularity");
    let words = &all[index + 1..];
    let verb = words.iter().position(|word| !word.text.starts_with('-'))?;
    let (what, mut rest) = (words[verb].text.as_str(), &words[verb + 1..]);
    let what = if matches!(what, "container" | "buildx" | "image") && !rest.is_empty() {
        let inner = rest[0].text.as_str();
        rest = &rest[1..];
        inner
    } else {
        what
    };
    match what {
        "run" | "exec" if what == "run" || !is_docker => {
            run(line, rest, is_docker).map(|container| Call::Run(Box::new(container)))
        }
        "exec" => {
            let mut options = Options::default();
            let index = parse_options(rest, true, &mut options, &mut |_, _| {});
            let name = rest.get(index)?.text.clone();
            Some(Call::Exec { name, command: inner_command(line, &rest[index + 1..]) })
        }
        "build" if is_docker => Some(Call::Build(tags(rest))),
        _ => None,
    }
}

/// Parses the options that GitHub passes to docker.
pub(super) fn options(text: &str) -> Options {
    let mut options = Options::default();
    let found = words(text);
    parse_options(&found, true, &mut options, &mut |_, _| {});
    options
}

fn run(line: &str, words: &[Word], is_docker: bool) -> Option<ContainerRun> {
    let mut container = ContainerRun::default();
    let mut options = Options::default();
    let (mut name, mut is_detached) = (None, false);
    let index = parse_options(words, is_docker, &mut options, &mut |option, value| match option {
        "--name" => name = value.map(str::to_owned),
        "--detach" => is_detached = true,
        short if is_docker && !short.starts_with("--") && short.contains('d') => is_detached = true,
        _ => {}
    });
    let image = &words.get(index)?.text;
    container.image = match is_docker {
        true => image.strip_prefix("docker://").unwrap_or(image).to_owned(),
        false if image.starts_with('/') => format!("dir:{image}"),
        false => image.clone(),
    };
    container.command = inner_command(line, &words[index + 1..]);
    container.name = name;
    container.is_detached = is_detached;
    container.options = options;
    Some(container)
}

/// Parses options up to the first other word. Returns the number of words parsed.
fn parse_options(
    words: &[Word],
    is_docker: bool,
    options: &mut Options,
    other: &mut dyn FnMut(&str, Option<&str>),
) -> usize {
    let mut index = 0;
    while let Some(word) = words.get(index).map(|word| word.text.as_str()).filter(|word| word.starts_with('-')) {
        index += 1;
        if word == "--" {
            break;
        }
        let (option, own) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        let next = words.get(index).map(|word| word.text.as_str());
        let value = own.or(next.filter(|_| takes_value(is_docker, option)));
        index += usize::from(own.is_none() && value.is_some());
        options.add(option, value);
        other(option, value);
    }
    index
}

/// Returns the command after the image: the script of `bash -c`, or the rest of the line.
fn inner_command(line: &str, words: &[Word]) -> String {
    let Some(first) = words.first() else { return String::new() };
    let is_shell = matches!(base(&first.text), "bash" | "sh" | "zsh");
    if is_shell {
        let script = words[1..].iter().position(|word| word.text.starts_with('-') && word.text.ends_with('c'));
        return match script.and_then(|index| words.get(index + 2)) {
            Some(script) => script.text.clone(),
            // An interactive shell runs nothing by itself.
            None if words.len() == 1 => String::new(),
            None => line.get(first.range.start..).unwrap_or("").to_owned(),
        };
    }
    line.get(first.range.start..).unwrap_or("").trim_end().to_owned()
}

fn tags(words: &[Word]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match word.text.as_str() {
            "-t" | "--tag" => found.extend(words.get(index + 1).map(|word| word.text.clone())),
            text => found.extend(text.strip_prefix("--tag=").map(str::to_owned)),
        }
    }
    found
}

impl Options {
    /// Adds an option.
    fn add(&mut self, option: &str, value: Option<&str>) {
        let value = value.unwrap_or("");
        match option {
            "-e" | "--env" => match value.split_once('=') {
                Some((name, value)) => drop(self.env.insert(name.to_owned(), value.to_owned())),
                None => self.unsupported.push(format!("{option} {value}")),
            },
            "-v" | "--volume" | "-B" | "--bind" => self.mount(value),
            "-u" | "--user" => self.set("user", value),
            "-w" | "--workdir" | "--pwd" => self.set("workdir", value),
            "-m" | "--memory" => self.set("memory", value),
            "--cpus" => self.set("cpus", value),
            "--pids-limit" => self.set("pids", value),
            "--read-only" => self.set("read_only", ""),
            "--rm" | "--name" | "--detach" | "--interactive" | "--tty" | "--pull" | "--quiet" | "--init" => {}
            short if !short.starts_with("--") && short.chars().skip(1).all(|c| "itd".contains(c)) => {}
            _ if value.is_empty() => self.unsupported.push(option.to_owned()),
            _ => self.unsupported.push(format!("{option} {value}")),
        }
    }

    fn set(&mut self, key: &'static str, value: &str) {
        self.settings.insert(key, value.to_owned());
    }

    /// Adds mounts: `SOURCE:TARGET[:options]`. Apptainer separates several with commas.
    pub(super) fn mount(&mut self, value: &str) {
        for item in value.split(',') {
            let mut parts = item.split(':');
            let (source, target) = (parts.next().unwrap_or(""), parts.next());
            let options = parts.next().unwrap_or("");
            let target = target.unwrap_or(source);
            if is_top(source) {
                self.top = Some(target.to_owned());
            } else if source.starts_with("/home/runner") || source.starts_with("/__") {
                self.unsupported.push(format!("-v {item}"));
            } else if source.starts_with("/cvmfs") || source.starts_with('/') && options.contains("ro") {
                self.mounts.insert(format!("{source}:{target}"));
            } else if source.starts_with('/') {
                self.mounts.insert(format!("{source}:{target}:rw"));
            } else if item != "shared" && item != "rslave" {
                self.unsupported.push(format!("-v {item}"));
            }
        }
    }
}

/// Reports whether the source of a mount is the repository.
fn is_top(source: &str) -> bool {
    let source = source.trim_end_matches('/').replace(['{', '}', '`', '(', ')', ' '], "");
    matches!(
        source.as_str(),
        "." | "$PWD" | "$pwd" | "pwd" | "$GITHUB_WORKSPACE" | "$github.workspace" | "$CI_PROJECT_DIR"
    )
}

fn is_engine(name: &str) -> bool {
    matches!(name, "docker" | "podman" | "nerdctl" | "singularity" | "apptainer")
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{Call, ContainerRun, lines, options, parse};

    fn run(line: &str) -> ContainerRun {
        match parse(line) {
            Some(Call::Run(container)) => *container,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn docker_run_is_parsed_with_options() {
        let container = run(
            "docker run -it --rm --name=box -v $PWD:/work -v /cvmfs:/cvmfs:shared -e A=b -u 1000:0 --gpus all cmssw/el9:x86_64 \
             bash -lc 'source /x.sh && make test'",
        );
        assert_eq!((container.image.as_str(), container.name.as_deref()), ("cmssw/el9:x86_64", Some("box")));
        assert_eq!(container.command, "source /x.sh && make test");
        assert_eq!(container.options.top.as_deref(), Some("/work"));
        assert_eq!(container.options.mounts.iter().collect::<Vec<_>>(), ["/cvmfs:/cvmfs"]);
        assert_eq!(container.options.settings["user"], "1000:0");
        assert_eq!(container.options.unsupported, ["--gpus all"]);
        assert!(!container.is_detached);
        assert!(run("sudo docker run -itd --privileged x/y:1 /bin/bash").is_detached);
        assert_eq!(run("docker run x/y:1 python run.py --n 3").command, "python run.py --n 3");
    }

    #[test]
    fn apptainer_exec_runs_directory_on_cvmfs() {
        let container = run("apptainer exec -B /cvmfs,/eos /cvmfs/unpacked.cern.ch/x/y:1 pytest");
        assert_eq!(
            (container.image.as_str(), container.command.as_str()),
            ("dir:/cvmfs/unpacked.cern.ch/x/y:1", "pytest")
        );
        assert_eq!(run("singularity exec docker://a/b:1 ls").image, "docker://a/b:1");
    }

    #[test]
    fn exec_and_build_are_parsed() {
        let exec = Call::Exec { name: "box".to_owned(), command: "cd X; ctest".to_owned() };
        assert_eq!(parse("docker exec -t box /bin/bash -c 'cd X; ctest'"), Some(exec));
        assert_eq!(parse("docker build --pull -t a/b:1 ."), Some(Call::Build(vec!["a/b:1".to_owned()])));
        for other in ["echo docker run x", "docker pull x", "pytest", "docker", "docker run"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn command_spans_several_lines() {
        let text = "# docker run no\ndocker run x/y \\\n  bash -c \"a\nb\"\nls\n";
        assert_eq!(lines(text), ["docker run x/y    bash -c \"a\nb\"", "ls"]);
    }

    #[test]
    fn job_options_are_parsed_like_docker_options() {
        let options = options("--user 1001 --cpus 1 -v /cvmfs:/cvmfs --read-only");
        assert_eq!(options.settings.keys().copied().collect::<Vec<_>>(), ["cpus", "read_only", "user"]);
    }

    proptest! {
        #[test]
        fn any_line_can_be_parsed(line in "(docker |run |-v |'|\"|\\\\|\n|\\PC){0,40}") {
            for line in lines(&line) {
                let _ = parse(&line);
            }
            let _ = options(&line);
        }
    }
}
