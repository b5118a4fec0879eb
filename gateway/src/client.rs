//! What a request says of its sender.

mod address;
mod bots;
mod network;
#[cfg(test)]
mod tests;

pub use address::{AddressForm, ForwardedHeader, Proxies};
pub use bots::prepare as prepare_bots;
pub use network::Network;

use axum::http::{HeaderMap, header};
use footfall_protocol::{Text, record::Client};

/// The longest user agent that is kept, in bytes; it goes into every record.
const MAX_USER_AGENT_LEN: usize = 512;

/// Whether the browser says that its user does not want to be tracked.
#[must_use]
pub fn objects(headers: &HeaderMap) -> bool {
    let says_one = |name| headers.get_all(name).iter().any(|value| value == "1");
    says_one("sec-gpc") || says_one("dnt")
}

/// The sender as the records show it; `None` when they show nothing. `address` has the form in which it is kept.
#[must_use]
pub fn describe<'a>(address: Option<&'a str>, headers: &'a HeaderMap) -> Option<Client<'a>> {
    let agent = headers.get(header::USER_AGENT);
    let is_bot = agent.is_some_and(|agent| bots::is_bot(agent.as_bytes()));
    let client = Client {
        ip: address.map(Text::from),
        user_agent: user_agent(headers),
        bot: is_bot.then_some(true),
    };
    (client != Client::default()).then_some(client)
}

fn user_agent(headers: &HeaderMap) -> Option<Text<'_>> {
    let value = headers.get(header::USER_AGENT)?;
    let mut text = Text::from(String::from_utf8_lossy(value.as_bytes()));
    text.truncate(MAX_USER_AGENT_LEN);
    (!text.is_empty()).then_some(text)
}
