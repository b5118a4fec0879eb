//! Clients for one question or two.

use super::{Error, Settings};
use rdkafka::{
    admin::AdminClient, client::DefaultClientContext, config::FromClientConfig as _,
    error::KafkaError,
};
use std::{sync::Arc, time::Duration};

/// How long the broker may take for one answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) type Admin = AdminClient<DefaultClientContext>;

/// Makes an admin client, lets `ask` ask with it, and does not wait for its end: that takes up to
/// 100 ms, until its thread looks whether it is to go on.
pub(super) async fn with_admin<T, F>(
    settings: &Settings,
    ask: impl FnOnce(Arc<Admin>) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let admin = AdminClient::from_config(&settings.admin());
    let admin = Arc::new(admin.map_err(|source| unreachable(settings, source))?);
    let answer = ask(Arc::clone(&admin)).await;
    let _ended_later = tokio::task::spawn_blocking(move || drop(admin));
    answer
}

/// Makes a call that blocks, on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    admin: &Arc<Admin>,
    call: impl FnOnce(&Admin) -> T + Send + 'static,
) -> T {
    let admin = Arc::clone(admin);
    match tokio::task::spawn_blocking(move || call(&admin)).await {
        Ok(answer) => answer,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

pub(super) fn unreachable(settings: &Settings, source: KafkaError) -> Error {
    Error::Unreachable {
        brokers: settings.brokers.clone(),
        source,
    }
}
