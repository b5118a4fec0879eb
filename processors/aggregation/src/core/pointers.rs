use super::{Pointer, json, pointer};
use footfall_task::Record;
use serde::{
    Deserialize as _, Deserializer as _,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{fmt, marker::PhantomData};

/// Pointers that are followed together, in one pass over a value and without a tree of it.
#[derive(Clone, Debug, Default)]
pub struct Pointers {
    root: Node,
    count: usize,
}

/// What is found of each pointer, byte for byte, in their order.
pub type Found<'a> = Vec<Option<&'a RawValue>>;

/// Where pointers end or go on.
#[derive(Clone, Debug, Default)]
struct Node {
    /// The numbers of those that end here.
    ending: Vec<usize>,
    members: Vec<Member>,
}

#[derive(Clone, Debug)]
struct Member {
    name: String,
    /// What it is in a list, if it can be that.
    index: Option<usize>,
    node: Node,
}

impl Pointers {
    /// Puts pointers together.
    #[must_use]
    pub fn new<'p>(pointers: impl IntoIterator<Item = &'p Pointer>) -> Self {
        let mut all = Self::default();
        for pointer in pointers {
            all.root.add(pointer.tokens(), all.count);
            all.count += 1;
        }
        all
    }

    /// What they point at; `None` for one where there is nothing. Where members have one name, the
    /// last one counts. Without a pointer the value is not looked at.
    ///
    /// # Errors
    /// When the bytes are not JSON.
    pub fn find<'a>(&self, json: &'a [u8]) -> serde_json::Result<Found<'a>> {
        let mut found = vec![None; self.count];
        if self.count > 0 {
            let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
            self.root.read(json, &mut found)?;
        }
        Ok(found)
    }

    /// The same in a record's value; without one there is nothing.
    ///
    /// # Errors
    /// When the value is looked at and is not JSON.
    pub(super) fn find_in<'a>(&self, record: &Record<'a>) -> serde_json::Result<Found<'a>> {
        match record.value {
            Some(json) => self.find(json),
            None => Ok(vec![None; self.count]),
        }
    }
}

impl Node {
    fn add(&mut self, tokens: &[String], number: usize) {
        let Some((name, rest)) = tokens.split_first() else {
            self.ending.push(number);
            return;
        };
        let known = self.members.iter().position(|member| member.name == *name);
        let at = known.unwrap_or_else(|| {
            self.members.push(Member::new(name));
            self.members.len() - 1
        });
        self.members[at].node.add(rest, number);
    }

    /// Reads a whole value.
    fn read<'a>(&self, json: &'a str, found: &mut Found<'a>) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let inside = Inside {
            node: self,
            found,
            json: PhantomData,
        };
        match json.trim_start_matches(WHITE_SPACE).as_bytes().first() {
            Some(b'{') => deserializer.deserialize_map(inside)?,
            Some(b'[') => deserializer.deserialize_seq(inside)?,
            _ => _ = IgnoredAny::deserialize(&mut deserializer)?,
        }
        deserializer.end()
    }

    fn take<'a>(&self, value: &'a RawValue, found: &mut Found<'a>) -> serde_json::Result<()> {
        self.forget(found);
        for number in &self.ending {
            found[*number] = Some(value);
        }
        if self.members.is_empty() {
            return Ok(());
        }
        self.read(value.get(), found)
    }

    /// A member of the same name came before, and does not count.
    fn forget(&self, found: &mut Found<'_>) {
        for number in &self.ending {
            found[*number] = None;
        }
        for member in &self.members {
            member.node.forget(found);
        }
    }
}

/// As JSON has it.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

impl Member {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            index: pointer::index(name),
            node: Node::default(),
        }
    }
}

/// Looks one level down.
struct Inside<'n, 'f, 'a> {
    node: &'n Node,
    found: &'f mut Found<'a>,
    json: PhantomData<&'a str>,
}

impl<'a> Visitor<'a> for Inside<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(written) = members.next_key::<&RawValue>()? {
            let name = json::text(written.get());
            let mut wanted = self.node.members.iter();
            match wanted.find(|member| name.as_ref().is_some_and(|name| *name == member.name)) {
                Some(member) => member
                    .node
                    .take(members.next_value()?, self.found)
                    .map_err(A::Error::custom)?,
                None => _ = members.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(item) = items.next_element::<&RawValue>()? {
            let mut wanted = self.node.members.iter();
            if let Some(member) = wanted.find(|member| member.index == Some(index)) {
                member
                    .node
                    .take(item, self.found)
                    .map_err(A::Error::custom)?;
            }
            index += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn pointers(texts: &[String]) -> Vec<Pointer> {
        let pointers = texts.iter().map(|text| Pointer::parse(text).unwrap());
        pointers.collect()
    }

    fn found(texts: &[&str], json: &str) -> Vec<Option<String>> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let all = Pointers::new(&pointers(&texts));
        let found = all.find(json.as_bytes()).unwrap().into_iter();
        found
            .map(|found| found.map(|found| found.get().to_owned()))
            .collect()
    }

    #[test]
    fn one_pointer_may_lead_through_what_another_one_points_at() {
        let json = r#"{"page": {"url": "/cart"}}"#;
        let expected = [r#""/cart""#, r#"{"url": "/cart"}"#, r#""/cart""#];
        let expected = expected.map(|text| Some(text.to_owned()));
        assert_eq!(found(&["/page/url", "/page", "/page/url"], json), expected);
    }

    #[test]
    fn the_last_of_two_members_counts_with_all_that_is_in_it() {
        let json = r#"{"a":{"x":1},"a":{"y":2}}"#;
        assert_eq!(found(&["/a/x", "/a/y"], json), [None, Some("2".into())]);
    }

    #[test]
    fn a_number_of_any_size_on_the_way_is_nothing() {
        assert_eq!(found(&["/a/x"], r#"{"a":1e400}"#), [None]);
        assert_eq!(found(&["/x"], " 1e400 "), [None]);
    }

    #[test]
    fn without_a_pointer_the_value_is_not_looked_at() {
        assert!(Pointers::new([]).find(b"{").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn they_find_what_serde_jsons_own_pointers_find(
            names in prop::collection::vec("[a-c0-1]", 1..4), texts in prop::collection::vec("(/[a-c0-2]){1,3}", 0..5),
            value in any::<i32>(),
        ) {
            let mut tree = json!([value, {"a": [null, {"b": value}]}, "x"]);
            for name in &names {
                tree = json!({name: tree, "b": {"0": tree, "c": [tree]}});
            }
            let json = tree.to_string();
            let all = Pointers::new(&pointers(&texts));
            let found = all.find(json.as_bytes()).unwrap();
            prop_assert_eq!(found.len(), texts.len());
            for (text, found) in texts.iter().zip(found) {
                let ours = found.map(|raw| serde_json::from_str::<Value>(raw.get()).unwrap());
                prop_assert_eq!(ours.as_ref(), tree.pointer(text), "{}", text);
            }
        }
    }
}
