//! An rpm header blob: an index of tags and the store of their values, all big-endian.
//!
//! `nindex: u32, hsize: u32, nindex × (tag, type, offset, count: u32), store[hsize]`, without the magic number of
//! package files (rpm, `docs/manual/format_header.md`).

use super::RpmError;
use crate::model::package::Package;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const ARCH: u32 = 1022;

const INT32: u32 = 4;
const STRING: u32 = 6;
const I18N_STRING: u32 = 9;

/// Maximum number of tags; real headers have about a hundred.
const MAX_TAGS: usize = 65_536;
/// Maximum length of a value in bytes.
const MAX_TEXT: usize = 4096;

/// Parses the package of a header.
pub(crate) fn package(blob: &[u8]) -> Result<Package, RpmError> {
    let broken = RpmError::Format("an rpm header");
    let tags = number(blob, 0).ok_or(broken.clone())? as usize;
    let size = number(blob, 4).ok_or(broken.clone())? as usize;
    if tags > MAX_TAGS {
        return Err(broken);
    }
    let store = 8 + tags * 16;
    let store = store.checked_add(size).and_then(|end| blob.get(store..end)).ok_or(broken.clone())?;
    let (mut name, mut version, mut release, mut epoch) = (None, None, None, None);
    let (mut vendor, mut arch) = (None, None);
    for start in (0..tags).map(|index| 8 + index * 16) {
        let field = |offset| number(blob, start + offset);
        let (Some(tag), Some(kind), Some(offset)) = (field(0), field(4), field(8)) else { return Err(broken) };
        match tag {
            NAME => name = text(store, kind, offset),
            VERSION => version = text(store, kind, offset),
            RELEASE => release = text(store, kind, offset),
            EPOCH if kind == INT32 => epoch = number(store, offset as usize),
            VENDOR => vendor = text(store, kind, offset),
            ARCH => arch = text(store, kind, offset),
            _ => {}
        }
    }
    let (Some(name), Some(version)) = (name, version) else { return Err(broken) };
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let release = release.map(|release| format!("-{release}")).unwrap_or_default();
    Ok(Package {
        name,
        version: format!("{epoch}{version}{release}"),
        arch: arch.unwrap_or_default(),
        origin: vendor.unwrap_or_default(),
        prefix: String::new(),
    })
}

fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..offset.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

fn text(store: &[u8], kind: u32, offset: u32) -> Option<String> {
    if !matches!(kind, STRING | I18N_STRING) {
        return None;
    }
    let bytes = store.get(offset as usize..)?;
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Creates a header with these tags.
    pub(in super::super) fn blob(name: &str, version: &str, epoch: Option<u32>) -> Vec<u8> {
        let mut index = Vec::new();
        let mut store = Vec::new();
        let mut push = |tag: u32, kind: u32, value: &[u8]| {
            for number in [tag, kind, store.len() as u32, 1] {
                index.extend_from_slice(&number.to_be_bytes());
            }
            store.extend_from_slice(value);
        };
        if let Some(epoch) = epoch {
            push(EPOCH, INT32, &epoch.to_be_bytes());
        }
        for (tag, value) in [(NAME, name), (VERSION, version), (RELEASE, "1.el9"), (ARCH, "x86_64")] {
            push(tag, STRING, format!("{value}\0").as_bytes());
        }
        let mut out = (index.len() as u32 / 16).to_be_bytes().to_vec();
        out.extend_from_slice(&(store.len() as u32).to_be_bytes());
        out.extend_from_slice(&index);
        out.extend_from_slice(&store);
        out
    }

    #[test]
    fn version_includes_epoch_and_release() {
        let package = package(&blob("perl", "5.32", Some(4))).expect("a header");
        assert_eq!((package.name.as_str(), package.version.as_str()), ("perl", "4:5.32-1.el9"));
    }

    proptest! {
        #[test]
        fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = package(&bytes);
        }

        #[test]
        fn damaged_header_does_not_panic(at in 0..100usize, byte in any::<u8>(), cut in 0..200usize) {
            let mut bytes = blob("bash", "5.1.8", Some(1));
            bytes[at] = byte;
            bytes.truncate(bytes.len().max(cut) - cut);
            let _ = package(&bytes);
        }
    }
}
