//! A listener with TLS and SASL/SCRAM, for tests: its certificate is made new, its password is known.

use crate::{
    process,
    requirements::{self, CERTIFICATES},
};
use anyhow::Context as _;
use std::{fs, path::Path, process::Command};

/// Of the one user, for the storage tool.
pub(super) const CREDENTIALS: &str = "SCRAM-SHA-512=[name=footfall,password=secret]";

/// Adds the listener to a broker's configuration, and makes its certificate in `data`.
///
/// # Errors
/// When the certificate cannot be made.
pub(super) fn listener(properties: &str, address: &str, data: &Path) -> anyhow::Result<String> {
    let keystore = make_certificate(data)?;
    let extended: Vec<_> = properties
        .lines()
        .map(|line| match line.split_once('=') {
            Some(("listeners", _)) => format!("{line},SECURE://{address}"),
            Some(("listener.security.protocol.map", _)) => format!("{line},SECURE:SASL_SSL"),
            _ => line.to_owned(),
        })
        .collect();
    Ok(format!(
        "{}
inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={keystore}
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
",
        extended.join("\n")
    ))
}

/// A key and a certificate for 127.0.0.1 that vouches for itself, both in one file, as the broker wants them.
fn make_certificate(data: &Path) -> anyhow::Result<String> {
    requirements::ensure(&[CERTIFICATES])?;
    fs::create_dir_all(data).with_context(|| format!("make folder {}", data.display()))?;
    let [key, certificate, keystore] =
        ["key.pem", "certificate.pem", "keystore.pem"].map(|name| data.join(name));
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    process::run("make a certificate", openssl.stdout(std::io::stderr()))?;
    let read =
        |file: &Path| fs::read_to_string(file).with_context(|| format!("read {}", file.display()));
    fs::write(&keystore, read(&key)? + &read(&certificate)?)
        .with_context(|| format!("write {}", keystore.display()))?;
    Ok(keystore.display().to_string())
}
