//! From `window = { … }` to windows.

use super::{WindowTable, stream::StreamReader};
use crate::core::ZonedCalendar;
use footfall_streams::{CalendarWindows, TimeWindows, WindowError, Windows, millis};

impl StreamReader<'_> {
    /// The windows, if nothing is wrong with them.
    pub(super) fn windows(&mut self) -> Option<Windows> {
        let window = &self.table.window;
        match (window.size, window.calendar) {
            (Some(size), None) => self.steps(window, size),
            (None, Some(unit)) => self.calendar(window, unit),
            (Some(_), Some(_)) => {
                self.problem("window.calendar", "either `size` or `calendar`", "both");
                None
            }
            (None, None) => {
                self.problem("window.size", "either `size` or `calendar`", "nothing");
                None
            }
        }
    }

    fn steps(&mut self, window: &WindowTable, size: i64) -> Option<Windows> {
        if let Some(zone) = &window.time_zone {
            let expected = "nothing without `calendar`; a size is the same in every time zone";
            self.problem("window.time_zone", expected, &format!("`{zone}`"));
        }
        let windows = TimeWindows::of(millis(size));
        let windows = window
            .advance
            .map_or(windows, |advance| windows.advance_by(millis(advance)));
        let windows = windows.offset_by(millis(window.offset.unwrap_or(0)));
        self.checked(windows.grace(millis(window.grace)))
    }

    fn calendar(&mut self, window: &WindowTable, unit: crate::core::Unit) -> Option<Windows> {
        for (key, given) in [("advance", window.advance), ("offset", window.offset)] {
            if let Some(given) = given {
                let key = format!("window.{key}");
                let expected = "nothing with `calendar`, whose windows begin where others end";
                self.problem(&key, expected, &format!("`{}`", millis(given)));
            }
        }
        let zone = window.time_zone.as_deref().unwrap_or("UTC");
        let Some(calendar) = ZonedCalendar::new(unit, zone) else {
            let expected = "the IANA name of a time zone, such as `Asia/Seoul`";
            self.problem("window.time_zone", expected, &format!("`{zone}`"));
            return None;
        };
        self.checked(CalendarWindows::of(calendar).grace(millis(window.grace)))
    }

    fn checked(&mut self, windows: Result<Windows, WindowError>) -> Option<Windows> {
        let error = match windows {
            Ok(windows) => return Some(windows),
            Err(error) => error,
        };
        let (key, expected, found) = match error {
            WindowError::Size { size } => ("window.size", "more than `0ms`".into(), size),
            WindowError::Advance { advance } => {
                ("window.advance", "more than `0ms`".into(), advance)
            }
            WindowError::Gap { size, advance } => {
                let expected = format!("up to the window's size of `{}`", millis(size));
                ("window.advance", expected, advance)
            }
            WindowError::Grace { grace } => ("window.grace", "`0ms` or more".into(), grace),
        };
        self.problem(key, &expected, &format!("`{}`", millis(found)));
        None
    }
}
