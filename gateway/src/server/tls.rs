//! TLS by rustls, where no load balancer does that.

use arc_swap::ArcSwap;
use std::{path::Path, sync::Arc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
    server::TlsStream,
};

/// The certificate that connections are served with; clones share it, so it can be replaced while they are served.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

/// Which protocol both sides have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Why a certificate cannot be served with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of the certificate chain.
    #[error("{0}")]
    Certificate(rustls::pki_types::pem::Error),
    /// The file of the private key.
    #[error("{0}")]
    Key(rustls::pki_types::pem::Error),
    /// The two together.
    #[error("{0}")]
    Pair(rustls::Error),
}

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// Says which of the two is wrong, and how.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(Error::Certificate)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(Error::Key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(Error::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(ArcSwap::from_pointee(config))))
    }

    /// New connections are served with the other's certificate.
    pub fn replace(&self, other: &Self) {
        self.0.store(other.0.load_full());
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }
}

/// What the client has chosen; `None` when it did not.
pub(super) fn protocol<S>(stream: &TlsStream<S>) -> Option<Protocol> {
    match stream.get_ref().1.alpn_protocol()? {
        b"h2" => Some(Protocol::Http2),
        _ => Some(Protocol::Http1),
    }
}
