//! Log lines: a sentence and its fields, for people or for machines; never a name, a face, or a secret.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{LogFormat, Settings};

/// Sends log lines to standard error, as the settings say. Calling it twice is harmless.
pub fn start(settings: &Settings) {
    // The settings refuse a filter that cannot be read.
    let filter = EnvFilter::new(&settings.log);
    let registry = tracing_subscriber::registry().with(filter);
    let colored = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colored);
    // Fails only when there is a subscriber already, which then keeps its place.
    let _ = match settings.log_format {
        LogFormat::Text => registry.with(lines.with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
}
