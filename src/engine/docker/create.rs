//! What a container is created with.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
};

use crate::engine::job::{Job, part};
use crate::engine::{INPUT, ImageLocation, Opened};
use crate::model::contract::{Contract, Ids};
use crate::model::image::ImageConfig;

/// Parent of the two directories. On a read-only root it is a volume.
pub(super) const PARENT: &str = "/carnet";

/// How the container of a run is laid out, besides what its job says.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// Volume that holds the input, when it was sent.
    pub input_volume: Option<String>,
    /// The home is an empty tmpfs.
    pub home_tmpfs: bool,
    /// A tmpfs can be given to a user, which Podman refuses.
    pub tmpfs_owner: bool,
    /// Variables of a kept state that its base doesn't have.
    pub strange_env: Vec<String>,
    /// Network of containers that may have one.
    pub network: String,
}

/// Id or name of the image in the daemon.
pub(super) fn image_id(image: &Opened) -> String {
    match (&image.place, &image.identity.config_digest) {
        (ImageLocation::Daemon(id), _) => id.clone(),
        (_, Some(digest)) => digest.to_string(),
        (_, None) => image.identity.reference.clone(),
    }
}

/// The container of a job.
pub(super) fn job_body(image: &Opened, job: &Job, shape: &Shape) -> ContainerCreateBody {
    let (contract, config) = (&job.contract, &image.identity.config);
    let (entrypoint, cmd) = command(config, job);
    // Everything that an image can say is given, for a kept state says what the run before it was given.
    ContainerCreateBody {
        image: Some(image_id(image)),
        entrypoint: Some(entrypoint),
        cmd: Some(cmd),
        env: Some(environment(config, job, &shape.strange_env)),
        user: Some(contract.user.map_or_else(|| config.user.clone(), |user| format!("{}:{}", user.uid, user.gid))),
        working_dir: Some(workdir(config, contract)),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(host_config(job, shape)),
        ..ContainerCreateBody::default()
    }
}

/// A container that is never started: files are put into it or into its volume.
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

/// An empty entrypoint would let the daemon take the image's, so without one the program itself is the entrypoint.
fn command(config: &ImageConfig, job: &Job) -> (Vec<String>, Vec<String>) {
    if job.contract.entrypoint && !config.entrypoint.is_empty() {
        return (config.entrypoint.clone(), job.argv.clone());
    }
    let (program, arguments) = job.argv.split_at(job.argv.len().min(1));
    (program.to_vec(), arguments.to_vec())
}

fn environment(config: &ImageConfig, job: &Job, strange: &[String]) -> Vec<String> {
    let contract = &job.contract;
    let mut all: BTreeMap<&str, &str> = config.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    all.extend(contract.env.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    all.extend(contract.home.iter().map(|home| ("HOME", home.as_str())));
    all.extend(job.env.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    // A name without a value takes the variable away.
    let removed = strange.iter().filter(|name| !all.contains_key(name.as_str())).cloned();
    all.iter().map(|(name, value)| format!("{name}={value}")).chain(removed).collect()
}

fn workdir(config: &ImageConfig, contract: &Contract) -> String {
    let chosen = contract.workdir.as_deref().filter(|path| path.starts_with('/'));
    let images = Some(config.workdir.as_str()).filter(|path| !path.is_empty());
    chosen.or(images).unwrap_or("/").to_owned()
}

fn host_config(job: &Job, shape: &Shape) -> HostConfig {
    let contract = &job.contract;
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let memory = contract.memory.map(signed);
    HostConfig {
        mounts: Some(mounts(job, shape)),
        tmpfs: Some(tmpfs(contract, shape)),
        readonly_rootfs: Some(contract.read_only),
        memory,
        // Equal to the memory: no swap on top.
        memory_swap: memory,
        pids_limit: contract.pids.map(signed),
        nano_cpus: contract.milli_cpus.map(|milli| signed(milli.saturating_mul(1_000_000))),
        network_mode: Some(if job.network { shape.network.clone() } else { "none".to_owned() }),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        log_config: no_log(),
        init: Some(false),
        ..HostConfig::default()
    }
}

/// Output is read as it comes, so the daemon writes none of it to its disk.
fn no_log() -> Option<HostConfigLogConfig> {
    Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None })
}

fn mounts(job: &Job, shape: &Shape) -> Vec<Mount> {
    let mut mounts = Vec::new();
    if job.contract.read_only {
        mounts.push(volume_mount(None, PARENT, false));
    }
    match &shape.input_volume {
        Some(name) => mounts.push(volume_mount(Some(name), INPUT, true)),
        None => mounts.push(bind(&job.input.to_string_lossy(), INPUT, true)),
    }
    for mount in shown_mounts(job, shape) {
        mounts.push(bind(&mount.source, &mount.target, !mount.writable));
    }
    mounts
}

/// The contract's mounts that can be shown: a daemon that doesn't see the files of this machine can show none.
fn shown_mounts<'a>(job: &'a Job, shape: &Shape) -> impl Iterator<Item = &'a crate::model::contract::Mount> {
    let sees = shape.input_volume.is_none();
    job.contract.mounts.iter().filter(move |mount| sees && std::path::Path::new(&mount.source).exists())
}

/// What of the contract's mounts is not there.
pub(super) fn lacking_mounts(job: &Job, shape: &Shape) -> Vec<String> {
    let shown: Vec<_> = shown_mounts(job, shape).collect();
    let reason = if shape.input_volume.is_some() {
        "the daemon doesn't see the files of this machine"
    } else {
        "there is no such path on this machine"
    };
    let lacking = job.contract.mounts.iter().filter(|mount| !shown.contains(mount));
    lacking.map(|mount| format!("{}: `{}`: {reason}", part::MOUNT, mount.source)).collect()
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
        // Only the volume without a name takes what the image has there, which is a kept state.
        volume_options: Some(MountVolumeOptions { no_copy: Some(name.is_some()), ..MountVolumeOptions::default() }),
        ..Mount::default()
    }
}

fn tmpfs(contract: &Contract, shape: &Shape) -> HashMap<String, String> {
    let mut all = HashMap::new();
    if contract.tmp.is_some() || contract.read_only {
        let tmp = contract.tmp.clone().unwrap_or_default();
        let exec = if tmp.noexec { "noexec" } else { "exec" };
        let size = tmp.size.map(|size| format!(",size={size}")).unwrap_or_default();
        all.insert("/tmp".to_owned(), format!("rw,nosuid,nodev,{exec},mode=1777{size}"));
    }
    if let Some(home) = contract.home.as_ref().filter(|_| shape.home_tmpfs) {
        let owner = contract.user.filter(|_| shape.tmpfs_owner);
        let owner =
            owner.map_or_else(|| "mode=1777".to_owned(), |ids| format!("mode=755,uid={},gid={}", ids.uid, ids.gid));
        all.insert(home.clone(), format!("rw,nosuid,nodev,exec,{owner}"));
    }
    all
}

/// Root.
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
            result_cap: 0,
            contract: Contract { env: map(&[("A", "contract")]), ..Contract::default() },
            env: map(&[("B", "")]),
            network: false,
            timeout: std::time::Duration::ZERO,
            output_cap: 0,
            keep: None,
        };
        let strange = ["B", "TOKEN"].map(str::to_owned);
        assert_eq!(environment(&config, &job, &strange), ["A=contract", "B=", "PATH=/bin", "TOKEN"]);
    }
}
