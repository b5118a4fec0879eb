use crate::thread::on_a_thread;
use std::{ops::Deref, sync::Arc, thread};

/// A client for a few questions, whose end is not waited for: librdkafka's clients take 100 ms for
/// it, because they look only so often whether they are to go on.
#[derive(Debug)]
pub struct Brief<T: Send + Sync + 'static> {
    /// Before `_end`, so that it is dropped before it.
    client: Arc<T>,
    _end: End<T>,
}

/// Drops it on a thread of its own.
#[derive(Debug)]
struct End<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync + 'static> Brief<T> {
    /// Takes over the client.
    pub fn new(client: T) -> Self {
        let client = Arc::new(client);
        Self {
            _end: End(Some(Arc::clone(&client))),
            client,
        }
    }

    /// Asks what blocks, on a thread of its own.
    pub(super) async fn blocking<A: Send + 'static>(
        &self,
        ask: impl FnOnce(&T) -> A + Send + 'static,
    ) -> A {
        let client = Arc::clone(&self.client);
        on_a_thread(move || ask(&client)).await
    }
}

impl<T: Send + Sync + 'static> Deref for Brief<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.client
    }
}

impl<T: Send + Sync + 'static> Drop for End<T> {
    fn drop(&mut self) {
        let client = self.0.take();
        // Without a thread it ends here.
        let _begun = thread::Builder::new().spawn(move || drop(client));
    }
}
