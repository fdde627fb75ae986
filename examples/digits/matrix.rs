//! Matrix products on plain loops, so that the example needs no linear algebra library.

/// `c += a b` with `a: [_, k]`, `b: [k, n]`, `c: [_, n]`, all row by row.
///
/// An element of `c` is summed in the same order wherever it stands: an image's scores do not depend on the images around
/// it, bit for bit, so what the example measures as dependence on the batch comes from the normalization alone.
pub fn multiply_add(a: &[f32], b: &[f32], k: usize, n: usize, c: &mut [f32]) {
    let (mut pairs, mut outputs) = (a.chunks_exact(2 * k), c.chunks_exact_mut(2 * n));
    for (a, c) in (&mut pairs).zip(&mut outputs) {
        rows::<2>(a, b, k, n, c);
    }
    let (a, c) = (pairs.remainder(), outputs.into_remainder());
    if !a.is_empty() {
        rows::<1>(a, b, k, n, c);
    }
}

/// `ROWS` rows of `c`, in blocks of columns that the compiler keeps in vector registers.
fn rows<const ROWS: usize>(a: &[f32], b: &[f32], k: usize, n: usize, c: &mut [f32]) {
    let mut column = 0;
    while column + 16 <= n {
        block::<ROWS, 16>(a, b, k, n, column, c);
        column += 16;
    }
    while column + 4 <= n {
        block::<ROWS, 4>(a, b, k, n, column, c);
        column += 4;
    }
    while column < n {
        block::<ROWS, 1>(a, b, k, n, column, c);
        column += 1;
    }
}

fn block<const ROWS: usize, const COLUMNS: usize>(
    a: &[f32],
    b: &[f32],
    k: usize,
    n: usize,
    column: usize,
    c: &mut [f32],
) {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (i, b) in b.chunks_exact(n).take(k).enumerate() {
        let b = &b[column..column + COLUMNS];
        for (row, sums) in sums.iter_mut().enumerate() {
            let a = a[row * k + i];
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    for (sums, c) in sums.iter().zip(c.chunks_exact_mut(n)) {
        c[column..column + COLUMNS].iter_mut().zip(sums).for_each(|(c, sum)| *c += sum);
    }
}

/// Makes `to` the transpose of `from: [_, columns]`.
pub fn transpose(from: &[f32], columns: usize, to: &mut Vec<f32>) {
    let rows = from.len() / columns;
    to.clear();
    to.reserve(from.len());
    for column in 0..columns {
        to.extend((0..rows).map(|row| from[row * columns + column]));
    }
}
