//! Finds what a click was meant for, and describes it without ever reading what was typed.

use super::host;
use crate::{
    address::Scrub,
    element::{link_kind, prepend},
    json::Object,
    text::readable,
};
use js_sys::JsString;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, MouseEvent, Node};

#[wasm_bindgen]
extern "C" {
    /// An element that may lead somewhere.
    #[wasm_bindgen(extends = HtmlElement)]
    pub(super) type Target;
    #[wasm_bindgen(method)]
    fn matches(this: &Target, selectors: &JsString) -> bool;
    /// Text for links in HTML, an object for links in SVG.
    #[wasm_bindgen(method, getter)]
    fn href(this: &Target) -> JsValue;
}

const MEANINGFUL: &str = concat!(
    ":is(a,area)[href],button,select,summary,[data-track],input:is([type=button],[type=submit],",
    "[type=reset],[type=image],[type=checkbox],[type=radio]),:is([role=button],[role=link],",
    "[role=tab],[role=menuitem],[role=option],[role=checkbox],[role=radio],[role=switch])"
);

/// What is looked for, made once: decoding it for every ancestor would cost most of a click.
#[derive(Debug)]
pub(super) struct Selectors {
    meaningful: JsString,
    link: JsString,
    private: JsString,
    /// What holds typed text, or, as suggestions do, repeats it.
    typed: JsString,
    /// Of these, those whose `value` in the markup is a label.
    labelled: JsString,
}

impl Selectors {
    pub(super) fn new() -> Self {
        Self {
            meaningful: JsString::from(MEANINGFUL),
            link: JsString::from(":is(a,area)[href]"),
            private: JsString::from("[data-no-track]"),
            typed: JsString::from("select,textarea,input,[role=option]"),
            labelled: JsString::from("[type=button],[type=submit],[type=reset]"),
        }
    }

    /// The nearest element that the click is meant for, and its path; nothing if it, or anything
    /// around it, wants not to be tracked.
    pub(super) fn find(&self, event: &MouseEvent, all: bool) -> Option<(Target, String)> {
        let main = event.button() == 0;
        // The middle button opens links; the others open menus.
        let wanted = match event.button() {
            0 => &self.meaningful,
            1 => &self.link,
            _ => return None,
        };
        let mut found = None;
        let mut path = String::new();
        let nodes = event.composed_path();
        for index in 0..nodes.length() {
            let node: Node = nodes.get(index).unchecked_into();
            // Shadow roots, the document and the window are on the path too.
            if node.node_type() != Node::ELEMENT_NODE {
                continue;
            }
            let element: Target = node.unchecked_into();
            if index == 0 && element.is_content_editable() || element.matches(&self.private) {
                return None;
            }
            let (tag, id) = (tag(&element), element.id());
            if found.is_none() && (all && main || element.matches(wanted)) {
                found = Some(element);
            }
            if found.is_some() && tag != "body" && tag != "html" {
                prepend(&mut path, &tag, &id);
            }
        }
        Some((found?, path))
    }

    /// Describes an element on a page, as JSON.
    pub(super) fn describe(
        &self,
        target: &Target,
        path: &str,
        page: &str,
        scrub: &Scrub,
    ) -> String {
        let attribute = |name| target.get_attribute(name).unwrap_or_default();
        let mut element = Object::default();
        element
            .text("tag", &tag(target))
            .text("id", &target.id())
            .text("name", &attribute("name"))
            .text("role", &attribute("role"));
        let mut text = String::new();
        if !target.matches(&self.typed) {
            text = host::words(target);
        } else if target.matches(&self.labelled) {
            text = attribute("value");
        }
        text = readable(&text);
        if text.is_empty() {
            text = readable(&attribute("aria-label"));
        }
        element.text("text", &text);
        if let Some(href) = target.href().as_string() {
            let kind = link_kind(&href, page, target.has_attribute("download"));
            element.text("href", &scrub.url(&href)).text("kind", kind);
        }
        element.text("path", path).finish()
    }
}

fn tag(element: &Target) -> String {
    let mut tag = element.tag_name();
    tag.make_ascii_lowercase();
    tag
}
