//! The steps of a REANA workflow, which can serve as tests (docs.reana.io, "reana.yaml" and "Serial workflows").

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::plan::{TestCommand, TestKind};

/// Maximum number of steps of a workflow.
const MAX_STEPS: usize = 100;

/// Returns the steps of a serial workflow in order, with parameters inserted. Empty if the workflow is of another kind or a step
/// can't be read, because an incomplete workflow is not a test.
pub(super) fn steps(text: &str) -> Vec<TestCommand> {
    let Ok(value) = serde_saphyr::from_str::<Value>(text) else { return Vec::new() };
    let workflow = &value["workflow"];
    if workflow["type"] != "serial" {
        return Vec::new();
    }
    let parameters = parameters(&value["inputs"]["parameters"]);
    let steps = workflow["specification"]["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<TestCommand> = Vec::new();
    for (index, step) in steps.iter().take(MAX_STEPS).enumerate() {
        let commands = step["commands"].as_array().map(Vec::as_slice).unwrap_or_default();
        let commands: Vec<&str> = commands.iter().filter_map(Value::as_str).map(str::trim).collect();
        let run = expanded(&commands.join(" && "), &parameters);
        if run.is_empty() {
            return Vec::new();
        }
        let name = step["name"].as_str().map_or_else(|| format!("step-{}", index + 1), str::to_owned);
        if found.iter().any(|other| other.name == name) {
            return Vec::new();
        }
        found.push(TestCommand { name, kind: TestKind::of_command(&run), run });
    }
    found
}

fn parameters(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

fn expanded(command: &str, parameters: &BTreeMap<String, String>) -> String {
    parameters.iter().fold(command.to_owned(), |command, (name, value)| command.replace(&format!("${{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn steps_of_serial_workflow_are_commands_with_parameters() {
        let text = "inputs:\n  parameters: {events: 200, data: out/d.root}\nworkflow:\n  type: serial\n  specification:\n    \
                    steps:\n      - name: generate\n        environment: x/y:1\n        commands:\n          - mkdir -p out\n          \
                    - root -b -q 'gen.C(${events},\"${data}\")'\n      - commands: [python plot.py]\n";
        let found: Vec<_> = steps(text).into_iter().map(|step| (step.name, step.run)).collect();
        let expected =
            [("generate", "mkdir -p out && root -b -q 'gen.C(200,\"out/d.root\")'"), ("step-2", "python plot.py")];
        assert_eq!(found, expected.map(|(name, run)| (name.to_owned(), run.to_owned())));
    }

    #[test]
    fn other_workflows_have_no_steps() {
        for text in ["workflow: {type: cwl, file: w.cwl}", "- a", "", "workflow: {type: serial}", "a: [b"] {
            assert_eq!(steps(text), [], "{text}");
        }
    }
}
