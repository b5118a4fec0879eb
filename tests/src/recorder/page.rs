//! A page with the SDK on it.

use std::fmt::Write as _;

/// What the page under test is made of.
#[derive(Clone, Debug)]
pub struct Page {
    attributes: Vec<(String, String)>,
    head: String,
    body: String,
}

impl Default for Page {
    /// The tag as a customer writes it, a heading, a button and a link to `/next`.
    fn default() -> Self {
        Self {
            attributes: vec![("write-key".into(), "demo".into())],
            head: String::new(),
            body: "<h1>A page</h1><button id=\"buy\">Buy</button> <a id=\"next\" href=\"/next\">Next</a>"
                .into(),
        }
    }
}

impl Page {
    /// Sets an option: the tag's attribute `data-NAME`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.retain(|(set, _)| set != name);
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Adds to the page's head, before the tag.
    #[must_use]
    pub fn head(mut self, html: &str) -> Self {
        self.head.push_str(html);
        self
    }

    /// Replaces the page's body.
    #[must_use]
    pub fn body(mut self, html: &str) -> Self {
        html.clone_into(&mut self.body);
        self
    }

    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let mut attributes = String::new();
        for (name, value) in &self.attributes {
            let value = value.replace('&', "&amp;").replace('"', "&quot;");
            // Writing to a String cannot fail.
            let _written = write!(attributes, " data-{name}=\"{value}\"");
        }
        let Self { head, body, .. } = self;
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>A title</title>{head}\
             <script async src=\"/sdk/footfall.js\"{attributes}></script></head><body>{body}</body></html>"
        )
    }
}
