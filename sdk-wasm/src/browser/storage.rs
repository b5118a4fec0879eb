//! What is kept between pages, where that is possible: every call may fail, and nothing then breaks.

use super::globals::window;
use web_sys::Storage;

/// What every key of ours starts with. `script/store.ts` removes all of them on opt-out.
const PREFIX: &str = "footfall.";

/// What the key of a page's unsent events starts with, behind the prefix; the load's id follows.
const UNSENT: &str = "unsent.";

/// Reads what is stored under a name.
pub(super) fn read(name: &str) -> Option<String> {
    storage()?.get_item(&key(name)).ok()?
}

/// Stores something under a name; whether that worked.
pub(super) fn write(name: &str, value: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(&key(name), value).is_ok())
}

/// Adds to a page's unsent events; whether that worked.
pub(super) fn keep_unsent(load: &str, text: &str) -> bool {
    let name = [UNSENT, load].concat();
    let before = read(&name).unwrap_or_default();
    write(&name, &[before.as_str(), text].concat())
}

/// Takes out the unsent events of one page.
pub(super) fn take_unsent(load: &str) -> Option<String> {
    take(&[PREFIX, UNSENT, load].concat())
}

/// Takes out the unsent events of all pages that were left.
pub(super) fn take_all_unsent() -> String {
    let mut all = String::new();
    let Some(storage) = storage() else {
        return all;
    };
    let prefix = key(UNSENT);
    let keys: Vec<String> = (0..storage.length().unwrap_or(0))
        .filter_map(|index| storage.key(index).ok()?)
        .filter(|key| key.starts_with(&prefix))
        .collect();
    for key in keys {
        all.push_str(&take(&key).unwrap_or_default());
    }
    all
}

fn take(key: &str) -> Option<String> {
    let storage = storage()?;
    let value = storage.get_item(key).ok()??;
    storage.remove_item(key).ok()?;
    Some(value)
}

fn key(name: &str) -> String {
    [PREFIX, name].concat()
}

fn storage() -> Option<Storage> {
    window(|window| window.local_storage().ok()?)
}
