//! What the machine can do at best: the same bytes moved without arithmetic worth the name.
//!
//! `memcpy` is what everybody knows. The loops read and write exactly the tensors that the pass does: a forward pass reads one and
//! writes one, a backward pass reads two. The fastest of the three is the limit that a kernel is held to: in a cache that is a loop
//! of vectors, beyond the caches one whose stores go past them.
//!
//! On several threads each copies its part.

use crate::measure::{Contender, Role};
use crate::tensors::Tensors;
use crate::workloads::{Number, Traffic};
use norm_runtime::arch;
use normkit::Level;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// The contender that all speeds are related to.
pub const MEMCPY: &str = "memcpy";
/// A loop of vectors.
pub const VECTORS: &str = "vector loop";
/// The same with stores past the caches.
pub const STREAMING: &str = "streaming loop";

/// The three copies.
pub(crate) fn contenders<T: Number>(tensors: &Rc<RefCell<Tensors<T>>>, traffic: Traffic) -> Vec<Contender> {
    let calls: [fn(&mut Tensors<T>); 3] = match traffic {
        Traffic::Forward => [copy_one, sweep::<T, 1, false>, sweep::<T, 1, true>],
        Traffic::Backward => [copy_one_and_a_half, sweep::<T, 2, false>, sweep::<T, 2, true>],
        Traffic::BackwardAdding => [copy_two, sweep::<T, 3, false>, sweep::<T, 3, true>],
    };
    let named = [MEMCPY, VECTORS, STREAMING].into_iter().zip(calls);
    named.map(|(name, call)| Contender::on(tensors, name.into(), Role::Copy, call)).collect()
}

/// Two tensors move: one is read, one written.
fn copy_one<T: Number>(t: &mut Tensors<T>) {
    copy(&t.x, &mut t.y);
}

/// Three tensors' worth.
fn copy_one_and_a_half<T: Number>(t: &mut Tensors<T>) {
    copy(&t.x, &mut t.y);
    let half = t.x.len() / 2;
    copy(&t.dy[..half], &mut t.y[..half]);
}

/// Four tensors' worth.
fn copy_two<T: Number>(t: &mut Tensors<T>) {
    copy(&t.x, &mut t.y);
    copy(&t.dy, &mut t.y);
}

fn copy<T: Number>(from: &[T], to: &mut [T]) {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        return to.copy_from_slice(from);
    }
    let part = from.len().div_ceil(threads).max(1);
    rayon::scope(|scope| {
        for (from, to) in from.chunks(part).zip(to.chunks_mut(part)) {
            scope.spawn(move |_| to.copy_from_slice(from));
        }
    });
}

/// Pointers that threads may share: each writes a part of `y` of its own.
#[derive(Clone, Copy)]
struct Operands {
    x: *const f32,
    dy: *const f32,
    y: *mut f32,
}

// SAFETY: they are used within `sweep` alone, which owns the tensors by unique reference and gives each thread another range.
unsafe impl Send for Operands {}
// SAFETY: as above.
unsafe impl Sync for Operands {}

/// `y = x`, `y = x + dy` or `y = y + x + dy` over all bytes taken for `f32`, with vectors of the current level.
fn sweep<T: Number, const INPUTS: usize, const STREAM: bool>(t: &mut Tensors<T>) {
    let len = t.x.len() * size_of::<T>() / size_of::<f32>();
    let operands = Operands { x: t.x.as_ptr().cast(), dy: t.dy.as_ptr().cast(), y: t.y.as_mut_ptr().cast() };
    let level = Level::current().unwrap_or(Level::Portable);
    let threads = rayon::current_num_threads();
    let work = |range: Range<usize>| {
        // SAFETY: the level is available; the range lies within `len`, which all three tensors have; they are aligned to 64
        // bytes, and the range starts at a multiple of 64 elements, so that every vector is aligned. Every x86_64 processor has
        // the fence.
        unsafe {
            match level {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => avx512::<INPUTS, STREAM>(operands, range),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => avx2::<INPUTS, STREAM>(operands, range),
                _ => portable::<INPUTS, STREAM>(operands, range),
            }
            #[cfg(target_arch = "x86_64")]
            if STREAM {
                std::arch::x86_64::_mm_sfence();
            }
        }
    };
    if threads == 1 {
        return work(0..len);
    }
    let part = len.div_ceil(threads).next_multiple_of(64);
    let work = &work;
    rayon::scope(|scope| {
        for start in (0..len).step_by(part) {
            scope.spawn(move |_| work(start..len.min(start + part)));
        }
    });
}

/// Vectors in flight at once.
const UNROLL: usize = 4;

macro_rules! loops {
    ($(#[$attribute:meta])* $name:ident, $v:ident) => {
        /// The loop of one level.
        ///
        /// # Safety
        /// The level is available, the range lies within all tensors that `INPUTS` says, and its start is aligned to a vector.
        $(#[$attribute])*
        unsafe fn $name<const INPUTS: usize, const STREAM: bool>(operands: Operands, range: Range<usize>) {
            use arch::$v::f32 as v;
            let Operands { x, dy, y } = operands;
            let mut i = range.start;
            while i + UNROLL * v::LANES <= range.end {
                for k in 0..UNROLL {
                    let at = i + k * v::LANES;
                    // SAFETY: the caller's contract: `at + LANES` is not past the range's end, and aligned as its start is.
                    unsafe {
                        let mut value = v::load(x.add(at));
                        if INPUTS > 1 {
                            value = v::add(value, v::load(dy.add(at)));
                        }
                        if INPUTS > 2 {
                            value = v::add(value, v::load(y.add(at)));
                        }
                        if STREAM {
                            v::stream(y.add(at), value);
                        } else {
                            v::store(y.add(at), value);
                        }
                    }
                }
                i += UNROLL * v::LANES;
            }
            while i < range.end {
                // SAFETY: the caller's contract.
                unsafe {
                    let mut value = *x.add(i);
                    if INPUTS > 1 {
                        value += *dy.add(i);
                    }
                    if INPUTS > 2 {
                        value += *y.add(i);
                    }
                    *y.add(i) = value;
                }
                i += 1;
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
loops!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
    avx512,
    avx512
);
#[cfg(target_arch = "x86_64")]
loops!(
    #[target_feature(enable = "avx2,fma,f16c")]
    avx2,
    avx2
);
loops!(portable, portable);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::Sizes;

    /// Each loop at each level writes what it should, also where the length is no multiple of the vectors.
    #[test]
    fn loops_write_sums() {
        for len in [3, 64, 1000] {
            for level in Level::available() {
                Level::force(Some(level)).expect("it is available");
                let mut t = Tensors::<f32>::new(Sizes { elements: len, params: 1 });
                sweep::<f32, 1, false>(&mut t);
                assert_eq!(t.y[..], t.x[..]);
                sweep::<f32, 2, true>(&mut t);
                let sums: Vec<f32> = t.x.iter().zip(t.dy.iter()).map(|(x, dy)| x + dy).collect();
                assert_eq!(t.y[..], sums[..]);
                sweep::<f32, 3, false>(&mut t);
                let twice: Vec<f32> = sums.iter().map(|sum| sum + sum).collect();
                assert_eq!(t.y[..], twice[..], "{level}");
            }
        }
        Level::force(None).expect("it is detected again");
    }
}
