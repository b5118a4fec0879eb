use super::*;

#[test]
fn what_the_configuration_says_is_text_and_never_markup() {
    assert_eq!(escape("a <b> & \"c\""), "a &lt;b&gt; &amp; &quot;c&quot;");
}

#[test]
fn an_address_that_is_not_kept_is_not_told_to_be() {
    let names = |ip| fields(ip).map(|field| field.name).collect::<Vec<_>>();
    assert!(names(AddressForm::Truncated).contains(&"client.ip"));
    assert!(!names(AddressForm::None).contains(&"client.ip"));
}

#[test]
fn every_place_of_the_page_is_filled() {
    let places = PAGE.matches("{{").count();
    assert_eq!(places, 6);
}

#[test]
fn retention_is_told_in_days() {
    let days = |days: u64| retention(Some(Duration::from_secs(days * 86_400)));
    assert_eq!(days(0), "Less than a day.");
    assert_eq!(days(1), "One day.");
    assert_eq!(days(30), "30 days.");
}
