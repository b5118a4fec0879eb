//! What was clicked, as it is sent.

use crate::{
    address::{origin, without_query},
    json::Object,
};

/// The longest path that is told, in bytes.
const LONGEST_PATH: usize = 512;

/// An element of a page. What is empty is not sent.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// Its tag, lower case.
    pub tag: String,
    /// Its `id`.
    pub id: String,
    /// Its `name`.
    pub name: String,
    /// Its `role`.
    pub role: String,
    /// What it reads.
    pub text: String,
    /// Where it leads.
    pub href: String,
    /// Where it stands, such as `main>form>button#buy`.
    pub path: String,
    /// `outbound` or `download`.
    pub kind: &'static str,
}

impl Element {
    /// The element as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut element = Object::default();
        element
            .text("tag", &self.tag)
            .text("id", &self.id)
            .text("name", &self.name)
            .text("role", &self.role)
            .text("text", &self.text)
            .text("href", &self.href)
            .text("path", &self.path)
            .text("kind", self.kind);
        element.finish()
    }
}

/// Adds an ancestor in front of a path, unless it grows too long.
pub fn prepend(path: &mut String, tag: &str, id: &str) {
    let mut longer = tag.to_owned();
    if !id.is_empty() {
        longer.push('#');
        longer.push_str(id);
    }
    if !path.is_empty() {
        longer.push('>');
        longer.push_str(path);
    }
    if longer.len() <= LONGEST_PATH {
        *path = longer;
    }
}

/// The kind of a link from a page: `download`, `outbound`, or nothing special.
#[must_use]
pub fn link_kind(href: &str, page: &str, has_download: bool) -> &'static str {
    if has_download || is_file(href) {
        "download"
    } else if origin(href).is_some() && origin(href) != origin(page) {
        "outbound"
    } else {
        ""
    }
}

/// Whether the path ends like a file that browsers save rather than show.
fn is_file(href: &str) -> bool {
    const ENDINGS: &str = "7z avi csv dmg doc docx epub exe gz iso key mov mp3 mp4 mpeg pdf pkg ppt \
                           pptx rar rtf tar tgz wav wmv xls xlsx zip";
    let place = without_query(href);
    let host = origin(href).map_or(0, str::len);
    let path = place.get(host..).unwrap_or("");
    path.rsplit_once('.').is_some_and(|(_, end)| {
        ENDINGS
            .split(' ')
            .any(|file| file.eq_ignore_ascii_case(end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://shop.example/cart";

    #[test]
    fn an_element_says_only_what_it_has() {
        let element = Element {
            tag: "button".into(),
            id: "buy".into(),
            ..Element::default()
        };
        assert_eq!(element.to_json(), r#"{"tag":"button","id":"buy"}"#);
    }

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
