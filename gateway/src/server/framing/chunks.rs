use super::Refusal;

/// The most bytes of a chunk's size with its extensions.
const MAX_SIZE_LINE: usize = 256;

/// A body in chunks that comes in.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    /// The size of the chunk, then what is left of it.
    left: u64,
    /// Bytes of the line, or of the trailer.
    line: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    SizeStart,
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
}

impl Chunks {
    /// Reads on; says how many bytes belong to the body, and whether that is all of it.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        max_trailer: usize,
    ) -> Result<(usize, bool), Refusal> {
        let mut read = 0;
        while let Some(byte) = bytes.get(read) {
            if matches!(self.at, At::Data) {
                let here = bytes.len() - read;
                let len = usize::try_from(self.left).map_or(here, |left| left.min(here));
                self.left -= len as u64;
                read += len;
                if self.left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            read += 1;
            if matches!(self.at, At::EndLf) && *byte == b'\n' {
                return Ok((read, true));
            }
            self.at = self.next(*byte, max_trailer).ok_or(Refusal::BrokenBody)?;
        }
        Ok((read, false))
    }

    fn next(&mut self, byte: u8, max_trailer: usize) -> Option<At> {
        self.line += 1;
        match (self.at, byte) {
            (At::SizeStart | At::Size, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16)?;
                let shifted = self.left.checked_mul(16)?;
                self.left = shifted.checked_add(digit.into())?;
                (self.line <= MAX_SIZE_LINE).then_some(At::Size)
            }
            (At::Size | At::Extension, b'\r') => Some(At::SizeEnd),
            (At::Size, b';') => Some(At::Extension),
            (At::Extension, byte) if byte != b'\n' => {
                (self.line <= MAX_SIZE_LINE).then_some(At::Extension)
            }
            (At::SizeEnd, b'\n') => {
                self.line = 0;
                Some(if self.left == 0 {
                    At::TrailerStart
                } else {
                    At::Data
                })
            }
            (At::DataCr, b'\r') => Some(At::DataLf),
            (At::DataLf, b'\n') => {
                self.line = 0;
                Some(At::SizeStart)
            }
            (At::TrailerStart, b'\r') => Some(At::EndLf),
            (At::TrailerStart, b' ' | b'\t' | b'\n') => None,
            (At::Trailer, b'\r') => Some(At::TrailerLf),
            (At::TrailerStart | At::Trailer, byte) if byte != b'\n' => {
                (self.line <= max_trailer).then_some(At::Trailer)
            }
            (At::TrailerLf, b'\n') => Some(At::TrailerStart),
            (
                At::SizeStart
                | At::Size
                | At::Extension
                | At::SizeEnd
                | At::Data
                | At::DataCr
                | At::DataLf
                | At::TrailerStart
                | At::Trailer
                | At::TrailerLf
                | At::EndLf,
                _,
            ) => None,
        }
    }
}
