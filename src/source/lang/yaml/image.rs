//! Keys that name an image.

/// Whether a value of a key is an image that something runs in.
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
        // A step of REANA; elsewhere the name of a place to deploy to.
        "environment" => value.contains(['/', ':']) && (parent == "steps" || parent == "environments" || path == key),
        "imagetag" => false,
        "uses" => value.starts_with("docker://"),
        _ => false,
    };
    fits && is_reference(value)
}

/// Whether a text can be a reference to an image, or a variable that stands for one.
fn is_reference(value: &str) -> bool {
    let picture = [".png", ".jpg", ".jpeg", ".svg", ".pdf", ".gif", ".webp", ".tif"];
    !value.is_empty()
        && value.len() < 512
        && !value.starts_with("http")
        && (value.contains("${{") || !value.contains([' ', '\n', ',']))
        && !picture.iter().any(|end| value.ends_with(end))
        && !matches!(value, "null" | "~" | "true" | "false")
}

/// Where the right side of `host:inside` begins in a value of `volumes` and the like.
pub(super) fn bind(path: &str, value: &str) -> Option<usize> {
    let key = path.rsplit('.').next().unwrap_or("");
    let fits = matches!(key, "volumes" | "binds" | "bind" | "options") && !value.contains("://");
    if !fits {
        return None;
    }
    value.find(":/")
}
