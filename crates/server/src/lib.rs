//! Stub.

pub mod demo;
pub mod pages;
