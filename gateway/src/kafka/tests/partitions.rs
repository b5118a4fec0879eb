//! One partition of three that has no leader, and the others.

use super::*;
use crate::testing::outgoing_of;
use footfall_service::kafka::partition_of;

const STUCK: i32 = 1;

/// Events of three partitions; the one in the middle has no leader.
fn leaderless() -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 3, 1).unwrap();
    cluster.create_topic("rejected", 1, 1).unwrap();
    cluster.partition_leader("events", STUCK, None).unwrap();
    cluster
}

/// A gateway that knows how many partitions there are.
fn gateway(cluster: &Cluster, queue: usize, flags: &[&str]) -> Fixture {
    let gateway = Fixture::with(&cluster.bootstrap_servers(), queue, flags);
    gateway.sink.watch().unwrap();
    gateway.until("the partitions", || gateway.sink.spread.partitions() == 3);
    gateway
}

/// A request of one event for a partition.
fn request_for(partition: i32) -> Outgoing {
    let visitors = (0..).map(|visitor| format!("visitor-{visitor}"));
    let mut requests = visitors.map(|visitor| outgoing_of(&visitor, 1, 0));
    let is_for = |request: &Outgoing| {
        let key = request.message(0).unwrap().key.unwrap();
        partition_of(key, 3) == partition
    };
    requests.find(is_for).unwrap()
}

fn until_stuck(gateway: &Fixture) {
    gateway.until("the partition to be known", || {
        let reason = gateway.sink.health().reason;
        reason.is_some_and(|reason| reason.contains("nothing in partitions [1] of `events`"))
    });
}

fn produced(gateway: &Fixture) -> usize {
    gateway.metric("footfall_events_produced_total ")
}

#[test]
fn without_a_spill_the_others_flow_and_its_events_have_half_of_the_queue() {
    let cluster = leaderless();
    let stuck = request_for(STUCK);
    let gateway = gateway(&cluster, stuck.bytes() * 20, &[]);
    gateway.take(&stuck).unwrap();
    until_stuck(&gateway);
    let mut taken = 1;
    while gateway.take(&stuck).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 10);
    assert!(gateway.sink.health().takes);
    for round in 1..=50 {
        for other in [0, 2] {
            gateway.take(&request_for(other)).unwrap();
        }
        gateway.until("the others", || produced(&gateway) == 2 * round);
    }
    assert_eq!(gateway.waiting(), (taken, taken * stuck.bytes()));

    cluster.partition_leader("events", STUCK, Some(1)).unwrap();
    gateway.until("the last ones", || produced(&gateway) == 100 + taken);
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
}

#[test]
fn with_a_spill_only_its_own_events_go_there_and_the_replay_of_the_others_goes_on() {
    let cluster = leaderless();
    let folder = tempfile::tempdir().unwrap();
    let spill = ["--spill-dir", folder.path().to_str().unwrap()];

    // What an earlier run has left, of all partitions.
    let before = Fixture::with("127.0.0.1:1", 1 << 20, &spill);
    for partition in [STUCK, 0, STUCK, 2, STUCK] {
        before.take(&request_for(partition)).unwrap();
    }
    assert_eq!(before.sink.close(TIMEOUT), 0);
    drop(before);

    let gateway = gateway(&cluster, 1 << 20, &spill);
    gateway.until("the replay of the others", || produced(&gateway) == 2);
    until_stuck(&gateway);
    for _ in 0..20 {
        for partition in [0, STUCK, 2] {
            gateway.take(&request_for(partition)).unwrap();
        }
    }
    gateway.until("the others", || produced(&gateway) == 42);
    assert_eq!(gateway.sink.shared.levels().spill_events, 23);
    assert_eq!(gateway.metric("footfall_spilled_total "), 20);
    assert_eq!(gateway.sink.health().kafka, health::Kafka::Up);
    // It flows with all of the stuck one's events looked at and passed over.
    gateway.take(&request_for(0)).unwrap();
    gateway.until("another one", || produced(&gateway) == 43);

    cluster.partition_leader("events", STUCK, Some(1)).unwrap();
    gateway.until("the last ones", || produced(&gateway) == 66);
    gateway.until("the end of the spill", || {
        gateway.sink.shared.levels().spill_bytes == 0
    });
    assert_eq!(gateway.sink.close(TIMEOUT), 0);
    assert_eq!(gateway.metric("footfall_events_recovered_total "), 5);
}
