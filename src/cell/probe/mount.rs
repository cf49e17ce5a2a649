//! Mounts: `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Directory of the file system that is mounted.
    pub(super) root: String,
    /// Mount point.
    pub(super) point: String,
    /// File system: `ext4`, `autofs`, `fuse.cvmfs2`.
    pub(super) kind: String,
    /// Options of the mount, separated by commas.
    pub(super) options: String,
    /// Options of the file system; the controllers of a control group.
    pub(super) super_options: String,
}

/// Parses the mounts in the order of the kernel: a later mount hides an earlier one at the same mount point.
pub(super) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let mut after = after.split(' ');
    Some(Mount {
        root: unescape(before.next()?),
        point: unescape(before.next()?),
        options: before.next()?.to_owned(),
        kind: after.next()?.to_owned(),
        super_options: after.nth(1)?.to_owned(),
    })
}

/// Reports whether accessing a file system of this type may block on the network.
pub(super) fn may_block(kind: &str) -> bool {
    kind.starts_with("fuse")
        || matches!(
            kind,
            "autofs"
                | "nfs"
                | "nfs4"
                | "cifs"
                | "smb3"
                | "ceph"
                | "lustre"
                | "gpfs"
                | "afs"
                | "beegfs"
                | "9p"
                | "cvmfs2"
        )
}

/// Reports whether any mount may block; true if there is no list of mounts.
pub(super) fn any_may_block(mounts: &[Mount]) -> bool {
    mounts.is_empty() || mounts.iter().any(|mount| may_block(&mount.kind))
}

/// Decodes spaces, tabs, newlines and backslashes written as three octal digits.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        let octal = (bytes[start] == b'\\')
            .then(|| bytes.get(start + 1..start + 4))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                start += 4;
            }
            None => {
                out.push(bytes[start]);
                start += 1;
            }
        }
    }
    super::file_tree::into_text(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "22 1 0:20 / / rw,relatime - overlay overlay rw\n\
        30 22 0:25 / /cvmfs rw - autofs /etc/auto.cvmfs rw,fd=6\n\
        31 30 0:26 /a /cvmfs/my\\040repo ro,nosuid shared:1 - fuse cvmfs2 ro\nbroken\n";

    #[test]
    fn escapes_in_mounts_are_decoded() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 3);
        assert_eq!(
            (mounts[2].point.as_str(), mounts[2].kind.as_str(), mounts[2].root.as_str()),
            ("/cvmfs/my repo", "fuse", "/a")
        );
    }

    #[test]
    fn network_file_systems_may_block() {
        assert!(may_block("fuse.cvmfs2") && may_block("nfs4"));
        assert!(!may_block("ext4") && !may_block("overlay"));
        assert!(any_may_block(&parse(TEXT)) && any_may_block(&[]));
        assert!(!any_may_block(&parse(TEXT)[..1]));
    }
}
