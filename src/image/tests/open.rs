use std::fs;
use std::io::{Cursor, Read as _};

use serde_json::json;

use crate::error::{Failure as _, Kind};
use crate::image::disk::OnDisk;
use crate::image::error::ImageError;
use crate::image::export::write_docker_archive;
use crate::image::fixture::{Layout, Pack, Tar, machine};
use crate::model::digest::Digest;
use crate::model::reference::Reference;

fn layers() -> Vec<Vec<u8>> {
    vec![Tar::new().file("etc/a", "lower").bytes(), Tar::new().file("etc/b", &"upper".repeat(5000)).bytes()]
}

fn read_all(image: &OnDisk) -> Result<Vec<Vec<u8>>, ImageError> {
    let mut all = Vec::new();
    image.for_each_layer(|layer, reader| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|e| layer.failed(e))?;
        all.push(bytes);
        Ok(())
    })?;
    Ok(all)
}

#[track_caller]
fn open_error(reference: &Reference) -> ImageError {
    let result = OnDisk::open(reference).and_then(|image| read_all(&image));
    let error = result.expect_err("an error");
    assert_eq!(error.kind(), Kind::Infrastructure, "{error}");
    error
}

#[test]
fn layout_is_read_with_every_compression() {
    for pack in [Pack::Plain, Pack::Gzip, Pack::Zstd] {
        let mut layout = Layout::new();
        let manifest = layout.image(&machine(), &layers(), pack);
        layout.tag("v1", manifest.clone());
        let image = OnDisk::open(&layout.reference(Some("v1"))).unwrap();
        let identity = image.identity();
        assert_eq!(identity.manifest_digest.as_ref().unwrap().as_str(), manifest["digest"].as_str().unwrap());
        assert_eq!(identity.index_digest, None);
        assert_eq!(identity.layers, layers().iter().map(|l| Digest::of(l)).collect::<Vec<_>>());
        assert_eq!(identity.platform, format!("linux/{}", machine()));
        assert_eq!(identity.config.env["A"], "b=c");
        assert_eq!((identity.config.user.as_str(), identity.config.workdir.as_str()), ("ana:users", "/w"));
        assert_eq!((identity.config.entrypoint.len(), identity.config.cmd.len()), (1, 0));
        assert_eq!(read_all(&image).unwrap(), layers());
    }
}

#[test]
fn every_format_gives_the_same_image() {
    let layout = Layout::of(layers());
    let first = OnDisk::open(&layout.reference(None)).unwrap();
    let archived = OnDisk::open(&Reference::OciArchive(layout.archive(), Some("latest".to_owned()))).unwrap();
    let saved = layout.path().join("saved.tar");
    write_docker_archive(&first, "some/name:1", fs::File::create(&saved).unwrap()).unwrap();
    let saved = OnDisk::open(&Reference::DockerArchive(saved, Some("some/name:1".to_owned()))).unwrap();
    for other in [archived, saved] {
        assert_eq!(other.identity().config_digest, first.identity().config_digest);
        assert_eq!(other.identity().layers, first.identity().layers);
        assert_eq!(other.identity().config, first.identity().config);
        assert_eq!(read_all(&other).unwrap(), layers());
    }
}

#[test]
fn zstd_layers_are_decompressed_for_docker() {
    let mut layout = Layout::new();
    let manifest = layout.image(&machine(), &layers(), Pack::Zstd);
    layout.tag("v1", manifest);
    let mut saved = Vec::new();
    write_docker_archive(&OnDisk::open(&layout.reference(None)).unwrap(), "n:1", &mut saved).unwrap();
    let mut archive = tar::Archive::new(Cursor::new(saved));
    let mut found = Vec::new();
    for mut entry in archive.entries().unwrap().map(Result::unwrap) {
        if entry.path().unwrap().ends_with("layer.tar") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found.push(bytes);
        }
    }
    assert_eq!(found, layers());
}

#[test]
fn older_docker_archive_with_links_is_read() {
    let layer = Tar::new().file("a", "x").bytes();
    let diff_id = Digest::of(&layer);
    let config = json!({ "architecture": machine(), "os": "linux", "rootfs": { "diff_ids": [diff_id, diff_id] } });
    let config = config.to_string();
    let config_name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    let manifest = json!([{ "Config": config_name, "RepoTags": null, "Layers": ["one/layer.tar", "two/layer.tar"] }]);
    let archive = Tar::new()
        .raw(tar::EntryType::Regular, b"one/layer.tar", b"", 0o644, &layer)
        .link("two/layer.tar", "../one/layer.tar")
        .file(&config_name, &config)
        .file("manifest.json", &manifest.to_string())
        .bytes();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved.tar");
    fs::write(&path, archive).unwrap();
    let image = OnDisk::open(&Reference::DockerArchive(path.clone(), None)).unwrap();
    assert_eq!(read_all(&image).unwrap(), [layer.clone(), layer]);
    let error = open_error(&Reference::DockerArchive(path.clone(), Some("other".to_owned())));
    assert!(matches!(error, ImageError::Tag { .. }), "{error}");
    let error = open_error(&Reference::OciArchive(path, None));
    assert!(error.hint().unwrap().contains("docker-archive:"), "{error}");
}

#[test]
fn platform_is_selected_from_an_index() {
    let mut layout = Layout::new();
    let (native, foreign) =
        (layout.image(&machine(), &layers(), Pack::Gzip), layout.image("s390x", &layers(), Pack::Gzip));
    let with = |mut descriptor: serde_json::Value, os: &str, architecture: &str| {
        descriptor["platform"] = json!({ "os": os, "architecture": architecture });
        descriptor
    };
    let manifests = [
        with(foreign.clone(), "linux", "s390x"),
        with(foreign.clone(), "unknown", "unknown"),
        with(native.clone(), "linux", &machine()),
    ];
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    let index = layout.descriptor("application/vnd.oci.image.index.v1+json", index.to_string().as_bytes());
    layout.tag("many", index.clone());
    layout.tag("foreign", foreign);
    let image = OnDisk::open(&layout.reference(Some("many"))).unwrap();
    let text = |digest: &Option<Digest>| digest.as_ref().unwrap().to_string();
    assert_eq!(text(&image.identity().index_digest), index["digest"].as_str().unwrap());
    assert_eq!(text(&image.identity().manifest_digest), native["digest"].as_str().unwrap());
    let error = open_error(&layout.reference(Some("foreign")));
    assert!(matches!(error, ImageError::Platform { .. }), "{error}");
    assert_eq!(error.hint().unwrap(), "available platforms: linux/s390x");
}

#[test]
fn missing_tag_lists_available_tags() {
    let mut layout = Layout::new();
    for tag in ["b", "a"] {
        let manifest = layout.image(&machine(), &[Tar::new().file(tag, tag).bytes()], Pack::Gzip);
        layout.tag(tag, manifest);
    }
    for tag in [Some("c"), None] {
        let error = open_error(&layout.reference(tag));
        assert_eq!(error.hint().unwrap(), "available tags: a, b", "{error}");
    }
}

#[test]
fn other_files_are_not_images() {
    let dir = tempfile::tempdir().unwrap();
    let (path, file) = (dir.path().to_owned(), dir.path().join("file"));
    assert!(matches!(open_error(&Reference::OciLayout(dir.path().join("none"), None)), ImageError::NotFound(_)));
    assert!(matches!(open_error(&Reference::OciArchive(dir.path().join("none"), None)), ImageError::NotFound(_)));
    assert!(matches!(open_error(&Reference::OciLayout(path.clone(), None)), ImageError::WrongFormat { .. }));
    assert!(matches!(open_error(&Reference::OciArchive(path, None)), ImageError::WrongFormat { .. }));
    for content in [&b""[..], b"hello", &[0; 4096], &[0x1f, 0x8b, 8, 0], &[7; 4096]] {
        fs::write(&file, content).unwrap();
        let error = open_error(&Reference::DockerArchive(file.clone(), None));
        assert!(matches!(error, ImageError::WrongFormat { .. }), "{content:?}: {error}");
    }
    assert!(matches!(open_error(&Reference::OciLayout(file.clone(), None)), ImageError::WrongFormat { .. }));
    assert!(matches!(open_error(&Reference::Tree(file)), ImageError::WrongFormat { .. }));
    assert!(matches!(OnDisk::open(&Reference::Host), Err(ImageError::Unsupported { .. })));
}

#[test]
fn every_damaged_file_is_detected() {
    let layout = Layout::of(layers());
    let blobs = layout.path().join("blobs/sha256");
    let names: Vec<_> = fs::read_dir(&blobs).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(names.len(), 4);
    for path in names {
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(&path, &bad).unwrap();
        let error = open_error(&layout.reference(None));
        assert!(matches!(error, ImageError::Mismatch { .. }), "{error}");
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        let error = open_error(&layout.reference(None));
        assert!(matches!(error, ImageError::Mismatch { .. } | ImageError::Truncated { .. }), "{error}");
        fs::remove_file(&path).unwrap();
        let error = open_error(&layout.reference(None));
        assert!(matches!(error, ImageError::Missing { .. }), "{error}");
        fs::write(&path, &good).unwrap();
    }
    OnDisk::open(&layout.reference(None)).unwrap();
}

#[test]
fn layer_that_does_not_match_the_configuration_is_rejected() {
    let mut layout = Layout::new();
    let manifest = layout.image(&machine(), &layers(), Pack::Plain);
    let bytes = fs::read(layout.blob_path(&Digest::try_from(manifest["digest"].as_str().unwrap().to_owned()).unwrap()));
    let mut changed: serde_json::Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
    let other = Tar::new().file("etc/a", "changed").bytes();
    changed["layers"][0] = layout.descriptor("application/vnd.oci.image.layer.v1.tar", &other);
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    layout.tag("x", layout.descriptor(media_type, changed.to_string().as_bytes()));
    assert!(matches!(open_error(&layout.reference(None)), ImageError::Mismatch { .. }));
    changed["layers"][0]["mediaType"] = json!("application/x-odd");
    layout.tag("y", layout.descriptor(media_type, changed.to_string().as_bytes()));
    let error = open_error(&layout.reference(Some("y")));
    assert!(error.to_string().contains("application/x-odd"), "{error}");
    changed["layers"].as_array_mut().unwrap().pop();
    layout.tag("z", layout.descriptor(media_type, changed.to_string().as_bytes()));
    let error = open_error(&layout.reference(Some("z")));
    assert!(matches!(error, ImageError::Document { .. }), "{error}");
}

#[test]
fn truncated_archive_is_rejected() {
    let layout = Layout::of(layers());
    let path = layout.archive();
    let whole = fs::read(&path).unwrap();
    let content = whole.len() - 1024;
    for length in (1..content).step_by(511) {
        fs::write(&path, &whole[..length]).unwrap();
        let reference = Reference::OciArchive(path.clone(), None);
        // Only the padding after the last member may be missing.
        match OnDisk::open(&reference).and_then(|image| read_all(&image)) {
            Ok(read) => assert!(length > content - 512 && read == layers(), "truncated to {length} of {content}"),
            Err(error) => assert_eq!(error.kind(), Kind::Infrastructure, "{error}"),
        }
    }
}

#[test]
fn damaged_layer_is_not_exported() {
    let layout = Layout::of(layers());
    let image = OnDisk::open(&layout.reference(None)).unwrap();
    for path in fs::read_dir(layout.path().join("blobs/sha256")).unwrap().map(|e| e.unwrap().path()) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[30] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let error = write_docker_archive(&image, "n:1", std::io::sink()).unwrap_err();
    assert!(matches!(error, ImageError::Mismatch { .. }), "{error}");
}

#[test]
fn index_with_too_many_images_is_rejected() {
    let mut layout = Layout::new();
    let image = layout.image(&machine(), &[Tar::new().bytes()], Pack::Plain);
    let index = serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": vec![image; 1001]})).unwrap();
    layout.blob(&index);
    let descriptor = layout.descriptor("application/vnd.oci.image.index.v1+json", &index);
    layout.tag("many", descriptor);
    let error = OnDisk::open(&layout.reference(Some("many"))).unwrap_err();
    assert!(error.to_string().contains("more than 1000 images"), "{error}");
}
