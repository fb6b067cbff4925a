//! Enums whose every variant states a stable code and a text beside its name.

/// Declares such an enum. The text is the variant's `Display`, may use its fields, and is safe to show.
macro_rules! coded {
    ($(#[$meta:meta])* $type:ident {
        $($variant:ident $({ $($field:ident : $ftype:ty),+ $(,)? })? = $code:literal, $text:literal;)+
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

            /// Every code with its text.
            pub const TABLE: &'static [(&'static str, &'static str)] = &[$(($code, $text)),+];
        }
    };
}

pub(crate) use coded;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::client_policy::{Advice, Contradiction, NoKey, UriProblem};
    use crate::provision::Refusal;

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
}
