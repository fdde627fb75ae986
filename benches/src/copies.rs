//! What the machine can do at best: the same bytes moved without arithmetic worth the name.
//!
//! `memcpy` is what everybody knows. The loops read and write exactly the tensors that the pass does: a forward pass reads one and
//! writes one, a backward pass reads two. The fastest of the three is the limit that a kernel is held to: in a cache that is a loop
//! of vectors, beyond the caches one whose stores go past them.
//!
//! Nothing that is normalized together can be written before all of it has been read. So there are loops that read each such stretch
//! first, and then do the same: *two sweeps*. The second reads from the nearest cache that holds a stretch, and where none does, from
//! memory. A kernel that takes statistics can hardly be faster than the faster one of them.
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

type Call<T> = fn(&mut Tensors<T>);

/// The three copies and, where a pass takes statistics, the two loops that read first.
pub(crate) fn contenders<T: Number>(tensors: &Rc<RefCell<Tensors<T>>>, traffic: Traffic) -> Vec<Contender> {
    let (copies, twice): ([Call<T>; 3], [Call<T>; 2]) = match traffic {
        Traffic::Forward => {
            ([copy_one, sweep::<T, 1, false>, sweep::<T, 1, true>], [twice::<T, 1, false>, twice::<T, 1, true>])
        }
        Traffic::Backward => (
            [copy_one_and_a_half, sweep::<T, 2, false>, sweep::<T, 2, true>],
            [twice::<T, 2, false>, twice::<T, 2, true>],
        ),
        Traffic::BackwardAdding => {
            ([copy_two, sweep::<T, 3, false>, sweep::<T, 3, true>], [twice::<T, 3, false>, twice::<T, 3, true>])
        }
    };
    let copies = [MEMCPY, VECTORS, STREAMING].into_iter().zip(copies).map(|(name, call)| (name, Role::Copy, call));
    let takes_statistics = tensors.borrow().stretch.is_some();
    let twice = ["two sweeps", "two streaming sweeps"].into_iter().zip(twice).filter(|_| takes_statistics);
    let twice = twice.map(|(name, call)| (name, Role::Twice, call));
    copies.chain(twice).map(|(name, role, call)| Contender::on(tensors, name.into(), role, call)).collect()
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
    by_stretches::<T, INPUTS, STREAM, false>(t, usize::MAX);
}

/// The same after `x` and `dy` have been read, stretch by stretch.
fn twice<T: Number, const INPUTS: usize, const STREAM: bool>(t: &mut Tensors<T>) {
    let bytes = t.stretch.unwrap_or(t.x.len()) * size_of::<T>();
    // Whole vectors, so that they are aligned.
    by_stretches::<T, INPUTS, STREAM, true>(t, (bytes / size_of::<f32>()).next_multiple_of(64));
}

fn by_stretches<T: Number, const INPUTS: usize, const STREAM: bool, const TWICE: bool>(
    t: &mut Tensors<T>,
    stretch: usize,
) {
    let len = t.x.len() * size_of::<T>() / size_of::<f32>();
    let operands = Operands { x: t.x.as_ptr().cast(), dy: t.dy.as_ptr().cast(), y: t.y.as_mut_ptr().cast() };
    let level = Level::current().unwrap_or(Level::Portable);
    let threads = rayon::current_num_threads();
    let work = |range: Range<usize>| {
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(stretch));
            // SAFETY: the level is available; the range lies within `len`, which all three tensors have; they are aligned to 64
            // bytes, and the range starts at a multiple of 64 elements, so that every vector is aligned.
            unsafe {
                match level {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => avx512::<INPUTS, STREAM, TWICE>(operands, start..end),
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => avx2::<INPUTS, STREAM, TWICE>(operands, start..end),
                    _ => portable::<INPUTS, STREAM, TWICE>(operands, start..end),
                }
            }
            start = end;
        }
        #[cfg(target_arch = "x86_64")]
        if STREAM {
            // SAFETY: every x86_64 processor has the fence.
            unsafe { std::arch::x86_64::_mm_sfence() };
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
        unsafe fn $name<const INPUTS: usize, const STREAM: bool, const TWICE: bool>(
            operands: Operands,
            range: Range<usize>,
        ) {
            use arch::$v::f32 as v;
            let Operands { x, dy, y } = operands;
            if TWICE {
                let mut sums = [v::zero(); UNROLL];
                let mut i = range.start;
                while i + UNROLL * v::LANES <= range.end {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: the caller's contract: `LANES` elements from there are within the range.
                        unsafe {
                            *sum = v::add(*sum, v::load(x.add(i + k * v::LANES)));
                            if INPUTS > 1 {
                                *sum = v::add(*sum, v::load(dy.add(i + k * v::LANES)));
                            }
                        }
                    }
                    i += UNROLL * v::LANES;
                }
                std::hint::black_box(sums);
            }
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
                let mut t = Tensors::<f32>::new(Sizes { elements: len, params: 1, stretch: Some(100) });
                sweep::<f32, 1, false>(&mut t);
                assert_eq!(t.y[..], t.x[..]);
                sweep::<f32, 2, true>(&mut t);
                let sums: Vec<f32> = t.x.iter().zip(t.dy.iter()).map(|(x, dy)| x + dy).collect();
                assert_eq!(t.y[..], sums[..]);
                sweep::<f32, 3, false>(&mut t);
                let doubled: Vec<f32> = sums.iter().map(|sum| sum + sum).collect();
                assert_eq!(t.y[..], doubled[..], "{level}");
                twice::<f32, 1, true>(&mut t);
                assert_eq!(t.y[..], t.x[..]);
                twice::<f32, 2, false>(&mut t);
                assert_eq!(t.y[..], sums[..], "{level}");
            }
        }
        Level::force(None).expect("it is detected again");
    }
}
