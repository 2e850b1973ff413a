//! How is a server spoken to?

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// How long servers are waited for, and how often they are asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The longest wait for a connection.
    pub connect: Duration,
    /// The longest time in which no byte comes.
    pub stall: Duration,
    /// Attempts in a row that bring no further byte, the first one counted.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles before each further one, up to 30 seconds.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        let seconds = Duration::from_secs;
        Patience { connect: seconds(20), stall: seconds(30), attempts: 5, pause: seconds(1) }
    }
}

impl Patience {
    /// The wait after so many attempts in a row brought nothing.
    pub(crate) fn pause_after(&self, failed: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(30);
        self.pause.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(LONGEST)
    }
}

/// A client that verifies servers as the system does, takes bytes as they are, and gives statuses back.
///
/// With `https_only`, an address without encryption is refused, one that a server leads to as well.
pub(crate) fn agent(patience: &Patience, https_only: HttpsOnly, proxy: Option<ureq::Proxy>) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .https_only(https_only == HttpsOnly::Yes)
        .http_status_as_error(false)
        .proxy(proxy)
        .user_agent(concat!("polytask/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_per_read(Some(patience.stall))
        .timeout_per_write(Some(patience.stall))
        .build()
        .new_agent()
}

/// Whether every address must be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpsOnly {
    /// Every one.
    Yes,
    /// Not that of this machine.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let patience = Patience::default();
        let pauses: Vec<u64> = (1..8).map(|failed| patience.pause_after(failed).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(patience.pause_after(u32::MAX).as_secs(), 30);
    }
}
