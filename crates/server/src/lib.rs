//! Stub.

pub mod pages;
