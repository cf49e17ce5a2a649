//! What is mounted where: `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Directory of the mounted file system that stands at the mount point.
    pub(super) root: String,
    /// Where it is mounted.
    pub(super) point: String,
    /// File system: `ext4`, `autofs`, `fuse.cvmfs2`.
    pub(super) kind: String,
    /// Options of the mount, separated by commas.
    pub(super) options: String,
    /// Options of the file system: for control groups the controllers.
    pub(super) super_options: String,
}

/// The mounts, in the kernel's order: of two at one point the later one is seen.
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

/// Whether touching a file system of this kind may block on a network.
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

/// Whether any path may lead to a file system that blocks: without the list of mounts, any may.
pub(super) fn any_may_block(mounts: &[Mount]) -> bool {
    mounts.is_empty() || mounts.iter().any(|mount| may_block(&mount.kind))
}

/// Spaces, tabs, newlines and backslashes stand as three octal digits.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let octal = (bytes[at] == b'\\')
            .then(|| bytes.get(at + 1..at + 4))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
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
    fn mounts_are_read_with_their_escapes() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 3);
        assert_eq!(
            (mounts[2].point.as_str(), mounts[2].kind.as_str(), mounts[2].root.as_str()),
            ("/cvmfs/my repo", "fuse", "/a")
        );
    }

    #[test]
    fn file_systems_of_the_network_may_block() {
        assert!(may_block("fuse.cvmfs2") && may_block("nfs4"));
        assert!(!may_block("ext4") && !may_block("overlay"));
        assert!(any_may_block(&parse(TEXT)) && any_may_block(&[]));
        assert!(!any_may_block(&parse(TEXT)[..1]));
    }
}
