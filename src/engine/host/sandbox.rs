//! Namespaces around a run on this machine: a read-only input, no network, and saved state that the run can't change.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sys::mount::{self, MountFlags, Overlay};
use crate::sys::namespace::{self, NamespaceError, UnshareFlags};
use crate::sys::rooted::Rooted;

/// The isolation of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sandbox {
    /// Directory that becomes read-only.
    pub input: Option<PathBuf>,
    /// Whether the network has only the loopback interface.
    pub cut_network: bool,
    /// Layer over the saved state.
    pub cover: Option<Cover>,
    /// Directory of which the program sees only one entry: the directory of its run.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Directories that stay writable below those of `protected`.
    pub writable: Vec<PathBuf>,
    /// Directories that become read-only. Missing ones are ignored.
    pub protected: Vec<PathBuf>,
}

/// A layer over a directory that takes the changes of the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cover {
    /// The directory.
    pub lower: PathBuf,
    /// Directory for the changes.
    pub upper: PathBuf,
    /// Directory for the kernel, on the file system of `upper`.
    pub work: PathBuf,
}

/// A step of entering the sandbox that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SandboxError {
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    #[error("failed to {step}")]
    Step {
        step: &'static str,
        #[source]
        source: io::Error,
    },
}

impl Sandbox {
    /// Moves this process, which has one thread, into its namespaces.
    ///
    /// # Errors
    /// Fails if the kernel refuses a step.
    pub(super) fn enter(&self) -> Result<(), SandboxError> {
        let mut flags = UnshareFlags::NEWNS;
        if self.cut_network {
            flags |= UnshareFlags::NEWNET;
        }
        // Root may lack the right in a container. It then needs a user namespace, as an ordinary user does.
        if !rustix::process::getuid().is_root() || namespace::unshare(flags).is_err() {
            let caller = namespace::caller();
            namespace::unshare_with_user(flags, caller, caller)?;
        }
        let step = |step: &'static str| move |source| SandboxError::Step { step, source };
        mount::make_private().map_err(step("make mounts private"))?;
        if let Some((all, own)) = &self.own {
            hide_others(all, own).map_err(step("hide the directories of other runs"))?;
        }
        if let Some(input) = &self.input {
            make_read_only(input).map_err(step("make the input read-only"))?;
        }
        if let Some(cover) = &self.cover {
            cover.mount().map_err(step("hide the saved state"))?;
        }
        if self.cut_network {
            namespace::loopback_up().map_err(step("bring up the loopback interface"))?;
        }
        Ok(())
    }

    /// Makes the protected directories and the control groups read-only. Call this in the sandbox.
    ///
    /// # Errors
    /// Fails if the kernel refuses a mount.
    pub(super) fn protect(&self) -> io::Result<()> {
        // Separate mounts stay writable when the mount around them becomes read-only.
        self.writable.iter().try_for_each(|dir| mount::bind(dir, dir))?;
        self.protected.iter().filter(|dir| dir.is_dir()).try_for_each(|dir| make_read_only(dir))?;
        // With its control groups, a program could stop carnet. A machine may lack them.
        let groups = Path::new("/sys/fs/cgroup");
        if groups.is_dir() {
            mount::bind(groups, groups)?;
            mount::add_flags_recursive(Rooted::open(Path::new("/"))?.find(groups)?, MountFlags::RDONLY)?;
        }
        Ok(())
    }

    /// Detaches the mounts in the directories of the run, which can't be removed otherwise.
    pub(super) fn release(&self) {
        let runs = self.own.iter().map(|(all, _)| all);
        for path in self.writable.iter().rev().chain(runs) {
            // Several mounts may cover each other. An error means that none is left.
            while mount::detach(path).is_ok() {}
        }
    }
}

/// Covers a directory so that it has only one entry.
fn hide_others(all: &Path, own: &Path) -> io::Result<()> {
    let entry = mount::open_source(own)?;
    mount::new_file_system(all, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, "mode=700,size=64k")?;
    std::fs::create_dir(own)?;
    mount::bind(&mount::descriptor_path(&entry), own)
}

fn make_read_only(dir: &Path) -> io::Result<()> {
    mount::bind(dir, dir)?;
    // Opened again: the path now leads to the new mount.
    mount::add_flags(&mount::open_source(dir)?, MountFlags::RDONLY)
}

impl Cover {
    fn mount(&self) -> io::Result<()> {
        let lower = std::slice::from_ref(&self.lower);
        let (upper, work) = (&*self.upper, &*self.work);
        // An ordinary user may write only attributes with the prefix `user.`. Kernels before 5.11 lack that option.
        let over = |user_attributes| {
            let flags = MountFlags::empty();
            Overlay { lower, upper, work, user_attributes, flags }.mount(&self.lower)
        };
        over(true).or_else(|_| over(false))
    }
}
