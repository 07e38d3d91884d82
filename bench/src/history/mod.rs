//! `bench history`.

pub mod table;
pub mod talk;
