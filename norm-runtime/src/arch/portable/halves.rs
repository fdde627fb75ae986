//! Half types: eight at a time, by integer arithmetic.

use super::f32 as vectors;
use crate::arch::halves;
use wide::{f32x8, i16x8, i32x8, u16x8, u32x8};

halves!(f16, widen: super::f16_to_f32, narrow: super::f32_to_f16, round: super::round_to_f16);
halves!(bf16, widen: super::bf16_to_f32, narrow: super::f32_to_bf16, round: super::round_to_bf16);

#[cfg_attr(not(unoptimized), inline)]
fn to_bits(v: f32x8) -> i32x8 {
    // SAFETY: both are eight lanes of 32 bits, and any bits are a value of either.
    unsafe { core::mem::transmute::<f32x8, i32x8>(v) }
}

#[cfg_attr(not(unoptimized), inline)]
fn from_bits(bits: i32x8) -> f32x8 {
    // SAFETY: as above.
    unsafe { core::mem::transmute::<i32x8, f32x8>(bits) }
}

#[cfg_attr(not(unoptimized), inline)]
fn shifted_right(bits: i32x8, places: u32) -> i32x8 {
    // SAFETY: both are eight lanes of 32 bits; shifted as unsigned, so that zeros come in.
    unsafe { core::mem::transmute::<u32x8, i32x8>(core::mem::transmute::<i32x8, u32x8>(bits) >> places) }
}

/// The lower half of each lane.
#[cfg_attr(not(unoptimized), inline)]
fn pack(lanes: i32x8) -> u16x8 {
    // SAFETY: both are eight lanes of 16 bits.
    unsafe { core::mem::transmute::<i16x8, u16x8>(i16x8::from_i32x8_truncate(lanes)) }
}

#[cfg_attr(not(unoptimized), inline)]
fn select(mask: i32x8, if_set: i32x8, if_not: i32x8) -> i32x8 {
    (mask & if_set) | (!mask & if_not)
}

/// The exponent is made that of an f32 by a product, which also gives subnormals their leading bit.
#[cfg_attr(not(unoptimized), inline)]
fn f16_to_f32(half: u16x8) -> f32x8 {
    let bits = i32x8::from_u16x8(half);
    let magnitude = bits & i32x8::splat(0x7fff);
    let scaled = from_bits(magnitude << 13) * f32x8::splat(f32::from_bits((127 + 112) << 23));
    let special = magnitude.simd_gt(i32x8::splat(0x7bff)) & i32x8::splat(0x7f80_0000);
    let quiet = magnitude.simd_gt(i32x8::splat(0x7c00)) & i32x8::splat(0x0040_0000);
    from_bits(to_bits(scaled) | special | quiet | ((bits & i32x8::splat(0x8000)) << 16))
}

#[cfg_attr(not(unoptimized), inline)]
fn f32_to_f16(v: f32x8) -> u16x8 {
    let bits = to_bits(v);
    let magnitude = bits & i32x8::splat(0x7fff_ffff);
    // Ties go to the even one: just under half of the last place, and one more where that place is odd.
    let odd = shifted_right(magnitude, 13) & i32x8::splat(1);
    let normal = shifted_right(magnitude + i32x8::splat(0xfff - (112 << 23)) + odd, 13);
    // Of the sum with one half the last place is that of subnormals.
    let subnormal = to_bits(from_bits(magnitude) + f32x8::splat(0.5)) - i32x8::splat(0.5_f32.to_bits() as i32);
    let is_subnormal = i32x8::splat(113 << 23).simd_gt(magnitude);
    let finite = select(is_subnormal, subnormal, normal);
    let nan = i32x8::splat(0x7e00) | (shifted_right(magnitude, 13) & i32x8::splat(0x3ff));
    let special = select(magnitude.simd_gt(i32x8::splat(0x7f80_0000)), nan, i32x8::splat(0x7c00));
    let is_special = magnitude.simd_gt(i32x8::splat((143 << 23) - 1));
    let sign = shifted_right(bits, 16) & i32x8::splat(0x8000);
    pack(select(is_special, special, finite) | sign)
}

#[cfg_attr(not(unoptimized), inline)]
fn round_to_f16(v: f32x8) -> f32x8 {
    f16_to_f32(f32_to_f16(v))
}

#[cfg_attr(not(unoptimized), inline)]
fn bf16_to_f32(half: u16x8) -> f32x8 {
    from_bits(i32x8::from_u16x8(half) << 16)
}

/// The bf16 in the upper halves, anything in the lower ones.
#[cfg_attr(not(unoptimized), inline)]
fn rounded_to_bf16(v: f32x8) -> i32x8 {
    let bits = to_bits(v);
    let odd = shifted_right(bits, 16) & i32x8::splat(1);
    let rounded = bits + i32x8::splat(0x7fff) + odd;
    // A NaN could be rounded to an infinity; it is made quiet instead.
    let nan = (bits & i32x8::splat(0x7fff_ffff)).simd_gt(i32x8::splat(0x7f80_0000));
    select(nan, bits | i32x8::splat(0x0040_0000), rounded)
}

#[cfg_attr(not(unoptimized), inline)]
fn f32_to_bf16(v: f32x8) -> u16x8 {
    pack(shifted_right(rounded_to_bf16(v), 16))
}

#[cfg_attr(not(unoptimized), inline)]
fn round_to_bf16(v: f32x8) -> f32x8 {
    from_bits(rounded_to_bf16(v) & i32x8::splat(0xffff_0000_u32 as i32))
}

/// Vectors of eight 16-bit lanes. As [`crate::arch`] says of `load` and the others.
mod io {
    use wide::{f32x8, u16x8};

    #[cfg_attr(not(unoptimized), inline)]
    pub unsafe fn load(p: *const u16) -> u16x8 {
        // SAFETY: the caller's contract; arrays need the alignment of their elements alone.
        u16x8::new(unsafe { p.cast::<[u16; 8]>().read() })
    }

    #[cfg_attr(not(unoptimized), inline)]
    pub unsafe fn store(p: *mut u16, v: u16x8) {
        // SAFETY: the caller's contract; arrays need the alignment of their elements alone.
        unsafe { p.cast::<[u16; 8]>().write(v.to_array()) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    pub unsafe fn stream(p: *mut u16, v: u16x8) {
        // SAFETY: the caller's contract.
        unsafe { store(p, v) }
    }

    #[cfg_attr(not(unoptimized), inline)]
    pub unsafe fn load_part(p: *const u16, count: usize) -> u16x8 {
        let mut lanes = [0; 8];
        // SAFETY: `count <= 8` elements of `lanes` are written; reading them is the caller's contract.
        unsafe { core::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), count) };
        u16x8::new(lanes)
    }

    #[cfg_attr(not(unoptimized), inline)]
    pub unsafe fn store_part(p: *mut u16, v: u16x8, count: usize) {
        let lanes = v.to_array();
        // SAFETY: `count <= 8` elements of `lanes` are read; writing them is the caller's contract.
        unsafe { core::ptr::copy_nonoverlapping(lanes.as_ptr(), p, count) };
    }

    #[cfg_attr(not(unoptimized), inline)]
    pub unsafe fn blend(v: f32x8, count: usize, fill: f32x8) -> f32x8 {
        let (mut lanes, fill) = (v.to_array(), fill.to_array());
        lanes[count..].copy_from_slice(&fill[count..]);
        f32x8::new(lanes)
    }
}
