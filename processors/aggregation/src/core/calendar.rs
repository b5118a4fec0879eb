use footfall_streams::{Calendar, Span, Window, hours};
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Weekday},
    tz::TimeZone,
};

/// Days, weeks or months of a time zone, after the rules that this program was built with, so that
/// the same records give the same windows on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonedCalendar {
    unit: Unit,
    zone: TimeZone,
    zone_name: String,
}

/// How long the periods of a calendar are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// From midnight to midnight: 23, 24 or 25 hours in most zones.
    Day,
    /// From Monday to Monday, as ISO 8601 has it.
    Week,
    /// From the first to the first.
    Month,
}

impl ZonedCalendar {
    /// The calendar of a zone of the IANA database, e.g. `Asia/Seoul`; `None` when there is none
    /// of that name.
    #[must_use]
    pub fn new(unit: Unit, zone_name: &str) -> Option<Self> {
        Some(Self {
            unit,
            zone: TimeZone::get(zone_name).ok()?,
            zone_name: zone_name.to_owned(),
        })
    }

    fn first_date(&self, date: Date) -> Date {
        match self.unit {
            Unit::Day => date,
            Unit::Week => {
                let days = date.weekday().since(Weekday::Monday);
                date.saturating_sub(i64::from(days).days())
            }
            Unit::Month => date.first_of_month(),
        }
    }

    fn next_date(&self, first: Date) -> Date {
        first.saturating_add(match self.unit {
            Unit::Day => 1.day(),
            Unit::Week => 1.week(),
            Unit::Month => 1.month(),
        })
    }

    /// When a date begins; where clocks are put forward at midnight, that is later. `None` where
    /// the calendar ends, in 9999.
    fn begin(&self, date: Date) -> Option<i64> {
        let midnight = self.zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(midnight.as_millisecond())
    }
}

impl Calendar for ZonedCalendar {
    fn name(&self) -> String {
        let units = match self.unit {
            Unit::Day => "days",
            Unit::Week => "weeks",
            Unit::Month => "months",
        };
        format!("{units} in {}", self.zone_name)
    }

    fn period(&self, time: i64) -> Window {
        let instant = Timestamp::from_millisecond(time).unwrap_or(if time < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        });
        let first = self.first_date(self.zone.to_datetime(instant).date());
        let next = self.next_date(first);
        Window {
            start: self.begin(first).unwrap_or(i64::MIN),
            end: self
                .begin(next)
                .filter(|end| *end > time)
                .unwrap_or(i64::MAX),
        }
    }

    fn longest(&self) -> Span {
        // Clocks are put back once within a period, by an hour at most.
        hours(match self.unit {
            Unit::Day => 25,
            Unit::Week => 7 * 24 + 1,
            Unit::Month => 31 * 24 + 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[track_caller]
    fn check(unit: Unit, zone: &str, time: &str, start: &str, end: &str) {
        let found = ZonedCalendar::new(unit, zone).unwrap().period(millis(time));
        let expected = Window {
            start: millis(start),
            end: millis(end),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_day_is_that_of_the_time_zone() {
        let (start, end) = ("2025-11-24T15:00:00Z", "2025-11-25T15:00:00Z");
        check(Unit::Day, "Asia/Seoul", start, start, end);
        check(
            Unit::Day,
            "Asia/Seoul",
            "2025-11-25T14:59:59.999Z",
            start,
            end,
        );
    }

    #[test]
    fn a_day_has_25_hours_when_clocks_are_put_back_and_23_when_they_are_put_forward() {
        let berlin = "Europe/Berlin";
        let (start, end) = ("2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z");
        check(Unit::Day, berlin, "2025-10-26T01:30:00Z", start, end);
        let (start, end) = ("2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z");
        check(Unit::Day, berlin, "2025-03-30T01:30:00Z", start, end);
    }

    #[test]
    fn a_week_begins_on_monday_and_a_month_on_its_first() {
        let (start, end) = ("2025-11-23T23:00:00Z", "2025-11-30T23:00:00Z");
        check(
            Unit::Week,
            "Europe/Berlin",
            "2025-11-30T22:59:00Z",
            start,
            end,
        );
        let (start, end) = ("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
        check(Unit::Month, "UTC", "2024-02-29T12:00:00Z", start, end);
    }

    #[test]
    fn an_unknown_zone_is_none() {
        assert_eq!(ZonedCalendar::new(Unit::Day, "Europe/Atlantis"), None);
    }

    proptest! {
        #[test]
        fn every_instant_is_in_one_period_and_the_next_begins_where_it_ends(
            time in any::<i64>(), near in 0..4_000_000_000_000_i64, unit in 0..3_usize, zone in 0..4_usize,
        ) {
            let unit = [Unit::Day, Unit::Week, Unit::Month][unit];
            let zone = ["America/Sao_Paulo", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia"][zone];
            let calendar = ZonedCalendar::new(unit, zone).unwrap();
            let far = calendar.period(time);
            prop_assert!(far.start <= time && time <= far.end);
            let period = calendar.period(near);
            prop_assert!(period.start <= near && near < period.end);
            prop_assert!(period.end - period.start <= calendar.longest().as_millis());
            prop_assert_eq!(calendar.period(period.start), period);
            prop_assert_eq!(calendar.period(period.end - 1), period);
            prop_assert_eq!(calendar.period(period.end).start, period.end);
        }
    }
}
