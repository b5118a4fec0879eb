//! From OpenMetrics to the Prometheus text format.

/// The same metrics: a counter's family is called as its samples are, with `_total`, and there are neither units nor an
/// end.
pub(super) fn from_open_metrics(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    // The help comes before the type, and only that says how the family is called.
    let mut help = None;
    for line in page.lines() {
        let about = line.strip_prefix("# ").and_then(|rest| {
            let (word, rest) = rest.split_once(' ')?;
            let (name, value) = rest.split_once(' ')?;
            Some((word, name, value))
        });
        match about {
            Some(("HELP", _, words)) => help = Some(words),
            Some(("TYPE", name, r#type)) => {
                let (ending, r#type) = match r#type {
                    "counter" => ("_total", r#type),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    _ => ("", r#type),
                };
                if let Some(words) = help.take() {
                    text += &format!("# HELP {name}{ending} {words}\n");
                }
                text += &format!("# TYPE {name}{ending} {type}\n");
            }
            Some(("UNIT", ..)) => {}
            _ if line == "# EOF" => {}
            _ => {
                text += line;
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::{
        encoding::text::encode,
        metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
        registry::{Registry, Unit},
    };

    #[test]
    fn counters_histograms_and_gauges_are_written_as_prometheus_does() {
        let mut registry = Registry::with_prefix("a");
        let requests = Family::<Vec<(&str, &str)>, Counter>::default();
        requests.get_or_create(&vec![("path", "\"\\\n")]).inc_by(7);
        let took = Histogram::new([0.5]);
        took.observe(0.25);
        let open: Gauge = Gauge::default();
        open.set(-3);
        registry.register("requests", "How many # HELP there were", requests);
        registry.register_with_unit("took", "How long", Unit::Seconds, took);
        registry.register("open", "Open ones", open);
        let mut page = String::new();
        encode(&mut page, &registry).unwrap();
        assert_eq!(
            from_open_metrics(&page),
            r##"# HELP a_requests_total How many # HELP there were.
# TYPE a_requests_total counter
a_requests_total{path="\"\\\n"} 7
# HELP a_took_seconds How long.
# TYPE a_took_seconds histogram
a_took_seconds_sum 0.25
a_took_seconds_count 1
a_took_seconds_bucket{le="0.5"} 1
a_took_seconds_bucket{le="+Inf"} 1
# HELP a_open Open ones.
# TYPE a_open gauge
a_open -3
"##
        );
    }
}
