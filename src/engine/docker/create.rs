//! The configuration of new containers.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
};

use crate::engine::job::{Job, part};
use crate::engine::{INPUT, ImageLocation, Opened};
use crate::model::contract::{Contract, Ids};
use crate::model::image::ImageConfig;

/// Parent of the input and the writable directory. On a read-only root it is a volume.
pub(super) const PARENT: &str = "/carnet";

/// The layout of the container of a run, in addition to its job.
#[derive(Debug, Clone, Default)]
pub(super) struct ContainerLayout {
    /// Volume with the input, if it was uploaded.
    pub input_volume: Option<String>,
    /// Whether the home is an empty tmpfs.
    pub home_tmpfs: bool,
    /// Whether a tmpfs can belong to a user, which Podman does not support.
    pub tmpfs_owner: bool,
    /// Variables of a saved state that its base lacks.
    pub inherited_env: Vec<String>,
    /// Network of containers that have one.
    pub network: String,
}

/// Returns the id or name of the image in the daemon.
pub(super) fn image_id(image: &Opened) -> String {
    match (&image.location, &image.identity.config_digest) {
        (ImageLocation::Daemon(id), _) => id.clone(),
        (_, Some(digest)) => digest.to_string(),
        (_, None) => image.identity.reference.clone(),
    }
}

/// Returns the configuration of the container of a job.
pub(super) fn job_body(image: &Opened, job: &Job, layout: &ContainerLayout) -> ContainerCreateBody {
    let (contract, config) = (&job.contract, &image.identity.config);
    let (entrypoint, cmd) = command(config, job);
    // Sets every field that an image can have, because a saved state has those of the run that created it.
    ContainerCreateBody {
        image: Some(image_id(image)),
        entrypoint: Some(entrypoint),
        cmd: Some(cmd),
        env: Some(environment(config, job, &layout.inherited_env)),
        user: Some(contract.user.map_or_else(|| config.user.clone(), |user| format!("{}:{}", user.uid, user.gid))),
        working_dir: Some(workdir(config, contract)),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(host_config(job, layout)),
        ..ContainerCreateBody::default()
    }
}

/// Returns the configuration of a container that never runs. It only receives files, also in a volume.
pub(super) fn helper_body(image: &Opened, volume: Option<(&str, &str)>) -> ContainerCreateBody {
    let mount = |(name, target): (&str, &str)| volume_mount(Some(name), target, false);
    let config = &image.identity.config;
    ContainerCreateBody {
        image: Some(image_id(image)),
        entrypoint: Some(vec!["/never-started".to_owned()]),
        user: Some(config.user.clone()),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            log_config: no_log(),
            mounts: volume.map(|volume| vec![mount(volume)]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Returns the entrypoint and the command. The daemon replaces an empty entrypoint by that of the image, so the program
/// itself is the entrypoint if there is none.
fn command(config: &ImageConfig, job: &Job) -> (Vec<String>, Vec<String>) {
    if job.contract.entrypoint && !config.entrypoint.is_empty() {
        return (config.entrypoint.clone(), job.argv.clone());
    }
    let (program, arguments) = job.argv.split_at(job.argv.len().min(1));
    (program.to_vec(), arguments.to_vec())
}

fn environment(config: &ImageConfig, job: &Job, inherited: &[String]) -> Vec<String> {
    let contract = &job.contract;
    let mut all: BTreeMap<&str, &str> = config.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    all.extend(contract.env.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    all.extend(contract.home.iter().map(|home| ("HOME", home.as_str())));
    all.extend(job.env.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    // A name without a value removes the variable.
    let removed = inherited.iter().filter(|name| !all.contains_key(name.as_str())).cloned();
    all.iter().map(|(name, value)| format!("{name}={value}")).chain(removed).collect()
}

fn workdir(config: &ImageConfig, contract: &Contract) -> String {
    let chosen = contract.workdir.as_deref().filter(|path| path.starts_with('/'));
    let default = Some(config.workdir.as_str()).filter(|path| !path.is_empty());
    chosen.or(default).unwrap_or("/").to_owned()
}

fn host_config(job: &Job, layout: &ContainerLayout) -> HostConfig {
    let contract = &job.contract;
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let memory = contract.memory.map(signed);
    HostConfig {
        mounts: Some(mounts(job, layout)),
        tmpfs: Some(tmpfs(contract, layout)),
        readonly_rootfs: Some(contract.read_only),
        memory,
        // Equal to the memory limit, which means no swap.
        memory_swap: memory,
        pids_limit: contract.pids.map(signed),
        nano_cpus: contract.milli_cpus.map(|milli| signed(milli.saturating_mul(1_000_000))),
        network_mode: Some(if job.network { layout.network.clone() } else { "none".to_owned() }),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        log_config: no_log(),
        init: Some(false),
        ..HostConfig::default()
    }
}

/// Disables the log of the daemon, because the output is read while the program runs.
fn no_log() -> Option<HostConfigLogConfig> {
    Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None })
}

fn mounts(job: &Job, layout: &ContainerLayout) -> Vec<Mount> {
    let mut mounts = Vec::new();
    if job.contract.read_only {
        mounts.push(volume_mount(None, PARENT, false));
    }
    match &layout.input_volume {
        Some(name) => mounts.push(volume_mount(Some(name), INPUT, true)),
        None => mounts.push(bind(&job.input.to_string_lossy(), INPUT, true)),
    }
    for mount in possible_mounts(job, layout) {
        mounts.push(bind(&mount.source, &mount.target, !mount.writable));
    }
    mounts
}

/// Returns the mounts of the contract that are possible: none if the daemon has no access to the files of this machine.
fn possible_mounts<'a>(
    job: &'a Job,
    layout: &ContainerLayout,
) -> impl Iterator<Item = &'a crate::model::contract::Mount> {
    let has_access = layout.input_volume.is_none();
    job.contract.mounts.iter().filter(move |mount| has_access && std::path::Path::new(&mount.source).exists())
}

/// Describes the mounts of the contract that are not possible.
pub(super) fn missing_mounts(job: &Job, layout: &ContainerLayout) -> Vec<String> {
    let possible: Vec<_> = possible_mounts(job, layout).collect();
    let reason = if layout.input_volume.is_some() {
        "the daemon has no access to the files of this machine"
    } else {
        "the path does not exist on this machine"
    };
    let missing = job.contract.mounts.iter().filter(|mount| !possible.contains(mount));
    missing.map(|mount| format!("{}: `{}`: {reason}", part::MOUNT, mount.source)).collect()
}

fn bind(source: &str, target: &str, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_owned()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        ..Mount::default()
    }
}

fn volume_mount(name: Option<&str>, target: &str, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: name.map(str::to_owned),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        // Only the volume without a name copies the files of the image, which are a saved state.
        volume_options: Some(MountVolumeOptions { no_copy: Some(name.is_some()), ..MountVolumeOptions::default() }),
        ..Mount::default()
    }
}

fn tmpfs(contract: &Contract, layout: &ContainerLayout) -> HashMap<String, String> {
    let mut all = HashMap::new();
    if contract.tmp.is_some() || contract.read_only {
        let tmp = contract.tmp.clone().unwrap_or_default();
        let exec = if tmp.noexec { "noexec" } else { "exec" };
        let size = tmp.size.map(|size| format!(",size={size}")).unwrap_or_default();
        all.insert("/tmp".to_owned(), format!("rw,nosuid,nodev,{exec},mode=1777{size}"));
    }
    if let Some(home) = contract.home.as_ref().filter(|_| layout.home_tmpfs) {
        let owner = contract.user.filter(|_| layout.tmpfs_owner);
        let owner =
            owner.map_or_else(|| "mode=1777".to_owned(), |ids| format!("mode=755,uid={},gid={}", ids.uid, ids.gid));
        all.insert(home.clone(), format!("rw,nosuid,nodev,exec,{owner}"));
    }
    all
}

/// The ids of root.
pub(super) const ROOT: Ids = Ids { uid: 0, gid: 0 };

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::environment;
    use crate::engine::job::Job;
    use crate::model::contract::Contract;
    use crate::model::image::ImageConfig;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn variables_of_a_kept_state_are_taken_away() {
        let config = ImageConfig { env: map(&[("PATH", "/bin"), ("A", "image")]), ..ImageConfig::default() };
        let job = Job {
            id: String::new(),
            argv: Vec::new(),
            input: "/".into(),
            result: None,
            launcher: false,
            protected: Vec::new(),
            contract: Contract { env: map(&[("A", "contract")]), ..Contract::default() },
            env: map(&[("B", "")]),
            network: false,
            timeout: std::time::Duration::ZERO,
            output_cap: 0,
            save_as: None,
        };
        let strange = ["B", "TOKEN"].map(str::to_owned);
        assert_eq!(environment(&config, &job, &strange), ["A=contract", "B=", "PATH=/bin", "TOKEN"]);
    }
}
