//! Takes the snapshot of an image in a cell without tests.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::cell_result::{self, MAX_RESULT_BYTES};
use super::engine_select::Engines;
use super::input_dir::{InputDir, PROGRAM, SOURCE};
use super::interruption::Interruption;
use super::job_id::unique_id;
use super::plan;
use crate::config::Facility;
use crate::engine::EngineError;
use crate::engine::job::Job;
use crate::error::Error;
use crate::model::environment::Environment;
use crate::model::plan::{CellPlan, Phase, SCHEMA, STDOUT};
use crate::model::reference::Reference;
use crate::source::git::tree::Listing;

/// Maximum number of bytes recorded of the output.
const MAX_OUTPUT_BYTES: usize = 1 << 16;

/// Starts the image and takes a snapshot inside.
///
/// # Errors
/// If no engine can run the image, the cell returns no snapshot, or the snapshot is interrupted.
pub async fn of_image(
    image: &Reference,
    written: &str,
    engine: Option<String>,
    interruption: &Interruption,
) -> Result<Environment, Error> {
    let taken = take(image, written, engine, interruption.cancel.clone());
    interruption.unless_abandoned(taken).await.unwrap_or_else(|| Err(EngineError::Cancelled.into()))
}

async fn take(
    image: &Reference,
    written: &str,
    engine: Option<String>,
    cancel: CancellationToken,
) -> Result<Environment, Error> {
    let facility = Facility {
        id: "snapshot".to_owned(),
        image: image.clone(),
        written: written.to_owned(),
        engine: None,
        ..plan::this_machine()
    };
    let engine = Engines::new(engine)?.pick(&facility).await?;
    let opened = engine.open(image, cancel.clone()).await?;
    let input_dir = InputDir::create(&Listing::default())?;
    let mut job = Job {
        id: unique_id("snapshot"),
        argv: Vec::new(),
        input: input_dir.path().to_owned(),
        result: Some(MAX_RESULT_BYTES),
        launcher: false,
        protected: Vec::new(),
        contract: facility.contract.clone(),
        env: BTreeMap::new(),
        network: false,
        timeout: Duration::from_secs(120),
        output_cap: MAX_OUTPUT_BYTES,
        save_as: None,
    };
    let layout = engine.layout(&opened, &job);
    let inside = |name: &str| format!("{}/{name}", layout.input);
    let work = format!("{}/work", layout.scratch);
    let plan = CellPlan {
        schema: SCHEMA.to_owned(),
        cell: facility.cell(),
        phase: Phase::Snapshot,
        source: inside(SOURCE),
        workdir: work.clone(),
        work,
        result: STDOUT.to_owned(),
        prelude: None,
        setup: None,
        tests: Vec::new(),
        timeout: 60,
        retries: 0,
        network: false,
        cut_network: false,
        outputs: Vec::new(),
        inputs: Vec::new(),
        output_cap: MAX_OUTPUT_BYTES as u64,
        allow_env: Vec::new(),
        own_env: BTreeMap::new(),
    };
    let name = input_dir.write_plan(&job.id, &plan)?;
    job.argv = vec![inside(PROGRAM), "cell".to_owned(), "--plan".to_owned(), inside(&name)];
    let (lines, _) = mpsc::unbounded_channel();
    let completed = engine.run(&opened, &job, lines, cancel).await?;
    let failed = |reason: String| EngineError::Image { reference: written.to_owned(), reason, hint: None };
    let result = cell_result::read(&completed, &facility.cell()).map_err(|error| failed(error.to_string()))?;
    let missing = || result.trouble.clone().unwrap_or_else(|| "the cell returned no snapshot".to_owned());
    Ok(result.environment.clone().ok_or_else(|| failed(missing()))?)
}
