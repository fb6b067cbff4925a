//! Why something could not be fetched. The texts are for the log; [`FetchFault::told`] has what others may know of it.

/// Declares the enum; each variant states its reason code and its text in one line.
macro_rules! faults {
    ($($variant:ident $({ $($field:ident : $ty:ty),+ })? = $code:literal, $text:literal;)+) => {
        /// Why something could not be fetched.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum FetchFault {
            $(
                #[doc = concat!("`", $code, "`: ``", $text, "``")]
                #[error($text)]
                $variant $({ $(#[doc = concat!("The ", stringify!($field), ".")] $field: $ty),+ })?,
            )+
        }

        impl FetchFault {
            /// The stable reason code, for audit, logs and tests.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),+ })? => $code,)+ }
            }
        }
    };
}

faults! {
    Malformed = "fetch_url_malformed", "the address is not a URL with a host";
    NotHttps = "fetch_not_https", "the address is not https";
    UserInfo = "fetch_user_info", "the address carries a user name or password";
    Busy = "fetch_busy", "too many fetches are under way";
    HostBusy = "fetch_host_busy", "too many fetches from this host are under way";
    Unresolved = "fetch_unresolved", "the host has no address";
    AddressForbidden { kind: &'static str } = "fetch_address_forbidden", "the host has an address that must not be connected to ({kind})";
    Unreachable = "fetch_unreachable", "the host does not accept connections";
    Tls = "fetch_tls", "the host has no TLS with a certificate that is trusted for its name";
    Timeout = "fetch_timeout", "the host did not answer in time";
    Protocol = "fetch_protocol", "the answer is not well-formed HTTP, or was cut off";
    Redirected { status: u16 } = "fetch_redirected", "the answer is a redirect ({status}); redirects are not followed";
    Status { status: u16 } = "fetch_status", "the answer has the status {status}";
    ContentType = "fetch_content_type", "the answer has another content type than what was asked for";
    Encoded = "fetch_encoded", "the answer has a content encoding that was not asked for";
    TooLarge { limit: usize } = "fetch_too_large", "the answer is larger than {limit} bytes";
}

impl FetchFault {
    /// Code and text for whoever named the address. Whether a name has no address or a forbidden one, and of which kind,
    /// would tell them which names there are inside of the provider's network: both are one.
    pub fn told(&self) -> (&'static str, String) {
        match self {
            Self::Unresolved | Self::AddressForbidden { .. } => {
                ("fetch_host_unusable", "the host has no address that may be connected to".to_owned())
            }
            other => (other.code(), other.to_string()),
        }
    }
}
