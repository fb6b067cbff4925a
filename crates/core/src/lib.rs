//! Every protocol rule as a pure function.

pub mod authorize;
pub mod change;
pub mod context;
pub mod ids;
pub mod records;
