//! What happened, as it is sent.

use crate::json::Object;

/// An event without the id and number that it gets when it is recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'a> {
    /// The type: `page_view`, `click`, `custom` or `identify`.
    pub kind: &'static str,
    /// When it happened, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The name of a custom event.
    pub name: &'a str,
    /// Where it happened.
    pub url: &'a str,
    /// The page's title.
    pub title: &'a str,
    /// Where the visitor was before.
    pub referrer: &'a str,
    /// What was clicked, as JSON.
    pub element: &'a str,
    /// Anything else, as JSON.
    pub properties: &'a str,
}

impl Event<'_> {
    /// The event as JSON. `id` is a UUID, `seq` counts the events of a load.
    #[must_use]
    pub fn to_json(&self, id: &str, seq: u64) -> String {
        let mut page = Object::default();
        page.text("url", self.url)
            .text("title", self.title)
            .text("referrer", self.referrer);
        let mut event = Object::default();
        event
            .text("id", id)
            .number("seq", seq)
            .number("time", self.time)
            .text("type", self.kind)
            .text("name", self.name)
            .json("page", &page.finish())
            .json("element", self.element)
            .json("properties", self.properties);
        event.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_as_in_the_contract() {
        let event = Event {
            kind: "click",
            time: 1_764_000_000_050,
            url: "https://shop.example/cart",
            element: r#"{"tag":"button"}"#,
            properties: r#"{"plan":"pro"}"#,
            ..Event::default()
        };
        assert_eq!(
            event.to_json("0199d0a4", 18),
            r#"{"id":"0199d0a4","seq":18,"time":1764000000050,"type":"click","page":{"url":"https://shop.example/cart"},"element":{"tag":"button"},"properties":{"plan":"pro"}}"#
        );
    }
}
