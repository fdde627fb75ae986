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
            cast: ::normkit::Cast::Once,
            dtype: "f32",
            param: "f32",
        };
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
                    let mut row = 0_usize;
                    while row < a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let mut c = 0_usize;
                        while a.sets - c >= 16 {
                            let m0 = v::load(a.mean.add(c));
                            let mut s0 = v::load(a.column_sum.add(c));
                            let mut q0 = v::load(a.column_square.add(c));
                            let d = v::sub(x::load(x0.add(c)), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
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
                            let d = v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0);
                            s0 = v::add(s0, d);
                            q0 = v::fma(d, d, q0);
                            v::store_part(a.column_sum.add(c), s0, a.sets - c);
                            v::store_part(a.column_square.add(c), q0, a.sets - c);
                        }
                        row += 1;
                    }
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn sums_20_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        unsafe fn sums_20_portable(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        fn sums(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: sums_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: sums_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: sums_20_avx2,
                            portable: sums_20_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn output_20_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
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
                        let w0 = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        let b0 = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.bias.add(row).read(),
                            ),
                        );
                        let z0 = v::fma(
                            v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0),
                            w0,
                            b0,
                        );
                        x::store(y0.add(c), z0);
                        let z0 = v::fma(
                            v::fma(v::sub(x::load(x0.add(c + 8)), m1), k1, o1),
                            w0,
                            b0,
                        );
                        x::store(y0.add(c + 8), z0);
                        let z0 = v::fma(
                            v::fma(
                                v::sub(x::load_part(x0.add(c + 16), 4, m2), m2),
                                k2,
                                o2,
                            ),
                            w0,
                            b0,
                        );
                        x::store_part(y0.add(c + 16), z0, 4);
                    }
                } else {
                    let mut row = 0_usize;
                    while row < a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let y0 = a.y.add(row * a.y_row);
                        let w0 = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        let b0 = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.bias.add(row).read(),
                            ),
                        );
                        let mut c = 0_usize;
                        while a.sets - c >= 8 {
                            let m0 = v::load(a.mean.add(c));
                            let k0 = v::load(a.scale.add(c));
                            let o0 = v::load(a.offset.add(c));
                            let z0 = v::fma(
                                v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0),
                                w0,
                                b0,
                            );
                            x::store(y0.add(c), z0);
                            c += 8;
                        }
                        if c < a.sets {
                            let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                            let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                            let o0 = v::load_part(
                                a.offset.add(c),
                                a.sets - c,
                                v::zero(),
                            );
                            let z0 = v::fma(
                                v::fma(
                                    v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                    k0,
                                    o0,
                                ),
                                w0,
                                b0,
                            );
                            x::store_part(y0.add(c), z0, a.sets - c);
                        }
                        row += 1;
                    }
                }
            }
        }
        unsafe fn output_20_portable(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        fn output(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: output_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: output_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: output_20_avx2,
                            portable: output_20_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
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
                        let w0 = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        let mut dw0 = v::load(
                            a.dweight.add(row * ::normkit::__private::rows::PADDING),
                        );
                        let mut db0 = v::load(
                            a.dbias.add(row * ::normkit::__private::rows::PADDING),
                        );
                        let d = x::load(dy0.add(c));
                        let g = v::mul(d, w0);
                        let h = v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0);
                        s0 = v::add(s0, g);
                        q0 = v::fma(g, h, q0);
                        dw0 = v::fma(d, h, dw0);
                        db0 = v::add(db0, d);
                        let d = x::load_part(dy0.add(c + 16), 4, v::zero());
                        let g = v::mul(d, w0);
                        let h = v::fma(
                            v::sub(x::load_part(x0.add(c + 16), 4, m1), m1),
                            k1,
                            o1,
                        );
                        s1 = v::add(s1, g);
                        q1 = v::fma(g, h, q1);
                        dw0 = v::fma(d, h, dw0);
                        db0 = v::add(db0, d);
                        v::store(
                            a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            dw0,
                        );
                        v::store(
                            a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            db0,
                        );
                    }
                    v::store(a.column_sum.add(c), s0);
                    v::store(a.column_square.add(c), q0);
                    v::store_part(a.column_sum.add(c + 16), s1, 4);
                    v::store_part(a.column_square.add(c + 16), q1, 4);
                } else {
                    let mut row = 0_usize;
                    while row < a.rows {
                        let x0 = a.x.add(row * a.x_row);
                        let dy0 = a.dy.add(row * a.dy_row);
                        let w0 = v::splat(
                            <f32 as ::normkit::__private::Element>::widen(
                                a.weight.add(row).read(),
                            ),
                        );
                        let mut dw0 = v::load(
                            a.dweight.add(row * ::normkit::__private::rows::PADDING),
                        );
                        let mut db0 = v::load(
                            a.dbias.add(row * ::normkit::__private::rows::PADDING),
                        );
                        let mut c = 0_usize;
                        while a.sets - c >= 16 {
                            let m0 = v::load(a.mean.add(c));
                            let k0 = v::load(a.scale.add(c));
                            let o0 = v::load(a.offset.add(c));
                            let mut s0 = v::load(a.column_sum.add(c));
                            let mut q0 = v::load(a.column_square.add(c));
                            let d = x::load(dy0.add(c));
                            let g = v::mul(d, w0);
                            let h = v::fma(v::sub(x::load(x0.add(c)), m0), k0, o0);
                            s0 = v::add(s0, g);
                            q0 = v::fma(g, h, q0);
                            dw0 = v::fma(d, h, dw0);
                            db0 = v::add(db0, d);
                            v::store(a.column_sum.add(c), s0);
                            v::store(a.column_square.add(c), q0);
                            c += 16;
                        }
                        if c < a.sets {
                            let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                            let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                            let o0 = v::load_part(
                                a.offset.add(c),
                                a.sets - c,
                                v::zero(),
                            );
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
                            let d = x::load_part(dy0.add(c), a.sets - c, v::zero());
                            let g = v::mul(d, w0);
                            let h = v::fma(
                                v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                k0,
                                o0,
                            );
                            s0 = v::add(s0, g);
                            q0 = v::fma(g, h, q0);
                            dw0 = v::fma(d, h, dw0);
                            db0 = v::add(db0, d);
                            v::store_part(a.column_sum.add(c), s0, a.sets - c);
                            v::store_part(a.column_square.add(c), q0, a.sets - c);
                        }
                        v::store(
                            a.dweight.add(row * ::normkit::__private::rows::PADDING),
                            dw0,
                        );
                        v::store(
                            a.dbias.add(row * ::normkit::__private::rows::PADDING),
                            db0,
                        );
                        row += 1;
                    }
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn gradient_sums_20_avx2(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        unsafe fn gradient_sums_20_portable(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        fn gradient_sums(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: gradient_sums_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: gradient_sums_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: gradient_sums_20_avx2,
                            portable: gradient_sums_20_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn gradient_20_avx512(a: &::normkit::__private::sets::SetArgs<f32, f32>) {}
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn gradient_20_avx2(a: &::normkit::__private::sets::SetArgs<f32, f32>) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx2::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            unsafe {
                let mut row = 0_usize;
                while a.rows - row >= 2 {
                    let x0 = a.x.add(row * a.x_row);
                    let dy0 = a.dy.add(row * a.dy_row);
                    let y0 = a.y.add(row * a.y_row);
                    let w0 = v::splat(
                        <f32 as ::normkit::__private::Element>::widen(
                            a.weight.add(row).read(),
                        ),
                    );
                    let x1 = a.x.add((row + 1) * a.x_row);
                    let dy1 = a.dy.add((row + 1) * a.dy_row);
                    let y1 = a.y.add((row + 1) * a.y_row);
                    let w1 = v::splat(
                        <f32 as ::normkit::__private::Element>::widen(
                            a.weight.add(row + 1).read(),
                        ),
                    );
                    let mut c = 0_usize;
                    while a.sets - c >= 8 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let l0 = v::load(a.slope.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let u0 = v::load(a.centre.add(c));
                        let z0 = v::fma(
                            v::sub(v::mul(x::load(dy0.add(c)), w0), u0),
                            k0,
                            v::fma(v::sub(x::load(x0.add(c)), m0), l0, o0),
                        );
                        let z1 = v::fma(
                            v::sub(v::mul(x::load(dy1.add(c)), w1), u0),
                            k0,
                            v::fma(v::sub(x::load(x1.add(c)), m0), l0, o0),
                        );
                        x::store(y0.add(c), z0);
                        x::store(y1.add(c), z1);
                        c += 8;
                    }
                    if c < a.sets {
                        let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                        let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                        let l0 = v::load_part(a.slope.add(c), a.sets - c, v::zero());
                        let o0 = v::load_part(a.offset.add(c), a.sets - c, v::zero());
                        let u0 = v::load_part(a.centre.add(c), a.sets - c, v::zero());
                        let z0 = v::fma(
                            v::sub(
                                v::mul(x::load_part(dy0.add(c), a.sets - c, v::zero()), w0),
                                u0,
                            ),
                            k0,
                            v::fma(
                                v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                l0,
                                o0,
                            ),
                        );
                        let z1 = v::fma(
                            v::sub(
                                v::mul(x::load_part(dy1.add(c), a.sets - c, v::zero()), w1),
                                u0,
                            ),
                            k0,
                            v::fma(
                                v::sub(x::load_part(x1.add(c), a.sets - c, m0), m0),
                                l0,
                                o0,
                            ),
                        );
                        x::store_part(y0.add(c), z0, a.sets - c);
                        x::store_part(y1.add(c), z1, a.sets - c);
                    }
                    row += 2;
                }
                while row < a.rows {
                    let x0 = a.x.add(row * a.x_row);
                    let dy0 = a.dy.add(row * a.dy_row);
                    let y0 = a.y.add(row * a.y_row);
                    let w0 = v::splat(
                        <f32 as ::normkit::__private::Element>::widen(
                            a.weight.add(row).read(),
                        ),
                    );
                    let mut c = 0_usize;
                    while a.sets - c >= 8 {
                        let m0 = v::load(a.mean.add(c));
                        let k0 = v::load(a.scale.add(c));
                        let l0 = v::load(a.slope.add(c));
                        let o0 = v::load(a.offset.add(c));
                        let u0 = v::load(a.centre.add(c));
                        let z0 = v::fma(
                            v::sub(v::mul(x::load(dy0.add(c)), w0), u0),
                            k0,
                            v::fma(v::sub(x::load(x0.add(c)), m0), l0, o0),
                        );
                        x::store(y0.add(c), z0);
                        c += 8;
                    }
                    if c < a.sets {
                        let m0 = v::load_part(a.mean.add(c), a.sets - c, v::zero());
                        let k0 = v::load_part(a.scale.add(c), a.sets - c, v::zero());
                        let l0 = v::load_part(a.slope.add(c), a.sets - c, v::zero());
                        let o0 = v::load_part(a.offset.add(c), a.sets - c, v::zero());
                        let u0 = v::load_part(a.centre.add(c), a.sets - c, v::zero());
                        let z0 = v::fma(
                            v::sub(
                                v::mul(x::load_part(dy0.add(c), a.sets - c, v::zero()), w0),
                                u0,
                            ),
                            k0,
                            v::fma(
                                v::sub(x::load_part(x0.add(c), a.sets - c, m0), m0),
                                l0,
                                o0,
                            ),
                        );
                        x::store_part(y0.add(c), z0, a.sets - c);
                    }
                    row += 1;
                }
            }
        }
        unsafe fn gradient_20_portable(
            a: &::normkit::__private::sets::SetArgs<f32, f32>,
        ) {}
        fn gradient(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::sets::SetArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: gradient_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: gradient_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: gradient_20_avx2,
                            portable: gradient_20_portable,
                        },
                    )
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
            pub const KERNEL: ::normkit::Kernel = {
                const PASSES: &[::normkit::__private::kernel::AnyPasses] = &[
                    &::normkit::__private::kernel::Passes::<f32, f32>::Sets {
                        forward: ::normkit::__private::sets::Selects::Sweeps([
                            sums,
                            output,
                        ]),
                        backward: ::normkit::__private::sets::Selects::Sweeps([
                            gradient_sums,
                            gradient,
                        ]),
                    },
                ];
                unsafe { ::normkit::Kernel::new(&SPEC, PASSES) }
            };
            #[inline]
            pub const fn kernel(&self) -> ::normkit::Kernel {
                Self::KERNEL
            }
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
                        ::normkit::__private::sets::Selects::Sweeps([sums, output]),
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
                        ::normkit::__private::sets::Selects::Sweeps([sums, output]),
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
                        ::normkit::__private::sets::Selects::Sweeps([sums, output]),
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
                        ::normkit::__private::sets::Selects::Sweeps([
                            gradient_sums,
                            gradient,
                        ]),
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
