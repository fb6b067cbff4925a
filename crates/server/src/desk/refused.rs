//! Why something was not done at the desk.

use signet_core::change::Conflict;
use signet_core::fault::Fault;
use signet_core::provision::Refusal;
use signet_store::StoreError;

use crate::app::store_fault;
use crate::provisioning::ProvisioningError;
use crate::tenant_keys::KeysError;

/// Why something was not done. Nothing was written.
#[derive(Clone, Debug)]
pub enum Refused {
    /// Not allowed, busy, or out of order.
    Fault(Fault),
    /// What was sent cannot work; all that is wrong at once.
    Invalid(Vec<Refusal>),
    /// What was sent cannot be read at all.
    Malformed {
        /// Where (RFC 6901).
        pointer: String,
        /// What is wrong.
        detail: String,
    },
    /// One part of a declaration was refused, and with it the whole.
    Part {
        /// Which part (RFC 6901).
        pointer: String,
        /// Why.
        refused: Box<Refused>,
    },
    /// There is none of this name, or none that this actor may see.
    NotFound,
    /// Somebody else changed the record since it was read.
    Stale {
        /// The version that is stored now.
        current: i64,
    },
    /// A change of a record that did not say which version was seen.
    VersionMissing,
    /// There is one of this name already.
    Exists,
    /// The idempotency key was used for another request.
    KeyReused,
}

impl Refused {
    /// The refusal of a creation: what appeared at the same moment has the name already.
    pub(super) fn of_new(self) -> Self {
        match self {
            Self::Stale { .. } => Self::Exists,
            other => other,
        }
    }
}

impl Refused {
    /// Says of which part of a declaration it is.
    pub(super) fn of_part(self, pointer: &str) -> Self {
        Self::Part { pointer: pointer.to_owned(), refused: Box::new(self) }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Conflict::Exists) => Self::Exists,
            StoreError::Conflict(Conflict::Receipt) => Self::KeyReused,
            StoreError::Conflict(Conflict::Missing) => Self::NotFound,
            other => Self::Fault(store_fault(other)),
        }
    }
}

impl From<KeysError> for Refused {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            KeysError::Generation(_) => Fault::Internal { detail: "a key could not be generated" }.into(),
        }
    }
}

impl From<ProvisioningError> for Refused {
    fn from(error: ProvisioningError) -> Self {
        match error {
            ProvisioningError::Refused(refusals) => Self::Invalid(refusals),
            ProvisioningError::Store(error) => error.into(),
            ProvisioningError::Stale { current } => Self::Stale { current },
            ProvisioningError::Hashing => Fault::Busy.into(),
        }
    }
}
