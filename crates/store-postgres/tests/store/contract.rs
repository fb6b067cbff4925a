//! The contract suite.

use super::support::open;

signet_store::contract_tests!(open);
