//! A topology in words and as a picture.

use crate::{Definition, Join, Route, Topology, Windows};
use footfall_task::{Cleanup, Internal, Processor as _, Source, Start};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

impl Topology {
    /// What each stream does, and which topics it takes, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!("group {}\n", self.group());
        for stream in self.streams() {
            let _infallible = write!(text, "\nstream {}\n", stream.name);
            for (what, how) in stream.steps(self.group()) {
                let _infallible = writeln!(text, "  {what:<13} {how}");
            }
        }
        for route in self.routes() {
            let _infallible = write!(text, "\nroute {}\n", route.name);
            for (what, how) in route.steps() {
                let _infallible = writeln!(text, "  {what:<13} {how}");
            }
        }
        text.push_str("\ntopics\n");
        let mut topics = topics(&self.sources());
        for table in self.tables() {
            let need =
                "must be there, and compacted: a table, which every process reads as a whole";
            topics.push((table.topic().into(), need.to_owned()));
        }
        let width = topics.iter().map(|(topic, _)| topic.len()).max();
        let width = width.unwrap_or_default();
        for (topic, needs) in topics {
            let _infallible = writeln!(text, "  {topic:<width$}  {needs}");
        }
        text
    }

    /// What each stream and each route does, by name: processes that share partitions must have the
    /// same.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<String, String> {
        let text = |steps: Vec<(&str, String)>| {
            let lines = steps.into_iter().map(|(what, how)| format!("{what} {how}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let streams = self.streams().iter();
        let streams =
            streams.map(|stream| (stream.name.to_string(), text(stream.steps(self.group()))));
        let routes = self.routes().iter();
        let routes = routes.map(|route| (route.name.to_string(), text(route.steps())));
        streams.chain(routes).collect()
    }

    /// The same as a flow chart for [Mermaid](https://mermaid.js.org).
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut chart = Chart::default();
        for stream in self.streams() {
            chart.add(stream, self.group());
        }
        for route in self.routes() {
            chart.add_route(route);
        }
        chart.finish()
    }
}

impl Definition {
    /// Its steps, each with its name in a configuration.
    fn steps(&self, group: &str) -> Vec<(&'static str, String)> {
        let mut steps = vec![("from", self.from.to_string())];
        if self.version > 1 {
            steps.push(("version", self.version.to_string()));
        }
        match self.start {
            Start::Earliest => {}
            Start::Latest => steps.push(("start", "latest".to_owned())),
            Start::WithTheGroup => steps.push(("start", "where the group is".to_owned())),
        }
        steps.extend(self.joins.iter().flat_map(Join::describe));
        steps.extend(self.extract.describe());
        if let Some(within) = self.dedupe {
            steps.push(("dedupe within", within.to_string()));
        }
        if self.rekeyed {
            steps.push(("by way of", self.repartition(group).to_string()));
        }
        steps.push(("window", in_words(&self.windows)));
        steps.push(("aggregate", self.aggregates_in_words()));
        steps.push(("emit", self.emit.name().to_owned()));
        if let Some(timeout) = self.idle_timeout {
            steps.push(("idle_timeout", timeout.to_string()));
        }
        if let Some(limit) = self.max_ahead {
            steps.push(("max_ahead", limit.to_string()));
        }
        steps.push(("state", self.changelog(group).to_string()));
        steps.push(("codec", self.codec.name().to_owned()));
        steps.push(("to", self.to.to_string()));
        for (what, topic) in [("late", &self.late), ("dlq", &self.dlq)] {
            let topic = topic.as_deref().unwrap_or("none, they are only counted");
            steps.push((what, topic.to_owned()));
        }
        steps
    }
}

impl Route {
    fn steps(&self) -> Vec<(&'static str, String)> {
        let from = self.from.iter();
        let mut steps: Vec<_> = from
            .map(|inlet| ("from", inlet.topic.to_string()))
            .collect();
        steps.extend(self.joins.iter().flat_map(Join::describe));
        steps.extend(self.convert.describe());
        steps.extend(self.to.iter().map(|topic| ("to", topic.to_string())));
        let dlqs = self.from.iter().filter_map(|inlet| inlet.dlq.as_ref());
        steps.extend(dlqs.map(|topic| ("dlq", topic.to_string())));
        steps
    }
}

fn in_lines(joins: &[Join], steps: Vec<(&'static str, String)>) -> Vec<String> {
    let steps = joins.iter().flat_map(Join::describe).chain(steps);
    steps.map(|(what, how)| format!("{what} {how}")).collect()
}

fn in_words(windows: &Windows) -> String {
    let grace = windows.grace();
    if let Some(calendar) = windows.calendar() {
        return format!("{}, grace {grace}", calendar.name());
    }
    if let Some(gap) = windows.session_gap() {
        return format!("sessions that end after a gap of {gap}, grace {grace}");
    }
    let mut words = windows.size().to_string();
    if windows.advance() != windows.size() {
        let _infallible = write!(words, " every {}", windows.advance());
    }
    if windows.offset().as_millis() > 0 {
        let _infallible = write!(words, " from {} on", windows.offset());
    }
    format!("{words}, grace {grace}")
}

/// Every topic with what it must be like, those that are read first.
fn topics(sources: &[Source]) -> Vec<(Arc<str>, String)> {
    let beside = |source: &Source| source.beside.clone().into_iter();
    let written: Vec<_> = sources.iter().flat_map(beside).collect();
    let is_written = |topic: &str| written.iter().any(|internal| *internal.topic == *topic);
    let mut topics = Vec::new();
    let mut needs = BTreeMap::<Arc<str>, Vec<String>>::new();
    for source in sources {
        if !is_written(&source.topic) {
            topics.push((Arc::clone(&source.topic), "must be there".to_owned()));
        }
        for internal in &source.beside {
            let needed = needs.entry(Arc::clone(&internal.topic)).or_default();
            let need = need(internal, &source.topic);
            if !needed.contains(&need) {
                needed.push(need);
            }
        }
    }
    topics.extend(
        needs
            .into_iter()
            .map(|(topic, needs)| (topic, needs.join("; "))),
    );
    topics
}

fn need(internal: &Internal, source: &str) -> String {
    let policy = match internal.cleanup {
        Cleanup::Any => "",
        Cleanup::Replaced => ", compacted and never deleted from",
        Cleanup::Old => ", not compacted",
    };
    if internal.same_partitions {
        format!("at least as many partitions as {source}{policy}")
    } else {
        format!("any number of partitions; made with as many as {source}{policy}")
    }
}

/// A chart in the making: a node for each topic and each stream.
#[derive(Default)]
struct Chart {
    nodes: BTreeMap<Arc<str>, String>,
    lines: Vec<String>,
}

impl Chart {
    fn add(&mut self, stream: &Definition, group: &str) {
        let mut steps = in_lines(&stream.joins, stream.extract.describe());
        let mut from = self.topic(&stream.from);
        if stream.rekeyed {
            let rekey = self.step(&format!("{}-rekey", stream.name), &stream.name, &steps);
            let repartition = self.topic(&stream.repartition(group));
            self.lines
                .push(format!("{from} --> {rekey} --> {repartition}"));
            self.add_tables(&stream.joins, &rekey);
            from = repartition;
            steps.clear();
        }
        steps.push(format!("window {}", in_words(&stream.windows)));
        let aggregates = stream.aggregates.iter();
        steps.extend(aggregates.map(|aggregation| aggregation.expression()));
        let count = self.step(&stream.name, &stream.name, &steps);
        let to = self.topic(&stream.to);
        self.lines.push(format!("{from} --> {count} --> {to}"));
        if !stream.rekeyed {
            self.add_tables(&stream.joins, &count);
        }
        let state = self.topic(&stream.changelog(group));
        self.lines.push(format!("{count} <-. state .-> {state}"));
        for (what, topic) in [("late", &stream.late), ("unusable", &stream.dlq)] {
            if let Some(topic) = topic {
                let topic = self.topic(topic);
                self.lines.push(format!("{count} -. {what} .-> {topic}"));
            }
        }
    }

    fn add_route(&mut self, route: &Route) {
        let steps = in_lines(&route.joins, route.convert.describe());
        let from: Vec<_> = route
            .from
            .iter()
            .map(|inlet| self.topic(&inlet.topic))
            .collect();
        let step = self.step(&format!("route {}", route.name), &route.name, &steps);
        self.lines
            .extend(from.iter().map(|from| format!("{from} --> {step}")));
        self.add_tables(&route.joins, &step);
        for topic in &route.to {
            let to = self.topic(topic);
            self.lines.push(format!("{step} --> {to}"));
        }
        for topic in route.from.iter().filter_map(|inlet| inlet.dlq.as_ref()) {
            let dlq = self.topic(topic);
            self.lines.push(format!("{step} -. unusable .-> {dlq}"));
        }
    }

    fn add_tables(&mut self, joins: &[Join], step: &str) {
        for join in joins {
            let table = self.topic(&join.table.topic);
            self.lines.push(format!("{table} -. table .-> {step}"));
        }
    }

    fn topic(&mut self, topic: &Arc<str>) -> String {
        if let Some(node) = self.nodes.get(topic) {
            return node.clone();
        }
        let node = format!("t{}", self.nodes.len());
        self.lines.push(format!("{node}[(\"{}\")]", escaped(topic)));
        self.nodes.insert(Arc::clone(topic), node.clone());
        node
    }

    fn step(&mut self, id: &str, title: &str, steps: &[String]) -> String {
        let id: Arc<str> = format!("step {id}").into();
        let node = format!("s{}", self.nodes.len());
        let lines = std::iter::once(format!("<b>{}</b>", escaped(title)));
        let lines = lines.chain(steps.iter().map(|step| escaped(step)));
        let label = lines.collect::<Vec<_>>().join("<br>");
        self.lines.push(format!("{node}[\"{label}\"]"));
        self.nodes.insert(id, node.clone());
        node
    }

    fn finish(self) -> String {
        let lines = self.lines.into_iter();
        let lines =
            std::iter::once("flowchart LR".to_owned()).chain(lines.map(|line| format!("  {line}")));
        lines.map(|line| line + "\n").collect()
    }
}

/// Text as Mermaid takes it inside of quotes.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '"' | '#' | '<' | '>' | '&' | '`' => format!("#{};", u32::from(char)),
            char => char.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
