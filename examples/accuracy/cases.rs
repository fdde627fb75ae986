//! The kernels and their inputs.

use crate::formulas::{self, Statistics};
use normkit::generic::reference::Problem;
use normkit::{Element, Saved, bf16, f16, norm};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// One line of the table.
pub struct Case {
    pub name: String,
    /// The error at the level in force.
    pub normkit: Box<dyn Fn() -> f64>,
    pub rounded: f64,
    pub textbook: Option<f64>,
    pub welford: Option<f64>,
    pub bound: f64,
}

/// All of them.
pub fn all(seed: u64) -> Vec<Case> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cases = Vec::new();
    offsets(&mut random, &mut cases);
    magnitudes(&mut random, &mut cases);
    units(&mut random, &mut cases);
    gradients(&mut random, &mut cases);
    cases
}

/// About normal: the sum of twelve.
fn normal(random: &mut ChaCha8Rng, len: usize, mean: f64, deviation: f64) -> Vec<f64> {
    let one = |random: &mut ChaCha8Rng| (0..12).map(|_| random.random_range(-0.5..0.5)).sum::<f64>();
    (0..len).map(|_| one(random) * deviation + mean).collect()
}

fn narrow<T: Element<Compute = f32>>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::narrow(value as f32)).collect()
}

fn widen<T: Element<Compute = f32>>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| f64::from(value.widen())).collect()
}

/// The largest error, relative to the largest value expected; NaN where something is.
fn error(found: &[f64], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let worst = |m: f64, e: f64| if e > m || e.is_nan() { e } else { m };
    found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, worst) / largest
}

/// The places of the elements that are normalized together.
fn sets(problem: &Problem) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for place in 0..problem.dims.iter().product() {
        let (mut rest, mut set, mut size) = (place, 0, 1);
        for (&dim, &reduced) in problem.dims.iter().zip(&problem.reduced).rev() {
            if !reduced {
                set += rest % dim * size;
                size *= dim;
            }
            rest /= dim;
        }
        sets.resize(sets.len().max(set + 1), Vec::new());
        sets[set].push(place);
    }
    sets
}

type Forward = dyn Fn(&[f32], &mut [f32]);

/// A case of a forward pass in f32 without parameters.
fn forward(
    name: String,
    problem: &Problem,
    x: Vec<f32>,
    kernel: impl Fn(&[f32], &mut [f32]) + 'static,
    [textbook, welford]: [Option<Statistics>; 2],
    bound: f64,
) -> Case {
    let expected = problem.forward(&widen(&x), None, None).y;
    let sets = sets(problem);
    let by = |statistics: Option<Statistics>| {
        Some(error(&formulas::normalize(&x, &sets, problem.eps as f32, statistics?), &expected))
    };
    Case {
        name,
        rounded: error(&widen(&narrow::<f32>(&expected)), &expected),
        textbook: by(textbook),
        welford: by(welford),
        normkit: Box::new(move || {
            let mut y = vec![0.0; x.len()];
            kernel(&x, &mut y);
            error(&widen(&y), &expected)
        }),
        bound,
    }
}

const CENTRED: [Option<Statistics>; 2] = [Some(formulas::textbook), Some(formulas::welford)];
const PLAIN: [Option<Statistics>; 2] = [Some(formulas::mean_square), None];

/// A mean far from zero.
fn offsets(random: &mut ChaCha8Rng, cases: &mut Vec<Case>) {
    const EPS: f64 = 1e-5;
    let (n, c, l) = (8, 32, 98);
    for exponent in 2..=6 {
        let mean = 10_f64.powi(exponent);
        let mut add = |kind: &str, problem: &Problem, kernel: Box<Forward>| {
            let x = narrow(&normal(random, problem.dims.iter().product(), mean, 1.0));
            cases.push(forward(format!("{kind}, mean 1e{exponent}"), problem, x, kernel, CENTRED, 1e-6));
        };
        let layer = norm!(kind = "layer", shape = [_, 1024], affine = false);
        add("layer", &Problem::rows(16, 1024, true, EPS), Box::new(move |x, y| layer.forward(x, y).unwrap()));
        let group = norm!(kind = "group", groups = 4, shape = [_, 32, 98], affine = false);
        add("group", &Problem::group(&[n, c, l], 1, 4, EPS), Box::new(move |x, y| group.forward(x, y).unwrap()));
        let batch = norm!(kind = "batch", shape = [_, 32, 98], affine = false);
        let train = move |x: &[f32], y: &mut [f32]| batch.forward_train(x, y, &mut Saved::default()).unwrap();
        add("batch, training", &Problem::batch(&[n, c, l], 1, EPS), Box::new(train));
        let instance = norm!(kind = "instance", shape = [_, 32, 98], affine = false);
        let problem = Problem::instance(&[n, c, l], 1, EPS);
        add("instance", &problem, Box::new(move |x, y| instance.forward(x, y).unwrap()));
    }
}

/// Numbers whose squares leave the range of the type, or whose sizes differ.
fn magnitudes(random: &mut ChaCha8Rng, cases: &mut Vec<Case>) {
    let (rows, n) = (16, 1000);
    let rms = norm!(kind = "rms", shape = [_, 1000], affine = false, eps = 0, allow(eps_unusual));
    let layer = norm!(kind = "layer", shape = [_, 1000], affine = false, eps = 0, allow(eps_unusual));
    for magnitude in [1e20, 1e30, 1e-25] {
        let x: Vec<f32> = narrow(&normal(random, rows * n, 0.0, magnitude));
        let problem = |centred| Problem::rows(rows, n, centred, 0.0);
        let name = |kind| format!("{kind}, magnitude {magnitude:e}");
        let kernel = move |x: &[f32], y: &mut [f32]| rms.forward(x, y).unwrap();
        cases.push(forward(name("rms"), &problem(false), x.clone(), kernel, PLAIN, 1e-5));
        let kernel = move |x: &[f32], y: &mut [f32]| layer.forward(x, y).unwrap();
        cases.push(forward(name("layer"), &problem(true), x, kernel, CENTRED, 1e-5));
    }
    let mixed = normal(random, rows * n, 0.0, 1.0);
    let mixed: Vec<f32> = mixed.iter().enumerate().map(|(i, v)| (v * 10_f64.powi(i as i32 % 41 - 10)) as f32).collect();
    let kernel = move |x: &[f32], y: &mut [f32]| layer.forward(x, y).unwrap();
    let problem = Problem::rows(rows, n, true, 0.0);
    cases.push(forward("layer, 1e-10 to 1e30 in a row".into(), &problem, mixed, kernel, CENTRED, 1e-5));

    // The error that is left when the one of rounding is taken off.
    let x: Vec<f16> = {
        let values = normal(random, rows * n, 0.0, 20_000.0);
        narrow(&values.into_iter().map(|v| v.clamp(-60_000.0, 60_000.0)).collect::<Vec<_>>())
    };
    let kernel = norm!(kind = "layer", shape = [_, 1000], affine = false, dtype = f16);
    let expected = Problem::rows(rows, n, true, 1e-5).forward(&widen(&x), None, None).y;
    let rounded = error(&widen(&narrow::<f16>(&expected)), &expected);
    let by = |statistics| {
        let wide: Vec<f32> = narrow(&widen(&x));
        let y = formulas::normalize(&wide, &sets(&Problem::rows(rows, n, true, 0.0)), 1e-5, statistics);
        Some(error(&widen(&narrow::<f16>(&y)), &expected))
    };
    cases.push(Case {
        name: "layer of f16, up to 60000".into(),
        rounded,
        textbook: by(formulas::textbook),
        welford: by(formulas::welford),
        bound: rounded + 1e-5,
        normkit: Box::new(move || {
            let mut y = vec![f16::ZERO; x.len()];
            kernel.forward(&x, &mut y).unwrap();
            error(&widen(&y), &expected)
        }),
    });
}

/// Ordinary numbers, in units of the last place: the median.
fn units(random: &mut ChaCha8Rng, cases: &mut Vec<Case>) {
    let (rows, n) = (64, 768);
    let x: Vec<f32> = narrow(&normal(random, rows * n, 0.0, 1.0));
    let dy: Vec<f32> = narrow(&normal(random, rows * n, 0.0, 1.0));
    let kernel = norm!(kind = "layer", shape = [_, 768], affine = false);
    let problem = Problem::rows(rows, n, true, 1e-5);
    let y = problem.forward(&widen(&x), None, None).y;
    let dx = problem.backward(&widen(&x), &widen(&dy), None).dx;
    let sets = sets(&problem);
    let by = |statistics| Some(median_ulps(&formulas::normalize(&x, &sets, 1e-5, statistics), &y));
    let run = move |x: &[f32], dy: &[f32]| {
        let (mut y, mut dx, mut saved) = (vec![0.0; x.len()], vec![0.0; x.len()], Saved::default());
        kernel.forward_train(x, &mut y, &mut saved).unwrap();
        kernel.backward(x, dy, &saved, &mut dx).unwrap();
        [widen(&y), widen(&dx)]
    };
    let rounded = |expected: &[f64]| median_ulps(&widen(&narrow::<f32>(expected)), expected);
    let (textbook, welford) = (by(formulas::textbook), by(formulas::welford));
    let case = |name: &str, expected: Vec<f64>, which: usize, textbook, welford| {
        let (x, dy) = (x.clone(), dy.clone());
        Case {
            name: format!("layer, mean 0: {name}, median ulp"),
            rounded: rounded(&expected),
            textbook,
            welford,
            bound: 4.0,
            normkit: Box::new(move || median_ulps(&run(&x, &dy)[which], &expected)),
        }
    };
    cases.push(case("y", y, 0, textbook, welford));
    cases.push(case("dx", dx, 1, None, None));
}

fn median_ulps(found: &[f64], expected: &[f64]) -> f64 {
    let mut ulps: Vec<f64> = found
        .iter()
        .zip(expected)
        .map(|(f, e)| {
            let nearest = (*e as f32).abs();
            (f - e).abs() / (f64::from(nearest.next_up()) - f64::from(nearest))
        })
        .collect();
    ulps.sort_by(f64::total_cmp);
    ulps[ulps.len() / 2]
}

/// The gradients of the parameters over many rows; beside them one chain of additions in bf16 (in the textbook's column), and in f32.
fn gradients(random: &mut ChaCha8Rng, cases: &mut Vec<Case>) {
    let (rows, n) = (65_536, 16);
    let x: Vec<bf16> = narrow(&normal(random, rows * n, 0.5, 1.0));
    let dy: Vec<bf16> = narrow(&normal(random, rows * n, 0.5, 1.0));
    let kernel = norm!(kind = "layer", shape = [_, 16], dtype = bf16);
    let problem = Problem::rows(rows, n, true, 1e-5);
    let (wide, ones) = ((widen(&x), widen(&dy)), [1.0; 16]);
    let expected = problem.backward(&wide.0, &wide.1, Some(&ones));
    let expected = [expected.dweight, expected.dbias].concat();
    let normalized = problem.forward(&wide.0, None, None).y;
    let (mut chain, mut halves) = (vec![0.0_f32; 2 * n], vec![bf16::ZERO; 2 * n]);
    for (i, d) in wide.1.iter().enumerate() {
        let terms = [d * normalized[i], *d];
        for (part, term) in terms.into_iter().enumerate() {
            let at = part * n + i % n;
            chain[at] += term as f32;
            halves[at] = bf16::from_f32(halves[at].to_f32() + term as f32);
        }
    }
    cases.push(Case {
        name: "layer of bf16, dweight over 65536 rows *".into(),
        rounded: error(&widen(&narrow::<f32>(&expected)), &expected),
        textbook: Some(error(&widen(&halves), &expected)),
        welford: Some(error(&widen(&chain), &expected)),
        bound: 1e-5,
        normkit: Box::new(move || {
            let (mut y, mut dx, mut saved) = (x.clone(), x.clone(), Saved::default());
            let (mut dweight, mut dbias) = ([0.0; 16], [0.0; 16]);
            kernel.forward_train(&x, &[1.0; 16], &[0.0; 16], &mut y, &mut saved).unwrap();
            kernel.backward(&x, &dy, &[1.0; 16], &saved, &mut dx, &mut dweight, &mut dbias).unwrap();
            error(&widen(&[dweight, dbias].concat()), &expected)
        }),
    });
}
