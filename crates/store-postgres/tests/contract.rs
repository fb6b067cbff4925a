//! The contract suite. `scripts/test` provides the server.

mod support;

use support::open;

signet_store::contract_tests!(open);
