//! Turns a job into an order: who, with which environment, where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nix::unistd::{getgid, getuid};

use super::protocol::{Group, SandboxRequest};
use super::run_dir;
use super::run_dir::RunDir;
use super::sandbox::may_mount;
use super::user;
use super::user::Account;
use super::{Embedded, failed};
use crate::engine::job::Job;
use crate::engine::{BOX, EngineError, Opened};
use crate::model::contract::Ids;
use crate::model::image::ImageIdentity;

/// What Docker sets when the image doesn't.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who the program runs as, in this image under this contract.
pub(super) fn account(image: &ImageIdentity, trees: &[PathBuf], job: &Job) -> Result<Account, EngineError> {
    match job.contract.user {
        Some(ids) => Ok(user::of_ids(trees, ids)),
        None => user::of_image(trees, &image.config.user).map_err(|reason| EngineError::Image {
            reference: image.reference.clone(),
            reason,
            hint: Some("give the facility's contract a `user` of two numbers".to_owned()),
        }),
    }
}

/// Our own ids when a user namespace is needed, none for real root.
pub(super) fn caller() -> Option<Ids> {
    (!may_mount()).then(|| Ids { uid: getuid().as_raw(), gid: getgid().as_raw() })
}

/// Refuses what can't be shown before anything is started.
pub(super) fn check_mounts(job: &Job) -> Result<(), EngineError> {
    let there =
        |path: &Path| std::fs::metadata(path).map(drop).map_err(failed(&format!("showing `{}`", path.display())));
    for mount in &job.contract.mounts {
        if !Path::new(&mount.target).is_absolute() {
            let reason = format!("the target `{}` is not absolute", mount.target);
            return Err(failed(&format!("showing `{}`", mount.source))(reason));
        }
        there(Path::new(&mount.source))?;
    }
    there(&job.input)
}

pub(super) fn order(
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
    let kept_home = trees.first().and_then(|tree| run_dir::record(tree).home);
    SandboxRequest {
        dir: run.dir.clone(),
        lock: run.lock_path.clone(),
        trees: trees.to_vec(),
        boxes: engine.boxes(trees),
        input: job.input.clone(),
        mounts: contract.mounts.clone(),
        user: account.ids,
        caller: caller(),
        home: contract.home.clone(),
        home_kept: kept_home.is_some() && kept_home == contract.home,
        workdir: contract.workdir.clone().unwrap_or_else(|| BOX.to_owned()),
        read_only: contract.read_only,
        network: job.network,
        tmp: contract.tmp.clone().unwrap_or_default(),
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
    // A name that no program could be given would keep this one from starting.
    env.retain(|name, value| !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0'));
    env
}
