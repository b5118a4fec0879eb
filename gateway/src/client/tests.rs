use super::*;
use proptest::prelude::*;

fn proxies(header: ForwardedHeader) -> Proxies {
    let trusted = ["10.0.0.0/8", "2001:db8:ff::/48"];
    let trusted = trusted.map(|text| Network::parse(text).unwrap());
    Proxies::new(trusted.to_vec(), header)
}

fn client(header: ForwardedHeader, peer: &str, values: &[&str]) -> String {
    let name = match header {
        ForwardedHeader::XForwardedFor => "x-forwarded-for",
        ForwardedHeader::Forwarded => "forwarded",
    };
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, value.parse().unwrap());
    }
    let client = proxies(header).client(peer.parse().unwrap(), &headers);
    client.to_string()
}

fn x_forwarded_for(peer: &str, values: &[&str]) -> String {
    client(ForwardedHeader::XForwardedFor, peer, values)
}

#[test]
fn the_header_of_an_untrusted_peer_has_no_effect() {
    assert_eq!(x_forwarded_for("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
}

#[test]
fn the_rightmost_untrusted_hop_is_the_client() {
    let values = ["198.51.100.1, 203.0.113.9, 10.0.0.2"];
    assert_eq!(x_forwarded_for("10.0.0.1", &values), "203.0.113.9");
}

#[test]
fn several_header_lines_are_one_list() {
    let values = ["198.51.100.1", "203.0.113.9", "10.0.0.2"];
    assert_eq!(x_forwarded_for("10.0.0.1", &values), "203.0.113.9");
}

#[test]
fn with_only_trusted_hops_the_leftmost_is_the_client() {
    assert_eq!(
        x_forwarded_for("10.0.0.1", &["10.0.0.3, 10.0.0.2"]),
        "10.0.0.3"
    );
    assert_eq!(x_forwarded_for("10.0.0.1", &[]), "10.0.0.1");
}

#[test]
fn an_unreadable_hop_gives_the_hop_to_its_right() {
    let values = ["203.0.113.9, unknown, 10.0.0.2"];
    assert_eq!(x_forwarded_for("10.0.0.1", &values), "10.0.0.2");
    assert_eq!(x_forwarded_for("10.0.0.1", &["203.0.113.9,"]), "10.0.0.1");
}

#[test]
fn ports_and_brackets_are_left_out_and_mapped_addresses_are_ipv4() {
    assert_eq!(
        x_forwarded_for("10.0.0.1", &["203.0.113.9:4711"]),
        "203.0.113.9"
    );
    assert_eq!(
        x_forwarded_for("10.0.0.1", &["[2001:db8::1]:80"]),
        "2001:db8::1"
    );
    assert_eq!(
        x_forwarded_for("::ffff:10.0.0.1", &["::ffff:203.0.113.9"]),
        "203.0.113.9"
    );
}

#[test]
fn the_forwarded_header_is_read_by_its_for_parameter() {
    let values =
        [r#"for=198.51.100.1, For="[2001:db8::1]:80";proto=https, by=10.0.0.9;for=10.0.0.2"#];
    let client = client(ForwardedHeader::Forwarded, "10.0.0.1", &values);
    assert_eq!(client, "2001:db8::1");
}

#[test]
fn truncated_addresses_keep_24_or_48_bits() {
    let truncated = |text: &str| AddressForm::Truncated.of(text.parse().unwrap()).unwrap();
    assert_eq!(truncated("203.0.113.77"), "203.0.113.0");
    assert_eq!(truncated("2001:db8:1:2::3"), "2001:db8:1::");
}

#[test]
fn only_the_value_one_is_an_objection() {
    let with = |name: &'static str, value: &'static str| {
        objects(&HeaderMap::from_iter([(
            name.parse().unwrap(),
            value.parse().unwrap(),
        )]))
    };
    assert!(with("sec-gpc", "1") && with("dnt", "1"));
    assert!(!with("sec-gpc", "0") && !with("dnt", "unspecified"));
}

#[test]
fn a_long_user_agent_is_cut_and_an_unreadable_one_is_replaced() {
    let agent = |value: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, value.try_into().unwrap());
        user_agent(&headers).map(|text| text.to_string())
    };
    assert_eq!(agent(&[b'a'; 513]).unwrap().len(), 512);
    assert_eq!(agent(b"a\xFF").unwrap(), "a\u{FFFD}");
    assert_eq!(agent(b""), None);
}

proptest! {
    #[test]
    fn an_untrusted_peer_is_the_client_whatever_the_header_says(value in "[ -~]{0,80}") {
        prop_assert_eq!(x_forwarded_for("192.0.2.1", &[&value]), "192.0.2.1");
    }

    #[test]
    fn no_header_makes_the_reader_panic(value in "[ -~]{0,80}") {
        for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            let _any = client(header, "10.0.0.1", &[&value]);
        }
    }
}
