//! The records of the events topic.

#[cfg(test)]
mod tests;
mod write;

use crate::{
    EventId, Json, Text, Timestamp, WriteKey,
    batch::Consent,
    event::{Element, EventType, Page},
};
use serde::Deserialize;

/// The value of such a record: one flat JSON object, its members in this order. Its timestamp is `time`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Record<'a> {
    /// The event's id.
    pub id: EventId,
    /// The site.
    #[serde(borrow)]
    pub write_key: WriteKey<'a>,
    /// What has happened.
    pub r#type: EventType,
    /// What has happened, in the site's own words.
    #[serde(borrow, default)]
    pub name: Option<Text<'a>>,
    /// When it happened, corrected for a wrong clock of the sender.
    pub time: Timestamp,
    /// When it happened by the sender's clock, where that differs.
    #[serde(default)]
    pub time_client: Option<Timestamp>,
    /// Whether `time` is the arrival, because the sender's time could not be.
    #[serde(default)]
    pub time_clamped: bool,
    /// When the gateway received it.
    pub received_at: Timestamp,
    /// The sender's clock when it sent it.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    /// One load of one document.
    #[serde(borrow, default)]
    pub load: Option<Text<'a>>,
    /// The event's place in its load, from 0.
    #[serde(default)]
    pub seq: Option<u64>,
    /// The browser.
    #[serde(borrow, default)]
    pub visitor: Option<Text<'a>>,
    /// One visit.
    #[serde(borrow, default)]
    pub session: Option<Text<'a>>,
    /// The person, as the site knows them.
    #[serde(borrow, default)]
    pub user: Option<Text<'a>>,
    /// What the visitor has said explicitly.
    #[serde(default)]
    pub consent: Option<Consent>,
    /// Where.
    #[serde(borrow, default)]
    pub page: Option<Page<'a>>,
    /// On what.
    #[serde(borrow, default)]
    pub element: Option<Element<'a>>,
    /// Byte for byte as it was sent.
    #[serde(borrow, default)]
    pub properties: Option<Json<'a>>,
    /// Byte for byte as it was sent.
    #[serde(borrow, default)]
    pub context: Option<Json<'a>>,
    /// What the gateway saw of the sender.
    #[serde(borrow, default)]
    pub client: Option<Client<'a>>,
    /// The sender's name and version.
    #[serde(borrow, default)]
    pub sdk: Option<Text<'a>>,
}

/// What the gateway saw of the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Client<'a> {
    /// The address, as the gateway's `ip` key says: truncated, full, or not at all.
    #[serde(borrow, default)]
    pub ip: Option<Text<'a>>,
    /// The `User-Agent` header.
    #[serde(borrow, default)]
    pub user_agent: Option<Text<'a>>,
    /// Whether the user agent is known to be no person.
    #[serde(default)]
    pub bot: Option<bool>,
}

impl<'a> Record<'a> {
    /// Reads a record's value.
    ///
    /// # Errors
    /// When it is not one that a gateway has written.
    pub fn from_json(value: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(value)
    }

    /// Appends the record's key: `WRITE_KEY/VISITOR`, else `WRITE_KEY/SESSION`. Says whether there is one.
    pub fn append_key(&self, out: &mut Vec<u8>) -> bool {
        let Some(owner) = self.visitor.as_deref().or(self.session.as_deref()) else {
            return false;
        };
        for part in [&*self.write_key, "/", owner] {
            out.extend_from_slice(part.as_bytes());
        }
        true
    }
}
