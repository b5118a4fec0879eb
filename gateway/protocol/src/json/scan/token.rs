use super::{Error, Scanner};

impl Scanner<'_> {
    pub(super) fn expected<T>(&self, expected: &'static str) -> Result<T, Error> {
        let at = self.at;
        Err(Error::Syntax { at, expected })
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Passes over a string.
    pub(super) fn string(&mut self) -> Result<(), Error> {
        if self.peek() != Some(b'"') {
            return self.expected("a string");
        }
        self.at += 1;
        loop {
            self.at += plain(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.expected("a string without control characters"),
                None => return self.expected("`\"`"),
            }
        }
    }

    /// Passes over what follows a backslash. Half of a surrogate pair is an escape like any other.
    fn escape(&mut self) -> Result<(), Error> {
        let rest = &self.text.as_bytes()[self.at..];
        let len = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', digits @ ..]
                if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) =>
            {
                5
            }
            _ => return self.expected("an escape"),
        };
        self.at += len;
        Ok(())
    }

    /// Passes over a number.
    pub(super) fn number(&mut self) -> Result<(), Error> {
        self.skip_one(b"-");
        if !self.skip_one(b"0") {
            self.digits()?;
        }
        if self.skip_one(b".") {
            self.digits()?;
        }
        if self.skip_one(b"eE") {
            self.skip_one(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Error> {
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += len;
        if len == 0 {
            return self.expected("a digit");
        }
        Ok(())
    }

    fn skip_one(&mut self, of: &[u8]) -> bool {
        let is_one = self.peek().is_some_and(|byte| of.contains(&byte));
        self.at += usize::from(is_one);
        is_one
    }

    /// Passes over `true`, `false` or `null`.
    pub(super) fn word(&mut self) -> Result<(), Error> {
        let rest = &self.text.as_bytes()[self.at..];
        let words = [&b"null"[..], b"true", b"false"];
        match words.into_iter().find(|word| rest.starts_with(word)) {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => self.expected("a value"),
        }
    }
}

/// How many bytes there are before a quote, a backslash, a control character or the end. Looks at eight at once.
fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    let in_rest = rest.iter().position(is_special);
    bytes.len() - rest.len() + in_rest.unwrap_or(rest.len())
}

/// The highest bit of the first special byte of eight is set, and none before it; 0 if there is none. (A byte is zero
/// where subtracting one borrows and its highest bit was not set; what a borrow spoils comes after the first.)
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = ONES << 7;
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (is(b'"') | is(b'\\') | below(word, b' ')) & HIGHEST
}
