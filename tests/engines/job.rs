//! A job that runs a shell script.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use carnet::engine::job::Job;
use carnet::model::contract::Contract;

/// A job with this id, script for `/bin/sh`, and input directory. The id is also the `$0` of the script.
pub(crate) fn shell_job(id: &str, script: &str, input: &Path) -> Job {
    Job {
        id: id.to_owned(),
        argv: ["/bin/sh", "-c", script, id].map(str::to_owned).to_vec(),
        input: input.to_owned(),
        result: None,
        launcher: false,
        protected: Vec::new(),
        contract: Contract::default(),
        env: BTreeMap::new(),
        network: false,
        timeout: Duration::from_secs(60),
        output_cap: 1 << 16,
        save_as: None,
    }
}
