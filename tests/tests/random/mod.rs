//! Random cases at each level.

use normkit_tests::at_each_level;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// Runs `property` on `cases` random values at each level. A failure is shrunk and printed with its level.
pub fn for_all<S: Strategy>(name: &str, cases: u32, strategy: &S, property: impl Fn(S::Value)) {
    at_each_level(name, |level| {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(strategy, |value| {
            property(value);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{name} at {level}: {failure}");
        }
    });
}
