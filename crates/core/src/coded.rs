//! Enums whose every variant states a stable code and a text beside its name.

/// Declares such an enum. The text is the variant's `Display`, may use its fields, and is safe to show. After `at` stands
/// where in what was sent the cause may be; that may use the fields too.
macro_rules! coded {
    ($(#[$meta:meta])* $type:ident {
        $($variant:ident $({ $($field:ident : $ftype:ty),+ $(,)? })? = $code:literal, $text:literal $(, at $pointers:expr)?;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum $type {
            $(
                #[doc = concat!("`", $code, "`: ``", $text, "``")]
                #[error($text)]
                $variant $({ $(#[doc = concat!("The ", stringify!($field), ".")] $field: $ftype),+ })?,
            )+
        }

        impl $type {
            /// The stable code, for tests, audit and documentation.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),+ })? => $code,)+ }
            }

            /// Where in what was sent the cause may stand, the likeliest first: JSON pointers (RFC 6901). They begin with a
            /// member of what was sent; where one thing can be sent in several ways, there is one for each.
            pub fn pointers(&self) -> Vec<String> {
                match self { $(Self::$variant $({ $($field),+ })? => {
                    $(let _ = ($($field,)+);)?
                    $crate::coded::pointers!($($pointers)?)
                })+ }
            }

            /// Every code with its text.
            pub const TABLE: &'static [(&'static str, &'static str)] = &[$(($code, $text)),+];

            /// Every code with how its pointers are written.
            #[cfg(test)]
            pub(crate) const PLACES: &'static [(&'static str, &'static str)] =
                &[$(($code, concat!("" $(, stringify!($pointers))?))),+];
        }
    };
}

macro_rules! pointers {
    () => {
        Vec::new()
    };
    ($pointers:expr) => {
        Vec::from($pointers)
    };
}

pub(crate) use {coded, pointers};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::client_policy::{Advice, Contradiction, NoKey, UriProblem};
    use crate::provision::Refusal;
    use crate::setting::Setting;
    use crate::tenant_health::Warning;

    #[test]
    fn codes_are_unique_and_lower_case() {
        let tables = [
            Contradiction::TABLE,
            Advice::TABLE,
            NoKey::TABLE,
            UriProblem::TABLE,
            Refusal::TABLE,
            crate::tenant_health::Warning::TABLE,
        ];
        let codes: Vec<_> = tables.into_iter().flatten().map(|(code, _)| *code).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        for code in codes {
            assert!(
                code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{code}"
            );
        }
    }

    #[test]
    fn pointers_lead_to_settings_that_there_are() {
        let tables = [
            Contradiction::PLACES,
            Advice::PLACES,
            NoKey::PLACES,
            UriProblem::PLACES,
            Refusal::PLACES,
            Warning::PLACES,
        ];
        for (code, places) in tables.into_iter().flatten() {
            for path in places.split("of_setting(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                // Nobody chooses where records came from, so that is in no form.
                assert!(path == "development" || Setting::of(path).is_some(), "{code}: {path}");
            }
        }
        for (code, places) in Contradiction::PLACES {
            assert!(!places.is_empty(), "{code} leads nowhere");
        }
    }
}
