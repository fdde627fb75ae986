//! Batch norm against the f64 oracle: training, inference and both gradients, every layout, both types, all affine forms, all
//! levels, sizes that cross the edges of every tile.

use normkit_tests::check::{BatchCase, Check, check_all};
use normkit_tests::open::{self, OpenBatch};
use normkit_tests::{Batch, at_each_level, batch};

/// `N` and these sizes, the channels along `axis`.
macro_rules! cases {
    ($($t:ident ($($form:ident)*) [$($dim:literal),*] $axis:literal;)*) => {
        vec![$(boxed(batch!($t, $($form)*; shape = [_, $($dim),*], axis = $axis), &[$($dim),*], $axis)),*]
    };
}

struct Owned<T: normkit::Compute> {
    kernel: Batch<T>,
    axis: usize,
    rest: Vec<usize>,
}

impl<T: normkit::Compute> Check for Owned<T> {
    fn check(&self, n: usize, level: normkit::Level) {
        BatchCase { kernel: &self.kernel, axis: self.axis, rest: self.rest.clone() }.check(n, level);
    }
    fn name(&self) -> &'static str {
        self.kernel.name
    }
}

fn boxed<T: normkit::Compute>(kernel: Batch<T>, rest: &[usize], axis: isize) -> Box<dyn Check> {
    let axis = usize::try_from(axis).unwrap_or(rest.len());
    Box::new(Owned { kernel, axis, rest: rest.to_vec() })
}

#[test]
fn columns() {
    let cases = cases! {
        f32 (weight bias) [1] 1;
        f32 (weight bias) [3] 1;
        f32 (weight bias) [16] -1;
        f32 (weight bias) [17] 1;
        f32 (weight bias) [64] -1;
        f32 (weight bias) [320] 1;
        f32 (weight) [33] 1;
        f32 () [100] 1;
        f64 (weight bias) [31] 1;
    };
    check_all("batch of columns", &cases, &[0, 1, 2, 3, 5, 70, 300, 1100]);
}

#[test]
fn planes() {
    let cases = cases! {
        f32 (weight bias) [3, 1] 1;
        f32 (weight bias) [5, 7, 7] 1;
        f32 (weight bias) [3, 16] 1;
        f32 (weight bias) [17, 31] 1;
        f32 (weight bias) [2, 5, 5, 5] 1;
        f32 (weight bias) [3, 14, 14] 1;
        f32 (weight bias) [2, 1000] 1;
        f32 (weight) [3, 65] 1;
        f32 () [3, 129] 1;
        f64 (weight bias) [3, 7, 7] 1;
    };
    check_all("batch of planes", &cases, &[0, 1, 2, 3, 5, 70]);
    let images: Vec<Box<dyn Check>> = cases!(f32 (weight bias) [2, 56, 56] 1;);
    check_all("batch of images", &images, &[1, 3]);
}

#[test]
fn channels_last() {
    let cases = cases! {
        f32 (weight bias) [49, 1] -1;
        f32 (weight bias) [7, 7, 3] -1;
        f32 (weight bias) [5, 16] -1;
        f32 (weight bias) [14, 14, 33] -1;
        f32 (weight bias) [3, 3, 3, 64] -1;
        f32 (weight) [9, 100] -1;
        f32 () [2, 129] -1;
        f64 (weight bias) [33, 17] -1;
    };
    check_all("batch, channels last", &cases, &[0, 1, 2, 3, 5, 40]);
}

/// With the channels outermost, and between two batch axes.
#[test]
fn channels_elsewhere() {
    let first = batch!(f32, weight bias; shape = [5, _, _], axis = 0);
    let middle = batch!(f32, weight bias; shape = [_, _, 6, _], axis = 2);
    at_each_level("channels elsewhere", |level| {
        for (a, b) in [(1, 2), (3, 1), (7, 49), (2, 130)] {
            BatchCase { kernel: &first, axis: 0, rest: vec![a, b] }.check(5, level);
            BatchCase { kernel: &middle, axis: 2, rest: vec![a, 6, b] }.check(3, level);
        }
    });
}

const SPATIAL: [usize; 20] = [1, 2, 3, 7, 15, 16, 17, 31, 33, 49, 63, 64, 65, 127, 128, 129, 196, 257, 1000, 3136];
const CHANNELS: [usize; 12] = [1, 3, 5, 16, 17, 31, 32, 33, 64, 100, 128, 129];

fn sweep<T: normkit::Compute>(name: &str, kernels: &[OpenBatch<T>]) {
    at_each_level(name, |level| {
        for OpenBatch { kernel, axis } in kernels {
            let check = |channels: usize, spatial: usize, n: usize| {
                let rest = if *axis == 1 { vec![channels, spatial] } else { vec![spatial, channels] };
                BatchCase { kernel, axis: *axis, rest }.check(n, level);
            };
            for s in SPATIAL {
                for n in [1, 3] {
                    check(3, s, n);
                }
            }
            for c in CHANNELS {
                for n in [0, 2, 5] {
                    check(c, 9, n);
                    check(c, 49, n);
                }
            }
            check(320, 17, 2);
            check(5, 3, 1100);
            // Nothing along the spatial axis.
            check(4, 0, 2);
        }
    });
}

#[test]
fn sizes_at_run_time() {
    sweep("batch at run time", &open::batch_three_axes());
}

#[test]
fn sizes_at_run_time_in_f64() {
    sweep("batch at run time in f64", &open::batch_three_axes_f64());
}

#[test]
fn columns_at_run_time() {
    let kernel = open::batch_columns();
    at_each_level("batch of columns at run time", |level| {
        for channels in CHANNELS.into_iter().chain([63, 65, 127, 320]) {
            for n in [0, 1, 2, 3, 5, 70, 300, 1100] {
                BatchCase { kernel: &kernel, axis: 1, rest: vec![channels] }.check(n, level);
            }
        }
    });
}

/// What models of images have: the channels known, the spatial axes not.
#[test]
fn images_of_any_size() {
    let known = batch!(f32, weight bias; shape = [_, 64, _, _]);
    let last = batch!(f32, weight bias; shape = [_, _, _, 24], axis = 3);
    let any = open::batch_images();
    at_each_level("batch of images of any size", |level| {
        for (h, w) in [(1, 1), (1, 7), (7, 1), (7, 7), (4, 16), (13, 5), (14, 14), (31, 33)] {
            for n in [1, 2, 3] {
                BatchCase { kernel: &known, axis: 1, rest: vec![64, h, w] }.check(n, level);
                BatchCase { kernel: &last, axis: 3, rest: vec![h, w, 24] }.check(n, level);
                BatchCase { kernel: &any, axis: 1, rest: vec![5, h, w] }.check(n, level);
            }
        }
        // A channel that no cache holds.
        BatchCase { kernel: &any, axis: 1, rest: vec![1, 224, 224] }.check(9, level);
    });
}
