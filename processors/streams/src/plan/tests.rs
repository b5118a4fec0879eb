use crate::{TimeWindows, Topology, minutes, route, stream, table};

fn topology() -> Topology {
    let windows = TimeWindows::of(minutes(5)).advance_by(minutes(1));
    let windows = windows.grace(minutes(2)).unwrap();
    let views = stream("events").group_by_read_key().windowed_by(windows);
    Topology::new("app", [views.count().named("views").to("counts")])
}

#[test]
fn a_description_says_steps_and_topics_with_what_they_need() {
    let expected = "\
group app

stream views
  from          events
  by way of     app-views-repartition
  window        5m every 1m, grace 2m
  aggregate     count = count()
  emit          updates
  max_ahead     1h
  state         app-views-changelog
  codec         json
  to            counts
  late          counts.late
  dlq           events.dlq

topics
  events                 must be there
  app-views-changelog    at least as many partitions as app-views-repartition, compacted and never deleted from
  app-views-repartition  any number of partitions; made with as many as events, not compacted
  counts                 any number of partitions; made with as many as events
  counts.late            at least as many partitions as events
  events.dlq             at least as many partitions as events
";
    assert_eq!(topology().describe(), expected);
}

#[test]
fn a_chart_has_a_node_for_each_topic_and_step() {
    let expected = "\
flowchart LR
  t0[(\"events\")]
  s1[\"<b>views</b>\"]
  t2[(\"app-views-repartition\")]
  t0 --> s1 --> t2
  s3[\"<b>views</b><br>window 5m every 1m, grace 2m<br>count()\"]
  t4[(\"counts\")]
  t2 --> s3 --> t4
  t5[(\"app-views-changelog\")]
  s3 <-. state .-> t5
  t6[(\"counts.late\")]
  s3 -. late .-> t6
  t7[(\"events.dlq\")]
  s3 -. unusable .-> t7
";
    assert_eq!(topology().mermaid(), expected);
}

#[test]
fn a_route_is_described_and_drawn_with_all_its_topics() {
    let clicks = route("events").merge("old").branch(|_| true, "clicks");
    let topology = Topology::new("app", []).with_routes([clicks.finish()]);
    let expected = "\
group app

route events
  from          events
  from          old
  to            clicks
  dlq           events.dlq
  dlq           old.dlq

topics
  events      must be there
  old         must be there
  clicks      any number of partitions; made with as many as events; any number of partitions; made with as many as old
  events.dlq  at least as many partitions as events
  old.dlq     at least as many partitions as old
";
    assert_eq!(topology.describe(), expected);
    let expected = "\
flowchart LR
  t0[(\"events\")]
  t1[(\"old\")]
  s2[\"<b>events</b>\"]
  t0 --> s2
  t1 --> s2
  t3[(\"clicks\")]
  s2 --> t3
  t4[(\"events.dlq\")]
  s2 -. unusable .-> t4
  t5[(\"old.dlq\")]
  s2 -. unusable .-> t5
";
    assert_eq!(topology.mermaid(), expected);
}

#[test]
fn a_join_is_described_and_drawn_with_its_table() {
    let users = table("users");
    let joined = route("events").join(
        &users,
        |record| Some(record.key?.to_vec()),
        |_, row| row.to_vec(),
    );
    let topology = Topology::new("app", []).with_routes([joined.to("out")]);
    let expected = "\
group app

route events
  from          events
  join          users by a function, and only records that have a row
  to            out
  dlq           events.dlq

topics
  events      must be there
  events.dlq  at least as many partitions as events
  out         any number of partitions; made with as many as events
  users       must be there, and compacted: a table, which every process reads as a whole
";
    assert_eq!(topology.describe(), expected);
    let expected = "\
flowchart LR
  t0[(\"events\")]
  s1[\"<b>events</b><br>join users by a function, and only records that have a row\"]
  t0 --> s1
  t2[(\"users\")]
  t2 -. table .-> s1
  t3[(\"out\")]
  s1 --> t3
  t4[(\"events.dlq\")]
  s1 -. unusable .-> t4
";
    assert_eq!(topology.mermaid(), expected);
}

#[test]
fn text_cannot_break_out_of_a_chart() {
    assert_eq!(super::escaped("a == \"b\""), "a == #34;b#34;");
}
