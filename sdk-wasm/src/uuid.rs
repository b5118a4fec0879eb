//! UUIDs of version 7 (RFC 9562), which sort by time; `script/uuid.ts` makes them.

/// The time that a UUID of version 7 starts with, in milliseconds since the Unix epoch.
#[must_use]
pub fn time(text: &str) -> Option<u64> {
    let mut ms = 0;
    for byte in text.get(..13)?.bytes().filter(|byte| *byte != b'-') {
        ms = ms << 4 | u64::from(char::from(byte).to_digit(16)?);
    }
    Some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_uuid_has_no_time() {
        for text in ["", "0199d0a4-000", "0199d0g4-0000-7000"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_uuid_says_its_time(ms in 0u64..1 << 48, random: [u8; 10]) {
            let uuid = ::uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid();
            prop_assert_eq!(time(&uuid.to_string()), Some(ms));
        }
    }
}
