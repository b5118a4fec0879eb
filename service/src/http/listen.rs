use crate::config::{Document, Problem};
use anyhow::Context as _;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _},
};
use tokio::net::{TcpListener, TcpSocket};

/// Binds a listener.
///
/// # Errors
/// Names the address and what to do when it is taken.
pub async fn bind(key: &str, address: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; set `{key}` to a free address"))
}

/// What of `listen` and `admin` this machine could never listen on, however free it is.
#[must_use]
pub fn check_listeners(document: &Document, listen: &str, admin: Option<&str>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut look = |key: &str, address: &str| {
        let found = addresses(address);
        if let Err(error) = &found {
            let expected = "an address of this machine, and a port that this user may listen on";
            let found = format!("`{}` ({error})", address.escape_debug());
            problems.push(document.problem(key, expected, found));
        }
        found.unwrap_or_default()
    };
    let main = look("listen", listen);
    if let Some(admin) = admin {
        let second = look("admin", admin);
        let clash = |address: &SocketAddr| main.iter().any(|other| exclude(*address, *other));
        if second.iter().any(clash) {
            let expected = format!("another address than that of `listen`, {listen}");
            problems.push(document.problem("admin", expected, format!("`{admin}`")));
        }
    }
    problems
}

/// Where the listener would be.
fn addresses(text: &str) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = text.to_socket_addrs()?.collect();
    let mut refused = None;
    for address in &found {
        match try_bind(*address) {
            Ok(()) => return Ok(found),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

/// Takes the address without listening, so that nobody connects who would find nobody there. One that is in use may be in
/// use by the process that this configuration is for.
fn try_bind(address: SocketAddr) -> io::Result<()> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4(),
        IpAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    match socket.bind(address) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Whether one process cannot listen on both. All addresses of IPv6 are all of IPv4 too.
fn exclude(one: SocketAddr, other: SocketAddr) -> bool {
    let covers = |one: IpAddr, other: IpAddr| match one {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => other.is_ipv4(),
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unspecified(),
    };
    let (ip, others) = (one.ip(), other.ip());
    one.port() == other.port()
        && one.port() != 0
        && (ip == others || covers(ip, others) || covers(others, ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listen: &str, admin: Option<&str>) -> Vec<String> {
        let problems = check_listeners(&Document::default(), listen, admin);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_of_another_machine_and_a_name_that_is_none_are_named() {
        for address in ["192.0.2.1:8080", "no-such-host.invalid:8080"] {
            let told = told("127.0.0.1:0", Some(address));
            assert_eq!(told.len(), 1, "{address}: {told:?}");
            let expected = format!(
                "configuration: admin: expected an address of this machine, and a port that this user may listen on, found `{address}` ("
            );
            assert!(told[0].starts_with(&expected), "{told:?}");
        }
    }

    #[test]
    fn what_is_in_use_may_be_in_use_by_the_process_itself() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        assert_eq!(told(&address, None), [""; 0]);
    }

    #[test]
    fn two_listeners_of_a_process_do_not_share_an_address() {
        for (listen, admin, is_right) in [
            ("127.0.0.1:4711", "127.0.0.1:4711", false),
            ("0.0.0.0:4711", "127.0.0.1:4711", false),
            ("127.0.0.1:4711", "[::]:4711", false),
            ("0.0.0.0:4711", "[::1]:4711", true),
            ("127.0.0.1:4711", "127.0.0.2:4711", true),
            ("127.0.0.1:4711", "127.0.0.1:4712", true),
            ("127.0.0.1:0", "127.0.0.1:0", true),
        ] {
            let told = told(listen, Some(admin));
            assert_eq!(told.is_empty(), is_right, "{listen} {admin}: {told:?}");
        }
    }
}
