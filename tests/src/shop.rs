//! The demo shop under test.

use crate::{client, port, program, program::Program};

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The process.
    pub program: Program,
}

impl Shop {
    /// Starts the shop; its pages send to `gateway`.
    pub async fn start(gateway: &str) -> Self {
        let address = port::free_address();
        let root = program::root();
        let (sdk, site) = (root.join("sdk-wasm/dist"), root.join("demo-site"));
        let (sdk, site) = (sdk.display().to_string(), site.display().to_string());
        let flags = [
            "--listen",
            &address,
            "--gateway",
            gateway,
            "--sdk",
            &sdk,
            "--site",
            &site,
        ];
        let program = Program::start("footfall-demo-site", flags);
        let url = format!("http://{address}");
        client::until_answers(&format!("{url}/livez"), "").await;
        Self { url, program }
    }
}
