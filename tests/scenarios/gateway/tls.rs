//! TLS by the gateway itself.

use crate::pipeline::batch;
use footfall_tests::{gateway::Gateway, kafka::Kafka, wait};
use nix::sys::signal::Signal;
use std::{fs, path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer},
};

/// Writes a new certificate and its key, and gives the certificate back.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("certificate.pem"), certified.cert.pem()).unwrap();
    fs::write(
        folder.join("key.pem"),
        certified.signing_key.serialize_pem(),
    )
    .unwrap();
    certified.cert.der().clone()
}

/// One request over TLS, by a client that trusts this certificate only.
async fn ask(
    url: &str,
    trusted: &CertificateDer<'static>,
    request: &str,
) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(&url["http://".len()..])
        .await
        .map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let mut stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())?;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .map_err(|error| error.to_string())?;
    Ok(answer)
}

#[tokio::test]
async fn events_are_taken_over_tls_and_the_certificate_can_be_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let first = certify(folder.path());
    let [certificate, key] =
        ["certificate.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    let kafka = Kafka::shared().await;
    let flags = [
        "--tls-certificate",
        &certificate,
        "--tls-key",
        &key,
        "--topics-create",
        "true",
        "--drain-delay",
        "0s",
    ];
    let gateway = Gateway::launch(&kafka.brokers, &flags);
    let body = batch::of_page_views(1).to_string();
    let len = body.len();
    let request = format!(
        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n{body}"
    );
    let answer = wait::until("an answer over TLS", async || {
        ask(&gateway.url, &first, &request).await
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert_eq!(kafka.records(&gateway.topic, 1).await.len(), 1);

    let second = certify(folder.path());
    gateway.program.signal(Signal::SIGHUP);
    let answer = wait::until("the new certificate", async || {
        ask(&gateway.url, &second, &request).await
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert!(ask(&gateway.url, &first, &request).await.is_err());
}
