//! Options of batch systems, in directives and in submission commands.

use std::ops::Range;

use super::words;
use crate::source::lang::fact::{Dialect, Word};
use crate::source::lang::span::{Kind, Role};
use crate::source::lang::view_builder::{ViewBuilder, trim};

/// A batch system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Slurm,
    Pbs,
    Lsf,
    GridEngine,
    Cobalt,
    Condor,
}

impl System {
    /// Returns the batch system of a submission command.
    pub(super) fn of_command(name: &str) -> Option<Self> {
        Some(match name {
            "sbatch" | "srun" | "salloc" => Self::Slurm,
            "bsub" => Self::Lsf,
            "qsub" | "qlogin" | "qrsh" => Self::Pbs,
            "condor_submit" => Self::Condor,
            _ => return None,
        })
    }

    /// Returns the long name of a one-letter option that takes a value (manual pages of sbatch, qsub, bsub).
    fn long(self, short: &str) -> Option<&'static str> {
        Some(match (self, short) {
            (Self::Slurm, "p") => "partition",
            (Self::Slurm, "A") | (Self::Pbs | Self::Cobalt, "A") => "account",
            (Self::Slurm, "q") => "qos",
            (Self::Slurm, "t") | (Self::Cobalt, "t") => "time",
            (Self::Slurm, "N") => "nodes",
            (Self::Slurm, "n") | (Self::Lsf, "n") => "ntasks",
            (Self::Slurm, "c") => "cpus-per-task",
            (Self::Slurm, "C") => "constraint",
            (Self::Slurm, "G") => "gpus",
            (Self::Slurm, "w") => "nodelist",
            (Self::Slurm, "x") => "exclude",
            (Self::Slurm, "d") => "dependency",
            (Self::Slurm, "a") => "array",
            (Self::Slurm, "M") => "clusters",
            (Self::Slurm, "L") => "licenses",
            (Self::Slurm, "D") => "chdir",
            (Self::Slurm | Self::Lsf, "J") | (Self::Pbs | Self::GridEngine, "N") => "job-name",
            (Self::Slurm | Self::Pbs | Self::Lsf | Self::GridEngine | Self::Cobalt, "o") => "output",
            (Self::Slurm | Self::Pbs | Self::Lsf | Self::GridEngine | Self::Cobalt, "e") => "error",
            (Self::Pbs | Self::Lsf | Self::GridEngine | Self::Cobalt, "q") => "queue",
            (Self::Lsf | Self::GridEngine, "P") => "project",
            (Self::Pbs | Self::GridEngine, "l") | (Self::Lsf, "R") => "resources",
            (Self::Lsf, "W") => "time",
            (Self::Lsf, "M") => "mem",
            (Self::Lsf, "m") => "hosts",
            (Self::Lsf, "G") => "group",
            (Self::Cobalt, "n") => "nodes",
            (Self::Pbs | Self::GridEngine, "M" | "m") | (Self::Lsf, "u") => "mail",
            (Self::Pbs, "P") => "project",
            (Self::GridEngine, "pe") => "pe",
            (Self::Lsf, "app") => "app",
            (Self::Condor, "name") => "name",
            (Self::Condor, "remote") => "remote",
            (Self::Condor, "pool") => "pool",
            (Self::Condor, "append" | "a") => "append",
            _ => return None,
        })
    }
}

/// Long options whose value is the next word.
const LONG_OPTIONS: [&str; 33] = [
    "account",
    "array",
    "chdir",
    "clusters",
    "constraint",
    "container-image",
    "cpus-per-gpu",
    "cpus-per-task",
    "dependency",
    "error",
    "exclude",
    "export",
    "gpus",
    "gpus-per-node",
    "gres",
    "job-name",
    "licenses",
    "mail-type",
    "mail-user",
    "mem",
    "mem-per-cpu",
    "nodelist",
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "output",
    "partition",
    "qos",
    "reservation",
    "signal",
    "time",
    "tmp",
    "wckey",
];

/// Reads a directive in a comment, `#SBATCH …`. Returns false if the comment is not a directive.
pub(super) fn directive(builder: &mut ViewBuilder<'_>, comment: Range<usize>) -> bool {
    let text = builder.slice(&comment);
    let systems = [
        ("#SBATCH", System::Slurm),
        ("#PBS", System::Pbs),
        ("#BSUB", System::Lsf),
        ("#COBALT", System::Cobalt),
        ("#$", System::GridEngine),
    ];
    let Some((sign, system)) = systems.into_iter().find(|(sign, _)| text.starts_with(sign)) else { return false };
    let rest = &text[sign.len()..];
    if !rest.starts_with([' ', '\t']) || !rest.trim_start().starts_with('-') {
        return false;
    }
    // ` #` starts a comment.
    let length = rest.find(" #").unwrap_or(rest.len());
    let base = comment.start + sign.len();
    let found: Vec<Word> = words(&rest[..length])
        .into_iter()
        .map(|word| Word { range: base + word.range.start..base + word.range.end, text: word.text })
        .collect();
    for (key, value, start) in options(system, &found).0 {
        let inside = trim(builder.text, value.range.clone());
        builder.add(inside, Kind::Word, Role::Plain, Some(&key));
        builder.set(Dialect::Batch, &key, value, start);
    }
    true
}

/// Returns options with a value (key, value, start of the option), and the index of the first word that is not an option.
pub(super) fn options(system: System, words: &[Word]) -> (Vec<(String, Word, usize)>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let Some(option) = word.text.strip_prefix('-') else { break };
        let start = word.range.start;
        let (key, is_long) = match option.strip_prefix('-') {
            Some(long) => (long, true),
            None => (option, false),
        };
        if let Some((key, value)) = key.split_once('=') {
            let end = word.range.end - usize::from(ends_quoted(value, word));
            let range = end.saturating_sub(value.len()).max(start)..end;
            let key = if is_long { key } else { system.long(key).unwrap_or(key) };
            found.push((key.to_owned(), Word { text: value.to_owned(), range }, start));
        } else if is_long {
            let next = words.get(at + 1).filter(|next| !next.text.starts_with('-') && LONG_OPTIONS.contains(&key));
            if let Some(next) = next {
                found.push((key.to_owned(), next.clone(), start));
                at += 1;
            }
        } else if let Some(long) = system.long(key) {
            if let Some(next) = words.get(at + 1) {
                found.push((long.to_owned(), next.clone(), start));
                at += 1;
            }
        } else if let Some((short, value)) = key.char_indices().nth(1).map(|(cut, _)| key.split_at(cut))
            && system == System::Slurm
            && let Some(long) = system.long(short)
        {
            let range = word.range.end.saturating_sub(value.len()).max(start)..word.range.end;
            found.push((long.to_owned(), Word { text: value.to_owned(), range }, start));
        }
        at += 1;
    }
    (found, at)
}

/// Reports whether a word ends with a closing quote.
fn ends_quoted(value: &str, word: &Word) -> bool {
    !value.is_empty() && word.range.len() > word.text.len()
}
