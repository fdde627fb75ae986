//! Instance and group norm against the f64 oracle: both layouts, both types, all affine forms, all levels, sizes that cross the
//! edges of every tile.

// Of what tests need, lints warn; this silences them.
#![allow(deprecated)]

use normkit_tests::check::{Case, Check, check_all};
use normkit_tests::open::{self, Open};
use normkit_tests::{Kernel, Sets, at_each_level, kernel};

/// `N` and these sizes, the channels along `axis`.
macro_rules! instance {
    ($($t:ident ($($form:ident)*) [$($dim:literal),*] $axis:literal $(, affine = $affine:ident)?;)*) => {
        vec![$(boxed(
            kernel!($t, $($form)*; kind = "instance", shape = [_, $($dim),*], axis = $axis $(, affine = $affine)?),
            |axis, _| Sets::Instance { axis },
            &[$($dim),*],
            $axis,
            1,
        )),*]
    };
}

/// The same, in `groups` parts.
macro_rules! group {
    ($($t:ident ($($form:ident)*) [$($dim:literal),*] $axis:literal / $groups:literal $(, affine = $affine:ident)?;)*) => {
        vec![$(boxed(
            kernel!(
                $t, $($form)*;
                kind = "group", shape = [_, $($dim),*], axis = $axis, groups = $groups $(, affine = $affine)?
            ),
            |axis, groups| Sets::Groups { axis, groups },
            &[$($dim),*],
            $axis,
            $groups,
        )),*]
    };
}

struct Owned<T: normkit::Compute> {
    kernel: Kernel<T>,
    sets: Sets,
    rest: Vec<usize>,
}

impl<T: normkit::Compute> Check for Owned<T> {
    fn check(&self, n: usize, level: normkit::Level) {
        Case { kernel: &self.kernel, sets: self.sets, rest: self.rest.clone() }.check(n, level);
    }
    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

fn boxed<T: normkit::Compute>(
    kernel: Kernel<T>,
    sets: fn(usize, usize) -> Sets,
    rest: &[usize],
    axis: isize,
    groups: usize,
) -> Box<dyn Check> {
    let axis = usize::try_from(axis).unwrap_or(rest.len());
    Box::new(Owned { kernel, sets: sets(axis, groups), rest: rest.to_vec() })
}

#[test]
fn instances_of_fixed_planes() {
    let cases = instance! {
        f32 (weight bias) [3, 1] 1;
        f32 (weight bias) [3, 2] 1;
        f32 (weight bias) [5, 7, 7] 1;
        f32 (weight bias) [3, 16] 1;
        f32 (weight bias) [4, 33] 1;
        f32 (weight bias) [2, 5, 5, 5] 1;
        f32 (weight bias) [3, 14, 14] 1;
        f32 (weight bias) [2, 1000] 1;
        f32 (weight) [3, 65] 1, affine = weight;
        f32 () [3, 129] 1, affine = false;
        f64 (weight bias) [3, 7, 7] 1;
    };
    check_all("instances", &cases, &[0, 1, 2, 3]);
    let images: Vec<Box<dyn Check>> = instance!(f32 (weight bias) [2, 56, 56] 1;);
    check_all("instances of images", &images, &[1, 2]);
}

#[test]
fn instances_with_the_channels_last() {
    let cases = instance! {
        f32 (weight bias) [49, 1] -1;
        f32 (weight bias) [7, 7, 3] -1;
        f32 (weight bias) [1, 16] -1;
        f32 (weight bias) [5, 17] -1;
        f32 (weight bias) [14, 14, 33] -1;
        f32 (weight bias) [3, 3, 3, 64] -1;
        f32 (weight) [31, 100] -1, affine = weight;
        f32 () [17, 129] -1, affine = false;
        f64 (weight bias) [33, 17] -1;
    };
    check_all("instances, channels last", &cases, &[0, 1, 2, 3]);
}

#[test]
fn groups_of_fixed_planes() {
    let cases = group! {
        f32 (weight bias) [16, 1] 1 / 4;
        f32 (weight bias) [3, 2] 1 / 3;
        f32 (weight bias) [5, 17] 1 / 1;
        f32 (weight bias) [32, 7, 7] 1 / 8;
        f32 (weight bias) [6, 5, 5, 5] 1 / 3;
        f32 (weight bias) [320, 15] 1 / 32;
        f32 (weight) [12, 33] 1 / 4, affine = weight;
        f32 () [12, 64] 1 / 4, affine = false;
        f64 (weight bias) [32, 7, 7] 1 / 8;
    };
    check_all("groups", &cases, &[0, 1, 2, 3]);
}

#[test]
fn groups_with_the_channels_last() {
    let cases = group! {
        f32 (weight bias) [7, 7, 5] -1 / 1;
        f32 (weight bias) [49, 3] -1 / 3;
        f32 (weight bias) [15, 32] -1 / 8;
        f32 (weight bias) [7, 7, 320] -1 / 32;
        f32 (weight bias) [5, 5, 5, 100] -1 / 25;
        f32 (weight) [17, 34] -1 / 2, affine = weight;
        f32 () [31, 129] -1 / 3, affine = false;
        f64 (weight bias) [49, 48] -1 / 3;
    };
    check_all("groups, channels last", &cases, &[0, 1, 2, 3]);
}

const SPATIAL: [usize; 21] = [1, 2, 3, 7, 14, 15, 16, 17, 31, 33, 49, 63, 64, 65, 127, 128, 129, 196, 257, 1000, 3136];
const CHANNELS: [usize; 12] = [1, 3, 5, 16, 17, 31, 32, 33, 64, 100, 128, 129];

/// `[N, channels, spatial]`, or with the channels last, in an order in which `kernel` takes them.
fn sizes(sets: Sets, channels: usize, spatial: usize) -> Vec<usize> {
    match sets {
        Sets::Instance { axis: 2 } | Sets::Groups { axis: 2, .. } => vec![spatial, channels],
        _ => vec![channels, spatial],
    }
}

/// As many channels, or the next number that the groups divide.
fn divided(sets: Sets, channels: usize) -> usize {
    match sets {
        Sets::Groups { groups, .. } => channels.next_multiple_of(groups),
        _ => channels,
    }
}

fn sweep<T: normkit::Compute>(name: &str, kernels: &[Open<T>], spatial: &[usize], channels: &[usize]) {
    at_each_level(name, |level| {
        for Open { kernel, sets, .. } in kernels {
            let check = |channels: usize, spatial: usize, n: usize| {
                let rest = sizes(*sets, divided(*sets, channels), spatial);
                Case { kernel, sets: *sets, rest }.check(n, level);
            };
            for &s in spatial {
                for n in [1, 3] {
                    check(4, s, n);
                }
            }
            for &c in channels {
                for n in [0, 2, 5] {
                    check(c, 9, n);
                    check(c, 49, n);
                }
            }
            check(320, 33, 2);
            check(17, 70, 70);
            // Nothing along the spatial axis.
            check(4, 0, 2);
        }
    });
}

#[test]
fn sizes_at_run_time() {
    sweep("sizes at run time", &open::three_axes(), &SPATIAL, &CHANNELS);
}

#[test]
fn sizes_at_run_time_in_f64() {
    sweep("sizes at run time in f64", &open::three_axes_f64(), &SPATIAL, &CHANNELS);
}

/// What models of images have: the channels known, the spatial axes not.
#[test]
fn images_of_any_size() {
    let instance = kernel!(f32, weight bias; kind = "instance", shape = [_, 3, _, _]);
    let group = kernel!(f32, weight bias; kind = "group", shape = [_, 320, _, _], groups = 32);
    let last = kernel!(f32, weight bias; kind = "group", shape = [_, _, _, 64], axis = 3, groups = 16);
    let (any, any_last) = (open::instance_images(), open::group_images_last());
    at_each_level("images of any size", |level| {
        for (h, w) in [(1, 1), (1, 7), (7, 1), (7, 7), (4, 16), (13, 5), (14, 14), (31, 33), (56, 56)] {
            for n in [1, 2, 3] {
                let instances = Sets::Instance { axis: 1 };
                Case { kernel: &instance, sets: instances, rest: vec![3, h, w] }.check(n, level);
                Case { kernel: &any, sets: instances, rest: vec![5, h, w] }.check(n, level);
                let groups = Sets::Groups { axis: 3, groups: 16 };
                Case { kernel: &last, sets: groups, rest: vec![h, w, 64] }.check(n, level);
                let groups = Sets::Groups { axis: 3, groups: open::GROUPS };
                Case { kernel: &any_last, sets: groups, rest: vec![h, w, 20] }.check(n, level);
            }
            if h * w <= 256 {
                let groups = Sets::Groups { axis: 1, groups: 32 };
                Case { kernel: &group, sets: groups, rest: vec![320, h, w] }.check(2, level);
            }
        }
    });
}
