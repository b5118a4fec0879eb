use super::super::{
    json::{self, Members},
    pointer,
};
use serde_json::value::{RawValue, to_raw_value};
use std::mem;

/// JSON that is taken apart only where something changes.
#[derive(Debug)]
pub(super) enum Tree {
    Raw(Box<RawValue>),
    /// Names are as they are written, and may repeat: the last one counts.
    Object(Vec<(Box<RawValue>, Tree)>),
    List(Vec<Tree>),
    /// Taken out; its place stays until all is, so that no other place is numbered anew.
    Gone,
}

/// The names on the way to a place.
type Tokens<'t> = &'t [String];

impl Tree {
    pub(super) fn read(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json).map(Self::Raw)
    }

    /// Leaves what these lead to and nothing else; says whether that is anything.
    pub(super) fn keep(&mut self, pointers: &[Tokens<'_>]) -> serde_json::Result<bool> {
        if pointers.iter().any(|tokens| tokens.is_empty()) {
            return Ok(true);
        }
        self.open()?;
        let deeper = |is_next: &dyn Fn(&str) -> bool| -> Vec<_> {
            let next = pointers.iter().filter_map(|tokens| tokens.split_first());
            let next = next.filter(|(token, _)| is_next(token));
            next.map(|(_, deeper)| deeper).collect()
        };
        let mut is_any = false;
        match self {
            Self::Object(members) => {
                let mut seen = Vec::new();
                for (name, tree) in members.iter_mut().rev() {
                    let deeper = deeper(&|token| json::is_name(name, token));
                    let name = json::text(name.get());
                    let counts = !deeper.is_empty() && !seen.contains(&name);
                    seen.extend(counts.then_some(name));
                    tree.keep_or_go(counts, &deeper, &mut is_any)?;
                }
            }
            Self::List(items) => {
                for (index, tree) in items.iter_mut().enumerate() {
                    let deeper = deeper(&|token| pointer::index(token) == Some(index));
                    tree.keep_or_go(!deeper.is_empty(), &deeper, &mut is_any)?;
                }
            }
            Self::Raw(_) | Self::Gone => {}
        }
        Ok(is_any)
    }

    fn keep_or_go(
        &mut self,
        counts: bool,
        pointers: &[Tokens<'_>],
        is_any: &mut bool,
    ) -> serde_json::Result<()> {
        if counts && self.keep(pointers)? {
            *is_any = true;
        } else {
            *self = Self::Gone;
        }
        Ok(())
    }

    /// Takes out all that is there, in members too that do not count because another one has their
    /// name: who reads on may see it otherwise. Returns what counts.
    pub(super) fn remove(&mut self, tokens: Tokens<'_>) -> serde_json::Result<Option<Self>> {
        let Some((token, deeper)) = tokens.split_first() else {
            let removed = mem::replace(self, Self::Gone);
            return Ok(Some(removed).filter(|removed| !matches!(removed, Self::Gone)));
        };
        self.open()?;
        match self {
            Self::Object(members) => {
                let mut removed = None;
                for (name, tree) in members {
                    if json::is_name(name, token) && !matches!(tree, Self::Gone) {
                        removed = tree.remove(deeper)?;
                    }
                }
                Ok(removed)
            }
            Self::List(items) => {
                let item = pointer::index(token).and_then(|index| items.get_mut(index));
                item.map_or(Ok(None), |item| item.remove(deeper))
            }
            Self::Raw(_) | Self::Gone => Ok(None),
        }
    }

    /// Puts a value there, making the objects on the way that are missing, and returns one that has
    /// no place: in what is neither object nor list, and in a list beyond its end. `-` is the place
    /// behind a list's last item.
    pub(super) fn put(
        &mut self,
        tokens: Tokens<'_>,
        value: Self,
    ) -> serde_json::Result<Option<Self>> {
        let Some((token, deeper)) = tokens.split_first() else {
            *self = value;
            return Ok(None);
        };
        self.open()?;
        match self {
            Self::Object(members) => {
                let mut named = members.iter_mut().rev();
                let mut named = named.by_ref().filter(|(name, tree)| {
                    json::is_name(name, token) && !matches!(tree, Self::Gone)
                });
                let Some((_, last)) = named.next() else {
                    let (made, left) = Self::around(deeper, value)?;
                    if let Some(made) = made {
                        members.push((to_raw_value(token)?, made));
                    }
                    return Ok(left);
                };
                let left = last.put(deeper, value)?;
                if left.is_none() {
                    // The others would say something else to who takes them.
                    named.for_each(|(_, tree)| *tree = Self::Gone);
                }
                Ok(left)
            }
            Self::List(items) if token == NEXT => {
                let (made, left) = Self::around(deeper, value)?;
                items.extend(made);
                Ok(left)
            }
            Self::List(items) => {
                let item = pointer::index(token).and_then(|index| items.get_mut(index));
                match item {
                    Some(item) => item.put(deeper, value),
                    None => Ok(Some(value)),
                }
            }
            Self::Raw(_) | Self::Gone => Ok(Some(value)),
        }
    }

    /// The value in new objects; it comes back if it is to be in a list that is not there.
    fn around(tokens: Tokens<'_>, value: Self) -> serde_json::Result<(Option<Self>, Option<Self>)> {
        if tokens.iter().any(|token| token == NEXT) {
            return Ok((None, Some(value)));
        }
        let mut made = value;
        for token in tokens.iter().rev() {
            made = Self::Object(vec![(to_raw_value(token)?, made)]);
        }
        Ok((Some(made), None))
    }

    /// Closes the gaps of what was taken out; says whether there were any.
    pub(super) fn settle(&mut self) -> bool {
        let mut had_gaps = false;
        match self {
            Self::Object(members) => {
                let before = members.len();
                members.retain(|(_, tree)| !matches!(tree, Self::Gone));
                had_gaps |= members.len() < before;
                for (_, tree) in members {
                    had_gaps |= tree.settle();
                }
            }
            Self::List(items) => {
                let before = items.len();
                items.retain(|tree| !matches!(tree, Self::Gone));
                had_gaps |= items.len() < before;
                for tree in items {
                    had_gaps |= tree.settle();
                }
            }
            Self::Raw(_) | Self::Gone => {}
        }
        had_gaps
    }

    pub(super) fn written(&self) -> Vec<u8> {
        let mut json = Vec::new();
        self.write(&mut json);
        json
    }

    fn write(&self, json: &mut Vec<u8>) {
        match self {
            Self::Raw(raw) => json.extend(raw.get().as_bytes()),
            Self::Object(members) => {
                json.push(b'{');
                for (index, (name, tree)) in members.iter().enumerate() {
                    json.extend((index > 0).then_some(b','));
                    json.extend(name.get().as_bytes());
                    json.push(b':');
                    tree.write(json);
                }
                json.push(b'}');
            }
            Self::List(items) => {
                json.push(b'[');
                for (index, tree) in items.iter().enumerate() {
                    json.extend((index > 0).then_some(b','));
                    tree.write(json);
                }
                json.push(b']');
            }
            Self::Gone => {}
        }
    }

    /// Takes it apart, if it has parts.
    fn open(&mut self) -> serde_json::Result<()> {
        let Self::Raw(raw) = self else {
            return Ok(());
        };
        match raw.get().as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(raw.get())?;
                let members = members.into_iter();
                *self = Self::Object(members.map(|(name, raw)| (name, Self::Raw(raw))).collect());
            }
            Some(b'[') => {
                let items: Vec<_> = serde_json::from_str(raw.get())?;
                *self = Self::List(items.into_iter().map(Self::Raw).collect());
            }
            _ => {}
        }
        Ok(())
    }
}

/// Of a list, the place behind its last item.
const NEXT: &str = "-";
