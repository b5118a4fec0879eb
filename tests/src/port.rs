//! Free ports.

use std::net::TcpListener;

/// `127.0.0.1:PORT` that nothing listens on now.
///
/// # Panics
/// When the system has none.
#[must_use]
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound address").to_string()
}
