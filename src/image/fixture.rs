//! Small images for tests.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tar::{EntryType, Header};
use tempfile::TempDir;

use crate::model::digest::Digest;
use crate::model::reference::Reference;

/// An uncompressed layer.
pub(super) struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    pub(super) fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    /// Adds an entry with an unchecked name, which the tar library would reject.
    pub(super) fn raw(mut self, kind: EntryType, name: &[u8], target: &[u8], mode: u32, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name);
        gnu.linkname[..target.len()].copy_from_slice(target);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000_000);
        header.set_size(data.len() as u64);
        header.set_cksum();
        self.0.append(&header, data).unwrap();
        self
    }

    pub(super) fn file(self, name: &str, data: &str) -> Self {
        self.raw(EntryType::Regular, name.as_bytes(), b"", 0o644, data.as_bytes())
    }

    pub(super) fn dir(self, name: &str, mode: u32) -> Self {
        self.raw(EntryType::Directory, name.as_bytes(), b"", mode, b"")
    }

    pub(super) fn link(self, name: &str, target: &str) -> Self {
        self.raw(EntryType::Symlink, name.as_bytes(), target.as_bytes(), 0o777, b"")
    }

    pub(super) fn hard(self, name: &str, target: &str) -> Self {
        self.raw(EntryType::Link, name.as_bytes(), target.as_bytes(), 0o644, b"")
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// Compression of the layers of a fixture.
#[derive(Clone, Copy)]
pub(super) enum Pack {
    Plain,
    Gzip,
    Zstd,
}

impl Pack {
    fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }

    fn pack(self, layer: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => layer.to_vec(),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(layer).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zstd => zstd::encode_all(layer, 1).unwrap(),
        }
    }
}

/// An OCI layout in a temporary directory.
pub(super) struct Layout {
    dir: TempDir,
    manifests: Vec<Value>,
}

impl Layout {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
        fs::write(dir.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { dir, manifests: Vec::new() }
    }

    /// Creates a layout with one image of these layers, tagged `latest`.
    pub(super) fn of(layers: Vec<Vec<u8>>) -> Self {
        let mut layout = Self::new();
        let manifest = layout.image(&machine(), &layers, Pack::Gzip);
        layout.tag("latest", manifest);
        layout
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        fs::write(self.blob_path(&digest), bytes).unwrap();
        digest
    }

    pub(super) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.path().join("blobs/sha256").join(digest.hex())
    }

    /// Adds an image and returns the descriptor of its manifest.
    pub(super) fn image(&self, architecture: &str, layers: &[Vec<u8>], pack: Pack) -> Value {
        let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "history": null,
            "config": { "Env": ["A=b=c", "PATH=/bin"], "User": "ana:users", "Entrypoint": ["/e"], "Cmd": null,
                        "WorkingDir": "/w", "Labels": null },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string().into_bytes();
        let layers: Vec<Value> =
            layers.iter().map(|layer| self.descriptor(pack.media_type(), &pack.pack(layer))).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "config": self.descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": layers,
        });
        self.descriptor("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes())
    }

    pub(super) fn descriptor(&self, media_type: &str, bytes: &[u8]) -> Value {
        json!({ "mediaType": media_type, "digest": self.blob(bytes), "size": bytes.len() })
    }

    pub(super) fn tag(&mut self, tag: &str, mut descriptor: Value) {
        descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        self.manifests.push(descriptor);
        let index = json!({ "schemaVersion": 2, "manifests": self.manifests });
        fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    pub(super) fn reference(&self, tag: Option<&str>) -> Reference {
        Reference::OciLayout(self.path().to_owned(), tag.map(ToOwned::to_owned))
    }

    /// Writes the layout as a tar archive.
    pub(super) fn archive(&self) -> PathBuf {
        let path = self.path().join("archive.tar");
        let mut archive = tar::Builder::new(fs::File::create(&path).unwrap());
        for name in ["oci-layout", "index.json"] {
            archive.append_path_with_name(self.path().join(name), name).unwrap();
        }
        archive.append_dir_all("blobs", self.path().join("blobs")).unwrap();
        archive.finish().unwrap();
        path
    }
}

/// Returns the architecture of this machine as written in image configurations.
pub(super) fn machine() -> String {
    super::config::machine_platform().replace("linux/", "")
}
