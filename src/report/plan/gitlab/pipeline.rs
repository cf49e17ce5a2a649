//! The part of GitLab's CI/CD YAML that child pipelines use.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_saphyr::{DoubleQuoted, FlowSeq, SpaceAfter};

/// Text that is double-quoted in YAML, because it is not always carnet's own.
pub(super) type Quoted = DoubleQuoted<String>;

/// A pipeline.
#[derive(Debug, Serialize)]
pub(super) struct Pipeline {
    pub(super) workflow: Workflow,
    pub(super) stages: SpaceAfter<FlowSeq<[Stage; 2]>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) variables: BTreeMap<String, Quoted>,
    #[serde(flatten)]
    pub(super) jobs: Jobs,
}

#[derive(Debug, Serialize)]
pub(super) struct Workflow {
    pub(super) rules: [Rule; 1],
}

#[derive(Debug, Serialize)]
pub(super) struct Rule {
    pub(super) when: When,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    Cells,
    Merge,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    Always,
}

/// The jobs with their names, in the order of the file.
#[derive(Debug)]
pub(super) struct Jobs(pub(super) Vec<(String, Job)>);

impl Serialize for Jobs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, job)| (name, SpaceAfter(job))))
    }
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Job {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extends: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interruptible: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<Retry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<Image>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<Quoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) when: Option<When>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) needs: Vec<Need>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) before_script: Vec<Quoted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) script: Vec<Quoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifacts: Option<Artifacts>,
}

#[derive(Debug, Serialize)]
pub(super) struct Retry {
    pub(super) max: u8,
    pub(super) when: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Image {
    pub(super) name: Quoted,
    pub(super) entrypoint: FlowSeq<[Quoted; 1]>,
}

/// A job that runs before this one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Need {
    /// A job of this pipeline.
    Job(String),
    /// A job of the parent pipeline.
    Parent { pipeline: Quoted, job: Quoted },
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Artifacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) when: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expire_in: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<Quoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reports: Option<Reports>,
}

#[derive(Debug, Serialize)]
pub(super) struct Reports {
    pub(super) junit: String,
    pub(super) codequality: String,
}

impl Pipeline {
    /// Returns the YAML of the pipeline.
    pub(super) fn to_yaml(&self) -> Result<String, serde_saphyr::SerializeError> {
        let options = serde_saphyr::ser_options! { compact_list_indent: false, prefer_block_scalars: false };
        let text = serde_saphyr::to_string_with_options(self, options)?;
        Ok(text.trim_end().to_owned() + "\n")
    }
}
