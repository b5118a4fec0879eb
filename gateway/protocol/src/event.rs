//! One event of a batch.

mod read;
#[cfg(test)]
mod tests;

use crate::{EventId, Json, Text, Timestamp, answer::Code, word::words};
use serde::Deserialize;
use std::borrow::Cow;

/// The longest `name`, in bytes.
pub const MAX_NAME_LEN: usize = 128;
/// The longest `page.url`, in bytes.
pub const MAX_URL_LEN: usize = 4096;
/// How deep `properties` may be nested, itself the first level.
pub const MAX_PROPERTIES_DEPTH: usize = 64;

words! {
    /// What has happened.
    pub enum EventType {
        /// A person sees a page.
        PageView = "page_view",
        /// A person leaves it.
        PageLeave = "page_leave",
        /// A person clicks.
        Click = "click",
        /// A form is sent off.
        FormSubmit = "form_submit",
        /// The site itself says what has happened, by `name`.
        Custom = "custom",
        /// The site says who the person is.
        Identify = "identify",
        /// A measure of how fast the page was.
        Vital = "vital",
        /// A script failed.
        Error = "error",
        /// The SDK lost events, and says how many.
        Lost = "lost",
    }
}

/// An element of a batch's `events`, right or wrong.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    json: Json<'a>,
    event: Result<Event<'a>, Fault>,
}

/// An event that is right in itself.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Unique within its batch once the batch has been looked through.
    pub id: EventId,
    /// When it happened, by the sender's clock.
    pub time: Timestamp,
    /// What happened.
    pub r#type: EventType,
    /// What happened, in the site's own words.
    pub name: Option<Text<'a>>,
    /// Its place in its load, from 0.
    pub seq: Option<u64>,
    /// Where.
    pub page: Option<Page<'a>>,
    /// On what.
    pub element: Option<Element<'a>>,
    /// Carried byte for byte; never `{}`.
    pub properties: Option<Json<'a>>,
}

/// Where an event happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Page<'a> {
    /// The page's address.
    #[serde(borrow, default)]
    pub url: Option<Text<'a>>,
    /// Its title.
    #[serde(borrow, default)]
    pub title: Option<Text<'a>>,
    /// Where the visitor came from.
    #[serde(borrow, default)]
    pub referrer: Option<Text<'a>>,
}

/// What an event happened on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Element<'a> {
    /// Its tag, in lower case.
    #[serde(borrow, default)]
    pub tag: Option<Text<'a>>,
    /// Its `id`.
    #[serde(borrow, default)]
    pub id: Option<Text<'a>>,
    /// Its `name`.
    #[serde(borrow, default)]
    pub name: Option<Text<'a>>,
    /// Its role for assistive technology.
    #[serde(borrow, default)]
    pub role: Option<Text<'a>>,
    /// What a person reads on it.
    #[serde(borrow, default)]
    pub text: Option<Text<'a>>,
    /// Where it leads.
    #[serde(borrow, default)]
    pub href: Option<Text<'a>>,
    /// Its place in the document, as a CSS selector.
    #[serde(borrow, default)]
    pub path: Option<Text<'a>>,
    /// `outbound` or `download`, for links.
    #[serde(borrow, default)]
    pub kind: Option<Text<'a>>,
}

/// What is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The event's id, if that could be read.
    pub id: Option<EventId>,
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: Cow<'static, str>,
}
