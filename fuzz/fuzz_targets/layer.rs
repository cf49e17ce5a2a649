//! Unpacks any bytes as two layers of an image: nothing is written outside of the tree.

#![no_main]

use std::fs;
use std::path::Path;

use carnet::image::disk::OnDisk;
use carnet::sys::remove::remove_tree;
use carnet::image::unpack::unpack_into;
use carnet::model::digest::Digest;
use carnet::model::reference::Reference;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fn blob(dir: &Path, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    fs::write(dir.join("blobs/sha256").join(digest.hex()), bytes).expect("a blob");
    digest
}

fn descriptor(dir: &Path, kind: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": blob(dir, bytes), "size": bytes.len()})
}

fuzz_target!(|layers: (&[u8], &[u8])| {
    let place = tempfile::tempdir().expect("a directory");
    let layout = place.path().join("layout");
    fs::create_dir_all(layout.join("blobs/sha256")).expect("directories");
    let layers = [layers.0, layers.1];
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({"architecture": architecture, "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": layers.map(Digest::of)}});
    let manifest = json!({
        "schemaVersion": 2,
        "config": descriptor(&layout, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
        "layers": layers.map(|layer| descriptor(&layout, "application/vnd.oci.image.layer.v1.tar", layer)),
    });
    let manifest =
        descriptor(&layout, "application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(layout.join("index.json"), index.to_string()).expect("an index");

    let image = OnDisk::open(&Reference::OciLayout(layout, None)).expect("it is whole");
    let rootfs = place.path().join("rootfs");
    let _ = unpack_into(&image, &rootfs, &|| false);
    let mut beside: Vec<_> = fs::read_dir(&place).expect("it is there").map(|e| e.expect("an entry").file_name()).collect();
    beside.sort();
    assert_eq!(beside, ["layout", "rootfs"]);
    remove_tree(&rootfs).expect("whatever was made can be removed");
});
