//! CEL's timestamps and durations.

use super::{Nothing, function::Part};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Reads a duration such as `1h30m`, `-1.5s` or `250ms`.
pub(super) fn duration(text: &str) -> Result<SignedDuration, Nothing> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut rest = unsigned;
    let mut nanos = 0_i128;
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(Nothing);
    }
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.');
        let (number, behind) = rest.split_at(digits.ok_or(Nothing)?);
        let unit = behind.find(|char: char| char.is_ascii_digit() || char == '.');
        let (unit, behind) = behind.split_at(unit.unwrap_or(behind.len()));
        nanos = nanos.checked_add(part(number, unit)?).ok_or(Nothing)?;
        rest = behind;
    }
    if text.starts_with('-') {
        nanos = -nanos;
    }
    SignedDuration::try_from_nanos_i128(nanos).ok_or(Nothing)
}

fn part(number: &str, unit: &str) -> Result<i128, Nothing> {
    let unit: i128 = match unit {
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "µs" | "μs" => 1_000,
        "ns" => 1,
        _ => return Err(Nothing),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(Nothing);
    }
    let read = |digits: &str| match digits {
        "" => Ok(0),
        digits => digits.parse::<i128>().map_err(|_| Nothing),
    };
    // A nanosecond is the least that there is.
    let fraction = fraction.get(..15).unwrap_or(fraction);
    let places = u32::try_from(fraction.len()).map_err(|_| Nothing)?;
    let whole = read(whole)?.checked_mul(unit).ok_or(Nothing)?;
    let behind = read(fraction)?.checked_mul(unit).ok_or(Nothing)? / 10_i128.pow(places);
    whole.checked_add(behind).ok_or(Nothing)
}

/// As JSON and `string()` have it: seconds, with as many digits behind the point as are needed.
pub(super) fn written(duration: SignedDuration) -> String {
    let nanos = duration.as_nanos();
    let (seconds, behind) = (
        nanos.unsigned_abs() / 1_000_000_000,
        nanos.unsigned_abs() % 1_000_000_000,
    );
    let sign = if nanos < 0 { "-" } else { "" };
    if behind == 0 {
        return format!("{sign}{seconds}s");
    }
    let behind = format!("{behind:09}");
    format!("{sign}{seconds}.{}s", behind.trim_end_matches('0'))
}

/// A part of a time in a time zone: an IANA name, or a distance from UTC such as `+05:30`.
pub(super) fn part_of(part: Part, time: Timestamp, zone: Option<&str>) -> Result<i128, Nothing> {
    let zone = zone.map_or(Ok(TimeZone::UTC), time_zone)?;
    let time = zone.to_datetime(time);
    Ok(match part {
        Part::FullYear => time.year().into(),
        Part::Month => i128::from(time.month()) - 1,
        Part::DayOfYear => i128::from(time.day_of_year()) - 1,
        Part::DayOfMonth => i128::from(time.day()) - 1,
        Part::Date => time.day().into(),
        Part::DayOfWeek => time.weekday().to_sunday_zero_offset().into(),
        Part::Hours => time.hour().into(),
        Part::Minutes => time.minute().into(),
        Part::Seconds => time.second().into(),
        Part::Milliseconds => time.millisecond().into(),
    })
}

/// A duration as a whole, in these units.
pub(super) fn whole_of(part: Part, duration: SignedDuration) -> Result<i128, Nothing> {
    let nanos = duration.as_nanos();
    Ok(match part {
        Part::Hours => nanos / 3_600_000_000_000,
        Part::Minutes => nanos / 60_000_000_000,
        Part::Seconds => nanos / 1_000_000_000,
        // The part below a second, as CEL has it.
        Part::Milliseconds => nanos % 1_000_000_000 / 1_000_000,
        Part::FullYear
        | Part::Month
        | Part::DayOfYear
        | Part::DayOfMonth
        | Part::Date
        | Part::DayOfWeek => return Err(Nothing),
    })
}

pub(super) fn time_zone(name: &str) -> Result<TimeZone, Nothing> {
    let unsigned = name.strip_prefix(['-', '+']).unwrap_or(name);
    let Some((hours, minutes)) = unsigned.split_once(':') else {
        return TimeZone::get(name).map_err(|_| Nothing);
    };
    let read = |digits: &str, most: i32| {
        let number = digits.parse().ok().filter(|_| digits.len() == 2);
        number
            .filter(|number| (0..=most).contains(number))
            .ok_or(Nothing)
    };
    let seconds = read(hours, 23)? * 3_600 + read(minutes, 59)? * 60;
    let seconds = if name.starts_with('-') {
        -seconds
    } else {
        seconds
    };
    let offset = jiff::tz::Offset::from_seconds(seconds).map_err(|_| Nothing)?;
    Ok(TimeZone::fixed(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in [
            ("1h30m", 5_400_000),
            ("-1.5s", -1_500),
            ("+250ms", 250),
            ("0", 0),
            (".5m", 30_000),
            ("1h0m0.25s", 3_600_250),
        ] {
            assert_eq!(
                duration(text),
                Ok(SignedDuration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            "5",
            "5 minutes",
            "1d",
            "1.2.3s",
            "h",
            "9999999999999999999h",
        ] {
            assert_eq!(duration(text), Err(Nothing), "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_in_seconds() {
        assert_eq!(written(SignedDuration::from_millis(90_000)), "90s");
        assert_eq!(written(SignedDuration::from_millis(-1_500)), "-1.5s");
    }

    #[test]
    fn time_zones_are_names_or_distances() {
        let midnight = Timestamp::from_second(1_764_547_200).unwrap();
        let hours = |zone| part_of(Part::Hours, midnight, Some(zone));
        assert_eq!(hours("Asia/Seoul"), Ok(9));
        assert_eq!(hours("-02:30"), Ok(21));
        assert_eq!(hours("Asia/Atlantis"), Err(Nothing));
        assert_eq!(hours("+2:00"), Err(Nothing));
    }
}
