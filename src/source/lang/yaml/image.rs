//! Keys whose values are images.

/// Reports whether the value of a key is an image.
pub(super) fn is_image(path: &str, value: &str) -> bool {
    let mut keys = path.rsplit('.');
    let key = keys.next().unwrap_or("");
    let parent = keys.next().unwrap_or("");
    let fits = match key {
        "image" | "docker_img" | "docker_image" | "docker-image" | "dockerPull" | "dockerImageId"
        | "container_image" | "singularity_image" | "container-image" | "imagename" => true,
        "container" | "singularity" => !matches!(value, "true" | "false" | "docker" | "singularity" | "apptainer"),
        "name" => matches!(parent, "image" | "services"),
        "services" => true,
        // A REANA step. Elsewhere, the name of a deployment target.
        "environment" => value.contains(['/', ':']) && (parent == "steps" || parent == "environments" || path == key),
        "imagetag" => false,
        "uses" => value.starts_with("docker://"),
        _ => false,
    };
    fits && is_reference(value)
}

/// Reports whether a text can be an image reference or a variable.
fn is_reference(value: &str) -> bool {
    let picture = [".png", ".jpg", ".jpeg", ".svg", ".pdf", ".gif", ".webp", ".tif"];
    !value.is_empty()
        && value.len() < 512
        && !value.starts_with("http")
        && (value.contains("${{") || !value.contains([' ', '\n', ',']))
        && !picture.iter().any(|end| value.ends_with(end))
        && !matches!(value, "null" | "~" | "true" | "false")
}

/// Returns the start of the right side of `host:inside` in a value of `volumes` or a similar key.
pub(super) fn bind(path: &str, value: &str) -> Option<usize> {
    let key = path.rsplit('.').next().unwrap_or("");
    let fits = matches!(key, "volumes" | "binds" | "bind" | "options") && !value.contains("://");
    if !fits {
        return None;
    }
    value.find(":/")
}
