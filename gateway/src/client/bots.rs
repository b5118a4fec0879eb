use quick_cache::sync::Cache;
use regex::bytes::{Regex, RegexBuilder};
use std::sync::LazyLock;

/// A list that others keep; see its head for where it is from.
const LIST: &str = include_str!("bots.txt");

/// What the search for all patterns may cache, in bytes.
const CACHE: usize = 1 << 20;

/// One search for all patterns. `None` would mean a broken list, which a test excludes.
static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let all = format!("(?-u:{})", patterns().collect::<Vec<_>>().join("|"));
    RegexBuilder::new(&all).dfa_size_limit(CACHE).build().ok()
});

/// How many user agents are remembered: far more than are common, and far less memory than matters.
const REMEMBERED: usize = 1024;
/// The longest user agent that is remembered, in bytes.
const MAX_REMEMBERED_LEN: usize = 512;

/// What was found for user agents that came lately.
static KNOWN: LazyLock<Cache<Box<[u8]>, bool>> = LazyLock::new(|| Cache::new(REMEMBERED));

/// Whether a user agent is that of a crawler, a monitor, a library or another program that nobody looks at.
pub(super) fn is_bot(user_agent: &[u8]) -> bool {
    if let Some(known) = KNOWN.get(user_agent) {
        return known;
    }
    let any = ANY.as_ref();
    let is_bot = any.is_some_and(|any| any.is_match(user_agent));
    if user_agent.len() <= MAX_REMEMBERED_LEN {
        KNOWN.insert(user_agent.into(), is_bot);
    }
    is_bot
}

/// Reads the list, which takes a moment, so that no request has to wait for it.
pub fn prepare() {
    LazyLock::force(&ANY);
}

fn patterns() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.starts_with("# "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_one_that_can_be_searched_for() {
        assert!(ANY.is_some());
        assert!(patterns().count() > 1000);
    }

    #[test]
    fn programs_are_told_from_people() {
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "python-requests/2.32.3",
            "curl/8.5.0",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
        ] {
            assert!([(); 2].iter().all(|()| is_bot(bot.as_bytes())), "{bot}");
        }
        for person in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
            "",
        ] {
            assert!(
                ![(); 2].iter().any(|()| is_bot(person.as_bytes())),
                "{person}"
            );
        }
    }
}
