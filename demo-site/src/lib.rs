//! The demo shop: ordinary server-rendered pages that carry the SDK by one script tag, as a customer's would,
//! and the live dashboard that shows what the processors make of it.
//!
//! Nothing that a visitor types into a form is kept: the shop is there to be walked through.

pub mod broker;
mod catalogue;
mod files;
mod journal;
mod pages;
mod router;
mod serve;
mod site;

pub use router::router;
pub use serve::{Options, serve};
pub use site::{Addresses, Site};
