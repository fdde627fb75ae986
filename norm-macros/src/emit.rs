//! Model and plan to tokens. Nothing can fail here, and the same input gives the same tokens.

mod backward;
mod doc;
mod forward;
mod kernel;
mod layer;
mod model_form;
mod refused;
mod sweep;

#[cfg(test)]
mod tests;

pub use kernel::kernel;
pub use layer::layer;
pub use model_form::model_form;
pub use refused::{refused_item, refused_layer};

use crate::model::{Dtype, Len, Model};
use crate::plan::{Isa, PassPlan};
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

/// The type of an argument that is read. Its lifetime is named after it: those of a layer's own are not ours to shadow.
fn view(model: &Model, argument: &str) -> TokenStream {
    let (nk, element) = (facade(model), type_of(model.dtype));
    let lifetime = syn::Lifetime::new(&format!("'normkit_{argument}"), Span::call_site());
    quote!(impl ::core::convert::Into<#nk::View<#lifetime, #element>>)
}

/// The type of an argument that is written.
fn view_mut(model: &Model, argument: &str) -> TokenStream {
    let (nk, element) = (facade(model), type_of(model.dtype));
    let lifetime = syn::Lifetime::new(&format!("'normkit_{argument}"), Span::call_site());
    quote!(impl ::core::convert::Into<#nk::ViewMut<#lifetime, #element>>)
}

/// The name of a kernel: `forward_768_avx512`, `backward_n_avx2`.
fn kernel_name(pass: &str, len: Len, isa: Isa) -> Ident {
    match len {
        Len::Fixed(n) => format_ident!("{pass}_{n}_{}", isa.name()),
        Len::Runtime => format_ident!("{pass}_n_{}", isa.name()),
    }
}

/// The function of one kernel around its body.
fn function(model: &Model, len: Len, plan: &PassPlan, pass: &str, args: &str, body: &TokenStream) -> TokenStream {
    let rt = runtime(model);
    let name = kernel_name(pass, len, plan.isa);
    let (level, args) = (ident(plan.isa.name()), ident(args));
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
    quote! {
        #[inline]
        #attributes
        unsafe fn #name(a: &#rt::rows::#args<#element, #param>) {
            #[allow(unused_imports)]
            use #rt::arch::#level::{#compute as v, #element as x, #param as p};
            #[allow(unused_imports)]
            use #rt::finish::#compute as finish;
            let n: usize = #n;
            let inverse_n = 1.0 / n as #compute;
            // SAFETY: the kernel's contract: `a.rows` rows of `n` elements at each pointer, `n` parameters, room for the
            // statistics of all rows; every offset below is under `n`, every row under `a.rows`.
            unsafe { #body }
        }
    }
}
