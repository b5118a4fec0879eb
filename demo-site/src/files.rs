//! Files from folders: pictures, bundles, the SDK.

use axum::{
    Router,
    http::{HeaderValue, Request, header},
    middleware::{Next, from_fn},
    response::Response,
};
use std::path::Path;
use tower_http::services::ServeDir;

const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Serves the site's own files: pictures, and beside them the bundled scripts, styles and fonts.
pub(crate) fn assets(public: &Path, bundles: &Path) -> Router {
    let bundles = folder(bundles);
    cached(Router::new().fallback_service(folder(public).fallback(bundles)))
}

/// Serves the SDK's files.
pub(crate) fn sdk(files: &Path) -> Router {
    cached(Router::new().fallback_service(folder(files)))
}

fn folder(path: &Path) -> ServeDir {
    ServeDir::new(path).append_index_html_on_directories(false)
}

fn cached(router: Router) -> Router {
    router.layer(from_fn(async |request: Request<_>, next: Next| {
        let hashed = has_hash(request.uri().path());
        let mut response: Response = next.run(request).await;
        if response.status().is_success() {
            let how = if hashed { FOR_EVER } else { REVALIDATE };
            response.headers_mut().insert(header::CACHE_CONTROL, how);
        }
        response
    }))
}

/// Whether a file is named by its content, `NAME-HASH.EXT`, and so never changes.
///
/// A hash is what esbuild writes (8 of `A-Z 2-7`) or 8 and more hexadecimal digits.
fn has_hash(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, _extension)) = file.rsplit_once('.') else {
        return false;
    };
    let Some((_name, hash)) = stem.rsplit_once('-') else {
        return false;
    };
    let is_base32 = hash.len() == 8
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte));
    let is_hex = hash.len() >= 8
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_base32 || is_hex
}

#[cfg(test)]
mod tests {
    use super::has_hash;

    #[test]
    fn only_files_named_by_their_content_are_kept_for_ever() {
        for (path, hashed) in [
            ("/footfall.js", false),
            ("/footfall-core-3f9a01bc.wasm", true),
            ("/fonts/caprasimo-latin-XK3BRO7W.woff2", true),
            ("/fonts/caprasimo-latin-XXXBROWW.woff2", true),
            ("/products/harbour-diamond.svg", false),
            ("/3f9a01bc", false),
        ] {
            assert_eq!(has_hash(path), hashed, "{path}");
        }
    }
}
