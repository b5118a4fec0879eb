//! When a change of the address is a page view: once per view that a person sees.

use crate::scan::cut;

/// Follows the address of one document.
#[derive(Debug, Default)]
pub struct Views {
    /// Whether pages differ by their fragment too.
    by_hash: bool,
    /// The last address.
    url: Option<String>,
    /// Whether the address changed within the current task other than by a replacement.
    moved: bool,
}

impl Views {
    /// Nothing was seen yet.
    #[must_use]
    pub fn new(by_hash: bool) -> Self {
        Self {
            by_hash,
            ..Self::default()
        }
    }

    /// The address changed; within the task that changes it, it may change again.
    pub fn changed(&mut self, replaced: bool) {
        self.moved |= !replaced;
    }

    /// The task is over, and this is the address now. Says where the visitor was before, when this
    /// is a view of its own.
    ///
    /// A new entry of the history is one when the address without its fragment differs; a replaced
    /// entry, when its path does.
    pub fn settle(&mut self, url: String) -> Option<String> {
        let same = match &self.url {
            Some(before) => self.view(before) == self.view(&url),
            None => true,
        };
        self.moved = false;
        let before = self.url.replace(url)?;
        (!same).then_some(before)
    }

    /// The page is shown, for the first time or again: a view, wherever the visitor was before.
    pub fn shown(&mut self, url: String) {
        self.moved = false;
        self.url = Some(url);
    }

    /// What of an address tells one view from another.
    fn view<'a>(&self, url: &'a str) -> (&'a str, &'a str) {
        let (page, hash) = cut(url, b'#');
        let hash = if self.by_hash { hash } else { "" };
        if self.moved {
            (page, hash)
        } else {
            (cut(page, b'?').0, cut(hash, b'?').0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "https://shop.example/";
    const CART: &str = "https://shop.example/cart";

    fn at(url: &str, by_hash: bool) -> Views {
        let mut views = Views::new(by_hash);
        views.shown(url.to_owned());
        views
    }

    fn settle(views: &mut Views, replaced: bool, url: &str) -> Option<String> {
        views.changed(replaced);
        views.settle(url.to_owned())
    }

    #[test]
    fn another_path_is_a_view_and_knows_where_the_visitor_was() {
        let mut views = at(HOME, false);
        assert_eq!(settle(&mut views, false, CART).as_deref(), Some(HOME));
        assert_eq!(settle(&mut views, true, HOME).as_deref(), Some(CART));
    }

    #[test]
    fn the_same_address_again_is_no_view() {
        assert_eq!(settle(&mut at(CART, false), false, CART), None);
    }

    #[test]
    fn another_fragment_is_a_view_only_where_pages_differ_by_it() {
        let hash = "https://shop.example/cart#2";
        assert_eq!(settle(&mut at(CART, false), false, hash), None);
        assert!(settle(&mut at(CART, true), false, hash).is_some());
    }

    #[test]
    fn a_replaced_route_in_the_fragment_is_a_view_but_its_query_is_none() {
        let (cart, sorted) = (
            "https://shop.example/#/cart",
            "https://shop.example/#/cart?by=price",
        );
        assert!(settle(&mut at(HOME, true), true, cart).is_some());
        assert_eq!(settle(&mut at(cart, true), true, sorted), None);
        assert!(settle(&mut at(cart, true), false, sorted).is_some());
    }

    #[test]
    fn another_query_is_a_view_when_pushed_but_not_when_replaced() {
        let page = "https://shop.example/?page=2";
        assert!(settle(&mut at(HOME, false), false, page).is_some());
        assert_eq!(settle(&mut at(HOME, false), true, page), None);
    }

    #[test]
    fn a_replaced_query_is_what_the_next_address_is_compared_with() {
        let mut views = at(HOME, false);
        settle(&mut views, true, "https://shop.example/?page=2");
        let before = settle(&mut views, false, HOME);
        assert_eq!(before.as_deref(), Some("https://shop.example/?page=2"));
    }

    #[test]
    fn changes_within_one_task_count_once() {
        let mut views = at(HOME, false);
        views.changed(true);
        views.changed(false);
        assert_eq!(views.settle(CART.to_owned()).as_deref(), Some(HOME));
        assert_eq!(views.settle(CART.to_owned()), None);
    }

    #[test]
    fn away_and_back_within_one_task_is_no_view() {
        let mut views = at(HOME, false);
        views.changed(false);
        views.changed(false);
        assert_eq!(views.settle(HOME.to_owned()), None);
    }
}
