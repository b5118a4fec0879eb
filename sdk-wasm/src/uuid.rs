//! UUIDs of version 7 (RFC 9562): they sort by time.

use crate::json::hex;

/// How many random bytes a UUID takes.
pub const RANDOM_BYTES: usize = 10;

/// Makes a UUID from a time and random bytes.
#[must_use]
pub fn v7(unix_ms: u64, random: [u8; RANDOM_BYTES]) -> String {
    let [_, _, t0, t1, t2, t3, t4, t5] = unix_ms.to_be_bytes();
    let [a0, a1, b0, b1, b2, b3, b4, b5, b6, b7] = random;
    let version = 0x70 | (a0 & 0x0f);
    let variant = 0x80 | (b0 & 0x3f);
    let bytes = [
        t0, t1, t2, t3, t4, t5, version, a1, variant, b1, b2, b3, b4, b5, b6, b7,
    ];
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(hex(u32::from(byte) >> 4));
        text.push(hex(u32::from(byte)));
    }
    text
}

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
    fn the_example_of_the_rfc_comes_out() {
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let text = v7(0x017F_22E2_79B0, random);
        assert_eq!(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn what_is_no_uuid_has_no_time() {
        for text in ["", "0199d0a4-000", "0199d0g4-0000-7000"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_uuid_says_its_time_and_version(ms in 0u64..1 << 48, random: [u8; 10]) {
            let parsed = ::uuid::Uuid::parse_str(&v7(ms, random)).unwrap();
            prop_assert_eq!(parsed.get_version_num(), 7);
            let (seconds, nanos) = parsed.get_timestamp().unwrap().to_unix();
            prop_assert_eq!(seconds * 1000 + u64::from(nanos) / 1_000_000, ms);
            prop_assert_eq!(time(&v7(ms, random)), Some(ms));
        }
    }
}
