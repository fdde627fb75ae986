//! What kernels leave out where nothing is optimized.
//!
//! Most of a kernel is there for its speed alone: rows that are taken together, stores past the caches, several vectors an iteration where
//! they do not go into one sum. Results do not depend on it. Without optimization all of it would be far slower than plain code anyway, and
//! would still have to be compiled. So this crate's own profile decides (its build script sets `unoptimized` at `opt-level = 0`), and with it,
//! whether the vector vocabulary is compiled into the crates that use it, or only here. (With all of it in each crate, one layer added 1.3
//! times as much to an unoptimized build.)

/// `where_optimized! { [faster] rest }`: `faster` and then `rest`, or `rest` alone where this crate is not optimized. Whichever it is,
/// computes the same bits.
#[doc(hidden)]
#[cfg(not(unoptimized))]
#[macro_export]
macro_rules! where_optimized {
    ([$($faster:tt)*] $($rest:tt)*) => { $($faster)* $($rest)* };
}

#[doc(hidden)]
#[cfg(unoptimized)]
#[macro_export]
macro_rules! where_optimized {
    ([$($faster:tt)*] $($rest:tt)*) => { $($rest)* };
}
