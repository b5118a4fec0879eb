//! Finds what a click was meant for, and describes it without ever reading what was typed.

use super::{globals, host};
use crate::{
    address::Scrub,
    element::{Element, link_kind, prepend},
    json::Object,
    text::readable,
};
use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, MouseEvent, Node};

#[wasm_bindgen]
extern "C" {
    /// An element that may lead somewhere. The selectors are made once: decoding them for every
    /// ancestor would cost most of a click.
    #[wasm_bindgen(extends = web_sys::Element)]
    type Target;
    #[wasm_bindgen(method)]
    fn matches(this: &Target, selectors: &JsString) -> bool;
    /// Text for links in HTML, an object for links in SVG.
    #[wasm_bindgen(method, getter)]
    fn href(this: &Target) -> JsValue;
}

thread_local! {
    static MEANINGFUL: JsString = JsString::from(concat!(
        ":is(a,area)[href],button,select,summary,[data-track],input:is([type=button],[type=submit],",
        "[type=reset],[type=image],[type=checkbox],[type=radio]),:is([role=button],[role=link],",
        "[role=tab],[role=menuitem],[role=option],[role=checkbox],[role=radio],[role=switch])"
    ));
    static LINK: JsString = JsString::from(":is(a,area)[href]");
    static PRIVATE: JsString = JsString::from("[data-no-track]");
    /// What holds typed text, or, as suggestions do, repeats it.
    static TYPED: JsString = JsString::from("select,textarea,input,[role=option]");
}

/// Elements that a text must not be read from when they lie within.
const FIELDS: &str = "input,select,textarea,[contenteditable]";

const BUTTON_KINDS: [&str; 3] = ["button", "submit", "reset"];

/// What was clicked.
pub(super) struct Click {
    /// The element, as JSON.
    pub(super) element: String,
    /// Its `data-track-…` attributes, as JSON.
    pub(super) properties: String,
}

/// Describes a click on what is meant to be clicked, or on anything if `all` is set.
pub(super) fn describe(event: &MouseEvent, all: bool, scrub: &Scrub) -> Option<Click> {
    let path = event.composed_path();
    let only = if event.type_() == "auxclick" {
        // The middle button opens links; the others open menus.
        (event.button() == 1).then_some(&LINK)?
    } else {
        &MEANINGFUL
    };
    let (index, target) = find(&path, only, all && event.button() == 0)?;
    let html: &HtmlElement = target.unchecked_ref();
    if html.is_content_editable() {
        return None;
    }
    let mut element = element(&target, scrub);
    element.path = selector_path(&path, index);
    Some(Click {
        element: element.to_json(),
        properties: properties(&target),
    })
}

/// The nearest element that matches, unless it or anything around it wants not to be tracked.
fn find(
    path: &Array,
    only: &'static std::thread::LocalKey<JsString>,
    all: bool,
) -> Option<(u32, Target)> {
    let mut found = None;
    for index in 0..path.length() {
        let Some(element) = element_at(path, index) else {
            continue;
        };
        let html: &HtmlElement = element.unchecked_ref();
        if index == 0 && html.is_content_editable() || PRIVATE.with(|own| element.matches(own)) {
            return None;
        }
        if found.is_none() && (all || only.with(|own| element.matches(own))) {
            found = Some((index, element));
        }
    }
    found
}

/// An element of a path, which also holds shadow roots, the document and the window.
fn element_at(path: &Array, index: u32) -> Option<Target> {
    let node: Node = path.get(index).unchecked_into();
    (node.node_type() == Node::ELEMENT_NODE).then(|| node.unchecked_into())
}

fn element(target: &Target, scrub: &Scrub) -> Element {
    let attribute = |name| target.get_attribute(name).unwrap_or_default();
    let mut element = Element {
        tag: tag(target),
        id: target.id(),
        name: attribute("name"),
        role: attribute("role"),
        text: readable(&text(target)),
        ..Element::default()
    };
    if let Some(href) = target.href().as_string() {
        element.href = scrub.url(&href);
        element.kind = link_kind(&href, &globals::url(), target.has_attribute("download"));
    }
    element
}

/// What the element reads: its label, as a person sees it or has it read out.
fn text(target: &Target) -> String {
    let attribute = |name| target.get_attribute(name);
    if TYPED.with(|own| target.matches(own)) {
        let kind = attribute("type").unwrap_or_default();
        if !BUTTON_KINDS.contains(&kind.as_str()) {
            return attribute("aria-label").unwrap_or_default();
        }
        // The label in the markup; what a script has put into the field is not read.
        return attribute("value").unwrap_or_default();
    }
    if matches!(target.query_selector(FIELDS), Ok(None)) {
        let text = host::words(target);
        if !text.trim_ascii().is_empty() {
            return text;
        }
    }
    attribute("aria-label").unwrap_or_default()
}

fn tag(target: &Target) -> String {
    let mut tag = target.tag_name();
    tag.make_ascii_lowercase();
    tag
}

fn selector_path(path: &Array, from: u32) -> String {
    let mut text = String::new();
    for index in from..path.length() {
        if let Some(element) = element_at(path, index) {
            let tag = tag(&element);
            if tag == "body" || tag == "html" {
                break;
            }
            prepend(&mut text, &tag, &element.id());
        }
    }
    text
}

fn properties(target: &Target) -> String {
    let mut properties = Object::default();
    for name in target.get_attribute_names().iter() {
        let name = name.as_string().unwrap_or_default();
        if let Some(key) = name.strip_prefix("data-track-") {
            properties.text(key, &target.get_attribute(&name).unwrap_or_default());
        }
    }
    properties.finish()
}
