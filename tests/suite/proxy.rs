//! A wire between the server and its database that a test can cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections until it is cut, and again after it was mended.
pub(crate) struct Wire {
    /// Where it listens.
    pub(crate) port: u16,
    whole: Arc<watch::Sender<bool>>,
    broke: Arc<AtomicBool>,
}

impl Wire {
    /// A wire to this address, whole or cut.
    pub(crate) async fn to(address: String, whole: bool) -> Self {
        Self::new(address, whole, None).await
    }

    /// A wire that breaks once: the connection over which these words are first asked ends before they arrive.
    pub(crate) async fn breaking_at(address: String, words: &'static str) -> Self {
        Self::new(address, true, Some(words)).await
    }

    async fn new(address: String, whole: bool, breaks_at: Option<&'static str>) -> Self {
        let broke = Arc::new(AtomicBool::new(false));
        let trap = broke.clone();
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
                let (address, trap) = (address.clone(), trap.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = forward(inner, &address, breaks_at, &trap) => {}
                        _ = changes.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { port, whole, broke }
    }

    /// Whether the words were asked at which it breaks.
    pub(crate) fn broke(&self) -> bool {
        self.broke.load(Ordering::Relaxed)
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

async fn forward(mut inner: TcpStream, address: &str, breaks_at: Option<&str>, broke: &AtomicBool) {
    let Ok(mut outer) = TcpStream::connect(address).await else { return };
    let Some(words) = breaks_at else {
        // Either end may hang up; that is the end of this connection and of nothing else.
        drop(tokio::io::copy_bidirectional(&mut inner, &mut outer).await);
        return;
    };
    let (mut asks, mut hears) = inner.split();
    let (mut answers, mut body) = outer.split();
    let asking = async {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(count @ 1..) = asks.read(&mut bytes).await {
            let asked = bytes[..count].windows(words.len()).any(|window| window == words.as_bytes());
            if asked && !broke.swap(true, Ordering::Relaxed) {
                return;
            }
            if body.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        _ = tokio::io::copy(&mut answers, &mut hears) => {}
    }
}
