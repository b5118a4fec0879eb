//! Which topic leads to which: what goes in a circle, or would be mixed with something else.

use super::{File, RouteTable, StreamTable};
use footfall_service::config::{Document, Problem};
use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

/// What is written to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Windows,
    Records,
    /// Late records and dead letters, which headers tell apart.
    Rejected,
}

/// One of the topics that a stream or a route writes.
#[derive(Debug)]
struct Output {
    /// The stream or the route, as the document has it.
    owner: String,
    /// Where the document says the topic, or would.
    key: String,
    what: What,
    /// What leads to it.
    from: Vec<String>,
    to: String,
}

/// Refuses circles, topics with several kinds of records, and names that stand for two things.
pub(super) fn check(document: &Document, file: &File) -> Vec<Problem> {
    let streams = file.streams.iter();
    let streams = streams.flat_map(|(name, table)| of_stream(file, name, table));
    let routes = file.routes.iter();
    let routes = routes.flat_map(|(name, table)| of_route(file, name, table));
    let outputs: Vec<_> = streams.chain(routes).collect();
    let mut problems = names(document, file);
    problems.extend(internal(document, file, &outputs));
    problems.extend(mixed(document, file, &outputs));
    problems.extend(circles(document, file, &outputs));
    problems
}

fn of_stream(file: &File, name: &str, table: &StreamTable) -> Vec<Output> {
    let source = vec![table.from.clone()];
    let joined = table.join.iter().map(|join| join.table.as_str());
    let late = given_or(&table.late, &format!("{}.late", table.to));
    let dlq = given_or(&table.dlq, &format!("{}.dlq", table.from));
    let outputs = [
        (
            "to",
            What::Windows,
            Some(table.to.clone()),
            sources(file, &source, joined),
        ),
        ("late", What::Rejected, late, source.clone()),
        ("dlq", What::Rejected, dlq, source),
    ];
    let outputs = outputs.into_iter().filter_map(|(key, what, to, from)| {
        let owner = format!("streams.{name}");
        Some(Output {
            key: format!("{owner}.{key}"),
            owner,
            what,
            from,
            to: to?,
        })
    });
    outputs.collect()
}

fn of_route(file: &File, name: &str, table: &RouteTable) -> Vec<Output> {
    let owner = format!("routes.{name}");
    let joined = table.join.iter().map(|join| join.table.as_str());
    let from = sources(file, &table.from, joined);
    let split = table.split.iter().enumerate();
    let split = split.map(|(index, branch)| (format!("split[{index}].to"), &branch.to));
    let to = table.to.iter().map(|to| ("to".to_owned(), to));
    let results = split.chain(to).map(|(key, to)| Output {
        owner: owner.clone(),
        key: format!("{owner}.{key}"),
        what: What::Records,
        from: from.clone(),
        to: to.clone(),
    });
    let rejected = table.from.iter().filter_map(|source| {
        let to = given_or(&table.dlq, &format!("{source}.dlq"))?;
        Some(Output {
            owner: owner.clone(),
            key: format!("{owner}.dlq"),
            what: What::Rejected,
            from: vec![source.clone()],
            to,
        })
    });
    results.chain(rejected).collect()
}

/// What is read, and the tables that are joined to it.
fn sources<'a>(file: &File, from: &[String], joined: impl Iterator<Item = &'a str>) -> Vec<String> {
    let rows = joined.filter_map(|name| {
        let mut tables = file.tables.iter();
        let table = tables.find(|(known, _)| known == name);
        table.map(|(_, table)| table.from.clone())
    });
    from.iter().cloned().chain(rows).collect()
}

fn given_or(given: &Option<String>, default: &str) -> Option<String> {
    let topic = given.as_deref().unwrap_or(default);
    (topic != "none").then(|| topic.to_owned())
}

/// Metrics and answers know streams and routes by their names alone.
fn names(document: &Document, file: &File) -> Vec<Problem> {
    let streams: BTreeSet<_> = file.streams.iter().map(|(name, _)| name).collect();
    let routes = file.routes.iter().map(|(name, _)| name);
    let both = routes.filter(|name| streams.contains(name));
    let both = both.map(|name| {
        let expected = format!("another name than that of `streams.{name}`");
        document.problem(&format!("routes.{name}"), expected, format!("`{name}`"))
    });
    both.collect()
}

fn internal(document: &Document, file: &File, outputs: &[Output]) -> Vec<Problem> {
    let internal = file.streams.iter().flat_map(|(name, _)| {
        ["changelog", "repartition"].map(|kind| (format!("{}-{name}-{kind}", file.group), name))
    });
    let internal: BTreeMap<_, _> = internal.collect();
    let wrong = outputs.iter().filter_map(|output| {
        let name = internal.get(&output.to)?;
        let expected = format!("another topic than those that `streams.{name}` keeps its state in");
        Some(document.problem(&output.key, expected, format!("`{}`", output.to)))
    });
    wrong.collect()
}

/// Results of one among those of another, or among what could not be used, cannot be told apart.
fn mixed(document: &Document, file: &File, outputs: &[Output]) -> Vec<Problem> {
    let rows = file
        .tables
        .iter()
        .map(|(name, table)| (table.from.as_str(), name));
    let rows: BTreeMap<_, _> = rows.collect();
    let mut problems = Vec::new();
    for (index, output) in outputs.iter().enumerate() {
        if file.shared_topics.contains(&output.to) {
            continue;
        }
        let before = outputs.iter().take(index);
        let mut others = before.filter(|other| other.to == output.to && !output.goes_with(other));
        let other = others.next().map(|other| other.key.clone());
        let table = rows
            .get(output.to.as_str())
            .filter(|_| output.what == What::Rejected);
        let table = table.map(|name| format!("tables.{name}.from"));
        if let Some(other) = other.or(table) {
            let expected = format!(
                "another topic than that of `{other}`, or the topic among `shared_topics`, if both are meant to be there"
            );
            problems.push(document.problem(&output.key, expected, format!("`{}`", output.to)));
        }
    }
    problems
}

impl Output {
    fn goes_with(&self, other: &Self) -> bool {
        self.what == other.what && (self.what != What::Windows || self.owner == other.owner)
    }
}

/// A record in a circle is written for ever.
fn circles(document: &Document, file: &File, outputs: &[Output]) -> Vec<Problem> {
    let mut next = BTreeMap::<&str, Vec<&str>>::new();
    let mut problems = Vec::new();
    for output in outputs {
        for from in &output.from {
            let is_meant = |topic: &String| file.circular_topics.contains(topic);
            if is_meant(from) || is_meant(&output.to) {
                continue;
            }
            let Some(way) = way(&next, &output.to, from) else {
                next.entry(from).or_default().push(&output.to);
                continue;
            };
            let circle: Vec<_> = iter::once(from.as_str()).chain(way).collect();
            let expected = format!(
                "a topic that does not lead back to `{from}`, or one of the circle among `circular_topics`, if it is meant to be one"
            );
            let found = format!("`{}` ({})", output.to, circle.join(" > "));
            problems.push(document.problem(&output.key, expected, found));
        }
    }
    problems
}

/// The shortest way from one topic to another.
fn way<'t>(
    next: &BTreeMap<&'t str, Vec<&'t str>>,
    from: &'t str,
    to: &str,
) -> Option<Vec<&'t str>> {
    let mut before = BTreeMap::from([(from, None)]);
    let mut layer = vec![from];
    while !layer.is_empty() && !before.contains_key(to) {
        let mut deeper = Vec::new();
        for topic in layer {
            for &reached in next.get(topic).into_iter().flatten() {
                if !before.contains_key(reached) {
                    before.insert(reached, Some(topic));
                    deeper.push(reached);
                }
            }
        }
        layer = deeper;
    }
    let (&end, _) = before.get_key_value(to)?;
    let mut way: Vec<_> =
        iter::successors(Some(end), |topic| before.get(topic).copied().flatten()).collect();
    way.reverse();
    Some(way)
}
