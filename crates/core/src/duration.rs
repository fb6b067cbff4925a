//! Durations in words.

/// Seconds in their largest whole unit; for figures that somebody chose.
pub fn exactly(seconds: i64) -> String {
    let (count, unit) = match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => (s / 86_400, "day"),
        s if s >= 3_600 && s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s >= 60 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Seconds as people say them, to about a half; for times between two instants, whichever came first.
pub fn roughly(seconds: i64) -> String {
    match seconds.abs() {
        few @ 0..120 => format!("{few} seconds"),
        some @ 120..7_200 => format!("{} minutes", some / 60),
        more @ 7_200..172_800 => format!("{} hours", more / 3_600),
        many => format!("{} days", many / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_in_whole_units_and_times_as_people_say_them() {
        for (seconds, exact, rough) in [
            (0, "0 seconds", "0 seconds"),
            (60, "1 minute", "60 seconds"),
            (90, "90 seconds", "90 seconds"),
            (1_800, "30 minutes", "30 minutes"),
            (3_601, "3601 seconds", "60 minutes"),
            (3_600, "1 hour", "60 minutes"),
            (86_400, "1 day", "24 hours"),
            (604_800, "7 days", "7 days"),
        ] {
            assert_eq!((exactly(seconds).as_str(), roughly(-seconds).as_str()), (exact, rough));
        }
    }
}
