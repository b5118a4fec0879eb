//! Bodies of page views as the SDK sends them, about 750 bytes an event.

use anyhow::Context as _;
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// How many different bodies, each of a visitor of its own: enough that no key is hot.
const COUNT: usize = 200;

/// How bodies travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
        }
    }
}

/// Files with one body each, named `0`, `1` and so on.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    pub(super) folder: PathBuf,
    pub(super) count: usize,
    /// Events of each.
    pub(super) batch: u32,
    pub(super) encoding: Encoding,
}

impl Bodies {
    /// Writes bodies whose clock is right now.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn write(folder: &Path, batch: u32, encoding: Encoding) -> anyhow::Result<Self> {
        let folder = folder.join(format!("bodies-{batch}-{}", encoding.name()));
        fs::create_dir_all(&folder).with_context(|| format!("make folder {}", folder.display()))?;
        let now = now_millis();
        for index in 0..COUNT {
            let plain = body(index, batch, now);
            let bytes = match encoding {
                Encoding::Identity => plain.into_bytes(),
                Encoding::Gzip => {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                    encoder.write_all(plain.as_bytes())?;
                    encoder.finish()?
                }
            };
            let file = folder.join(index.to_string());
            fs::write(&file, bytes).with_context(|| format!("write {}", file.display()))?;
        }
        Ok(Self {
            folder,
            count: COUNT,
            batch,
            encoding,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a sender reads its clock")]
fn now_millis() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}

fn body(index: usize, batch: u32, now: u128) -> String {
    let events: Vec<_> = (0..batch).map(|seq| page_view(index, seq, now)).collect();
    format!(
        r#"{{"write_key":"bench","sent_at":{now},"sdk":"footfall-sdk/0.1.0","visitor":"0199d0a4-7c1e-7000-8000-{index:012x}","session":"0199d0a4-7c1e-7001-8000-{index:012x}","load":"0199d0a4-7c1e-7002-8000-{index:012x}","context":{{"locale":"ko-KR","timezone":"Asia/Seoul","screen":"1440x900","viewport":"1200x700"}},"events":[{}]}}"#,
        events.join(",")
    )
}

fn page_view(index: usize, seq: u32, now: u128) -> String {
    let id = u64::from(seq) << 16 | index as u64;
    let path = (index * 7 + seq as usize) % 100;
    format!(
        r#"{{"id":"0199d0a4-7c1e-7003-8000-{id:012x}","seq":{seq},"time":{now},"type":"page_view","page":{{"url":"https://shop.example/catalogue/outdoor/tents/{path}?colour=forest-green&persons=4&season=3&sort=popularity","title":"Forest green tents for four, all seasons: number {path} of our outdoor catalogue, with reviews","referrer":"https://shop.example/catalogue/outdoor/tents?colour=forest-green&page=3"}},"properties":{{"category":"outdoor/tents","price":349.5,"currency":"EUR","stock":17,"experiment":"listing-b","tags":["four-season","freestanding","two-porches"],"colours":["forest-green","sand","signal-red"],"rating":4.6,"reviews":231,"delivery":"2-4 days","campaign":"autumn-storms","recommended_with":["groundsheet-4p","peg-set-24","lantern-usb"]}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_about_750_bytes() {
        let length = page_view(17, 3, 1_764_000_000_000).len();
        assert!((740..=760).contains(&length), "{length}");
    }
}
