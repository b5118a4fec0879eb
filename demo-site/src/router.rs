//! Which page is where.

use crate::{catalogue::Product, files, pages, site::Site};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use footfall_service::http::Problem;
use minijinja::{context, value::Serde};
use serde::Deserialize;
use std::sync::Arc;

/// How many other products a product's page shows.
const OTHERS: usize = 4;

type Shared = State<Arc<Site>>;
type Page = Result<Html<String>, pages::Error>;

/// The whole site; `sdk` is the folder with the SDK's files.
pub fn router(site: Site, sdk: &std::path::Path) -> Router {
    let site = Arc::new(site);
    Router::new()
        .route("/", get(shop))
        .route("/products/{slug}", get(product))
        .route("/search", get(search))
        .route("/cart", page("cart.html"))
        .route("/checkout", page("checkout.html").post(ordered))
        .route("/checkout/thank-you", page("ordered.html"))
        .route("/sign-up", page("sign-up.html").post(signed_up))
        .route("/sign-up/thank-you", page("signed-up.html"))
        .route("/journal", get(journal))
        .route("/journal/{slug}", get(entry))
        .route("/privacy", page("privacy.html"))
        .route("/dashboard", get(Redirect::permanent("/dashboard/")))
        .route("/dashboard/", page("dashboard.html"))
        .route("/livez", get("alive\n"))
        .fallback(not_found)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .nest_service("/assets", files::assets(&site.public, &site.bundles))
        .nest_service("/sdk", files::sdk(sdk))
        .layer(from_fn_with_state(Arc::clone(&site), headers))
        .with_state(site)
}

/// A page that needs nothing but the catalogue.
fn page(template: &'static str) -> MethodRouter<Arc<Site>> {
    get(async move |State(site): Shared| -> Page {
        let products = Serde(&site.catalogue.products);
        site.pages.render(template, context! { products })
    })
}

async fn shop(State(site): Shared) -> Page {
    let products = Serde(&site.catalogue.products);
    let entries = Serde(&site.journal.entries);
    site.pages
        .render("shop.html", context! { products, entries })
}

async fn product(State(site): Shared, Path(slug): Path<String>) -> Result<Response, pages::Error> {
    let Some(product) = site.catalogue.product(&slug) else {
        return missing(&site);
    };
    let product = Serde(product);
    let others = Serde(site.catalogue.others(&slug, OTHERS));
    let page = site
        .pages
        .render("product.html", context! { product, others })?;
    Ok(page.into_response())
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

async fn search(State(site): Shared, Query(Search { q }): Query<Search>) -> Page {
    let found: Vec<&Product> = site.catalogue.search(&q);
    let products = Serde(found);
    site.pages
        .render("search.html", context! { query => q.trim(), products })
}

async fn journal(State(site): Shared) -> Page {
    let entries = Serde(&site.journal.entries);
    site.pages.render("journal.html", context! { entries })
}

async fn entry(State(site): Shared, Path(slug): Path<String>) -> Result<Response, pages::Error> {
    let Some((entry, next)) = site.journal.entry(&slug) else {
        return missing(&site);
    };
    let context = context! { entry => Serde(entry), next => Serde(next) };
    let page = site
        .pages
        .render(&format!("journal/{slug}.html"), context)?;
    Ok(page.into_response())
}

/// The form is read so that the connection stays usable, and kept nowhere.
async fn ordered(_form: Bytes) -> Redirect {
    Redirect::to("/checkout/thank-you")
}

/// The form is read so that the connection stays usable, and kept nowhere.
async fn signed_up(_form: Bytes) -> Redirect {
    Redirect::to("/sign-up/thank-you")
}

async fn not_found(State(site): Shared) -> Result<Response, pages::Error> {
    missing(&site)
}

fn missing(site: &Site) -> Result<Response, pages::Error> {
    let page = site.pages.render("not-found.html", context! {})?;
    Ok((StatusCode::NOT_FOUND, page).into_response())
}

async fn headers(State(site): Shared, request: Request<Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CONTENT_SECURITY_POLICY, site.policy.clone());
    response
}

impl IntoResponse for pages::Error {
    fn into_response(self) -> Response {
        let detail = format!(
            "the page could not be made: {:#}",
            anyhow::Error::from(self)
        );
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
    }
}

#[cfg(test)]
mod tests;
