//! Reading a sealed file, whole or in part, and spoiled on demand.

use crate::faults::MediaFault;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of a file from one position to another.
pub struct Reader {
    file: File,
    at: u64,
    end: u64,
    /// Position of the byte that arrives changed.
    flipped: Option<u64>,
}

impl Reader {
    /// Opens a file. A fault spoils what is read: half of the bytes are missing, or one bit in the middle is another one.
    pub fn open(path: &Path, fault: Option<MediaFault>) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(match fault {
            Some(MediaFault::Truncated) => Self { file, at: 0, end: size / 2, flipped: None },
            Some(MediaFault::Flipped) => Self { file, at: 0, end: size, flipped: Some(size / 2) },
            Some(MediaFault::Status(_)) | None => Self { file, at: 0, end: size, flipped: None },
        })
    }

    /// Returns how many bytes are left.
    pub fn left(&self) -> u64 {
        self.end - self.at
    }

    /// Keeps to the bytes from `start` up to but not including `end`; both lie within the file.
    pub fn narrow(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(start))?;
        (self.at, self.end) = (start, end);
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left()).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..room])?;
        let here = self.at..self.at + read as u64;
        if let Some(flipped) = self.flipped.filter(|flipped| here.contains(flipped)) {
            buffer[(flipped - self.at) as usize] ^= 1;
        }
        self.at = here.end;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fault: Option<MediaFault>, range: Option<(u64, u64)>) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let mut reader = Reader::open(&path, fault).unwrap();
        if let Some((start, end)) = range {
            reader.narrow(start, end).unwrap();
        }
        let mut out = Vec::new();
        // Odd sizes, so that positions matter.
        let mut chunk = [0; 3];
        loop {
            match reader.read(&mut chunk).unwrap() {
                0 => return out,
                read => out.extend_from_slice(&chunk[..read]),
            }
        }
    }

    #[test]
    fn a_file_is_read_whole_in_part_and_spoiled() {
        assert_eq!(read(None, None), b"0123456789");
        assert_eq!(read(None, Some((3, 7))), b"3456");
        assert_eq!(read(Some(MediaFault::Truncated), None), b"01234");
        assert_eq!(read(Some(MediaFault::Flipped), None), b"0123446789");
        assert_eq!(read(Some(MediaFault::Flipped), Some((4, 7))), b"446");
    }
}
