//! Records that Kafka has not taken, and what that means.

use footfall_task::Refused;
use rdkafka::error::RDKafkaErrorCode;

/// One record that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its place among what was to be written.
    pub(crate) index: usize,
    pub(crate) code: RDKafkaErrorCode,
    /// Whether it alone can be meant. Kafka refuses a batch as a whole, whichever record of it is
    /// at fault, or none of them but all together.
    pub(crate) is_certain: bool,
}

/// What is to be done about a record that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It would not be taken however often it is tried.
    Refused(Refused),
    /// It shares the fate of others.
    Innocent,
    /// Its topic takes no records at the moment.
    Waits,
}

impl Failure {
    pub(crate) fn verdict(&self) -> Verdict {
        verdict(self.code)
    }
}

/// What an error means for its record. All that is neither about the record nor about others is
/// about the topic, the client's rights, or the brokers: that may be mended, and then it is taken.
pub(crate) fn verdict(code: RDKafkaErrorCode) -> Verdict {
    use RDKafkaErrorCode as Code;
    const BY_RECORD: [(Code, Refused); 7] = [
        // The client's own limit and the topic's.
        (Code::MessageSizeTooLarge, Refused::TooLarge),
        (Code::InvalidMessageSize, Refused::TooLarge),
        // Larger than a segment of the topic.
        (Code::MessageBatchTooLarge, Refused::TooLarge),
        (Code::InvalidTimestamp, Refused::Timestamp),
        (Code::InvalidRecord, Refused::Record),
        (Code::InvalidMessage, Refused::Record),
        (Code::UnsupportedForMessageFormat, Refused::Record),
    ];
    const BY_OTHERS: [Code; 6] = [
        Code::InvalidDifferentRecord,
        Code::PurgeQueue,
        Code::PurgeInflight,
        Code::State,
        Code::Retry,
        Code::OperationNotAttempted,
    ];
    if let Some((_, refused)) = BY_RECORD.iter().find(|(known, _)| *known == code) {
        Verdict::Refused(*refused)
    } else if BY_OTHERS.contains(&code) {
        Verdict::Innocent
    } else {
        Verdict::Waits
    }
}

/// Says of what was refused together whether one record alone can be meant.
pub(super) fn convict(failures: &mut [Failure]) {
    let is_refused = |failure: &Failure| matches!(failure.verdict(), Verdict::Refused(_));
    let is_alone = failures
        .iter()
        .filter(|failure| is_refused(failure))
        .count()
        == 1;
    for failure in failures {
        failure.is_certain = match failure.verdict() {
            Verdict::Refused(_) => is_alone,
            Verdict::Innocent | Verdict::Waits => true,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(codes: &[RDKafkaErrorCode]) -> Vec<Failure> {
        let failures = codes.iter().enumerate();
        let failures = failures.map(|(index, code)| Failure {
            index,
            code: *code,
            is_certain: false,
        });
        failures.collect()
    }

    #[test]
    fn a_record_is_refused_for_its_size_its_time_or_its_form_and_waits_for_all_else() {
        use RDKafkaErrorCode as Code;
        for (code, expected) in [
            (
                Code::MessageSizeTooLarge,
                Verdict::Refused(Refused::TooLarge),
            ),
            (
                Code::MessageBatchTooLarge,
                Verdict::Refused(Refused::TooLarge),
            ),
            (Code::InvalidTimestamp, Verdict::Refused(Refused::Timestamp)),
            (Code::InvalidRecord, Verdict::Refused(Refused::Record)),
            (Code::InvalidDifferentRecord, Verdict::Innocent),
            (Code::PurgeQueue, Verdict::Innocent),
            (Code::TopicAuthorizationFailed, Verdict::Waits),
            (Code::UnknownTopicOrPartition, Verdict::Waits),
            (Code::UnknownTopic, Verdict::Waits),
            (Code::MessageTimedOut, Verdict::Waits),
            (Code::NotEnoughReplicas, Verdict::Waits),
            (Code::PolicyViolation, Verdict::Waits),
        ] {
            assert_eq!(verdict(code), expected, "{code:?}");
        }
    }

    #[test]
    fn one_record_among_innocent_ones_is_convicted_and_two_are_suspects() {
        use RDKafkaErrorCode as Code;
        let mut one = failures(&[Code::InvalidDifferentRecord, Code::InvalidTimestamp]);
        convict(&mut one);
        assert!(one[1].is_certain);
        let mut two = failures(&[Code::MessageSizeTooLarge, Code::MessageSizeTooLarge]);
        convict(&mut two);
        assert!(two.iter().all(|failure| !failure.is_certain));
    }
}
