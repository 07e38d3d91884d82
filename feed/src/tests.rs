//! The feed's tests: its rules one by one, and all of them at once against a naive model.
//!
//! They stand inside the crate because the model also counts what the logs really keep.

mod model;
mod rules;
