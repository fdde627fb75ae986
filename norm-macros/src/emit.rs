//! Model and plan to tokens. Nothing can fail here, and the same input gives the same tokens.

mod backward;
mod columns;
mod doc;
mod forward;
mod kernel;
mod layer;
mod model_form;
mod refused;
mod segments;
mod sweep;

#[cfg(test)]
mod tests;

pub use kernel::kernel;
pub use layer::layer;
pub use model_form::model_form;
pub use refused::{refused_item, refused_layer};

use crate::model::{Dtype, Len, Model};
use crate::plan::{Isa, Pass, PassPlan};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// An identifier that only generated code sees.
fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

fn type_of(dtype: Dtype) -> Ident {
    ident(dtype.name())
}

fn number(n: usize) -> Literal {
    Literal::usize_unsuffixed(n)
}

/// The path of the facade, as given or `::normkit`.
fn facade(model: &Model) -> TokenStream {
    syn::parse_str::<syn::Path>(&model.facade).map_or_else(|_| quote!(::normkit), ToTokens::into_token_stream)
}

/// The path of the runtime.
fn runtime(model: &Model) -> TokenStream {
    let facade = facade(model);
    quote!(#facade::__private)
}

/// The lifetime of an argument, named after it: those of a layer's own are not ours to shadow.
fn lifetime(argument: &str) -> syn::Lifetime {
    syn::Lifetime::new(&format!("'normkit_{argument}"), Span::call_site())
}

/// The type of an argument that is read.
fn view(model: &Model, argument: &str) -> TokenStream {
    let (nk, element) = (facade(model), type_of(model.dtype));
    let lifetime = lifetime(argument);
    quote!(impl ::core::convert::Into<#nk::View<#lifetime, #element>>)
}

/// The type of an argument that is written.
fn view_mut(model: &Model, argument: &str) -> TokenStream {
    let (nk, element) = (facade(model), type_of(model.dtype));
    let lifetime = lifetime(argument);
    quote!(impl ::core::convert::Into<#nk::ViewMut<#lifetime, #element>>)
}

/// The name of a kernel: `forward_768_avx512`, `backward_n_avx2`.
fn kernel_name(pass: &str, len: Len, isa: Isa) -> Ident {
    match len {
        Len::Fixed(n) => format_ident!("{pass}_{n}_{}", isa.name()),
        Len::Runtime => format_ident!("{pass}_n_{}", isa.name()),
    }
}

/// The numbers that a kernel over sets takes of each set: the argument and the variable.
fn numbers(model: &Model, pass: Pass) -> Vec<(&'static str, &'static str)> {
    let all: &[_] = match pass {
        Pass::Sums => &[("mean", "m")],
        Pass::Gradient => &[("mean", "m"), ("scale", "k"), ("slope", "l"), ("offset", "o"), ("centre", "u")],
        _ => &[("mean", "m"), ("scale", "k"), ("offset", "o")],
    };
    let of_mean = |name: &str| !["scale", "slope"].contains(&name);
    all.iter().copied().filter(|(name, _)| model.technique.centred || !of_mean(name)).collect()
}

/// The tensors that a kernel over sets goes through.
fn tensors(pass: Pass) -> &'static [&'static str] {
    match pass {
        Pass::Sums => &["x"],
        Pass::Output => &["x", "y"],
        Pass::GradientSums => &["x", "dy"],
        _ => &["x", "dy", "y"],
    }
}

/// Whether rows of that length all start at a cache line, as stores past the caches ask for.
fn may_stream(model: &Model, len: Len) -> bool {
    match len {
        Len::Fixed(n) => (n * model.dtype.size()).is_multiple_of(64),
        Len::Runtime => true,
    }
}

/// The type of what a kernel works on.
fn args_of(model: &Model, pass: Pass) -> TokenStream {
    let rt = runtime(model);
    let (element, param) = (type_of(model.dtype), type_of(model.param));
    let path = match pass {
        Pass::Forward => quote!(rows::ForwardArgs),
        Pass::Backward => quote!(rows::BackwardArgs),
        Pass::Sums | Pass::Output | Pass::GradientSums | Pass::Gradient => quote!(sets::SetArgs),
    };
    quote!(#rt::#path<#element, #param>)
}

/// The function of one kernel around its body.
fn function(model: &Model, len: Len, plan: &PassPlan, body: &TokenStream) -> TokenStream {
    let rt = runtime(model);
    let name = kernel_name(plan.pass.name(), len, plan.isa);
    let (level, args) = (ident(plan.isa.name()), args_of(model, plan.pass));
    let (element, param, compute) = (type_of(model.dtype), type_of(model.param), type_of(model.dtype.compute()));
    let n = match len {
        Len::Fixed(n) => number(n).into_token_stream(),
        Len::Runtime => quote!(a.n),
    };
    let attributes = match plan.isa {
        Isa::Avx512 => quote! {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
        },
        Isa::Avx2 => quote! {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c")]
        },
        Isa::Portable => quote!(),
    };
    let rows = matches!(plan.pass, Pass::Forward | Pass::Backward);
    let finish = rows.then(|| {
        quote! {
            #[allow(unused_imports)]
            use #rt::finish::#compute as finish;
            let inverse_n = 1.0 / n as #compute;
        }
    });
    quote! {
        #[inline]
        #attributes
        unsafe fn #name(a: &#args) {
            #[allow(unused_imports)]
            use #rt::arch::#level::{#compute as v, #element as x, #param as p};
            #[allow(unused_variables)]
            let n: usize = #n;
            #finish
            // SAFETY: the kernel's contract: every pointer is valid for what its description says of it, rows of `n` elements
            // or columns up to `a.sets` among them; every offset below is under `n` or `a.sets`, every row under `a.rows`.
            unsafe { #body }
        }
    }
}
