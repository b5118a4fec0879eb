//! What was clicked, as it is sent.

use crate::{
    address::host_and_path,
    scan::{has_word, join, last},
};

/// The longest path that is told, in bytes.
const LONGEST_PATH: usize = 512;

/// Adds an ancestor in front of a path, unless it grows too long.
pub fn prepend(path: &mut String, tag: &str, id: &str) {
    let hash = if id.is_empty() { "" } else { "#" };
    let child = if path.is_empty() { "" } else { ">" };
    let longer = join(&[tag, hash, id, child, path]);
    if longer.len() <= LONGEST_PATH {
        *path = longer;
    }
}

/// The kind of a link from a page: `download`, `outbound`, or nothing special.
#[must_use]
pub fn link_kind(href: &str, page: &str, has_download: bool) -> &'static str {
    let host = |url| host_and_path(url).map(|(host, _)| host);
    if has_download || is_file(href) {
        "download"
    } else if host(href).is_some() && host(href) != host(page) {
        "outbound"
    } else {
        ""
    }
}

/// Whether the path ends like a file that browsers save rather than show.
fn is_file(href: &str) -> bool {
    const ENDINGS: &str = "7z avi csv dmg doc docx epub exe gz iso key mov mp3 mp4 mpeg pdf pkg ppt \
                           pptx rar rtf tar tgz wav wmv xls xlsx zip";
    let path = host_and_path(href).map_or("", |(_, path)| path);
    last(path, b'.').is_some_and(|end| has_word(ENDINGS, end.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://shop.example/cart";

    #[test]
    fn a_path_grows_to_the_front() {
        let mut path = String::new();
        prepend(&mut path, "button", "buy");
        prepend(&mut path, "form", "");
        prepend(&mut path, "main", "");
        assert_eq!(path, "main>form>button#buy");
    }

    #[test]
    fn a_path_that_is_too_long_stops_growing() {
        let mut path = "a".repeat(510);
        prepend(&mut path, "p", "");
        prepend(&mut path, "p", "");
        assert_eq!(path.len(), 512);
    }

    #[test]
    fn another_host_is_outbound() {
        assert_eq!(link_kind("https://other.example/", PAGE, false), "outbound");
        assert_eq!(link_kind("https://shop.example/", PAGE, false), "");
        assert_eq!(link_kind("mailto:", PAGE, false), "");
    }

    #[test]
    fn a_file_is_a_download_wherever_it_is() {
        assert_eq!(
            link_kind("https://cdn.example/a.PDF?x=1", PAGE, false),
            "download"
        );
        assert_eq!(
            link_kind("https://shop.example/report", PAGE, true),
            "download"
        );
        assert_eq!(link_kind("https://made.zip", PAGE, false), "outbound");
    }
}
