// norm!(kind = "layer", shape = [_, 12, 4, 5], axis = 1)
// Bodies of kernels: sums_20_avx512, output_20_avx2, gradient_sums_20_avx512, gradient_20_avx2.

fn main() {
    let _ = {
        static SPEC: ::normkit::Spec = ::normkit::Spec {
            kind: "layer",
            shape: &[
                ::normkit::Dim::Any,
                ::normkit::Dim::Fixed(12),
                ::normkit::Dim::Fixed(4),
                ::normkit::Dim::Fixed(5),
            ],
            roles: &[
                ::normkit::Role::Kept,
                ::normkit::Role::Normalized,
                ::normkit::Role::Kept,
                ::normkit::Role::Kept,
            ],
            groups: ::core::option::Option::None,
            centred: true,
            of_sum: false,
            affine: ::normkit::Affine::WeightAndBias,
            eps: 0.00001,
            running: ::core::option::Option::None,
            dtype: "f32",
            param: "f32",
        };
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn sums_20_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            unsafe {
                if a.sets == n {
                    let c = 0_usize;
                    let m0 = v::load(a.mean.add(c));
                    let mut s0 = v::load(a.column_sum.add(c));
                    let mut q0 = v::load(a.column_square.add(c));
                    let m1 = v::load_part(a.mean.add(c + 16), 4, v::zero());
                    let mut s1 = v::load_part(a.column_sum.add(c + 16), 4, v::zero());
                    let mut q1 = v::load_part(a.column_square.add(c + 16), 4, v::zero());
                    for row in 0..a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let d = v::sub(x::load(x0.add(c)), m0);
                        s0 = v::add(s0, d);
                        q0 = v::fma(d, d, q0);
                        let d = v::sub(x::load_part(x0.add(c + 16), 4, m1), m1);
                        s1 = v::add(s1, d);
                        q1 = v::fma(d, d, q1);
                    }
                    v::store(a.column_sum.add(c), s0);
                    v::store(a.column_square.add(c), q0);
                    v::store_part(a.column_sum.add(c + 16), s1, 4);
                    v::store_part(a.column_square.add(c + 16), q1, 4);
                } else {
                    let mut c = 0_usize;
                    while a.sets - c >= 128 {
                        let m0 = v::load(a.mean.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        let m1 = v::load(a.mean.add(c + 16));
                        let mut s1 = v::load(a.column_sum.add(c + 16));
                        let mut q1 = v::load(a.column_square.add(c + 16));
                        let m2 = v::load(a.mean.add(c + 32));
                        let mut s2 = v::load(a.column_sum.add(c + 32));
                        let mut q2 = v::load(a.column_square.add(c + 32));
                        let m3 = v::load(a.mean.add(c + 48));
                        let mut s3 = v::load(a.column_sum.add(c + 48));
                        let mut q3 = v::load(a.column_square.add(c + 48));
                        let m4 = v::load(a.mean.add(c + 64));
                        let mut s4 = v::load(a.column_sum.add(c + 64));
                        let mut q4 = v::load(a.column_square.add(c + 64));
                        let m5 = v::load(a.mean.add(c + 80));
                        let mut s5 = v::load(a.column_sum.add(c + 80));
                        let mut q5 = v::load(a.column_square.add(c + 80));
                        let m6 = v::load(a.mean.add(c + 96));
                        let mut s6 = v::load(a.column_sum.add(c + 96));
                        let mut q6 = v::load(a.column_square.add(c + 96));
                        let m7 = v::load(a.mean.add(c + 112));
                        let mut s7 = v::load(a.column_sum.add(c + 112));
                        let mut q7 = v::load(a.column_square.add(c + 112));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let d = v::sub(x::load(x0.add(c)), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
                            let d = v::sub(x::load(x0.add(c + 16)), m1);
                            s1 = v::add(s1, d);
                            q1 = v::fma(d, d, q1);
                            let d = v::sub(x::load(x0.add(c + 32)), m2);
                            s2 = v::add(s2, d);
                            q2 = v::fma(d, d, q2);
                            let d = v::sub(x::load(x0.add(c + 48)), m3);
                            s3 = v::add(s3, d);
                            q3 = v::fma(d, d, q3);
                            let d = v::sub(x::load(x0.add(c + 64)), m4);
                            s4 = v::add(s4, d);
                            q4 = v::fma(d, d, q4);
                            let d = v::sub(x::load(x0.add(c + 80)), m5);
                            s5 = v::add(s5, d);
                            q5 = v::fma(d, d, q5);
                            let d = v::sub(x::load(x0.add(c + 96)), m6);
                            s6 = v::add(s6, d);
                            q6 = v::fma(d, d, q6);
                            let d = v::sub(x::load(x0.add(c + 112)), m7);
                            s7 = v::add(s7, d);
                            q7 = v::fma(d, d, q7);
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        v::store(a.column_sum.add(c + 16), s1);
                        v::store(a.column_square.add(c + 16), q1);
                        v::store(a.column_sum.add(c + 32), s2);
                        v::store(a.column_square.add(c + 32), q2);
                        v::store(a.column_sum.add(c + 48), s3);
                        v::store(a.column_square.add(c + 48), q3);
                        v::store(a.column_sum.add(c + 64), s4);
                        v::store(a.column_square.add(c + 64), q4);
                        v::store(a.column_sum.add(c + 80), s5);
                        v::store(a.column_square.add(c + 80), q5);
                        v::store(a.column_sum.add(c + 96), s6);
                        v::store(a.column_square.add(c + 96), q6);
                        v::store(a.column_sum.add(c + 112), s7);
                        v::store(a.column_square.add(c + 112), q7);
                        c += 128;
                    }
                    while a.sets - c >= 64 {
                        let m0 = v::load(a.mean.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        let m1 = v::load(a.mean.add(c + 16));
                        let mut s1 = v::load(a.column_sum.add(c + 16));
                        let mut q1 = v::load(a.column_square.add(c + 16));
                        let m2 = v::load(a.mean.add(c + 32));
                        let mut s2 = v::load(a.column_sum.add(c + 32));
                        let mut q2 = v::load(a.column_square.add(c + 32));
                        let m3 = v::load(a.mean.add(c + 48));
                        let mut s3 = v::load(a.column_sum.add(c + 48));
                        let mut q3 = v::load(a.column_square.add(c + 48));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let d = v::sub(x::load(x0.add(c)), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
                            let d = v::sub(x::load(x0.add(c + 16)), m1);
                            s1 = v::add(s1, d);
                            q1 = v::fma(d, d, q1);
                            let d = v::sub(x::load(x0.add(c + 32)), m2);
                            s2 = v::add(s2, d);
                            q2 = v::fma(d, d, q2);
                            let d = v::sub(x::load(x0.add(c + 48)), m3);
                            s3 = v::add(s3, d);
                            q3 = v::fma(d, d, q3);
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        v::store(a.column_sum.add(c + 16), s1);
                        v::store(a.column_square.add(c + 16), q1);
                        v::store(a.column_sum.add(c + 32), s2);
                        v::store(a.column_square.add(c + 32), q2);
                        v::store(a.column_sum.add(c + 48), s3);
                        v::store(a.column_square.add(c + 48), q3);
                        c += 64;
                    }
                    while a.sets - c >= 32 {
                        let m0 = v::load(a.mean.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        let m1 = v::load(a.mean.add(c + 16));
                        let mut s1 = v::load(a.column_sum.add(c + 16));
                        let mut q1 = v::load(a.column_square.add(c + 16));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let d = v::sub(x::load(x0.add(c)), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
                            let d = v::sub(x::load(x0.add(c + 16)), m1);
                            s1 = v::add(s1, d);
                            q1 = v::fma(d, d, q1);
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        v::store(a.column_sum.add(c + 16), s1);
                        v::store(a.column_square.add(c + 16), q1);
                        c += 32;
                    }
                    while a.sets - c >= 16 {
                        let m0 = v::load(a.mean.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let d = v::sub(x::load(x0.add(c)), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        c += 16;
                    }
                    if c < a.sets {
                        let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                        let mut s0 = v::load_part(
                            a.column_sum.add(c),
                            a.sets - c,
                            v::zero(),
                        );
                        let mut q0 = v::load_part(
                            a.column_square.add(c),
                            a.sets - c,
                            v::zero(),
                        );
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let d = v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
                        }
                        v::store_part(a.column_sum.add(c), s0, a.sets - c);
                        v::store_part(a.column_square.add(c), q0, a.sets - c);
                    }
                }
            }
        }
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn sums_20_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        #[inline]
        unsafe fn sums_20_portable(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn output_20_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn output_20_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx2::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            unsafe {
                if a.sets == n {
                    let c = 0_usize;
                    let m0 = v::load(a.mean.add(c));
                    let k0 = v::load(a.scale.add(c));
                    let o0 = v::load(a.offset.add(c));
                    let m1 = v::load(a.mean.add(c + 8));
                    let k1 = v::load(a.scale.add(c + 8));
                    let o1 = v::load(a.offset.add(c + 8));
                    let m2 = v::load_part(a.mean.add(c + 16), 4, v::zero());
                    let k2 = v::load_part(a.scale.add(c + 16), 4, v::zero());
                    let o2 = v::load_part(a.offset.add(c + 16), 4, v::zero());
                    for row in 0..a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let y0 = a.y.add(row * a.y_row);
                        let w = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        let b = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.bias.add(row).read(),
                            ),
                        );
                        x::store(
                            y0.add(c),
                            v::fma(v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0), w, b),
                        );
                        x::store(
                            y0.add(c + 8),
                            v::fma(
                                v::fma(v::sub(x::load(x0.add(c + 8)), m1), k1, o1),
                                w,
                                b,
                            ),
                        );
                        x::store_part(
                            y0.add(c + 16),
                            v::fma(
                                v::fma(
                                    v::sub(x::load_part(x0.add(c + 16), 4, m2), m2),
                                    k2,
                                    o2,
                                ),
                                w,
                                b,
                            ),
                            4,
                        );
                    }
                } else {
                    let mut c = 0_usize;
                    while a.sets - c >= 32 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let m1 = v::load(a.mean.add(c + 8));
                        let k1 = v::load(a.scale.add(c + 8));
                        let o1 = v::load(a.offset.add(c + 8));
                        let m2 = v::load(a.mean.add(c + 16));
                        let k2 = v::load(a.scale.add(c + 16));
                        let o2 = v::load(a.offset.add(c + 16));
                        let m3 = v::load(a.mean.add(c + 24));
                        let k3 = v::load(a.scale.add(c + 24));
                        let o3 = v::load(a.offset.add(c + 24));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let y0 = a.y.add(row * a.y_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let b = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.bias.add(row).read(),
                                ),
                            );
                            x::store(
                                y0.add(c),
                                v::fma(v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0), w, b),
                            );
                            x::store(
                                y0.add(c + 8),
                                v::fma(
                                    v::fma(v::sub(x::load(x0.add(c + 8)), m1), k1, o1),
                                    w,
                                    b,
                                ),
                            );
                            x::store(
                                y0.add(c + 16),
                                v::fma(
                                    v::fma(v::sub(x::load(x0.add(c + 16)), m2), k2, o2),
                                    w,
                                    b,
                                ),
                            );
                            x::store(
                                y0.add(c + 24),
                                v::fma(
                                    v::fma(v::sub(x::load(x0.add(c + 24)), m3), k3, o3),
                                    w,
                                    b,
                                ),
                            );
                        }
                        c += 32;
                    }
                    while a.sets - c >= 16 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let m1 = v::load(a.mean.add(c + 8));
                        let k1 = v::load(a.scale.add(c + 8));
                        let o1 = v::load(a.offset.add(c + 8));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let y0 = a.y.add(row * a.y_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let b = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.bias.add(row).read(),
                                ),
                            );
                            x::store(
                                y0.add(c),
                                v::fma(v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0), w, b),
                            );
                            x::store(
                                y0.add(c + 8),
                                v::fma(
                                    v::fma(v::sub(x::load(x0.add(c + 8)), m1), k1, o1),
                                    w,
                                    b,
                                ),
                            );
                        }
                        c += 16;
                    }
                    while a.sets - c >= 8 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let o0 = v::load(a.offset.add(c));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let y0 = a.y.add(row * a.y_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let b = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.bias.add(row).read(),
                                ),
                            );
                            x::store(
                                y0.add(c),
                                v::fma(v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0), w, b),
                            );
                        }
                        c += 8;
                    }
                    if c < a.sets {
                        let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                        let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                        let o0 = v::load_part(a.offset.add(c), a.sets - c, v::zero());
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let y0 = a.y.add(row * a.y_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let b = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.bias.add(row).read(),
                                ),
                            );
                            x::store_part(
                                y0.add(c),
                                v::fma(
                                    v::fma(
                                        v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                        k0,
                                        o0,
                                    ),
                                    w,
                                    b,
                                ),
                                a.sets - c,
                            );
                        }
                    }
                }
            }
        }
        #[inline]
        unsafe fn output_20_portable(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn gradient_sums_20_avx512(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            unsafe {
                if a.sets == n {
                    let c = 0_usize;
                    let m0 = v::load(a.mean.add(c));
                    let k0 = v::load(a.scale.add(c));
                    let o0 = v::load(a.offset.add(c));
                    let mut s0 = v::load(a.column_sum.add(c));
                    let mut q0 = v::load(a.column_square.add(c));
                    let m1 = v::load_part(a.mean.add(c + 16), 4, v::zero());
                    let k1 = v::load_part(a.scale.add(c + 16), 4, v::zero());
                    let o1 = v::load_part(a.offset.add(c + 16), 4, v::zero());
                    let mut s1 = v::load_part(a.column_sum.add(c + 16), 4, v::zero());
                    let mut q1 = v::load_part(a.column_square.add(c + 16), 4, v::zero());
                    for row in 0..a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let dy0 = a.dy.add(row * a.dy_row);
                        let w = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        let mut dw = v::load(
                            a.dweight.add(row * ::normkit::__private::rows::PADDING),
                        );
                        let mut db = v::load(
                            a.dbias.add(row * ::normkit::__private::rows::PADDING),
                        );
                        let d = x::load(dy0.add(c));
                        let g = v::mul(d, w);
                        let h = v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0);
                        s0 = v::add(s0, g);
                        q0 = v::fma(g, h, q0);
                        dw = v::fma(d, h, dw);
                        db = v::add(db, d);
                        let d = x::load_part(dy0.add(c + 16), 4, v::zero());
                        let g = v::mul(d, w);
                        let h = v::fma(
                            v::sub(x::load_part(x0.add(c + 16), 4, m1), m1),
                            k1,
                            o1,
                        );
                        s1 = v::add(s1, g);
                        q1 = v::fma(g, h, q1);
                        dw = v::fma(d, h, dw);
                        db = v::add(db, d);
                        v::store(
                            a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            dw,
                        );
                        v::store(
                            a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            db,
                        );
                    }
                    v::store(a.column_sum.add(c), s0);
                    v::store(a.column_square.add(c), q0);
                    v::store_part(a.column_sum.add(c + 16), s1, 4);
                    v::store_part(a.column_square.add(c + 16), q1, 4);
                } else {
                    let mut c = 0_usize;
                    while a.sets - c >= 64 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        let m1 = v::load(a.mean.add(c + 16));
                        let k1 = v::load(a.scale.add(c + 16));
                        let o1 = v::load(a.offset.add(c + 16));
                        let mut s1 = v::load(a.column_sum.add(c + 16));
                        let mut q1 = v::load(a.column_square.add(c + 16));
                        let m2 = v::load(a.mean.add(c + 32));
                        let k2 = v::load(a.scale.add(c + 32));
                        let o2 = v::load(a.offset.add(c + 32));
                        let mut s2 = v::load(a.column_sum.add(c + 32));
                        let mut q2 = v::load(a.column_square.add(c + 32));
                        let m3 = v::load(a.mean.add(c + 48));
                        let k3 = v::load(a.scale.add(c + 48));
                        let o3 = v::load(a.offset.add(c + 48));
                        let mut s3 = v::load(a.column_sum.add(c + 48));
                        let mut q3 = v::load(a.column_square.add(c + 48));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let dy0 = a.dy.add(row * a.dy_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let mut dw = v::load(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let mut db = v::load(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let d = x::load(dy0.add(c));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0);
                            s0 = v::add(s0, g);
                            q0 = v::fma(g, h, q0);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            let d = x::load(dy0.add(c + 16));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c + 16)), m1), k1, o1);
                            s1 = v::add(s1, g);
                            q1 = v::fma(g, h, q1);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            let d = x::load(dy0.add(c + 32));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c + 32)), m2), k2, o2);
                            s2 = v::add(s2, g);
                            q2 = v::fma(g, h, q2);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            let d = x::load(dy0.add(c + 48));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c + 48)), m3), k3, o3);
                            s3 = v::add(s3, g);
                            q3 = v::fma(g, h, q3);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            v::store(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                                dw,
                            );
                            v::store(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                                db,
                            );
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        v::store(a.column_sum.add(c + 16), s1);
                        v::store(a.column_square.add(c + 16), q1);
                        v::store(a.column_sum.add(c + 32), s2);
                        v::store(a.column_square.add(c + 32), q2);
                        v::store(a.column_sum.add(c + 48), s3);
                        v::store(a.column_square.add(c + 48), q3);
                        c += 64;
                    }
                    while a.sets - c >= 32 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        let m1 = v::load(a.mean.add(c + 16));
                        let k1 = v::load(a.scale.add(c + 16));
                        let o1 = v::load(a.offset.add(c + 16));
                        let mut s1 = v::load(a.column_sum.add(c + 16));
                        let mut q1 = v::load(a.column_square.add(c + 16));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let dy0 = a.dy.add(row * a.dy_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let mut dw = v::load(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let mut db = v::load(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let d = x::load(dy0.add(c));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0);
                            s0 = v::add(s0, g);
                            q0 = v::fma(g, h, q0);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            let d = x::load(dy0.add(c + 16));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c + 16)), m1), k1, o1);
                            s1 = v::add(s1, g);
                            q1 = v::fma(g, h, q1);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            v::store(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                                dw,
                            );
                            v::store(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                                db,
                            );
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        v::store(a.column_sum.add(c + 16), s1);
                        v::store(a.column_square.add(c + 16), q1);
                        c += 32;
                    }
                    while a.sets - c >= 16 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let mut s0 = v::load(a.column_sum.add(c));
                        let mut q0 = v::load(a.column_square.add(c));
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let dy0 = a.dy.add(row * a.dy_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let mut dw = v::load(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let mut db = v::load(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let d = x::load(dy0.add(c));
                            let g = v::mul(d, w);
                            let h = v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0);
                            s0 = v::add(s0, g);
                            q0 = v::fma(g, h, q0);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            v::store(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                                dw,
                            );
                            v::store(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                                db,
                            );
                        }
                        v::store(a.column_sum.add(c), s0);
                        v::store(a.column_square.add(c), q0);
                        c += 16;
                    }
                    if c < a.sets {
                        let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                        let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                        let o0 = v::load_part(a.offset.add(c), a.sets - c, v::zero());
                        let mut s0 = v::load_part(
                            a.column_sum.add(c),
                            a.sets - c,
                            v::zero(),
                        );
                        let mut q0 = v::load_part(
                            a.column_square.add(c),
                            a.sets - c,
                            v::zero(),
                        );
                        for row in 0..a.rows {
                            let x0 = a.x.add(row * a.x_row);
                            let dy0 = a.dy.add(row * a.dy_row);
                            let w = v::splat(
                                <f32 as ::normkit::__private::Element>::widen(
                                    a.weight.add(row).read(),
                                ),
                            );
                            let mut dw = v::load(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let mut db = v::load(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            );
                            let d = x::load_part(dy0.add(c), a.sets - c, v::zero());
                            let g = v::mul(d, w);
                            let h = v::fma(
                                v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                k0,
                                o0,
                            );
                            s0 = v::add(s0, g);
                            q0 = v::fma(g, h, q0);
                            dw = v::fma(d, h, dw);
                            db = v::add(db, d);
                            v::store(
                                a.dweight.add(row * ::normkit::__private::rows::PADDING),
                                dw,
                            );
                            v::store(
                                a.dbias.add(row * ::normkit::__private::rows::PADDING),
                                db,
                            );
                        }
                        v::store_part(a.column_sum.add(c), s0, a.sets - c);
                        v::store_part(a.column_square.add(c), q0, a.sets - c);
                    }
                }
            }
        }
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn gradient_sums_20_avx2(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        #[inline]
        unsafe fn gradient_sums_20_portable(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn gradient_20_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        #[inline]
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn gradient_20_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx2::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            unsafe {
                let mut c = 0_usize;
                while a.sets - c >= 16 {
                    let m0 = v::load(a.mean.add(c));
                    let k0 = v::load(a.scale.add(c));
                    let l0 = v::load(a.slope.add(c));
                    let o0 = v::load(a.offset.add(c));
                    let u0 = v::load(a.centre.add(c));
                    let m1 = v::load(a.mean.add(c + 8));
                    let k1 = v::load(a.scale.add(c + 8));
                    let l1 = v::load(a.slope.add(c + 8));
                    let o1 = v::load(a.offset.add(c + 8));
                    let u1 = v::load(a.centre.add(c + 8));
                    for row in 0..a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let dy0 = a.dy.add(row * a.dy_row);
                        let y0 = a.y.add(row * a.y_row);
                        let w = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        x::store(
                            y0.add(c),
                            v::fma(
                                v::sub(v::mul(x::load(dy0.add(c)), w), u0),
                                k0,
                                v::fma(v::sub(x::load(x0.add(c)), m0), l0, o0),
                            ),
                        );
                        x::store(
                            y0.add(c + 8),
                            v::fma(
                                v::sub(v::mul(x::load(dy0.add(c + 8)), w), u1),
                                k1,
                                v::fma(v::sub(x::load(x0.add(c + 8)), m1), l1, o1),
                            ),
                        );
                    }
                    c += 16;
                }
                while a.sets - c >= 8 {
                    let m0 = v::load(a.mean.add(c));
                    let k0 = v::load(a.scale.add(c));
                    let l0 = v::load(a.slope.add(c));
                    let o0 = v::load(a.offset.add(c));
                    let u0 = v::load(a.centre.add(c));
                    for row in 0..a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let dy0 = a.dy.add(row * a.dy_row);
                        let y0 = a.y.add(row * a.y_row);
                        let w = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        x::store(
                            y0.add(c),
                            v::fma(
                                v::sub(v::mul(x::load(dy0.add(c)), w), u0),
                                k0,
                                v::fma(v::sub(x::load(x0.add(c)), m0), l0, o0),
                            ),
                        );
                    }
                    c += 8;
                }
                if c < a.sets {
                    let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                    let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                    let l0 = v::load_part(a.slope.add(c), a.sets - c, v::zero());
                    let o0 = v::load_part(a.offset.add(c), a.sets - c, v::zero());
                    let u0 = v::load_part(a.centre.add(c), a.sets - c, v::zero());
                    for row in 0..a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let dy0 = a.dy.add(row * a.dy_row);
                        let y0 = a.y.add(row * a.y_row);
                        let w = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        x::store_part(
                            y0.add(c),
                            v::fma(
                                v::sub(
                                    v::mul(x::load_part(dy0.add(c), a.sets - c, v::zero()), w),
                                    u0,
                                ),
                                k0,
                                v::fma(
                                    v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                    l0,
                                    o0,
                                ),
                            ),
                            a.sets - c,
                        );
                    }
                }
            }
        }
        #[inline]
        unsafe fn gradient_20_portable(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        #[inline]
        fn sums(
            n: usize,
        ) -> ::core::option::Option<
            ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(::normkit::__private::rows::Kernels {
                        #[cfg(target_arch = "x86_64")]
                        avx512: sums_20_avx512,
                        #[cfg(target_arch = "x86_64")]
                        avx2: sums_20_avx2,
                        portable: sums_20_portable,
                    })
                }
                _ => ::core::option::Option::None,
            }
        }
        #[inline]
        fn output(
            n: usize,
        ) -> ::core::option::Option<
            ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(::normkit::__private::rows::Kernels {
                        #[cfg(target_arch = "x86_64")]
                        avx512: output_20_avx512,
                        #[cfg(target_arch = "x86_64")]
                        avx2: output_20_avx2,
                        portable: output_20_portable,
                    })
                }
                _ => ::core::option::Option::None,
            }
        }
        #[inline]
        fn gradient_sums(
            n: usize,
        ) -> ::core::option::Option<
            ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(::normkit::__private::rows::Kernels {
                        #[cfg(target_arch = "x86_64")]
                        avx512: gradient_sums_20_avx512,
                        #[cfg(target_arch = "x86_64")]
                        avx2: gradient_sums_20_avx2,
                        portable: gradient_sums_20_portable,
                    })
                }
                _ => ::core::option::Option::None,
            }
        }
        #[inline]
        fn gradient(
            n: usize,
        ) -> ::core::option::Option<
            ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(::normkit::__private::rows::Kernels {
                        #[cfg(target_arch = "x86_64")]
                        avx512: gradient_20_avx512,
                        #[cfg(target_arch = "x86_64")]
                        avx2: gradient_20_avx2,
                        portable: gradient_20_portable,
                    })
                }
                _ => ::core::option::Option::None,
            }
        }
        #[derive(
            ::core::clone::Clone,
            ::core::marker::Copy,
            ::core::fmt::Debug,
            ::core::default::Default
        )]
        struct NormkitKernel;
        #[allow(dead_code, clippy::too_many_arguments, clippy::unused_self)]
        impl NormkitKernel {
            pub const PLAN: &'static ::core::primitive::str = "layer normalization of f32 (parameters f32), shape [_, 12, 4, 5], 1 of 4 axes normalized\n\n(the table)";
            #[inline]
            pub fn spec(&self) -> &'static ::normkit::Spec {
                &SPEC
            }
            #[inline]
            pub fn plan(&self) -> &'static ::core::primitive::str {
                Self::PLAN
            }
            #[inline]
            pub fn forward<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                bias: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        [sums, output],
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::None,
                        ::core::option::Option::None,
                    )
                }
            }
            #[inline]
            pub fn forward_inplace<'normkit_x>(
                &self,
                x: impl ::core::convert::Into<::normkit::ViewMut<'normkit_x, f32>>,
                weight: &[f32],
                bias: &[f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::forward_inplace(
                        &SPEC,
                        [sums, output],
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                    )
                }
            }
            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                bias: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
                saved: &mut ::normkit::Saved<f32>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        [sums, output],
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::Some(bias),
                        },
                        0.00001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
                        ::core::option::Option::None,
                    )
                }
            }
            #[inline]
            pub fn backward<'normkit_x, 'normkit_dy, 'normkit_dx>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                dy: impl ::core::convert::Into<::normkit::View<'normkit_dy, f32>>,
                weight: &[f32],
                saved: &::normkit::Saved<f32>,
                dx: impl ::core::convert::Into<::normkit::ViewMut<'normkit_dx, f32>>,
                dweight: &mut [f32],
                dbias: &mut [f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::sets::Entry<
                        f32,
                    >>::backward(
                        &SPEC,
                        [gradient_sums, gradient],
                        ::core::convert::Into::into(x),
                        ::core::convert::Into::into(dy),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        saved,
                        ::core::convert::Into::into(dx),
                        ::normkit::__private::rows::ParamGrads {
                            weight: ::core::option::Option::Some(dweight),
                            bias: ::core::option::Option::Some(dbias),
                        },
                    )
                }
            }
        }
        NormkitKernel
    };
}
