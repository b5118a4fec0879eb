//! From `window = { … }` to windows.

use super::{WindowTable, stream::StreamReader};
use crate::core::ZonedCalendar;
use footfall_streams::{
    CalendarWindows, SessionWindows, TimeWindows, WindowError, Windows, millis,
};

impl StreamReader<'_> {
    /// The windows, if nothing is wrong with them.
    pub(super) fn windows(&mut self) -> Option<Windows> {
        let window = &self.table.window;
        let expected = "one of `size`, `calendar` and `gap`";
        match (window.size, window.calendar, window.gap) {
            (Some(size), None, None) => self.steps(window, size),
            (None, Some(unit), None) => self.calendar(window, unit),
            (None, None, Some(gap)) => self.sessions(window, gap),
            (None, None, None) => {
                self.problem("window", expected, "none of them");
                None
            }
            _ => {
                self.problem("window", expected, "more than one");
                None
            }
        }
    }

    fn steps(&mut self, window: &WindowTable, size: i64) -> Option<Windows> {
        self.refuse_time_zone(window);
        let windows = TimeWindows::of(millis(size));
        let windows = window
            .advance
            .map_or(windows, |advance| windows.advance_by(millis(advance)));
        let windows = windows.offset_by(millis(window.offset.unwrap_or(0)));
        self.checked(windows.grace(millis(window.grace)))
    }

    fn calendar(&mut self, window: &WindowTable, unit: crate::core::Unit) -> Option<Windows> {
        self.refuse_steps(window, "calendar");
        let zone = window.time_zone.as_deref().unwrap_or("UTC");
        let Some(calendar) = ZonedCalendar::new(unit, zone) else {
            let expected = "the IANA name of a time zone, such as `Asia/Seoul`";
            self.problem("window.time_zone", expected, &format!("`{zone}`"));
            return None;
        };
        self.checked(CalendarWindows::of(calendar).grace(millis(window.grace)))
    }

    fn sessions(&mut self, window: &WindowTable, gap: i64) -> Option<Windows> {
        self.refuse_steps(window, "gap");
        self.refuse_time_zone(window);
        self.checked(SessionWindows::with_gap(millis(gap)).grace(millis(window.grace)))
    }

    fn refuse_steps(&mut self, window: &WindowTable, given: &str) {
        for (key, found) in [("advance", window.advance), ("offset", window.offset)] {
            if let Some(found) = found {
                let key = format!("window.{key}");
                let expected =
                    format!("nothing with `{given}`, whose windows do not begin in steps");
                self.problem(&key, &expected, &format!("`{}`", millis(found)));
            }
        }
    }

    fn refuse_time_zone(&mut self, window: &WindowTable) {
        if let Some(zone) = &window.time_zone {
            let expected =
                "nothing without `calendar`; other windows are the same in every time zone";
            self.problem("window.time_zone", expected, &format!("`{zone}`"));
        }
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
            WindowError::SessionGap { gap } => ("window.gap", "more than `0ms`".into(), gap),
            WindowError::Grace { grace } => ("window.grace", "`0ms` or more".into(), grace),
        };
        self.problem(key, &expected, &format!("`{}`", millis(found)));
        None
    }
}
