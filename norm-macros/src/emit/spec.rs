//! The description of a kernel.

use super::{cast_of, facade, number};
use crate::model::{Affine, Axis, Eps, Model, Role, Technique};
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

/// The description that run-time checks work from.
pub fn spec(model: &Model) -> TokenStream {
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
    let Technique { kind, centred, of_sum, running, .. } = *model.technique;
    let roles = model.roles.iter().map(|role| match role {
        Role::Kept => quote!(#nk::Role::Kept),
        Role::Channel => quote!(#nk::Role::Channel),
        Role::Normalized => quote!(#nk::Role::Normalized),
    });
    let some = |value: Option<TokenStream>| match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let groups = some(model.groups.map(|groups| number(groups).into_token_stream()));
    let running = some(running.then(|| {
        let momentum = some(model.running.momentum.map(|m| Literal::f64_unsuffixed(m).into_token_stream()));
        let unbiased = model.running.unbiased;
        quote!(#nk::Running { momentum: #momentum, unbiased: #unbiased })
    }));
    let (eps, dtype, param) = (Literal::f64_unsuffixed(eps), model.dtype_names(), model.param.name());
    let cast = cast_of(model);
    quote! {
        #nk::Spec {
            kind: #kind,
            shape: &[#(#axes),*],
            roles: &[#(#roles),*],
            groups: #groups,
            centred: #centred,
            of_sum: #of_sum,
            affine: #nk::Affine::#affine,
            eps: #eps,
            running: #running,
            cast: #cast,
            dtype: #dtype,
            param: #param,
        }
    }
}
