//! Changes to JSON that leave the rest of it byte for byte as it was.

mod tree;

use super::{Condition, Pointer};
use footfall_task::Record;
use serde_json::value::RawValue;
use tree::Tree;

/// What is changed, in this order. What is neither an object nor a list has no parts, and stays.
#[derive(Debug, Default)]
pub struct Edits {
    /// If there are any, only these stay.
    pub keep: Vec<Pointer>,
    /// These go.
    pub drop: Vec<Pointer>,
    /// What is at the first goes to the second, or stays if there is no place for it.
    pub rename: Vec<(Pointer, Pointer)>,
    /// What the expression says of the record as it was comes there; what it cannot say is left out.
    pub set: Vec<(Pointer, Condition)>,
}

impl Edits {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keep.is_empty()
            && self.drop.is_empty()
            && self.rename.is_empty()
            && self.set.is_empty()
    }

    /// The changed value.
    ///
    /// # Errors
    /// When the value is not JSON.
    pub fn apply(&self, json: &[u8], record: &Record<'_>) -> serde_json::Result<Vec<u8>> {
        let mut whole = Tree::read(json)?;
        if !self.keep.is_empty() {
            let kept: Vec<_> = self.keep.iter().map(Pointer::tokens).collect();
            whole.keep(&kept)?;
            whole.settle();
        }
        for pointer in &self.drop {
            whole.remove(pointer.tokens())?;
        }
        // Not in between, so that every pointer counts a list's items as they were.
        whole.settle();
        for (from, to) in &self.rename {
            if let Some(found) = whole.remove(from.tokens())?
                && let Some(left) = whole.put(to.tokens(), found)?
            {
                whole.put(from.tokens(), left)?;
            }
        }
        whole.settle();
        for (pointer, expression) in &self.set {
            if let Some(value) = expression.json(record)? {
                whole.put(pointer.tokens(), Tree::Raw(value))?;
            }
        }
        whole.settle();
        Ok(whole.written())
    }
}

/// The value with another one put there, over what is there.
///
/// # Errors
/// When the bytes are not JSON.
pub(super) fn put(json: &[u8], pointer: &Pointer, value: &RawValue) -> serde_json::Result<Vec<u8>> {
    let mut whole = Tree::read(json)?;
    whole.put(pointer.tokens(), Tree::Raw(value.to_owned()))?;
    whole.settle();
    Ok(whole.written())
}

/// The value without what is there; `None` when nothing is.
///
/// # Errors
/// When the bytes are not JSON.
pub(super) fn remove(json: &[u8], pointer: &Pointer) -> serde_json::Result<Option<Vec<u8>>> {
    let mut whole = Tree::read(json)?;
    whole.remove(pointer.tokens())?;
    Ok(whole.settle().then(|| whole.written()))
}

#[cfg(test)]
mod tests;
