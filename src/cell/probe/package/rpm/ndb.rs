//! The ndb file `Packages.db` of SUSE: slots of 16 bytes, then blobs in blocks of 16 bytes, all little-endian
//! (rpm, `lib/backend/ndb/rpmpkg.c`).

use super::RpmError;

const MAGIC: u32 = u32::from_le_bytes(*b"RpmP");
const SLOT: u32 = u32::from_le_bytes(*b"Slot");
const BLOB: u32 = u32::from_le_bytes(*b"BlbS");
const PAGE: usize = 4096;
const BLOCK: usize = 16;
/// The header of the file replaces the first two slots.
const FIRST_SLOT: usize = 2;

const BROKEN: RpmError = RpmError::Format("an ndb package file");

/// Returns the header blobs of a database.
pub(crate) fn headers(bytes: &[u8]) -> Result<Vec<Vec<u8>>, RpmError> {
    let word = |offset: usize| bytes.get(offset..offset.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes);
    if word(0) != Some(MAGIC) || word(4) != Some(0) {
        return Err(BROKEN);
    }
    let slots = (word(12).ok_or(BROKEN)? as usize).checked_mul(PAGE / BLOCK).ok_or(BROKEN)?;
    if slots > bytes.len() / BLOCK {
        return Err(BROKEN);
    }
    let mut blobs = Vec::new();
    let mut total = 0usize;
    for slot in (FIRST_SLOT..slots).map(|number| number * BLOCK) {
        if word(slot) != Some(SLOT) {
            return Err(BROKEN);
        }
        let (index, offset) = (word(slot + 4).ok_or(BROKEN)?, word(slot + 8).ok_or(BROKEN)? as usize);
        if index == 0 || offset == 0 {
            continue;
        }
        let start = offset.checked_mul(BLOCK).ok_or(BROKEN)?;
        if word(start) != Some(BLOB) || word(start + 4) != Some(index) {
            return Err(BROKEN);
        }
        let length = word(start + 12).ok_or(BROKEN)? as usize;
        let blob = bytes.get(start + 16..).and_then(|rest| rest.get(..length)).ok_or(BROKEN)?;
        total = total.saturating_add(length);
        // Blobs do not overlap, so their total size is limited by the file size.
        if total > bytes.len() {
            return Err(BROKEN);
        }
        blobs.push(blob.to_vec());
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn database(blobs: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0; PAGE];
        out[..4].copy_from_slice(&MAGIC.to_le_bytes());
        out[12..16].copy_from_slice(&1u32.to_le_bytes());
        for slot in FIRST_SLOT..PAGE / BLOCK {
            out[slot * BLOCK..slot * BLOCK + 4].copy_from_slice(&SLOT.to_le_bytes());
        }
        for (number, blob) in blobs.iter().enumerate() {
            let slot = (FIRST_SLOT + number) * BLOCK;
            let offset = (out.len() / BLOCK) as u32;
            let index = number as u32 + 1;
            out[slot + 4..slot + 8].copy_from_slice(&index.to_le_bytes());
            out[slot + 8..slot + 12].copy_from_slice(&offset.to_le_bytes());
            for word in [BLOB, index, 1, blob.len() as u32] {
                out.extend_from_slice(&word.to_le_bytes());
            }
            out.extend_from_slice(blob);
            out.resize(out.len().next_multiple_of(BLOCK) + BLOCK, 0);
        }
        out
    }

    #[test]
    fn every_blob_is_found() {
        assert_eq!(headers(&database(&[b"one", b"three"])).expect("reads"), [b"one".to_vec(), b"three".to_vec()]);
    }

    proptest! {
        #[test]
        fn damaged_database_does_not_panic(changes in proptest::collection::vec((0..4200usize, any::<u8>()), 1..20)) {
            let mut bytes = database(&[b"one", b"three"]);
            for (at, byte) in changes {
                if let Some(target) = bytes.get_mut(at) {
                    *target = byte;
                }
            }
            let _ = headers(&bytes);
        }
    }
}
