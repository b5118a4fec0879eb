//! The page for people at `/`. Everything of it is in the program.

use axum::{
    Router,
    http::header,
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};

/// The page loads its own files and asks its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file's path, content type and text.
type File = (&'static str, &'static str, &'static str);

const SCRIPT: &str = "text/javascript; charset=utf-8";
const FILES: [File; 9] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("../../page/index.html"),
    ),
    (
        "/page/page.css",
        "text/css; charset=utf-8",
        include_str!("../../page/page.css"),
    ),
    (
        "/page/mark.svg",
        "image/svg+xml",
        include_str!("../../page/mark.svg"),
    ),
    ("/page/page.js", SCRIPT, include_str!("../../page/page.js")),
    (
        "/page/graph.js",
        SCRIPT,
        include_str!("../../page/graph.js"),
    ),
    (
        "/page/tables.js",
        SCRIPT,
        include_str!("../../page/tables.js"),
    ),
    (
        "/page/streams.js",
        SCRIPT,
        include_str!("../../page/streams.js"),
    ),
    (
        "/page/words.js",
        SCRIPT,
        include_str!("../../page/words.js"),
    ),
    (
        "/page/element.js",
        SCRIPT,
        include_str!("../../page/element.js"),
    ),
];

/// The routes of the page's files.
pub(super) fn routes() -> Router {
    let routes = FILES.into_iter().map(|(path, content_type, text)| {
        let answer = async move || ([(header::CONTENT_TYPE, content_type)], text);
        Router::new().route(path, get(answer))
    });
    let all = routes.fold(Router::new(), Router::merge);
    all.layer(middleware::map_response(async |answer: Response| {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            // A new version of the program brings new files under the same names.
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, answer).into_response()
    }))
}
