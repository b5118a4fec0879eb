//! What happens to events of people who do not want to be tracked.

use footfall_protocol::batch::Consent;
use serde::Deserialize;

/// What happens to their events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// They reach no topic.
    Drop,
    /// They are kept without visitor, session, user and address.
    Anonymise,
}

/// What happens to the events of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Kept as they are.
    Keep,
    /// Kept without visitor, session, user and address.
    Anonymise,
    /// Counted, nothing else.
    Drop,
}

impl Policy {
    /// Decides. `objects`: the browser has sent Global Privacy Control or Do Not Track. An explicit grant beats it.
    #[must_use]
    pub fn treat(self, objects: bool, consent: Option<Consent>) -> Treatment {
        match (consent, objects, self) {
            (Some(Consent::Granted), _, _) | (None, false, _) => Treatment::Keep,
            (Some(Consent::Denied), _, Self::Drop) | (None, true, Self::Drop) => Treatment::Drop,
            (Some(Consent::Denied), _, Self::Anonymise) | (None, true, Self::Anonymise) => {
                Treatment::Anonymise
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_without_a_grant_follows_the_policy() {
        assert_eq!(Policy::Drop.treat(true, None), Treatment::Drop);
        assert_eq!(Policy::Anonymise.treat(true, None), Treatment::Anonymise);
    }

    #[test]
    fn an_explicit_grant_beats_the_signal() {
        let consent = Some(Consent::Granted);
        assert_eq!(Policy::Drop.treat(true, consent), Treatment::Keep);
    }

    #[test]
    fn a_denial_needs_no_signal_and_silence_is_no_denial() {
        let consent = Some(Consent::Denied);
        assert_eq!(Policy::Drop.treat(false, consent), Treatment::Drop);
        assert_eq!(Policy::Drop.treat(false, None), Treatment::Keep);
    }
}
