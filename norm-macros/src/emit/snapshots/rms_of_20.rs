// norm!(kind = "rms", shape = [_, 20])
// Bodies of kernels: forward_20_avx512, backward_20_avx512.

fn main() {
    let _ = {
        static SPEC: ::normkit::Spec = ::normkit::Spec {
            kind: "rms",
            shape: &[::normkit::Dim::Any, ::normkit::Dim::Fixed(20)],
            roles: &[::normkit::Role::Kept, ::normkit::Role::Normalized],
            groups: ::core::option::Option::None,
            centred: false,
            of_sum: false,
            affine: ::normkit::Affine::Weight,
            eps: 0.000001,
            running: ::core::option::Option::None,
            cast: ::normkit::Cast::Once,
            dtype: "f32",
            param: "f32",
        };
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn forward_20_avx512(
            a: &::normkit::__private::rows::ForwardArgs<f32, f32>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            #[allow(unused_imports)]
            use ::normkit::__private::finish::f32 as finish;
            let inverse_n: f32 = 1f32 / n as f32;
            unsafe {
                let mut row = 0_usize;
                while row < a.rows {
                    if a.rows - row >= 4 && a.together {
                        let x0 = a.x.add(row * a.x_stride);
                        let y0 = a.y.add(row * a.y_stride);
                        let x1 = a.x.add((row + 1) * a.x_stride);
                        let y1 = a.y.add((row + 1) * a.y_stride);
                        let x2 = a.x.add((row + 2) * a.x_stride);
                        let y2 = a.y.add((row + 2) * a.y_stride);
                        let x3 = a.x.add((row + 3) * a.x_stride);
                        let y3 = a.y.add((row + 3) * a.y_stride);
                        let mut q0_0 = v::zero();
                        let mut q1_0 = v::zero();
                        let mut q2_0 = v::zero();
                        let mut q3_0 = v::zero();
                        let d0_0 = x::load(x0.add(0));
                        q0_0 = v::fma(d0_0, d0_0, q0_0);
                        let d1_0 = x::load(x1.add(0));
                        q1_0 = v::fma(d1_0, d1_0, q1_0);
                        let d2_0 = x::load(x2.add(0));
                        q2_0 = v::fma(d2_0, d2_0, q2_0);
                        let d3_0 = x::load(x3.add(0));
                        q3_0 = v::fma(d3_0, d3_0, q3_0);
                        let d0_1 = x::load_part(x0.add(16), 4, v::zero());
                        q0_0 = v::fma(d0_1, d0_1, q0_0);
                        let d1_1 = x::load_part(x1.add(16), 4, v::zero());
                        q1_0 = v::fma(d1_1, d1_1, q1_0);
                        let d2_1 = x::load_part(x2.add(16), 4, v::zero());
                        q2_0 = v::fma(d2_1, d2_1, q2_0);
                        let d3_1 = x::load_part(x3.add(16), 4, v::zero());
                        q3_0 = v::fma(d3_1, d3_1, q3_0);
                        let f = finish::plain(
                            v::sum4(q0_0, q1_0, q2_0, q3_0),
                            inverse_n,
                            a.eps,
                        );
                        if f.good {
                            if !a.rstd.is_null() {
                                a.rstd.add(row).write(f.rstd[0]);
                                a.rstd.add(row + 1).write(f.rstd[1]);
                                a.rstd.add(row + 2).write(f.rstd[2]);
                                a.rstd.add(row + 3).write(f.rstd[3]);
                            }
                            let r0 = v::splat(f.rstd[0]);
                            let w = p::load(a.weight.add(0));
                            x::store(y0.add(0), v::mul(v::mul(d0_0, r0), w));
                            let w = p::load_part(a.weight.add(16), 4, v::zero());
                            x::store_part(y0.add(16), v::mul(v::mul(d0_1, r0), w), 4);
                            let r1 = v::splat(f.rstd[1]);
                            let w = p::load(a.weight.add(0));
                            x::store(y1.add(0), v::mul(v::mul(d1_0, r1), w));
                            let w = p::load_part(a.weight.add(16), 4, v::zero());
                            x::store_part(y1.add(16), v::mul(v::mul(d1_1, r1), w), 4);
                            let r2 = v::splat(f.rstd[2]);
                            let w = p::load(a.weight.add(0));
                            x::store(y2.add(0), v::mul(v::mul(d2_0, r2), w));
                            let w = p::load_part(a.weight.add(16), 4, v::zero());
                            x::store_part(y2.add(16), v::mul(v::mul(d2_1, r2), w), 4);
                            let r3 = v::splat(f.rstd[3]);
                            let w = p::load(a.weight.add(0));
                            x::store(y3.add(0), v::mul(v::mul(d3_0, r3), w));
                            let w = p::load_part(a.weight.add(16), 4, v::zero());
                            x::store_part(y3.add(16), v::mul(v::mul(d3_1, r3), w), 4);
                            row += 4;
                            continue;
                        }
                    }
                    let stop = ::core::cmp::Ord::min(a.rows, row + 4);
                    while row < stop {
                        {
                            let x0 = a.x.add(row * a.x_stride);
                            let y0 = a.y.add(row * a.y_stride);
                            let mut q0_0 = v::zero();
                            let d0_0 = x::load(x0.add(0));
                            q0_0 = v::fma(d0_0, d0_0, q0_0);
                            let d0_1 = x::load_part(x0.add(16), 4, v::zero());
                            q0_0 = v::fma(d0_1, d0_1, q0_0);
                            let f = finish::plain([v::sum(q0_0); 4], inverse_n, a.eps);
                            if f.good {
                                if !a.rstd.is_null() {
                                    a.rstd.add(row).write(f.rstd[0]);
                                }
                                let r0 = v::splat(f.rstd[0]);
                                let w = p::load(a.weight.add(0));
                                x::store(y0.add(0), v::mul(v::mul(d0_0, r0), w));
                                let w = p::load_part(a.weight.add(16), 4, v::zero());
                                x::store_part(y0.add(16), v::mul(v::mul(d0_1, r0), w), 4);
                            } else {
                                <f32 as ::normkit::__private::rows::Entry<
                                    f32,
                                >>::careful_row(a, row, n, &SPEC);
                            }
                        }
                        row += 1;
                    }
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn forward_20_avx2(
            a: &::normkit::__private::rows::ForwardArgs<f32, f32>,
        ) {}
        unsafe fn forward_20_portable(
            a: &::normkit::__private::rows::ForwardArgs<f32, f32>,
        ) {}
        fn forward(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::rows::ForwardArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: forward_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: forward_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: forward_20_avx2,
                            portable: forward_20_portable,
                        },
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        unsafe fn backward_20_avx512(
            a: &::normkit::__private::rows::BackwardArgs<f32, f32>,
        ) {
            #[allow(unused_imports)]
            use ::normkit::__private::arch::avx512::{f32 as v, f32 as x, f32 as p};
            #[allow(unused_variables)]
            let n: usize = 20;
            #[allow(unused_imports)]
            use ::normkit::__private::finish::f32 as finish;
            let inverse_n: f32 = 1f32 / n as f32;
            unsafe {
                let mut dw0 = v::load(a.dweight.add(0));
                let mut dw1 = v::load(a.dweight.add(16));
                let mut row = 0_usize;
                while row < a.rows {
                    let x0 = a.x.add(row * a.x_stride);
                    let dy0 = a.dy.add(row * a.dy_stride);
                    let dx0 = a.dx.add(row * a.dx_stride);
                    let rstd = a.rstd.add(row).read();
                    let r0 = v::splat(rstd);
                    let mut q0_0 = v::zero();
                    let mut q0_1 = v::zero();
                    let w = p::load(a.weight.add(0));
                    let d = x::load(dy0.add(0));
                    let g0_0 = v::mul(d, w);
                    let h0_0 = v::mul(x::load(x0.add(0)), r0);
                    q0_0 = v::fma(g0_0, h0_0, q0_0);
                    dw0 = v::fma(d, h0_0, dw0);
                    let w = p::load_part(a.weight.add(16), 4, v::zero());
                    let d = x::load_part(dy0.add(16), 4, v::zero());
                    let g0_1 = v::mul(d, w);
                    let h0_1 = v::mul(x::load_part(x0.add(16), 4, v::zero()), r0);
                    q0_1 = v::fma(g0_1, h0_1, q0_1);
                    dw1 = v::fma(d, h0_1, dw1);
                    let square = [v::sum(v::add(q0_0, q0_1)); 4];
                    let t0 = v::splat(square[0] * inverse_n);
                    let z0 = v::mul(v::fnma(h0_0, t0, g0_0), r0);
                    x::store(dx0.add(0), z0);
                    let z0 = v::mul(v::fnma(h0_1, t0, g0_1), r0);
                    x::store_part(dx0.add(16), z0, 4);
                    row += 1;
                }
                v::store(a.dweight.add(0), dw0);
                v::store(a.dweight.add(16), dw1);
            }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn backward_20_avx2(
            a: &::normkit::__private::rows::BackwardArgs<f32, f32>,
        ) {}
        unsafe fn backward_20_portable(
            a: &::normkit::__private::rows::BackwardArgs<f32, f32>,
        ) {}
        fn backward(
            n: usize,
        ) -> ::core::option::Option<
            &'static ::normkit::__private::rows::Kernels<
                ::normkit::__private::rows::BackwardArgs<f32, f32>,
            >,
        > {
            match n {
                20 => {
                    ::core::option::Option::Some(
                        &::normkit::__private::rows::Kernels {
                            #[cfg(target_arch = "x86_64")]
                            avx512_bf16: backward_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx512: backward_20_avx512,
                            #[cfg(target_arch = "x86_64")]
                            avx2: backward_20_avx2,
                            portable: backward_20_portable,
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
            pub const PLAN: &'static ::core::primitive::str = "rms normalization of f32 (parameters f32), shape [_, 20], 1 of 2 axes normalized\n\n(the table)";
            pub const KERNEL: ::normkit::Kernel = {
                const PASSES: &[::normkit::__private::kernel::AnyPasses] = &[
                    &::normkit::__private::kernel::Passes::<f32, f32>::Rows {
                        forward: forward,
                        backward: backward,
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
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.000001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::None,
                    )
                }
            }
            #[inline]
            pub fn forward_inplace<'normkit_x>(
                &self,
                x: impl ::core::convert::Into<::normkit::ViewMut<'normkit_x, f32>>,
                weight: &[f32],
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::forward_inplace(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.000001,
                    )
                }
            }
            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(
                &self,
                x: impl ::core::convert::Into<::normkit::View<'normkit_x, f32>>,
                weight: &[f32],
                y: impl ::core::convert::Into<::normkit::ViewMut<'normkit_y, f32>>,
                saved: &mut ::normkit::Saved<f32>,
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::forward(
                        &SPEC,
                        forward,
                        ::core::convert::Into::into(x),
                        ::normkit::__private::rows::Params {
                            weight: ::core::option::Option::Some(weight),
                            bias: ::core::option::Option::None,
                        },
                        0.000001,
                        ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
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
            ) -> ::core::result::Result<(), ::normkit::NormError> {
                unsafe {
                    <f32 as ::normkit::__private::rows::Entry<
                        f32,
                    >>::backward(
                        &SPEC,
                        backward,
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
                            bias: ::core::option::Option::None,
                        },
                    )
                }
            }
        }
        NormkitKernel
    };
}
