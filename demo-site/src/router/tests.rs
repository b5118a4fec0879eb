//! The site over HTTP, without a socket: every page, and what must never be one.

use super::router;
use crate::site::{Addresses, Site};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use std::path::Path;
use tower::ServiceExt as _;

const BUNDLE: &str = r#"<script type="module" src="/assets/journal.js"></script>"#;
const TAG: &str = r#"<script async src="/sdk/footfall.js" data-write-key="demo" data-endpoint="http://127.0.0.1:9080" data-batch-age="500ms" data-inspect="20"></script>"#;

const PAGES: [&str; 23] = [
    "/",
    "/products/harbour-diamond",
    "/products/gull-delta",
    "/products/lantern-box",
    "/products/six-corner-rokkaku",
    "/products/pocket-sled",
    "/products/barn-door",
    "/products/tern-two-line",
    "/products/ash-winder",
    "/search",
    "/search?q=breeze",
    "/search?q=nothing-of-the-kind",
    "/cart",
    "/checkout",
    "/checkout/thank-you",
    "/sign-up",
    "/sign-up/thank-you",
    "/journal",
    "/journal/reading-the-wind",
    "/journal/why-a-tail",
    "/journal/three-knots",
    "/journal/a-day-in-the-loft",
    "/privacy",
];

#[tokio::test]
async fn every_page_of_the_shop_carries_the_sdk_once_by_its_tag_or_in_its_bundle() {
    for page in PAGES {
        let answer = request(Method::GET, page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert_eq!(
            answer.header("content-type"),
            "text/html; charset=utf-8",
            "{page}"
        );
        let bundled = page.starts_with("/journal");
        let count = |text: &str| answer.body.matches(text).count();
        assert_eq!(count(TAG), usize::from(!bundled), "{page}");
        assert_eq!(count("footfall.js"), usize::from(!bundled), "{page}");
        assert_eq!(count(BUNDLE), usize::from(bundled), "{page}");
    }
}

#[tokio::test]
async fn every_link_and_picture_of_a_page_leads_somewhere() {
    for page in PAGES {
        let body = request(Method::GET, page).await.body;
        for target in targets(&body) {
            let status = request(Method::GET, target).await.status;
            assert_eq!(status, StatusCode::OK, "{target} on {page}");
        }
    }
}

#[tokio::test]
async fn the_dashboard_knows_where_the_streams_are_and_is_not_recorded_itself() {
    let answer = request(Method::GET, "/dashboard/").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer
            .body
            .contains(r#"<meta name="aggregation" content="http://127.0.0.1:9081">"#)
    );
    assert!(!answer.body.contains("footfall.js"));
    let answer = request(Method::GET, "/dashboard").await;
    assert_eq!(answer.header("location"), "/dashboard/");
}

#[tokio::test]
async fn an_unknown_page_gets_a_friendly_404_that_is_a_page_of_the_shop() {
    for page in [
        "/nowhere",
        "/products/nothing",
        "/products",
        "/journal/nothing",
        "/catalogue.toml",
    ] {
        let answer = request(Method::GET, page).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{page}");
        assert!(answer.body.contains("Blown away"), "{page}");
        assert_eq!(answer.body.matches(TAG).count(), 1, "{page}");
    }
}

#[tokio::test]
async fn no_path_leads_out_of_a_folder_or_lists_one() {
    for path in [
        "/assets/",
        "/assets/products",
        "/assets/products/",
        "/sdk/",
        "/assets/../catalogue.toml",
        "/assets/%2e%2e/catalogue.toml",
        "/assets/..%2fcatalogue.toml",
        "/assets/products/../../catalogue.toml",
        "/sdk/..%2f..%2fCargo.toml",
        "/sdk/%2e%2e/Cargo.toml",
        "/assets//etc/passwd",
        "/sdk/%2fetc%2fpasswd",
    ] {
        let answer = request(Method::GET, path).await;
        assert!(
            !answer.status.is_success(),
            "{path} answers {}",
            answer.status
        );
        assert!(!answer.body.contains("slug ="), "{path}");
        assert!(!answer.body.contains("[package]"), "{path}");
    }
}

#[tokio::test]
async fn what_a_visitor_searches_for_is_shown_as_text() {
    let body = request(Method::GET, "/search?q=%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .body;
    assert!(!body.contains("<script>alert"), "{body}");
    assert!(body.contains("&lt;script&gt;alert(1)"), "{body}");
}

#[tokio::test]
async fn a_sent_form_leads_to_a_page_that_can_be_reloaded() {
    for (form, thanks) in [
        ("/checkout", "/checkout/thank-you"),
        ("/sign-up", "/sign-up/thank-you"),
    ] {
        let answer = request(Method::POST, form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), thanks);
    }
    let answer = request(Method::POST, "/privacy").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn files_say_what_they_are_and_are_asked_for_again_when_they_may_change() {
    for (path, content_type) in [
        ("/assets/mark.svg", "image/svg+xml"),
        ("/assets/products/gull-delta.svg", "image/svg+xml"),
        ("/", "text/html; charset=utf-8"),
    ] {
        let answer = request(Method::GET, path).await;
        assert_eq!(answer.header("content-type"), content_type, "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn it_says_that_it_lives() {
    assert_eq!(request(Method::GET, "/livez").await.status, StatusCode::OK);
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn request(method: Method, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let response = shop().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

fn shop() -> Router {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let addresses = Addresses::new("http://127.0.0.1:9080", "http://127.0.0.1:9081").unwrap();
    router(Site::load(folder, addresses).unwrap(), &folder.join("src"))
}

/// Where a page leads to inside the shop, without what a build makes.
fn targets(body: &str) -> impl Iterator<Item = &str> {
    ["href=\"", "src=\"", "action=\""]
        .into_iter()
        .flat_map(move |attribute| body.split(attribute).skip(1))
        .filter_map(|rest| rest.split(['"', '#']).next())
        .filter(|target| target.starts_with('/') && !target.starts_with("/sdk/"))
        .filter(|target| !target.ends_with(".js") && !target.ends_with(".css"))
}
