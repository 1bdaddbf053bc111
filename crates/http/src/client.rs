//! Where a request comes from. What proxies say counts only if they are trusted.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Addresses that begin alike: `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let text = text.trim();
        let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(Self).map_err(|_| InvalidNetwork)
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// Where `req` comes from.
pub(crate) fn client(req: &HttpRequest, trusted: &[Network]) -> IpAddr {
    // A request without a peer came over no socket.
    let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    behind(peer.to_canonical(), req.headers(), trusted)
}

/// Each proxy adds, at the end, who asked it. The nearest address that is no trusted proxy's is the client's; what
/// stands before it may be made up.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let hops: Vec<&str> =
        headers.get_all(FORWARDED_FOR).flat_map(|value| value.to_str().unwrap_or("?").split(',')).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|_| panic!("{text} is a network"))
    }

    #[test]
    fn a_network_contains_what_begins_like_it() {
        for (net, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.7/31", "192.0.2.6", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "::1", "127.0.0.1"),
        ] {
            assert!(network(net).contains(inside.parse().unwrap()), "{net} {inside}");
            assert!(!network(net).contains(outside.parse().unwrap()), "{net} {outside}");
        }
        assert!(network("127.0.0.1").contains("::ffff:127.0.0.1".parse().unwrap()));
        for bad in ["", "x", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/"] {
            assert_eq!(bad.parse::<Network>(), Err(InvalidNetwork), "{bad:?}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let from = |peer: &str, forwarded: &[&'static str], trusted: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            let trusted: Vec<_> = trusted.iter().map(|text| network(text)).collect();
            behind(peer.parse().unwrap(), &headers, &trusted).to_string()
        };
        let proxies = ["10.0.0.0/8"];
        assert_eq!(from("203.0.113.9", &["192.0.2.1"], &[]), "203.0.113.9");
        assert_eq!(from("203.0.113.9", &["192.0.2.1"], &proxies), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["192.0.2.1"], &proxies), "192.0.2.1");
        // What the client itself claims stands further away than the proxy's word.
        assert_eq!(from("10.0.0.1", &["198.51.100.1, 192.0.2.1"], &proxies), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.1", "192.0.2.1, 10.0.0.2"], &proxies), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["nonsense"], &proxies), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[], &proxies), "10.0.0.1");
    }
}
