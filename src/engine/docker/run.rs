//! One run in a container.

use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use bollard::models::ContainerState;
use bollard::query_parameters::AttachContainerOptionsBuilder;
use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::client::{Client, failed, found, status};
use super::container::{RunResources, kill};
use super::create::{self, ContainerLayout, PARENT, ROOT};
use super::transfer::{self, Directory};
use super::{Docker, Transfer, keep};
use crate::engine::job::{Completed, Job, part};
use crate::engine::output::Output;
use crate::engine::result_file::ResultBuffer;
use crate::engine::{EngineError, INPUT, Lines, Opened, SCRATCH};
use crate::model::cell::End;
use crate::model::contract::Ids;

/// Maximum number of unreadable answers about a container.
const MAX_UNREADABLE: u32 = 30;
/// Maximum time for killing.
const KILL_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) async fn run(
    engine: &Docker,
    image: &Opened,
    job: &Job,
    lines: Lines,
    cancel: CancellationToken,
) -> Result<Completed, EngineError> {
    if cancel.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    let mut resources = RunResources::new(engine.connect().await?, &job.id);
    let outcome = Run { engine, image, job, cancel: &cancel }.drive(&mut resources, lines).await;
    let removed = resources.remove().await;
    let completed = outcome?;
    removed.map(|()| completed)
}

type Logs = Pin<Box<dyn Stream<Item = Result<LogOutput, ApiError>> + Send>>;

struct Run<'a> {
    engine: &'a Docker,
    image: &'a Opened,
    job: &'a Job,
    cancel: &'a CancellationToken,
}

impl Run<'_> {
    async fn drive(&self, resources: &mut RunResources, lines: Lines) -> Result<Completed, EngineError> {
        let mut not_enforced = self.prepare(resources).await?;
        let (client, name) = (resources.client.clone(), resources.name(""));
        let output = Output::new(self.job.output_cap, lines);
        let mut streams = Streams { output, result: self.job.result.map(ResultBuffer::new) };
        let (end, exit_code) = match self.start(&client, &name).await? {
            Ok(logs) => self.follow(&client, &name, logs, &mut streams).await?,
            Err(reason) => (End::NotStarted { reason }, None),
        };
        let Streams { output, result } = streams;
        let result = match result {
            Some(result) => result.finish().map_err(failed("reading the result"))?,
            None => None,
        };
        let saved_state = match &self.job.save_as {
            // Podman does not copy the files of the state to the volume.
            Some(_) if client.is_podman() && self.job.contract.read_only => {
                not_enforced.push(format!("{}: Podman can't save it on a read-only root", part::KEPT));
                None
            }
            Some(key) if end.is_success() => Some(self.keep(resources, &name, key).await?),
            _ => None,
        };
        if self.job.contract.disk.is_some() {
            not_enforced.push(format!("{}: Docker limits only some storage drivers", part::DISK));
        }
        not_enforced.extend(self.job.unprotected_result(&self.image.identity.config.entrypoint));
        not_enforced.sort();
        Ok(Completed { end, exit_code, output: output.finish(), result, exceeded: None, not_enforced, saved_state })
    }

    async fn or_cancelled<T>(&self, work: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        tokio::select! {
            done = work => done,
            () = self.cancel.cancelled() => Err(EngineError::Cancelled),
        }
    }

    /// Creates the container and its files. Returns the parts of the contract that are not enforced.
    async fn prepare(&self, resources: &mut RunResources) -> Result<Vec<String>, EngineError> {
        let mut layout = ContainerLayout { network: resources.client.network.clone(), ..ContainerLayout::default() };
        layout.tmpfs_owner = !resources.client.is_podman();
        layout.inherited_env = self.inherited_env(&resources.client).await?;
        layout.home_tmpfs = self.home_is_below_tmp();
        let default = if resources.client.is_local { Transfer::Bind } else { Transfer::Copy };
        let mut transfer = self.engine.transfer.get().copied().unwrap_or(default);
        let name = resources.name("");
        let warnings = loop {
            if transfer == Transfer::Copy && layout.input_volume.is_none() {
                layout.input_volume = Some(self.send_input(resources).await?);
            }
            if self.cancel.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let body = create::job_body(self.image, self.job, &layout);
            let created = resources.create(&name, body).await;
            let is_visible = match &created {
                Err(error) if is_input_invisible(error, self.job) => false,
                Err(_) => true,
                Ok(_) => transfer == Transfer::Copy || self.sees_input(&resources.client, &name).await?,
            };
            if !is_visible {
                resources.remove_container(&name).await?;
                transfer = Transfer::Copy;
                continue;
            }
            let warnings = created.map_err(failed("creating the container"))?;
            if self.job.contract.read_only && !layout.home_tmpfs && self.lacks_home(&resources.client, &name).await? {
                resources.remove_container(&name).await?;
                layout.home_tmpfs = true;
                continue;
            }
            break warnings;
        };
        // Another run may have detected the same value concurrently.
        let _ = self.engine.transfer.set(transfer);
        self.make_directories(&resources.client, &name, &layout).await?;
        let mut not_enforced = create::missing_mounts(self.job, &layout);
        not_enforced.extend(warnings.iter().filter_map(|warning| parse_warning(warning)));
        if resources.client.is_podman() && !layout.inherited_env.is_empty() {
            let names = layout.inherited_env.join(", ");
            not_enforced.push(format!("{}: Podman keeps variables from the run that saved it: {names}", part::KEPT));
        }
        Ok(not_enforced)
    }

    /// Returns the variables that a saved state inherited from the run that created it.
    async fn inherited_env(&self, client: &Client) -> Result<Vec<String>, EngineError> {
        let id = create::image_id(self.image);
        if self.image.identity.config_digest.as_ref().is_some_and(|digest| digest.as_str() == id) {
            return Ok(Vec::new());
        }
        let config = client.inspect_image(&id).await?.and_then(|inspected| inspected.config);
        let env = config.and_then(|config| config.env).unwrap_or_default();
        let names = env.iter().map(|entry| entry.split('=').next().unwrap_or_default().to_owned());
        Ok(names.filter(|name| !self.image.identity.config.env.contains_key(name)).collect())
    }

    /// Reports whether the home is below a tmpfs, where it can't be created in the image.
    fn home_is_below_tmp(&self) -> bool {
        let contract = &self.job.contract;
        let tmpfs = contract.tmp.is_some() || contract.read_only;
        tmpfs && contract.home.as_ref().is_some_and(|home| home.starts_with("/tmp/"))
    }

    /// Returns the home if the engine has to create it.
    fn home(&self) -> Option<&str> {
        let contract = &self.job.contract;
        let home = contract.home.as_deref().map(|home| home.trim_end_matches('/'))?;
        let mounted = contract.mounts.iter().any(|mount| std::path::Path::new(home).starts_with(&mount.target));
        Some(home).filter(|home| home.starts_with('/') && !mounted)
    }

    async fn lacks_home(&self, client: &Client, name: &str) -> Result<bool, EngineError> {
        match self.home() {
            Some(home) => Ok(!transfer::exists(client, name, home).await?),
            None => Ok(false),
        }
    }

    /// Reports whether the container has the input. A remote daemon may have a directory with the same path, so this looks for
    /// a file of the input.
    async fn sees_input(&self, client: &Client, name: &str) -> Result<bool, EngineError> {
        if self.engine.transfer.get().is_some() {
            return Ok(true);
        }
        let mut names: Vec<_> = std::fs::read_dir(&self.job.input)
            .map_err(failed("reading the input"))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        match names.first() {
            Some(first) => transfer::exists(client, name, &format!("{INPUT}/{first}")).await,
            None => Ok(true),
        }
    }

    /// Uploads the input to a volume through a container that never runs. Returns the volume.
    async fn send_input(&self, resources: &mut RunResources) -> Result<String, EngineError> {
        let (volume, helper) = (resources.name(""), resources.name("-input"));
        resources.create_volume(&volume).await?;
        let body = create::helper_body(self.image, Some((&volume, INPUT)));
        resources.create(&helper, body).await.map_err(failed("creating a container for the input"))?;
        self.or_cancelled(transfer::send_directory(&resources.client, &helper, &self.job.input, INPUT)).await?;
        resources.remove_container(&helper).await?;
        Ok(volume)
    }

    /// Creates the writable directory, and the home if the image lacks it.
    async fn make_directories(&self, client: &Client, name: &str, layout: &ContainerLayout) -> Result<(), EngineError> {
        let scratch = Directory { path: "box", mode: 0o1777, owner: ROOT };
        if self.job.contract.read_only {
            transfer::make_directories(client, name, PARENT, &[scratch]).await?;
        } else {
            let parent = Directory { path: "carnet", mode: 0o755, owner: ROOT };
            let scratch = Directory { path: "carnet/box", ..scratch };
            transfer::make_directories(client, name, "/", &[parent, scratch]).await?;
        }
        match self.home() {
            Some(home) if !layout.home_tmpfs => self.make_home(client, name, home).await,
            _ => Ok(()),
        }
    }

    /// Creates the home and its missing parents.
    async fn make_home(&self, client: &Client, name: &str, home: &str) -> Result<(), EngineError> {
        let mut existing = home;
        while !existing.is_empty() && !transfer::exists(client, name, existing).await? {
            existing = &existing[..existing.rfind('/').unwrap_or(0)];
        }
        let Some(below) = home.strip_prefix(existing).filter(|below| !below.is_empty()) else { return Ok(()) };
        let ends: Vec<usize> = below.match_indices('/').map(|(index, _)| index).skip(1).chain([below.len()]).collect();
        let (owner, mode) = self.home_owner();
        let directories: Vec<_> = ends
            .iter()
            .map(|end| {
                let path = &below[..*end];
                if *end == below.len() {
                    Directory { path, mode, owner }
                } else {
                    Directory { path, mode: 0o755, owner: ROOT }
                }
            })
            .collect();
        let parent = if existing.is_empty() { "/" } else { existing };
        transfer::make_directories(client, name, parent, &directories).await
    }

    /// Returns the owner and mode of the home. Every user may write if the user of the image is a name, whose id is unknown
    /// outside.
    fn home_owner(&self) -> (Ids, u32) {
        match self.job.contract.user {
            Some(user) => (user, 0o755),
            None if self.image.identity.config.user.is_empty() => (ROOT, 0o755),
            None => (ROOT, 0o777),
        }
    }

    /// Attaches to the output and starts the container. The inner error is the reason why the program did not start,
    /// which is not an error of the daemon.
    async fn start(&self, client: &Client, name: &str) -> Result<Result<Logs, String>, EngineError> {
        let options = AttachContainerOptionsBuilder::default().stream(true).stdout(true).stderr(true).build();
        let attached = client.api.attach_container(name, Some(options)).await;
        let attached = attached.map_err(failed("attaching to the container"))?;
        match client.api.start_container(name, None).await {
            Ok(()) => Ok(Ok(attached.output)),
            Err(error) => match not_started(&error) {
                Some(reason) => Ok(Err(reason)),
                None => Err(failed("starting the container")(error)),
            },
        }
    }

    /// Reads the output to its end and returns how the program ended, with its exit code.
    async fn follow(
        &self,
        client: &Client,
        name: &str,
        mut logs: Logs,
        streams: &mut Streams,
    ) -> Result<(End, Option<i32>), EngineError> {
        let limit = tokio::time::sleep(self.job.timeout);
        tokio::pin!(limit);
        let state = tokio::select! {
            state = watch(client, name, &mut logs, streams) => state?,
            () = self.cancel.cancelled() => return Err(EngineError::Cancelled),
            () = &mut limit => {
                kill(client, name).await.map_err(failed("killing the container"))?;
                let rest = tokio::time::timeout(KILL_TIMEOUT, watch(client, name, &mut logs, streams));
                rest.await.map_err(failed("killing the container"))??;
                return Ok((End::Timeout { seconds: self.job.timeout.as_secs() }, None));
            }
        };
        let code = i32::try_from(state.exit_code.unwrap_or(-1)).unwrap_or(-1);
        if state.oom_killed == Some(true) && code != 0 {
            return Ok((End::OutOfMemory {}, Some(code)));
        }
        Ok((End::Exit { code }, Some(code)))
    }

    /// Saves the state. On a read-only root the writable directory is a volume, which an image of the container lacks, so
    /// it is copied to a separate container.
    async fn keep(&self, resources: &mut RunResources, name: &str, key: &str) -> Result<Opened, EngineError> {
        let client = resources.client.clone();
        if !self.job.contract.read_only {
            return keep::commit(&client, name, self.image, key).await;
        }
        let helper = resources.name("-box");
        let body = create::helper_body(self.image, None);
        resources.create(&helper, body).await.map_err(failed("creating a container for the state"))?;
        let parent = Directory { path: "carnet", mode: 0o755, owner: ROOT };
        transfer::make_directories(&client, &helper, "/", &[parent]).await?;
        self.or_cancelled(transfer::copy_between(&client, (name, SCRATCH), (&helper, PARENT))).await?;
        keep::commit(&client, &helper, self.image, key).await
    }
}

/// The streams of a program.
struct Streams {
    output: Output,
    /// Standard output, if it is the result.
    result: Option<ResultBuffer>,
}

impl Streams {
    fn push(&mut self, piece: &LogOutput) {
        match (piece, &mut self.result) {
            (LogOutput::StdOut { message }, Some(result)) => result.push(message),
            _ => self.output.push(piece.as_ref()),
        }
    }
}

/// Reads the output to its end and waits until the container has ended.
async fn watch(
    client: &Client,
    name: &str,
    logs: &mut Logs,
    streams: &mut Streams,
) -> Result<ContainerState, EngineError> {
    let doing = "waiting for the container";
    while let Some(piece) = logs.next().await {
        streams.push(&piece.map_err(failed(doing))?);
    }
    // The end of the output is the end of the container, unless the program closed its output.
    let mut pause = Duration::from_millis(5);
    let mut unreadable = 0;
    loop {
        match found(client.api.inspect_container(name, None).await) {
            Ok(inspected) => {
                let state = inspected.and_then(|container| container.state);
                let state = state.ok_or_else(|| failed(doing)("the container was removed"))?;
                if state.running != Some(true) {
                    return Ok(state);
                }
            }
            // Podman reports the state `stopped` between the end of a program and of its container, which is not in the API.
            Err(ApiError::JsonDataError { .. }) if unreadable < MAX_UNREADABLE => unreadable += 1,
            Err(error) => return Err(failed(doing)(error)),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Reports whether the daemon refused because it has no access to the input.
fn is_input_invisible(error: &ApiError, job: &Job) -> bool {
    let input = job.input.to_string_lossy();
    status(error)
        .is_some_and(|(_, message)| message.contains("bind source path does not exist") && message.contains(&*input))
}

/// Returns the part of the message of a runtime that explains why the program did not start.
fn not_started(error: &ApiError) -> Option<String> {
    let (_, message) = status(error)?;
    let message = message.trim();
    let start = ["exec: \"", "chdir to cwd"].iter().find_map(|text| message.find(text));
    match start {
        Some(start) => Some(message[start..].trim_end_matches(": unknown").to_owned()),
        // Podman: the message of crun starts with the path of the program.
        None if message.contains("executable file") && message.contains("not found") => Some(message.to_owned()),
        None => None,
    }
}

/// Returns the part of the contract that is not enforced according to a warning of the daemon.
fn parse_warning(warning: &str) -> Option<String> {
    let lower = warning.to_lowercase();
    if !lower.contains("discarded") && !lower.contains("not support") {
        return None;
    }
    let what = if lower.contains("pids") {
        part::PIDS
    } else if lower.contains("cpu") {
        part::CPUS
    } else if lower.contains("memory") || lower.contains("swap") {
        part::MEMORY
    } else {
        return None;
    };
    Some(format!("{what}: {}", warning.trim()))
}

#[cfg(test)]
mod tests {
    use bollard::errors::Error as ApiError;

    use super::{not_started, parse_warning};

    fn answer(message: &str) -> ApiError {
        ApiError::DockerResponseServerError { status_code: 400, message: message.to_owned() }
    }

    #[test]
    fn not_started_recognizes_errors_of_the_program() {
        let runc = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                    process: exec: \"/no/such\": stat /no/such: no such file or directory: unknown";
        let reason = not_started(&answer(runc)).expect("an error of the program");
        assert_eq!(reason, "exec: \"/no/such\": stat /no/such: no such file or directory");
        assert_eq!(not_started(&answer("no space left on device")), None);
    }

    #[test]
    fn parse_warning_returns_the_affected_part() {
        let warning = "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation \
                       discarded.";
        assert!(parse_warning(warning).expect("a limit").starts_with("memory limit: "));
        assert!(parse_warning("Published ports are discarded when using host network mode").is_none());
    }
}
