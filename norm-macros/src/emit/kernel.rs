//! The zero-sized kernel type: what `norm!` gives, and what a layer calls.

use super::{
    backward::backward, facade, forward::forward, ident, kernel_name, number, runtime, type_of, view, view_mut,
};
use crate::model::{Affine, Axis, Eps, Len, Model};
use crate::plan::{Isa, Pass, Plan, table};
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

/// `norm!(...)`: the kernel as an expression.
pub fn kernel(model: &Model, plan: &Plan) -> TokenStream {
    let items = items(model, plan);
    quote!({
        #items
        NormkitKernel
    })
}

/// The kernels, their description and the type `NormkitKernel` over them.
pub fn items(model: &Model, plan: &Plan) -> TokenStream {
    let (rt, nk) = (runtime(model), facade(model));
    let (param, compute) = (type_of(model.param), type_of(model.dtype.compute()));
    let element = type_of(model.dtype);
    let entry = quote!(<#element as #rt::rows::Entry<#param>>);
    let spec = spec(model);
    let table = table::table(model, plan);
    let mut functions = TokenStream::new();
    for kernel in &plan.kernels {
        for pass in &kernel.passes {
            functions.extend(match pass.pass {
                Pass::Forward => forward(model, kernel.len, pass),
                Pass::Backward => backward(model, kernel.len, pass),
            });
        }
    }
    let select_forward = select(model, plan, "forward", "ForwardArgs");
    let select_backward = select(model, plan, "backward", "BackwardArgs");
    let params: Vec<_> = model.params().iter().map(|name| ident(name)).collect();
    let params = quote!(#(#params: &[#param],)*);
    let (has_weight, has_bias) = (model.affine >= Affine::Weight, model.affine >= Affine::WeightAndBias);
    let (weight, bias, none) = (option("weight", has_weight), option("bias", has_bias), option("bias", false));
    let values = quote!(#rt::rows::Params { weight: #weight, bias: #bias });
    // The bias has no part in the gradients.
    let backward_values = quote!(#rt::rows::Params { weight: #weight, bias: #none });
    let (eps_param, eps) = match model.eps {
        Eps::Runtime => (quote!(eps: #compute,), quote!(eps)),
        Eps::Fixed(eps) => (quote!(), Literal::f64_unsuffixed(eps).into_token_stream()),
    };
    let backward_param = has_weight.then(|| quote!(weight: &[#param],));
    let grads: Vec<_> = model.params().iter().map(|name| ident(&format!("d{name}"))).collect();
    let (dweight, dbias) = (option("dweight", has_weight), option("dbias", has_bias));
    let grad_values = quote!(#rt::rows::ParamGrads { weight: #dweight, bias: #dbias });
    let ok = quote!(::core::result::Result<(), #nk::NormError>);
    let [x, dy] = ["x", "dy"].map(|name| view(model, name));
    let [x_mut, y_mut, dx_mut] = ["x", "y", "dx"].map(|name| view_mut(model, name));
    quote! {
        static SPEC: #nk::Spec = #spec;
        #functions
        #select_forward
        #select_backward

        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default)]
        struct NormkitKernel;

        #[allow(dead_code, clippy::too_many_arguments, clippy::unused_self)]
        impl NormkitKernel {
            pub const PLAN: &'static ::core::primitive::str = #table;

            #[inline]
            pub fn spec(&self) -> &'static #nk::Spec {
                &SPEC
            }

            #[inline]
            pub fn plan(&self) -> &'static ::core::primitive::str {
                Self::PLAN
            }

            #[inline]
            pub fn forward<'normkit_x, 'normkit_y>(&self, x: #x, #params #eps_param y: #y_mut) -> #ok {
                // SAFETY: the kernels were generated for this description.
                unsafe {
                    #entry::forward(
                        &SPEC, forward, ::core::convert::Into::into(x), #values, #eps, ::core::convert::Into::into(y),
                        ::core::option::Option::None,
                    )
                }
            }

            #[inline]
            pub fn forward_inplace<'normkit_x>(&self, x: #x_mut, #params #eps_param) -> #ok {
                // SAFETY: the kernels were generated for this description.
                unsafe { #entry::forward_inplace(&SPEC, forward, ::core::convert::Into::into(x), #values, #eps) }
            }

            #[inline]
            pub fn forward_train<'normkit_x, 'normkit_y>(
                &self, x: #x, #params #eps_param y: #y_mut, saved: &mut #nk::Saved<#compute>,
            ) -> #ok {
                // SAFETY: the kernels were generated for this description.
                unsafe {
                    #entry::forward(
                        &SPEC, forward, ::core::convert::Into::into(x), #values, #eps, ::core::convert::Into::into(y),
                        ::core::option::Option::Some(saved),
                    )
                }
            }

            #[inline]
            pub fn backward<'normkit_x, 'normkit_dy, 'normkit_dx>(
                &self, x: #x, dy: #dy, #backward_param saved: &#nk::Saved<#compute>, dx: #dx_mut,
                #(#grads: &mut [#compute],)*
            ) -> #ok {
                // SAFETY: the kernels were generated for this description.
                unsafe {
                    #entry::backward(
                        &SPEC, backward, ::core::convert::Into::into(x), ::core::convert::Into::into(dy), #backward_values,
                        saved, ::core::convert::Into::into(dx), #grad_values,
                    )
                }
            }
        }
    }
}

/// `Some(name)` for what is there, `None` for what is not.
fn option(name: &str, present: bool) -> TokenStream {
    let name = ident(name);
    if present { quote!(::core::option::Option::Some(#name)) } else { quote!(::core::option::Option::None) }
}

/// The function from a length to the kernels of a pass.
fn select(model: &Model, plan: &Plan, pass: &str, args: &str) -> TokenStream {
    let rt = runtime(model);
    let (name, args) = (ident(pass), ident(args));
    let (element, param) = (type_of(model.dtype), type_of(model.param));
    let mut arms = TokenStream::new();
    for kernel in &plan.kernels {
        let pattern = match kernel.len {
            Len::Fixed(n) => number(n).into_token_stream(),
            Len::Runtime => quote!(_),
        };
        let [avx512, avx2, portable] = Isa::ALL.map(|isa| kernel_name(pass, kernel.len, isa));
        arms.extend(quote! {
            #pattern => ::core::option::Option::Some(#rt::rows::Kernels {
                #[cfg(target_arch = "x86_64")]
                avx512: #avx512,
                #[cfg(target_arch = "x86_64")]
                avx2: #avx2,
                portable: #portable,
            }),
        });
    }
    if plan.kernels.last().is_none_or(|kernel| kernel.len != Len::Runtime) {
        arms.extend(quote!(_ => ::core::option::Option::None,));
    }
    quote! {
        #[inline]
        fn #name(n: usize) -> ::core::option::Option<#rt::rows::Kernels<#rt::rows::#args<#element, #param>>> {
            match n { #arms }
        }
    }
}

/// The description that run-time checks work from.
fn spec(model: &Model) -> TokenStream {
    let nk = facade(model);
    let axes = model.shape.iter().map(|axis| match axis {
        Axis::Fixed(n) => {
            let n = number(*n);
            quote!(#nk::Dim::Fixed(#n))
        }
        Axis::Family { sizes, open: false } => {
            let sizes = sizes.iter().map(|n| number(*n));
            quote!(#nk::Dim::OneOf(&[#(#sizes),*]))
        }
        Axis::Open | Axis::Family { .. } => quote!(#nk::Dim::Any),
    });
    let affine = match model.affine {
        Affine::None => quote!(None),
        Affine::Weight => quote!(Weight),
        Affine::WeightAndBias => quote!(WeightAndBias),
    };
    let eps = match model.eps {
        Eps::Fixed(eps) => eps,
        Eps::Runtime => model.technique.eps,
    };
    let (kind, leading, centred) = (model.technique.kind, number(model.leading), model.technique.centred);
    let (eps, dtype, param) = (Literal::f64_unsuffixed(eps), model.dtype.name(), model.param.name());
    quote! {
        #nk::Spec {
            kind: #kind,
            shape: &[#(#axes),*],
            leading: #leading,
            centred: #centred,
            affine: #nk::Affine::#affine,
            eps: #eps,
            dtype: #dtype,
            param: #param,
        }
    }
}
