//! Where other processes can ask this one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// `http://HOST:PORT`, as others reach what listens at `listening`: there, or, when that is every
/// address of this machine, at the one from which it talks to Kafka. `None` when nobody knows.
///
/// Looks up names, so it may block.
pub(crate) fn of(listening: SocketAddr, brokers: &str) -> Option<String> {
    let host = if listening.ip().is_unspecified() {
        brokers.split(',').find_map(towards)?
    } else {
        listening.ip()
    };
    Some(format!(
        "http://{}",
        SocketAddr::new(host, listening.port())
    ))
}

/// The address of this machine that packets to `broker` come from. None is sent.
fn towards(broker: &str) -> Option<IpAddr> {
    let families: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    families.into_iter().find_map(|any| {
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
        socket.connect(broker.trim()).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn an_address_of_its_own_is_what_others_ask() {
        let listening = "192.0.2.7:8081".parse().unwrap();
        let address = of(listening, "nowhere.invalid:9092");
        assert_eq!(address.as_deref(), Some("http://192.0.2.7:8081"));
    }

    #[test]
    fn every_address_is_the_one_towards_kafka() {
        let listening = "0.0.0.0:8081".parse().unwrap();
        let address = of(listening, "127.0.0.1:9092");
        assert_eq!(address.as_deref(), Some("http://127.0.0.1:8081"));
    }
}
