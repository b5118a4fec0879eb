use super::{Client, Record};
use crate::{
    event::{Element, Page},
    json::Object,
};

impl Record<'_> {
    /// Appends the record's value.
    ///
    /// # Errors
    /// Never for what this crate has read; the signature is serde's.
    pub fn append_json(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut object = Object::begin(out);
        object.plain("id", &self.id.to_bytes());
        object.plain("write_key", self.write_key.as_bytes());
        object.plain("type", self.r#type.as_str().as_bytes());
        object.text("name", self.name.as_ref());
        object.value("time", Some(self.time));
        object.value("time_client", self.time_client);
        object.value("time_clamped", self.time_clamped.then_some(true));
        object.value("received_at", Some(self.received_at));
        object.value("sent_at", self.sent_at);
        object.text("load", self.load.as_ref());
        object.value("seq", self.seq);
        object.text("visitor", self.visitor.as_ref());
        object.text("session", self.session.as_ref());
        object.text("user", self.user.as_ref());
        object.value("consent", self.consent);
        if let Some(page) = &self.page {
            object.object("page", |object| page.write(object));
        }
        if let Some(element) = &self.element {
            object.object("element", |object| element.write(object));
        }
        object.json("properties", self.properties);
        object.json("context", self.context);
        if let Some(client) = &self.client {
            object.object("client", |object| client.write(object));
        }
        object.text("sdk", self.sdk.as_ref());
        object.end()
    }
}

impl Page<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("url", self.url.as_ref());
        object.text("title", self.title.as_ref());
        object.text("referrer", self.referrer.as_ref());
    }
}

impl Element<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("tag", self.tag.as_ref());
        object.text("id", self.id.as_ref());
        object.text("name", self.name.as_ref());
        object.text("role", self.role.as_ref());
        object.text("text", self.text.as_ref());
        object.text("href", self.href.as_ref());
        object.text("path", self.path.as_ref());
        object.text("kind", self.kind.as_ref());
    }
}

impl Client<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("ip", self.ip.as_ref());
        object.text("user_agent", self.user_agent.as_ref());
        object.value("bot", self.bot);
    }
}
