//! The unit tests of `src/argument.rs`, without what compiles long.

#![allow(dead_code)]

#[path = "../src/argument.rs"]
mod argument;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/kept.rs"]
mod kept;
#[path = "../src/scalar.rs"]
mod scalar;
