//! Normalization as it is commonly computed, in f32.

/// Mean and variance of some numbers.
pub type Statistics = fn(&[f32]) -> (f32, f32);

/// The mean square less the squared mean, in sixteen chains.
pub fn textbook(x: &[f32]) -> (f32, f32) {
    let (mut sums, mut squares) = ([0.0_f32; 16], [0.0_f32; 16]);
    for (i, &v) in x.iter().enumerate() {
        sums[i % 16] += v;
        squares[i % 16] += v * v;
    }
    let n = x.len() as f32;
    let mean = sums.iter().sum::<f32>() / n;
    (mean, squares.iter().sum::<f32>() / n - mean * mean)
}

/// The mean square alone, about 0.
pub fn mean_square(x: &[f32]) -> (f32, f32) {
    let mut squares = [0.0_f32; 16];
    for (i, &v) in x.iter().enumerate() {
        squares[i % 16] += v * v;
    }
    (0.0, squares.iter().sum::<f32>() / x.len() as f32)
}

/// Welford's, element by element.
pub fn welford(x: &[f32]) -> (f32, f32) {
    let (mut mean, mut square) = (0.0_f32, 0.0_f32);
    for (i, &v) in x.iter().enumerate() {
        let before = v - mean;
        mean += before / (i + 1) as f32;
        square += before * (v - mean);
    }
    (mean, square / x.len() as f32)
}

/// `(x - mean) / sqrt(var + eps)` of each set of elements, given by their places.
pub fn normalize(x: &[f32], sets: &[Vec<usize>], eps: f32, statistics: Statistics) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for set in sets {
        let elements: Vec<f32> = set.iter().map(|&place| x[place]).collect();
        let (mean, var) = statistics(&elements);
        let rstd = 1.0 / (var + eps).sqrt();
        for &place in set {
            y[place] = f64::from((x[place] - mean) * rstd);
        }
    }
    y
}
