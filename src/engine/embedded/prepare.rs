//! Turns a job into a request to the helper: user, environment and directories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::protocol::{Group, SandboxRequest};
use super::run_dir;
use super::run_dir::RunDir;
use super::user;
use super::user::Account;
use super::{Embedded, failed};
use crate::engine::job::Job;
use crate::engine::{EngineError, Opened, SCRATCH};
use crate::model::contract::Ids;
use crate::model::image::ImageIdentity;
use crate::sys::{capability, namespace};

/// The `PATH` that Docker sets if the image has none.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Returns the account that the program runs as.
pub(super) fn account(image: &ImageIdentity, trees: &[PathBuf], job: &Job) -> Result<Account, EngineError> {
    match job.contract.user {
        Some(ids) => Ok(user::from_ids(trees, ids)),
        None => user::from_image(trees, &image.config.user).map_err(|error| EngineError::Image {
            reference: image.reference.clone(),
            reason: error.to_string(),
            hint: Some("set the facility's `user` to numeric ids, e.g. 1000:1000".to_owned()),
        }),
    }
}

/// Returns the ids of this process if a run needs a user namespace, or `None` for real root.
pub(super) fn caller() -> Option<Ids> {
    (!capability::may_mount()).then(namespace::caller)
}

/// Fails if a directory of the contract can't be mounted.
pub(super) fn check_mounts(job: &Job) -> Result<(), EngineError> {
    let check =
        |path: &Path| std::fs::metadata(path).map(drop).map_err(failed(&format!("mounting `{}`", path.display())));
    for mount in &job.contract.mounts {
        if !Path::new(&mount.target).is_absolute() {
            let reason = format!("the target `{}` is not absolute", mount.target);
            return Err(failed(&format!("mounting `{}`", mount.source))(reason));
        }
        check(Path::new(&mount.source))?;
    }
    check(&job.input)
}

/// Returns the request for the helper, without the file for the result.
pub(super) fn request(
    engine: &Embedded,
    image: &Opened,
    trees: &[PathBuf],
    account: &Account,
    job: &Job,
    run: &RunDir,
    groups: Vec<Group>,
) -> SandboxRequest {
    let contract = &job.contract;
    let mut argv = job.argv.clone();
    if contract.entrypoint {
        argv.splice(0..0, image.identity.config.entrypoint.iter().cloned());
    }
    let kept_home = trees.first().and_then(|tree| run_dir::state_metadata(tree).home);
    SandboxRequest {
        dir: run.dir.clone(),
        lock: run.lock_path.clone(),
        trees: trees.to_vec(),
        scratch_layers: engine.scratch_layers(trees),
        input: job.input.clone(),
        mounts: contract.mounts.clone(),
        user: account.ids,
        caller: caller(),
        user_attributes: caller().is_some() || namespace::has_user_attributes(),
        home: contract.home.clone(),
        home_kept: kept_home.is_some() && kept_home == contract.home,
        workdir: contract.workdir.clone().unwrap_or_else(|| SCRATCH.to_owned()),
        read_only: contract.read_only,
        network: job.network,
        tmp: contract.tmp.clone().unwrap_or_default(),
        result: None,
        launcher: job.launcher,
        argv,
        env: environment(&image.identity, account, job),
        groups,
    }
}

fn environment(image: &ImageIdentity, account: &Account, job: &Job) -> BTreeMap<String, String> {
    let mut env = BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]);
    env.insert("HOME".to_owned(), account.home.clone().unwrap_or_else(|| "/".to_owned()));
    env.extend(image.config.env.clone());
    env.extend(job.contract.env.clone());
    if let Some(home) = &job.contract.home {
        env.insert("HOME".to_owned(), home.clone());
    }
    env.extend(job.env.clone());
    // A program does not start with a variable that has an invalid name or value.
    env.retain(|name, value| !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0'));
    env
}
