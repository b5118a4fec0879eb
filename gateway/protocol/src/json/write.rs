use super::Json;
use crate::Text;
use serde::Serialize;

/// Writes the members of one JSON object; what is `None` is left out. Names need no escapes.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
    written: serde_json::Result<()>,
}

impl<'o> Object<'o> {
    /// Begins it.
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
            written: Ok(()),
        }
    }

    /// A value that is carried as it was sent.
    pub(crate) fn json(&mut self, name: &'static str, value: Option<Json<'_>>) {
        if let Some(value) = value {
            let out = self.member(name);
            out.extend_from_slice(value.as_str().as_bytes());
        }
    }

    /// A text that needs no escapes.
    pub(crate) fn plain(&mut self, name: &'static str, text: &[u8]) {
        let out = self.member(name);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }

    /// Any text.
    pub(crate) fn text(&mut self, name: &'static str, text: Option<&Text<'_>>) {
        if let Some(text) = text {
            let written = text.append_json(self.member(name));
            self.note(written);
        }
    }

    /// Any other value.
    pub(crate) fn value(&mut self, name: &'static str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            let written = serde_json::to_writer(self.member(name), &value);
            self.note(written);
        }
    }

    /// An object in it.
    pub(crate) fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        let mut inner = Object::begin(self.member(name));
        write(&mut inner);
        let written = inner.end();
        self.note(written);
    }

    /// Ends it.
    ///
    /// # Errors
    /// When a value could not be said in JSON.
    pub(crate) fn end(self) -> serde_json::Result<()> {
        self.out.push(b'}');
        self.written
    }

    fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        let before: &[u8] = if self.is_empty { b"\"" } else { b",\"" };
        self.is_empty = false;
        for part in [before, name.as_bytes(), b"\":"] {
            self.out.extend_from_slice(part);
        }
        self.out
    }

    fn note(&mut self, written: serde_json::Result<()>) {
        if self.written.is_ok() {
            self.written = written;
        }
    }
}
