//! What becomes of records that Kafka does not take, and of what they came from.

use super::{
    Session,
    parcels::{Portion, Spot, Underway},
    reread::reread,
};
use crate::{
    clock,
    status::Part,
    writer::{Care, Failure, Verdict, smaller},
};
use anyhow::Context as _;
use footfall_task::{Cause, Effects, Kind, Offset, Processor, Refusal, Refused, Send, Task as _};
use rdkafka::{TopicPartitionList, consumer::Consumer as _, error::RDKafkaErrorCode};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long it may take to read a partition from another place.
const SEEKING: Duration = Duration::from_secs(10);

/// What is to be done with a portion as a whole.
enum Fate {
    /// It waits for this topic.
    Wait(Arc<str>, RDKafkaErrorCode),
    /// One of its records is at fault; which one, if that is known.
    Rewind(Option<(Offset, Refusal)>),
}

impl<P: Processor> Session<'_, P> {
    /// Acts on what was not taken, so that the next try is another one: suspects are sent with more
    /// care, records that are refused become dead letters, and what cannot go on is taken out.
    /// Returns whether anything has changed.
    pub(super) fn part(
        &mut self,
        underway: &mut Underway,
        spots: &[Spot],
        failures: &[Failure],
    ) -> anyhow::Result<bool> {
        let mut fates = BTreeMap::<usize, Fate>::new();
        let mut is_other = false;
        // From the end, so that what stands in a parcel's place moves none that is still to come.
        let mut failures: Vec<_> = failures
            .iter()
            .map(|failure| (spots[failure.index], failure))
            .collect();
        failures.sort_unstable_by_key(|(spot, _)| std::cmp::Reverse(*spot));
        for (spot, failure) in failures {
            let portion = &mut underway.0[spot.portion];
            let parcel = &mut portion.parcels[spot.parcel];
            let topic = Arc::clone(&parcel.send.record.topic);
            match failure.verdict() {
                Verdict::Innocent => continue,
                Verdict::Waits => {
                    fates.insert(spot.portion, Fate::Wait(topic, failure.code));
                }
                Verdict::Refused(_) if !failure.is_certain && parcel.care < Care::Alone => {
                    parcel.care = parcel.care.more();
                }
                Verdict::Refused(refused) => {
                    if let Some(fate) = self.refuse(portion, spot.parcel, refused)? {
                        fates.entry(spot.portion).or_insert(fate);
                    }
                }
            }
            is_other = true;
        }
        for (index, fate) in fates.into_iter().rev() {
            let portion = underway.0.remove(index);
            match fate {
                Fate::Wait(topic, why) => self.hold(portion, topic, why)?,
                Fate::Rewind(refused) => self.rewind(&portion, refused)?,
            }
        }
        Ok(is_other)
    }

    /// Puts something else in the place of a record that is refused, or says what must become of its
    /// portion.
    fn refuse(
        &mut self,
        portion: &mut Portion,
        index: usize,
        refused: Refused,
    ) -> anyhow::Result<Option<Fate>> {
        let send = portion.parcels[index].send.clone();
        let refusal = self.refusal(&send, refused);
        let mut effects = Effects::default();
        match (send.kind, send.cause) {
            (Kind::Late | Kind::Ahead | Kind::DeadLetter(_) | Kind::Duplicate, _) => {
                match smaller(&send.record, refused) {
                    Some(record) => effects.send(&send.stream, send.kind, record),
                    None => {
                        self.give_up(&send, &refusal);
                        effects.count(&send.stream, send.kind);
                    }
                }
            }
            (Kind::Output | Kind::Repartition, Cause::Record(offset)) => {
                self.say(&refusal);
                self.make_dead_letter(portion, offset, &refusal, &mut effects)?;
            }
            (Kind::Output, Cause::Time) if portion.count <= 1 => {
                self.say(&refusal);
                let task = self
                    .intake
                    .partitions
                    .task_mut(&portion.topic, portion.partition);
                let task = task.context("a partition is gone while its results are written")?;
                task.give_up(&send, &refusal, &mut effects);
            }
            (Kind::Output | Kind::Repartition | Kind::Change, _) => {
                return Ok(Some(match (portion.begin, portion.count) {
                    (Some(offset), 1) => {
                        self.say(&refusal);
                        Fate::Rewind(Some((offset, refusal)))
                    }
                    (Some(_), 2..) => Fate::Rewind(None),
                    // State must not be lost, and there is no record to blame.
                    (_, _) => Fate::Wait(Arc::clone(&send.record.topic), code(refused)),
                }));
            }
        }
        portion.replace(index, effects);
        Ok(None)
    }

    fn make_dead_letter(
        &mut self,
        portion: &Portion,
        offset: Offset,
        refusal: &Refusal,
        effects: &mut Effects,
    ) -> anyhow::Result<()> {
        let (topic, partition) = (&*portion.topic, portion.partition);
        let task = self.intake.partitions.task_mut(topic, partition);
        let task = task.context("a partition is gone while what came of it is written")?;
        let place = (topic, partition, offset);
        let is_there = reread(&self.ground.config, place, |record| {
            task.refuse(record, refusal, effects);
        })?;
        if !is_there {
            tracing::error!(
                topic,
                partition,
                offset = offset.0,
                "a record is lost: {refusal}, and kafka has deleted it before its dead letter was made"
            );
            let kind = Kind::DeadLetter(refusal.refused.code());
            effects.count(&refusal.stream, kind);
        }
        Ok(())
    }

    fn refusal(&self, send: &Send, refused: Refused) -> Refusal {
        let record = &send.record;
        let topic = &record.topic;
        let found = match refused {
            Refused::TooLarge => format!("about {} bytes", record.size()),
            Refused::Timestamp => match record.timestamp {
                Some(time) => format!("the timestamp {time}"),
                None => "the time of its writing".to_owned(),
            },
            Refused::Record if record.key.is_none() => "no key".to_owned(),
            Refused::Record => "this key and value".to_owned(),
        };
        let limits = self.ground.limits.of(topic, refused);
        Refusal {
            stream: Arc::clone(&send.stream),
            refused,
            reason: format!("kafka refuses a record with {found} for topic `{topic}`{limits}"),
        }
    }

    fn say(&mut self, refusal: &Refusal) {
        let code = refusal.refused.code();
        let cause = format!("{}/{code}", refusal.stream);
        if let Some(kept_back) = self.rarely.may_say(&cause, clock::now()) {
            tracing::warn!(
                stream = &*refusal.stream,
                %code,
                more = kept_back,
                "a record becomes a dead letter: {refusal}"
            );
        }
    }

    fn give_up(&mut self, send: &Send, refusal: &Refusal) {
        let topic = &send.record.topic;
        let unwritten = &self.ground.metrics.unwritten;
        unwritten.get_or_create(&crate::Metrics::topic(topic)).inc();
        let cause = format!("{topic}/given up");
        if let Some(kept_back) = self.rarely.may_say(&cause, clock::now()) {
            tracing::error!(
                topic = &**topic,
                more = kept_back,
                "a late record or a dead letter is given up: {refusal}"
            );
        }
    }

    /// Its partition is not read on until this is written.
    fn hold(
        &mut self,
        portion: Portion,
        topic: Arc<str>,
        why: RDKafkaErrorCode,
    ) -> anyhow::Result<()> {
        let place = list(&portion);
        self.consumer
            .pause(&place)
            .context("stop reading what cannot be written")?;
        self.intake.partitions.hold(portion, topic, why);
        self.tell_held();
        Ok(())
    }

    /// Has its partition read again from where the portion begins.
    fn rewind(
        &mut self,
        portion: &Portion,
        refused: Option<(Offset, Refusal)>,
    ) -> anyhow::Result<()> {
        let (topic, partition) = (&*portion.topic, portion.partition);
        let begin = portion
            .begin
            .context("a portion without a record has no begin")?;
        self.consumer
            .pause(&list(portion))
            .context("stop reading what is read again")?;
        let is_found = refused.is_some();
        self.intake.partitions.rewind(portion, refused);
        tracing::debug!(
            topic,
            partition,
            offset = begin.0,
            records = portion.count,
            is_found,
            "processing again, because of a record that kafka does not take"
        );
        let offset = rdkafka::Offset::Offset(begin.0);
        self.consumer
            .seek(topic, partition, offset, SEEKING)
            .with_context(|| format!("read topic `{topic}`, partition {partition}, again"))
    }

    /// Reads on what was held.
    pub(super) fn free(&mut self, places: &[(String, i32)]) -> anyhow::Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        for place in places {
            list.add_partition(&place.0, place.1);
            self.intake.partitions.held.free(place);
        }
        self.tell_held();
        self.consumer.resume(&list).context("read on")
    }

    /// Says what is waited for, if anything.
    pub(super) fn tell_held(&self) {
        match self.intake.partitions.held.reason() {
            Some(reason) => self.ground.status.holds_up(Part::Held, reason),
            None => self.ground.status.goes_on(Part::Held),
        }
    }

    /// Tries again what is held, unless Kafka says that it would be in vain.
    pub(super) fn try_held(&mut self) -> anyhow::Result<()> {
        if !self.intake.partitions.held.is_due(clock::now()) {
            return Ok(());
        }
        let topics = self.intake.partitions.held.topics();
        let blocked = self.writer.obstacles(topics.iter().map(|topic| &**topic));
        let Some(blocked) = blocked else {
            return Ok(());
        };
        let blocked = blocked
            .into_iter()
            .map(|(topic, _)| Arc::from(topic))
            .collect();
        for underway in self.intake.partitions.held.take_but(&blocked) {
            self.deliver(underway)?;
        }
        Ok(())
    }
}

fn list(portion: &Portion) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(&portion.topic, portion.partition);
    list
}

/// As which error it is told.
fn code(refused: Refused) -> RDKafkaErrorCode {
    match refused {
        Refused::TooLarge => RDKafkaErrorCode::MessageSizeTooLarge,
        Refused::Timestamp => RDKafkaErrorCode::InvalidTimestamp,
        Refused::Record => RDKafkaErrorCode::InvalidRecord,
    }
}
