use std::collections::BTreeMap;

use serde_json::Value;

use super::{ChildError, MAX_JOBS, Options, Parent, render};
use crate::model::matrix::Matrix;
use crate::report::plan::testing::matrix;

fn options() -> Options {
    let parent =
        Parent { pipeline: "17".to_owned(), plan: "carnet-plan".to_owned(), program: "carnet-program".to_owned() };
    let filesystem_tags = BTreeMap::from([("/cvmfs".to_owned(), vec!["k8s-cvmfs".to_owned()])]);
    Options { parent: Some(parent), filesystem_tags, image: Some("python:3.12-slim".to_owned()), ..Options::default() }
}

fn read(matrix: &Matrix, options: &Options) -> Value {
    let text = render(matrix, options).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn jobs(child: &Value) -> Vec<&str> {
    let keys = child.as_object().unwrap().keys().map(String::as_str);
    keys.filter(|key| !["workflow", "stages", "variables", ".cell"].contains(key)).collect()
}

#[test]
fn cell_runs_in_image_of_facility_without_entrypoint() {
    let child = read(&matrix(2), &options());
    assert_eq!(jobs(&child), ["cell-site-0__worker", "cell-site-1__worker", "merge"]);
    let job = &child["cell-site-1__worker"];
    assert_eq!(job["image"], serde_json::json!({"name": "x/y:1", "entrypoint": [""]}));
    assert_eq!(job["extends"], ".cell");
    assert_eq!(child[".cell"]["needs"], serde_json::json!([{"pipeline": "17", "job": "carnet-program"}]));
    assert_eq!(
        job["script"][0],
        ".carnet/carnet --color always cell --out 'carnet-cells/site-1__worker' --fail-on 'error' -- 'site-1/worker' '.'"
    );
    assert_eq!(job["artifacts"]["paths"], serde_json::json!(["carnet-cells/site-1__worker/"]));
    let merge = &child["merge"];
    assert_eq!((merge["when"].as_str(), merge["image"]["name"].as_str()), (Some("always"), Some("python:3.12-slim")));
    assert_eq!(merge["needs"][0], serde_json::json!({"pipeline": "17", "job": "carnet-plan"}));
    assert_eq!(merge["needs"][3], "cell-site-1__worker");
}

#[test]
fn cell_without_pullable_image_runs_in_job_or_with_engine() {
    let mut matrix = matrix(2);
    (matrix.cells[0].pull, matrix.cells[0].image) = (None, None);
    (matrix.cells[1].pull, matrix.cells[1].image) = (None, Some("oci:image".to_owned()));
    let child = read(&matrix, &Options { image: None, ..options() });
    assert_eq!(child["cell-site-0__worker"].get("image"), None);
    assert!(
        child["cell-site-0__worker"]["script"][0].as_str().unwrap().starts_with(".carnet/carnet --color always cell ")
    );
    let engine = child["cell-site-1__worker"]["script"][0].as_str().unwrap();
    assert!(engine.starts_with(".carnet/carnet --color always check --cell 'site-1/worker' "), "{engine}");
}

#[test]
fn cell_with_needs_gets_tags_of_file_system() {
    let mut matrix = matrix(2);
    matrix.cells[0].needs = vec!["/cvmfs".to_owned(), "/eos".to_owned()];
    let child = read(&matrix, &Options { tags: vec!["linux".to_owned()], ..options() });
    assert_eq!(child["cell-site-0__worker"]["tags"], serde_json::json!(["linux", "k8s-cvmfs"]));
    assert_eq!(child["cell-site-1__worker"]["tags"], serde_json::json!(["linux"]));
}

#[test]
fn cells_of_one_image_share_jobs_beyond_limit() {
    let mut many = matrix(450);
    for (i, cell) in many.cells.iter_mut().enumerate() {
        cell.pull = Some(format!("x/y:{}", i % 7));
    }
    let child = read(&many, &options());
    let cells: Vec<&str> = jobs(&child).into_iter().filter(|name| name.starts_with("cell-")).collect();
    assert!(cells.len() <= MAX_JOBS && cells.len() > 100, "{}", cells.len());
    let job = &child[cells[0]];
    let script: Vec<&str> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let run: Vec<&&str> = script.iter().filter(|line| line.starts_with(".carnet/carnet --color always cell")).collect();
    assert_eq!(run.len(), 3);
    assert!(run.iter().all(|line| line.ends_with(" || code=$?")), "{script:?}");
    assert_eq!(script.last(), Some(&"exit \"$code\""));
    let all: usize = cells.iter().map(|name| child[*name]["artifacts"]["paths"].as_array().unwrap().len()).sum();
    assert_eq!(all, 450);
    // The merge cannot need all jobs by name, so a job of the first stage passes the artifacts of the plan on.
    assert_eq!(child["merge"].get("needs"), None);
    assert_eq!(child["kit"]["artifacts"]["paths"][0], ".carnet/");
    assert_eq!(render(&matrix(MAX_JOBS + 1), &options()), Err(ChildError::Jobs { images: MAX_JOBS + 1 }));
}

#[test]
fn pipeline_with_max_jobs_is_within_max_size() {
    let size = render(&matrix(MAX_JOBS), &options()).unwrap().len();
    assert!(size < super::MAX_BYTES / 2, "{size}");
}

#[test]
fn empty_plan_has_a_job_that_does_nothing() {
    assert_eq!(jobs(&read(&matrix(0), &options())), ["nothing-to-check"]);
}

#[test]
fn too_large_pipeline_is_an_error() {
    let large = Options { path: "x".repeat(300_000), ..options() };
    assert!(matches!(render(&matrix(1), &large), Err(ChildError::Bytes { .. })));
}

#[test]
fn untrusted_text_is_unchanged_in_parsed_pipeline() {
    let hostile = "a'b\"c\\d\n  evil: {script: [x]}\u{85}\u{2028}\u{7f}\u{0}$HOME $$ ${X} `id` $(id) # 😀 [[ $[[ inputs.x ]] %PATH%";
    let mut matrix = matrix(1);
    matrix.analysis.name = hostile.to_owned();
    matrix.analysis.commit = Some(hostile.to_owned());
    matrix.version = hostile.to_owned();
    let cell = &mut matrix.cells[0];
    (cell.id, cell.slug, cell.pull) = (hostile.to_owned(), hostile.to_owned(), Some(hostile.to_owned()));
    cell.needs = vec![hostile.to_owned()];
    let child = read(
        &matrix,
        &Options {
            path: hostile.to_owned(),
            fail_on: hostile.to_owned(),
            tags: vec![hostile.to_owned()],
            variables: BTreeMap::from([(hostile.to_owned(), hostile.to_owned())]),
            parent: Some(Parent {
                pipeline: hostile.to_owned(),
                plan: hostile.to_owned(),
                program: hostile.to_owned(),
            }),
            ..Options::default()
        },
    );
    let names = jobs(&child);
    assert_eq!(names.len(), 2, "{names:?}");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    assert!(names.iter().all(|name| name.chars().all(plain)), "{names:?}");
    // Dollar signs are doubled where GitLab expands variables.
    let doubled = hostile.replace('$', "$$");
    let job = &child[names[0]];
    assert_eq!(job["image"]["name"], *doubled);
    assert_eq!(job["tags"][0], *doubled);
    assert_eq!(child[".cell"]["needs"][0]["job"], *doubled);
    assert_eq!(child["variables"][hostile], *doubled);
    let word = format!("'{}'", hostile.replace('\'', "'\\''"));
    let line = job["script"][0].as_str().unwrap();
    assert!(line.ends_with(&format!("--fail-on {word} -- {word} {word}")), "{line}");
}

#[test]
fn shell_word_is_unchanged_by_the_shell() {
    let hostile = "it's `id` $(id) \"$HOME\" \\ ; id # \n*";
    let output =
        std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", super::quote(hostile))).output();
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), hostile);
}

#[test]
fn pipeline_is_readable() {
    let text = render(&matrix(1), &options()).unwrap();
    insta::assert_snapshot!(text);
}
