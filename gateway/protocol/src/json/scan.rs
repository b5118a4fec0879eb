mod token;

use super::Json;
use crate::Text;
use std::collections::BTreeSet;

/// The most levels that arrays and objects may stand in each other.
pub(crate) const MAX_DEPTH: usize = 512;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// It is no JSON (RFC 8259).
    #[error("byte {at} where {expected} should be")]
    Syntax {
        /// Where, in bytes.
        at: usize,
        /// What should be there, in words.
        expected: &'static str,
    },
    #[error("more than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Goes over a JSON text once, and checks all that it passes. Needs no stack and no memory for what is nested.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The deepest level since the last look.
    deepest: usize,
    /// Whether there was an escape since the last look.
    escaped: bool,
    /// A bit for each level that is open: whether it is an object.
    objects: [u64; MAX_DEPTH / 64],
}

/// A value that was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) json: Json<'a>,
    /// How many levels there are in it; 0 for what is neither array nor object.
    pub(crate) levels: usize,
    /// Whether there is an escape in it.
    pub(crate) escaped: bool,
}

/// What may be an object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Nested<'a, const N: usize> {
    /// It is not there, or null.
    Absent,
    /// It is something else.
    Other,
    Object(Members<'a, N>),
}

/// The members of an object whose names were asked for, in the order of the names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members<'a, const N: usize> {
    /// `None` where the member is absent or null; the first one where it is there twice.
    pub(crate) values: [Option<Value<'a>>; N],
    /// Whether any name, asked for or not, is there twice.
    pub(crate) duplicate: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            deepest: 0,
            escaped: false,
            objects: [0; MAX_DEPTH / 64],
        }
    }

    /// Passes over a value.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Error> {
        let (start, outside) = (self.place(), self.depth);
        (self.deepest, self.escaped) = (outside, false);
        while self.begin()? || self.go_on(outside)? {}
        Ok(Value {
            json: self.since(start),
            levels: self.deepest - outside,
            escaped: self.escaped,
        })
    }

    /// Reads an object. A name that was asked for is given to `take`, by its place in `names`, which has to pass over the
    /// value; whatever else there is, is passed over. Says whether any name, asked for or not, is there twice.
    ///
    /// # Errors
    /// When there is no object here.
    pub(crate) fn named<const N: usize>(
        &mut self,
        names: &[&str; N],
        mut take: impl FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        if !self.is_at(b'{') {
            return self.expected("an object");
        }
        let (mut seen, mut others) = ([false; N], BTreeSet::new());
        let mut duplicate = false;
        let mut has_more = self.open(true)?;
        while has_more {
            let name = self.name()?;
            match names.iter().position(|known| **known == *name) {
                Some(place) if !seen[place] => {
                    seen[place] = true;
                    take(self, place)?;
                }
                known => {
                    duplicate |= known.is_some() || !others.insert(name);
                    self.value()?;
                }
            }
            has_more = self.has_more()?;
        }
        Ok(duplicate)
    }

    /// Reads a value that may be an object with these members.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn members<const N: usize>(
        &mut self,
        names: &[&str; N],
    ) -> Result<Nested<'a, N>, Error> {
        if !self.is_at(b'{') {
            let other = self.present()?;
            return Ok(other.map_or(Nested::Absent, |_| Nested::Other));
        }
        let mut values = [None; N];
        let duplicate = self.named(names, |scanner, place| {
            values[place] = scanner.present()?;
            Ok(())
        })?;
        Ok(Nested::Object(Members { values, duplicate }))
    }

    /// Passes over a value; `None` for null.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn present(&mut self) -> Result<Option<Value<'a>>, Error> {
        let value = self.value()?;
        Ok((value.json.as_str() != "null").then_some(value))
    }

    /// Reads an array; `take` has to pass over each element.
    ///
    /// # Errors
    /// When there is no array here.
    pub(crate) fn elements(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.is_at(b'[') {
            return self.expected("an array");
        }
        let mut has_more = self.open(false)?;
        while has_more {
            take(self)?;
            has_more = self.has_more()?;
        }
        Ok(())
    }

    /// Where the next value begins.
    pub(crate) fn place(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// Whether the next value begins with this byte.
    pub(crate) fn is_at(&mut self, first: u8) -> bool {
        self.skip_space();
        self.peek() == Some(first)
    }

    /// What has been passed since the value that began at this place.
    pub(crate) fn since(&self, place: usize) -> Json<'a> {
        Json(&self.text[place..self.at])
    }

    /// Checks that nothing follows.
    ///
    /// # Errors
    /// When something does.
    pub(crate) fn end(mut self) -> Result<(), Error> {
        self.skip_space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            self.expected("the end")
        }
    }

    /// Passes over a value without levels, or opens one; true if a value in it comes next.
    fn begin(&mut self) -> Result<bool, Error> {
        match self.peek() {
            Some(b'{') => Ok(self.open(true)? && self.skip_name().map(|()| true)?),
            Some(b'[') => self.open(false),
            Some(b'"') => self.string().map(|()| false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            _ => self.word().map(|()| false),
        }
    }

    /// Passes over what stands between a value and the next one; false if none comes before `outside` is reached again.
    fn go_on(&mut self, outside: usize) -> Result<bool, Error> {
        while self.depth > outside {
            if self.has_more()? {
                return Ok(!self.is_in_object() || self.skip_name().map(|()| true)?);
            }
        }
        Ok(false)
    }

    /// Passes over an opening bracket, and over the closing one if it is next; false then.
    fn open(&mut self, is_object: bool) -> Result<bool, Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if is_object {
            self.objects[word] |= bit;
        } else {
            self.objects[word] &= !bit;
        }
        self.at += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let is_empty = self.is_at(if is_object { b'}' } else { b']' });
        if is_empty {
            self.at += 1;
            self.depth -= 1;
        }
        Ok(!is_empty)
    }

    /// Passes over a comma, or over the closing bracket; false then.
    fn has_more(&mut self) -> Result<bool, Error> {
        self.skip_space();
        match (self.peek(), self.is_in_object()) {
            (Some(b','), _) => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            (Some(b'}'), true) | (Some(b']'), false) => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            (_, true) => self.expected("`,` or `}`"),
            (_, false) => self.expected("`,` or `]`"),
        }
    }

    fn is_in_object(&self) -> bool {
        let level = self.depth - 1;
        self.objects[level / 64] & 1 << (level % 64) != 0
    }

    /// Reads a name, and passes over the colon.
    fn name(&mut self) -> Result<Text<'a>, Error> {
        let place = self.at;
        self.escaped = false;
        self.string()?;
        let name = Value {
            json: self.since(place),
            levels: 0,
            escaped: self.escaped,
        };
        self.colon()?;
        // What a JSON string says can always be read, so the default is never taken.
        Ok(Text::from_json(name).unwrap_or_default())
    }

    fn skip_name(&mut self) -> Result<(), Error> {
        self.string()?;
        self.colon()
    }

    fn colon(&mut self) -> Result<(), Error> {
        if !self.is_at(b':') {
            return self.expected("`:`");
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }
}
