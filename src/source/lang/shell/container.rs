//! Commands that run a container: the image, bind mounts, and paths inside the image.

use super::part::{Part, Piece, program_name};
use crate::source::lang::fact::Word;
use crate::source::lang::span::Role;
use crate::source::lang::view_builder::{ViewBuilder, is_shared};

/// Options of docker and podman that take no value.
const DOCKER_FLAGS: [&str; 14] = [
    "--rm",
    "--privileged",
    "--init",
    "--detach",
    "--interactive",
    "--tty",
    "--no-healthcheck",
    "--read-only",
    "--publish-all",
    "--quiet",
    "--oom-kill-disable",
    "--no-cache",
    "--replace",
    "--all-tags",
];
/// Options of apptainer that take a value.
const APPTAINER_VALUES: [&str; 30] = [
    "-B",
    "--bind",
    "-H",
    "--home",
    "-W",
    "--workdir",
    "--pwd",
    "--cwd",
    "-S",
    "--scratch",
    "-o",
    "--overlay",
    "--env",
    "--env-file",
    "--network",
    "--network-args",
    "--app",
    "--hostname",
    "--dns",
    "--apply-cgroups",
    "--security",
    "--mount",
    "--add-caps",
    "--drop-caps",
    "--fusemount",
    "--docker-username",
    "--name",
    "--dir",
    "--arch",
    "--library",
];

/// Adds the images of a command and marks the paths inside them.
pub(super) fn read(builder: &mut ViewBuilder<'_>, words: &mut [Part], name: &str) {
    let mut is_found = false;
    // `srun singularity exec …`, `time docker run …`.
    let at = words.iter().take(24).position(|word| is_engine(program_name(&word.text)) && !word.is_quoted);
    if let Some(at) = at.filter(|at| {
        *at == 0
            || !matches!(
                name,
                "echo" | "printf" | "which" | "command" | "apt" | "apt-get" | "yum" | "dnf" | "conda" | "pip" | "type"
            )
    }) {
        is_found = engine(builder, &mut words[at..]);
    }
    for index in 1..words.len() {
        let word = &words[index];
        let image = match word.assignment(builder.text) {
            Some(("--image" | "--container-image" | "--docker-image" | "--singularity-image", value)) => Some(value),
            None if matches!(word.text.as_str(), "--image" | "--container-image") => words.get(index + 1).map(unquoted),
            None if word.text.starts_with("docker://") && !is_found => Some(unquoted(word)),
            _ => None,
        };
        builder.facts.images.extend(image.filter(|image| !image.text.is_empty()));
    }
}

fn is_engine(name: &str) -> bool {
    matches!(name, "docker" | "podman" | "podman-hpc" | "nerdctl" | "singularity" | "apptainer" | "udocker")
}

fn unquoted(part: &Part) -> Word {
    Word { text: part.text.clone(), range: part.quoted().unwrap_or_else(|| part.range.clone()) }
}

/// Reads the words of a container engine, starting with its name. Returns true if an image was found.
fn engine(builder: &mut ViewBuilder<'_>, words: &mut [Part]) -> bool {
    let is_docker = !matches!(program_name(&words[0].text), "singularity" | "apptainer");
    let Some(verb) = words.iter().skip(1).position(|word| !word.text.starts_with('-')).map(|at| at + 1) else {
        return false;
    };
    let mut verb = verb;
    if matches!(words[verb].text.as_str(), "instance" | "image" | "container" | "start") && words.len() > verb + 1 {
        verb += 1;
    }
    let what = words[verb].text.clone();
    if !matches!(what.as_str(), "run" | "exec" | "shell" | "pull" | "create" | "build" | "start") {
        return false;
    }
    let mut at = verb + 1;
    while let Some(word) = words.get(at) {
        if !word.text.starts_with('-') {
            break;
        }
        let option = word.text.split('=').next().unwrap_or("").to_owned();
        let has_own = word.equals.is_some();
        let takes = !has_own && takes_value(is_docker, &option);
        at += 1;
        let value = if has_own { Some(at - 1) } else { takes.then_some(at) };
        at += usize::from(takes);
        if let Some(part) = value.and_then(|value| words.get_mut(value)) {
            inside(part, builder.text, &option, has_own);
        }
    }
    if is_docker && matches!(what.as_str(), "build" | "exec") {
        mark_rest(words, at + 1, what == "exec");
        return false;
    }
    let is_uri = |word: &Part| word.text.contains("://") || word.text.ends_with(".sif");
    if !is_docker
        && matches!(what.as_str(), "pull" | "build")
        && words.len() > at + 1
        && !is_uri(&words[at]) | words[at + 1].text.contains("://")
    {
        at += 1;
    }
    let Some(image) = words.get(at) else { return false };
    let image = unquoted(image);
    let is_definition = what == "build" && image.text.ends_with(".def");
    if !is_definition {
        builder.facts.images.push(image);
    }
    mark_rest(words, at + 1, matches!(what.as_str(), "run" | "exec" | "create" | "start"));
    !is_definition
}

fn mark_rest(words: &mut [Part], from: usize, is_inside: bool) {
    if is_inside {
        for piece in words.iter_mut().skip(from).filter(|word| !is_shared(&word.text)).flat_map(|word| &mut word.pieces)
        {
            piece.role = Role::Inside;
        }
    }
}

/// Reports whether an option of docker, or of apptainer if `is_docker` is false, takes a value.
pub(in crate::source) fn takes_value(is_docker: bool, option: &str) -> bool {
    if !is_docker {
        return APPTAINER_VALUES.contains(&option);
    }
    if option.starts_with("--") {
        return !DOCKER_FLAGS.contains(&option);
    }
    option.ends_with(['v', 'e', 'w', 'u', 'p', 'h', 'm', 'l', 'a', 'c', 'f'])
}

/// Marks the value of an option that is a path inside the image.
fn inside(part: &mut Part, text: &str, option: &str, has_own: bool) {
    let from = if has_own { part.equals.map_or(0, |(at, _)| at) } else { 0 };
    match option {
        "-w" | "--workdir" | "--pwd" | "--cwd" | "-W" | "--tmpfs" | "--entrypoint" | "-e" | "--env" => {
            for piece in part.pieces.iter_mut().filter(|piece| piece.range.start >= from) {
                piece.role = Role::Inside;
            }
        }
        "-v" | "--volume" | "-B" | "--bind" | "-H" | "--home" | "-it" | "-itv" => binds(part, text, from),
        "--mount" => mount(part, text),
        _ => {}
    }
}

/// Splits `host:inside[:options],…`.
fn binds(part: &mut Part, text: &str, from: usize) {
    let mut is_inside = false;
    let mut pieces = Vec::new();
    for piece in part.pieces.drain(..) {
        if piece.range.start < from {
            pieces.push(piece);
            continue;
        }
        let written = text.get(piece.range.clone()).unwrap_or("");
        let mut start = 0;
        for (at, byte) in written.bytes().enumerate() {
            let next = written.as_bytes().get(at + 1).copied();
            let is_separator = byte == b','
                || byte == b':' && (is_inside || matches!(next, None | Some(b'/' | b'$' | b'~' | b'"' | b'\'')));
            if is_separator {
                pieces.push(subpiece(&piece, start..at, is_inside));
                start = at + 1;
                is_inside = byte == b':';
            }
        }
        pieces.push(subpiece(&piece, start..written.len(), is_inside));
    }
    part.pieces = pieces;
}

fn subpiece(piece: &Piece, range: std::ops::Range<usize>, is_inside: bool) -> Piece {
    Piece {
        is_head: piece.is_head || range.start > 0,
        range: piece.range.start + range.start..piece.range.start + range.end,
        role: if is_inside { Role::Inside } else { piece.role },
    }
}

/// Splits `type=bind,source=a,target=b`.
fn mount(part: &mut Part, text: &str) {
    let mut pieces = Vec::new();
    for piece in part.pieces.drain(..) {
        let written = text.get(piece.range.clone()).unwrap_or("");
        let mut start = 0;
        for item in written.split_inclusive(',') {
            let is_inside = ["target=", "dst=", "destination="].iter().any(|key| item.starts_with(key));
            pieces.push(subpiece(&piece, start..start + item.len(), is_inside));
            start += item.len();
        }
    }
    part.pieces = pieces;
}
