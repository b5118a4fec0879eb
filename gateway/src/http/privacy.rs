//! What is recorded and how to say no, for programs and for people.

#[cfg(test)]
mod tests;

use super::{Gateway, cors};
use crate::{client::AddressForm, privacy::Policy};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const PAGE: &str = include_str!("privacy/page.html");
const SCRIPT: &str = include_str!("privacy/switch.js");
const STYLE: &str = include_str!("privacy/page.css");

/// When the answer to Global Privacy Control last changed.
const GPC_LAST_UPDATE: &str = "2026-11-25";

/// Every field that the SDK sends, beside its files.
const SDK_FIELDS: &str = "fields.json";

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// What a record may hold of a visit, and why it is there.
const FIELDS: &[(&str, &str)] = &[
    ("page", "address, title and referrer of the pages seen"),
    (
        "element",
        "which link, button or form was used; never what was typed",
    ),
    ("properties", "what the site adds to its own events"),
    (
        "visitor",
        "a random number for the browser, kept in the browser",
    ),
    ("session", "a random number for one visit"),
    ("load", "a random number for one load of one page"),
    ("user", "the user id, where the site has one and says it"),
    ("consent", "the choice that was made explicitly"),
    ("context", "language, time zone, screen and window size"),
    ("client.ip", "the address the request came from"),
    (
        "client.user_agent",
        "the browser's name and version, as it tells them",
    ),
    (
        "client.bot",
        "whether the user agent is that of a known program",
    ),
    ("time", "when it happened, and when it arrived"),
];

/// `[privacy]`, and what else the statement tells.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What happens to events of visitors who do not want to be tracked.
    pub policy: Policy,
    /// What events are for, in the words of who runs the gateway.
    pub purposes: Vec<String>,
    /// How long events are kept, if that is said.
    pub retention: Option<Duration>,
}

pub(super) fn routes() -> Router<Arc<Gateway>> {
    let read = |route| cors::with_preflight(route, "GET, HEAD, OPTIONS");
    Router::new()
        .route("/.well-known/gpc.json", read(get(gpc)))
        .route("/.well-known/footfall.json", read(get(footfall)))
        .route("/privacy", get(page))
        .route("/privacy/switch.js", get(script))
        .route("/privacy/page.css", get(style))
}

/// Global Privacy Control's support resource.
async fn gpc() -> Response {
    Json(json!({ "gpc": true, "lastUpdate": GPC_LAST_UPDATE })).into_response()
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    about: &'static str,
}

async fn footfall(State(gateway): State<Arc<Gateway>>) -> Response {
    let statement = gateway.statement.load();
    let Statement {
        policy,
        purposes,
        retention,
    } = &**statement;
    let (dropped, anonymised) = gateway.metrics.privacy();
    let fields: Vec<_> = fields(gateway.ip).collect();
    let retention_days: Value = match retention {
        Some(retention) => (retention.as_secs() / 86_400).into(),
        None => Value::Null,
    };
    let files = gateway.sdk.load();
    let has_list = files.as_ref().is_some_and(|files| files.has(SDK_FIELDS));
    let answer = Json(json!({
        "policy": word(*policy),
        "signals": ["Sec-GPC", "DNT", "consent"],
        "fields": fields,
        "sdk_fields": has_list.then(|| format!("/sdk/{SDK_FIELDS}")),
        "ip": address(gateway.ip),
        "purposes": purposes,
        "retention_days": retention_days,
        "counts": { "dropped": dropped, "anonymised": anonymised },
        "opt_out": "/privacy",
    }));
    ([(header::CACHE_CONTROL, "no-cache")], answer).into_response()
}

async fn page(State(gateway): State<Arc<Gateway>>) -> Response {
    let statement = gateway.statement.load();
    let (dropped, anonymised) = gateway.metrics.privacy();
    let fields: String = fields(gateway.ip)
        .map(|Field { name, about }| {
            format!("<dt><code>{name}</code></dt><dd>{}</dd>\n", escape(about))
        })
        .collect();
    let purposes: String = match &*statement.purposes {
        [] => "<p>Whoever runs this site has not said.</p>".into(),
        purposes => {
            let items = purposes
                .iter()
                .map(|purpose| format!("<li>{}</li>\n", escape(purpose)));
            format!("<ul>\n{}</ul>", items.collect::<String>())
        }
    };
    let policy = match statement.policy {
        Policy::Drop => "nothing of it is kept",
        Policy::Anonymise => {
            "it is kept without visitor, session, user and address, so that nobody can be recognised in it"
        }
    };
    let html = PAGE
        .replace("{{policy}}", policy)
        .replace("{{retention}}", &retention(statement.retention))
        .replace("{{dropped}}", &dropped.to_string())
        .replace("{{anonymised}}", &anonymised.to_string())
        .replace("{{fields}}", &fields)
        .replace("{{purposes}}", &purposes);
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (headers, html).into_response()
}

async fn script() -> Response {
    part("text/javascript; charset=utf-8", SCRIPT)
}

async fn style() -> Response {
    part("text/css; charset=utf-8", STYLE)
}

fn part(r#type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, r#type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

/// Those that are recorded with this form of addresses.
fn fields(ip: AddressForm) -> impl Iterator<Item = Field> {
    let recorded = FIELDS
        .iter()
        .filter(move |(name, _)| *name != "client.ip" || ip != AddressForm::None);
    recorded.map(move |(name, about)| Field {
        name,
        about: match (*name, ip) {
            ("client.ip", AddressForm::Truncated) => {
                "the network the request came from: the address without its last part"
            }
            _ => about,
        },
    })
}

fn word(policy: Policy) -> &'static str {
    match policy {
        Policy::Drop => "drop",
        Policy::Anonymise => "anonymise",
    }
}

fn address(form: AddressForm) -> &'static str {
    match form {
        AddressForm::Truncated => "truncated",
        AddressForm::Full => "full",
        AddressForm::None => "none",
    }
}

fn retention(retention: Option<Duration>) -> String {
    const DAY: u64 = 86_400;
    match retention.map(|retention| retention.as_secs()) {
        None => "Whoever runs this site has not said how long.".into(),
        Some(seconds) if seconds < DAY => "Less than a day.".into(),
        Some(seconds) if seconds < 2 * DAY => "One day.".into(),
        Some(seconds) => format!("{} days.", seconds / DAY),
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, char| {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
        escaped
    })
}
