//! A wire between the server and its database that a test can cut.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections until it is cut, and again after it was mended.
pub(crate) struct Wire {
    /// Where it listens.
    pub(crate) port: u16,
    whole: Arc<watch::Sender<bool>>,
}

impl Wire {
    /// A wire to this address, whole or cut.
    pub(crate) async fn to(address: String, whole: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let whole = Arc::new(watch::Sender::new(whole));
        let state = whole.clone();
        tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let mut changes = state.subscribe();
                // A cut wire accepts and hangs up, as a proxy does whose server is gone.
                if !*changes.borrow_and_update() {
                    continue;
                }
                let address = address.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = forward(inner, &address) => {}
                        _ = changes.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { port, whole }
    }

    /// Cuts it: every connection ends.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Mends it.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn forward(mut inner: TcpStream, address: &str) {
    if let Ok(mut outer) = TcpStream::connect(address).await {
        // Either end may hang up; that is the end of this connection and of nothing else.
        drop(tokio::io::copy_bidirectional(&mut inner, &mut outer).await);
    }
}
