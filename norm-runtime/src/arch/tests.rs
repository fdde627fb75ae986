//! Conversions of half types: every half there is, and every f32 that rounds in an interesting way, at every level.

use crate::dtype::{bf16, f16};

/// What a level does with a vector of numbers, as bits: load, store, and round.
struct Conversions {
    name: &'static str,
    lanes: usize,
    load: fn(&[u16], &mut [f32]),
    store: fn(&[f32], &mut [u16]),
    round: fn(&[f32], &mut [f32]),
}

macro_rules! conversions {
    ($level:ident, $element:ident $(, $features:literal)?) => {{
        use crate::arch::$level::{$element as x, f32 as v};
        $(#[target_feature(enable = $features)])?
        unsafe fn load(from: &[u16], to: &mut [f32]) {
            // SAFETY: both are as long as a vector.
            unsafe { v::store(to.as_mut_ptr(), x::load(from.as_ptr().cast())) }
        }
        $(#[target_feature(enable = $features)])?
        unsafe fn store(from: &[f32], to: &mut [u16]) {
            // SAFETY: both are as long as a vector.
            unsafe { x::store(to.as_mut_ptr().cast(), v::load(from.as_ptr())) }
        }
        $(#[target_feature(enable = $features)])?
        unsafe fn round(from: &[f32], to: &mut [f32]) {
            // SAFETY: both are as long as a vector.
            unsafe { v::store(to.as_mut_ptr(), x::round(v::load(from.as_ptr()))) }
        }
        Conversions {
            name: stringify!($level),
            lanes: x::LANES,
            // SAFETY: made only where the machine has the level; slices are checked by `in_vectors`.
            load: |from, to| unsafe { load(from, to) },
            // SAFETY: as above.
            store: |from, to| unsafe { store(from, to) },
            // SAFETY: as above.
            round: |from, to| unsafe { round(from, to) },
        }
    }};
}

macro_rules! levels {
    ($element:ident) => {{
        let mut levels = vec![conversions!(portable, $element)];
        #[cfg(target_arch = "x86_64")]
        {
            if crate::Level::available().contains(&crate::Level::Avx2) {
                levels.push(conversions!(avx2, $element, "avx2,fma,f16c"));
            }
            if crate::Level::available().contains(&crate::Level::Avx512) {
                levels.push(conversions!(avx512, $element, "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"));
            }
        }
        levels
    }};
}

fn in_vectors<A: Copy, B: Copy>(lanes: usize, from: &[A], none: B, work: fn(&[A], &mut [B])) -> Vec<B> {
    let mut to = vec![none; from.len()];
    assert!(from.len().is_multiple_of(lanes));
    from.chunks_exact(lanes).zip(to.chunks_exact_mut(lanes)).for_each(|(from, to)| work(from, to));
    to
}

/// Every f32 whose lower bits are such as rounding goes by, around every half, and a sample of all others.
fn singles() -> Vec<f32> {
    let mut bits: Vec<u32> = Vec::new();
    for upper in 0..=u16::MAX {
        let upper = u32::from(upper) << 16;
        for lower in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001] {
            bits.push(upper | lower);
        }
    }
    bits.extend((0..1 << 20).map(|i: u32| i.wrapping_mul(0x9e37_79b9)));
    bits.resize(bits.len().next_multiple_of(32), 0);
    bits.into_iter().map(f32::from_bits).collect()
}

fn check(level: &Conversions, widen: fn(u16) -> f32, narrow: fn(f32) -> u16) {
    let name = level.name;
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    let wide = in_vectors(level.lanes, &halves, 0.0, level.load);
    for (&half, found) in halves.iter().zip(wide) {
        let expected = widen(half);
        let same = if expected.is_nan() { found.is_nan() } else { found.to_bits() == expected.to_bits() };
        assert!(same, "{name}: {half:#06x} is {expected:e}, found {found:e}");
    }
    let singles = singles();
    let narrowed = in_vectors(level.lanes, &singles, 0, level.store);
    let rounded = in_vectors(level.lanes, &singles, 0.0, level.round);
    for ((&single, found), rounded) in singles.iter().zip(narrowed).zip(rounded) {
        let expected = narrow(single);
        let bits = single.to_bits();
        assert_eq!(found, expected, "{name}: {single:e} ({bits:#010x}) is {expected:#06x}, found {found:#06x}");
        assert_eq!(narrow(rounded), expected, "{name}: {single:e} ({bits:#010x}) rounded is {rounded:e}");
        assert!(rounded.is_nan() || rounded.to_bits() == widen(expected).to_bits(), "{name}: {single:e} rounded");
    }
}

#[test]
fn bf16_as_the_half_crate_has_it() {
    #[allow(unused_mut, reason = "only some processors have one more")]
    let mut levels = levels!(bf16);
    #[cfg(target_arch = "x86_64")]
    if crate::Level::available().contains(&crate::Level::Avx512) && crate::level::converts_to_bf16() {
        let features = conversions!(avx512_bf16, bf16, "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c");
        levels.push(features);
    }
    for level in levels {
        check(&level, |bits| bf16::from_bits(bits).to_f32(), |value| bf16::from_f32_const(value).to_bits());
    }
}

#[test]
fn f16_as_the_half_crate_has_it() {
    for level in levels!(f16) {
        check(&level, |bits| f16::from_bits(bits).to_f32_const(), |value| f16::from_f32_const(value).to_bits());
    }
}
