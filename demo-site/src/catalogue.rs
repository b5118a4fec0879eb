//! What the shop sells.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// All products, in the order in which the shop shows them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(crate) products: Vec<Product>,
}

/// One product. Its picture is `public/products/SLUG.svg`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) slug: String,
    name: String,
    /// Whole euros.
    price: u32,
    /// One line for the list.
    line: String,
    /// What the picture shows, for those who do not see it.
    picture: String,
    /// What it flies in; a line winder does not fly.
    wind: Option<Wind>,
    story: Vec<String>,
    details: Vec<Detail>,
}

/// A range of forces on Beaufort's scale, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Wind {
    from: u8,
    to: u8,
}

/// One row of a product's table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Detail {
    name: String,
    value: String,
}

impl Catalogue {
    /// # Errors
    /// When the file is missing or wrong.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("read {}", file.display()))
    }

    pub(crate) fn product(&self, slug: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.slug == slug)
    }

    /// The products beside this one: the next ones in the list, round its end.
    pub(crate) fn others(&self, slug: &str, count: usize) -> Vec<&Product> {
        let after = self
            .products
            .iter()
            .skip_while(|product| product.slug != slug)
            .skip(1);
        let before = self
            .products
            .iter()
            .take_while(|product| product.slug != slug);
        after.chain(before).take(count).collect()
    }

    /// The products that have every word of the query, in any case, in what is written about them.
    pub(crate) fn search(&self, query: &str) -> Vec<&Product> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        if words.is_empty() {
            return Vec::new();
        }
        let has_all = |product: &&Product| {
            let text = product.text().to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        self.products.iter().filter(has_all).collect()
    }
}

impl Product {
    fn text(&self) -> String {
        let details = self
            .details
            .iter()
            .flat_map(|detail| [&detail.name, &detail.value]);
        [&self.name, &self.line]
            .into_iter()
            .chain(&self.story)
            .chain(details)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::Catalogue;

    fn catalogue() -> Catalogue {
        let product = |slug: &str, name: &str, line: &str| {
            format!(
                "[[products]]\nslug = {slug:?}\nname = {name:?}\nprice = 7\nline = {line:?}\n\
                 picture = \"\"\nstory = []\ndetails = []\n"
            )
        };
        let text = [
            product("delta", "Gull Delta", "Lifts in a light breeze"),
            product("sled", "Pocket Sled", "No sticks"),
            product("box", "Lantern Box", "For a stiff breeze"),
        ];
        toml::from_str(&text.concat()).unwrap()
    }

    fn slugs(products: &[&super::Product]) -> Vec<String> {
        products
            .iter()
            .map(|product| product.slug.clone())
            .collect()
    }

    #[test]
    fn a_search_wants_every_word_in_any_case() {
        let catalogue = catalogue();
        assert_eq!(slugs(&catalogue.search("BREEZE")), ["delta", "box"]);
        assert_eq!(slugs(&catalogue.search(" stiff  breeze ")), ["box"]);
        assert_eq!(slugs(&catalogue.search("stiff gull")), [""; 0]);
        assert_eq!(slugs(&catalogue.search("  ")), [""; 0]);
    }

    #[test]
    fn the_products_beside_one_are_the_next_ones_round_the_end() {
        assert_eq!(slugs(&catalogue().others("sled", 2)), ["box", "delta"]);
    }
}
