//! How large the parts of a record may be that state and results keep.

use crate::{Definition, Extracted, Function, Input, Unusable};

/// A key is in the key of its state and, with each character up to six times as long, in key and
/// value of its results.
const LONGEST_KEY: usize = 32 << 10;
/// What `first` and `last` keep of one record.
const LONGEST_VALUE: usize = 64 << 10;

impl Definition {
    /// Whether a key is short enough.
    ///
    /// # Errors
    /// `refused_too_large` when it is not.
    pub(crate) fn check_key(&self, key: &[u8]) -> Result<(), Unusable> {
        if key.len() <= LONGEST_KEY {
            return Ok(());
        }
        Err(Unusable::too_large("a key", key.len(), LONGEST_KEY))
    }

    /// Whether state and results have room for what is kept of a record as it is.
    ///
    /// # Errors
    /// `refused_too_large` when they have not.
    pub(crate) fn check_sizes(&self, found: &Extracted) -> Result<(), Unusable> {
        self.check_key(&found.key)?;
        for (aggregation, input) in self.aggregates.iter().zip(&found.inputs) {
            if let (Function::First | Function::Last, Input::Value(value)) =
                (&aggregation.function, input)
                && value.len() > LONGEST_VALUE
            {
                let what = format!("a value for `{}`", aggregation.expression());
                return Err(Unusable::too_large(&what, value.len(), LONGEST_VALUE));
            }
        }
        Ok(())
    }
}
