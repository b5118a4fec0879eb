use super::*;

fn sites(origins: Option<&[&str]>) -> Sites {
    let origins = origins.map(|origins| origins.iter().map(ToString::to_string).collect());
    let write_key = WriteKey::new("shop").unwrap();
    Sites::new(HashMap::from([(write_key, Site::new(origins))]))
}

fn with_rate(per_second: u32) -> Sites {
    let rate = Rate::new(per_second.try_into().unwrap(), 500.try_into().unwrap());
    let write_key = WriteKey::new("shop").unwrap();
    Sites::new(HashMap::from([(
        write_key,
        Site::new(None).with_rate(rate),
    )]))
}

#[test]
fn without_sites_every_key_may_send_from_everywhere() {
    assert_eq!(Sites::default().check("any", Some("null"), 1), Ok(()));
}

#[test]
fn a_key_of_no_site_is_unknown() {
    let denied = sites(None).check("other", None, 1);
    assert_eq!(denied, Err(Denied::UnknownWriteKey));
}

#[test]
fn an_origin_must_be_listed_and_its_case_does_not_matter() {
    let sites = sites(Some(&["https://Shop.example"]));
    assert_eq!(sites.check("shop", Some("https://shop.example"), 1), Ok(()));
    assert_eq!(sites.check("shop", None, 1), Ok(()));
    for other in ["https://shop.example:8443", "http://shop.example", "null"] {
        let denied = sites.check("shop", Some(other), 1);
        assert_eq!(denied, Err(Denied::OriginNotAllowed), "{other}");
    }
}

#[test]
fn a_star_or_no_list_takes_all_origins_and_an_empty_list_none() {
    let from = Some("https://x.example");
    assert_eq!(sites(Some(&["*"])).check("shop", Some("null"), 1), Ok(()));
    assert_eq!(sites(None).check("shop", from, 1), Ok(()));
    let denied = sites(Some(&[])).check("shop", from, 1);
    assert_eq!(denied, Err(Denied::OriginNotAllowed));
}

#[test]
fn a_rate_that_stays_the_same_goes_on_counting_over_a_reload() {
    let spent = with_rate(1);
    spent.check("shop", None, 500).unwrap();
    assert!(matches!(
        spent.check("shop", None, 500),
        Err(Denied::TooFast(_))
    ));
    let mut same = with_rate(1);
    same.carry_on(&spent);
    assert!(same.check("shop", None, 500).is_err());
    let mut other = with_rate(2);
    other.carry_on(&spent);
    assert_eq!(other.check("shop", None, 500), Ok(()));
}
