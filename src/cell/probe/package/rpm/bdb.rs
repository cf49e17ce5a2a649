//! The Berkeley DB hash file `Packages` of rpm before 4.16 (EL8 and older).
//!
//! Only unencrypted hash tables of versions 8 to 10 are supported, in either byte order. The layout is that of
//! `dbinc/db_page.h`: a metadata page, then pages of key and value items; large values are in chains of overflow pages.

use super::RpmError;

const MAGIC: u32 = 0x0006_1561;
const HASH_META: u8 = 8;
const HASH_UNSORTED: u8 = 2;
const HASH: u8 = 13;
const OVERFLOW: u8 = 7;
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;
const PAGE_HEADER: usize = 26;
/// Maximum size of a header blob in bytes. The limit of rpm is 256 MB; real blobs reach 10 MB.
const MAX_BLOB: usize = 256 << 20;

/// Returns the header blobs of a database.
pub(crate) fn headers(bytes: &[u8]) -> Result<Vec<Vec<u8>>, RpmError> {
    let file = File::open(bytes)?;
    let mut blobs = Vec::new();
    // Overflow chains cannot share pages, so the total size of all values is limited by the file size.
    let mut budget = bytes.len();
    for page in (1..=file.last).map_while(|number| file.page(number)) {
        if !matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            continue;
        }
        file.values(page, &mut blobs, &mut budget)?;
    }
    Ok(blobs)
}

const BROKEN: RpmError = RpmError::Format("a Berkeley DB hash file");

struct File<'a> {
    bytes: &'a [u8],
    page_size: usize,
    last: u32,
    swapped: bool,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, RpmError> {
        let word =
            |offset: usize| bytes.get(offset..offset + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
        let magic = word(12).ok_or(BROKEN)?;
        let swapped = magic == MAGIC.swap_bytes();
        if !swapped && magic != MAGIC {
            return Err(BROKEN);
        }
        let word = |offset| word(offset).map(|value| if swapped { value.swap_bytes() } else { value }).ok_or(BROKEN);
        let page_size = word(20)? as usize;
        let last = word(32)?;
        let encrypted = bytes.get(24) != Some(&0);
        let kind = bytes.get(25).copied();
        if !(8..=10).contains(&word(16)?)
            || !(512..=65_536).contains(&page_size)
            || !page_size.is_power_of_two()
            || encrypted
            || kind != Some(HASH_META)
        {
            return Err(BROKEN);
        }
        Ok(Self { bytes, page_size, last, swapped })
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let start = (number as usize).checked_mul(self.page_size)?;
        self.bytes.get(start..start.checked_add(self.page_size)?)
    }

    fn short(&self, page: &[u8], offset: usize) -> Option<usize> {
        let value = u16::from_le_bytes(page.get(offset..offset + 2)?.try_into().ok()?);
        Some(usize::from(if self.swapped { value.swap_bytes() } else { value }))
    }

    fn word(&self, page: &[u8], offset: usize) -> Option<u32> {
        let value = u32::from_le_bytes(page.get(offset..offset + 4)?.try_into().ok()?);
        Some(if self.swapped { value.swap_bytes() } else { value })
    }

    /// Adds the values of one page. The value of key 0 is a counter of rpm, not a header.
    fn values(&self, page: &[u8], values: &mut Vec<Vec<u8>>, budget: &mut usize) -> Result<(), RpmError> {
        let entries = self.short(page, 20).ok_or(BROKEN)?;
        let mut end = self.page_size;
        let mut key: &[u8] = &[];
        for index in 0..entries {
            let start = self.short(page, PAGE_HEADER + index * 2).ok_or(BROKEN)?;
            let item = page.get(start..end).ok_or(BROKEN)?;
            end = start;
            if index % 2 == 0 {
                key = item.get(1..).unwrap_or_default();
            } else if key.iter().any(|&byte| byte != 0) {
                let value = self.value(item, *budget)?;
                *budget = budget.checked_sub(value.len()).ok_or(BROKEN)?;
                values.push(value);
            }
        }
        Ok(())
    }

    fn value(&self, item: &[u8], budget: usize) -> Result<Vec<u8>, RpmError> {
        match item.first() {
            Some(&KEY_DATA) => Ok(item[1..].to_vec()),
            Some(&OFF_PAGE) => {
                let first = self.word(item, 4).ok_or(BROKEN)?;
                let length = self.word(item, 8).ok_or(BROKEN)? as usize;
                self.overflow(first, length, budget)
            }
            _ => Err(BROKEN),
        }
    }

    /// Reads a value from a chain of pages. The declared length limits the number of pages.
    fn overflow(&self, first: u32, length: usize, budget: usize) -> Result<Vec<u8>, RpmError> {
        if length > MAX_BLOB || length > budget {
            return Err(RpmError::TooLarge);
        }
        let mut value = Vec::with_capacity(length);
        let mut number = first;
        while value.len() < length {
            let page = self.page(number).filter(|page| page[25] == OVERFLOW).ok_or(BROKEN)?;
            let used = self.short(page, 22).filter(|&used| used > 0).ok_or(BROKEN)?;
            value.extend_from_slice(page.get(PAGE_HEADER..PAGE_HEADER + used).ok_or(BROKEN)?);
            number = self.word(page, 16).ok_or(BROKEN)?;
        }
        value.truncate(length);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_files_are_rejected() {
        assert_eq!(headers(b"SQLite format 3\0").expect_err("an error"), BROKEN);
        assert_eq!(headers(&[0; 8192]).expect_err("an error"), BROKEN);
    }

    proptest! {
        #[test]
        fn any_bytes_after_a_valid_start_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 2048..4096)) {
            let mut bytes = bytes;
            bytes[12..16].copy_from_slice(&MAGIC.to_le_bytes());
            bytes[16..20].copy_from_slice(&9u32.to_le_bytes());
            bytes[20..24].copy_from_slice(&512u32.to_le_bytes());
            bytes[24] = 0;
            bytes[25] = HASH_META;
            for page in 1..bytes.len() / 512 {
                bytes[page * 512 + 25] = HASH;
            }
            let _ = headers(&bytes);
        }
    }
}
