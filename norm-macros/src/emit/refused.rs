//! What stands in place of a refused layer: the messages, the user's item, and methods that type-check, so that code that
//! uses the layer says nothing of its own.

use super::{ident, type_of};
use crate::check::Report;
use crate::model::{Affine, AxisKey, Dtype, Role, Technique, param_elements, role_of};
use crate::parse::{Entry, Value, ValueKind};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// Messages and the item as it was; for a struct also stub methods.
pub fn refused_item(item: &TokenStream, args: &[Entry], report: &Report) -> TokenStream {
    if let Ok(item) = syn::parse2::<syn::ItemStruct>(item.clone()) {
        return refused_layer(&item, args, report);
    }
    let errors = report.to_tokens(&[]);
    let Ok(mut item) = syn::parse2::<syn::Item>(item.clone()) else { return quote!(#errors #item) };
    // What the compiler does not know, so would complain of.
    match &mut item {
        syn::Item::Enum(item) => {
            let fields = item.variants.iter_mut().flat_map(|variant| &mut variant.fields);
            fields.for_each(|field| field.attrs.retain(|attribute| !is_ours(attribute)));
            item.attrs.retain(|attribute| !is_ours(attribute));
        }
        syn::Item::Union(item) => {
            let fields = item.fields.named.iter_mut();
            fields.for_each(|field| field.attrs.retain(|attribute| !is_ours(attribute)));
            item.attrs.retain(|attribute| !is_ours(attribute));
        }
        _ => {}
    }
    quote!(#errors #item)
}

/// Whether it is `#[norm]` or another `#[normalize]`.
fn is_ours(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "normalize" || segment.ident == "norm")
}

/// Messages, the struct, and stub methods.
pub fn refused_layer(item: &syn::ItemStruct, args: &[Entry], report: &Report) -> TokenStream {
    let errors = report.to_tokens(&item.attrs);
    let guess = Guess::new(item, args);
    let structure = structure(item, &guess);
    let grads = grads(item, &guess);
    let methods = methods(item, &guess);
    quote!(#errors #structure #grads #methods)
}

fn value<'a>(args: &'a [Entry], key: &str) -> Option<&'a ValueKind> {
    args.iter().find(|entry| entry.key == key).map(|entry| &entry.value.kind)
}

fn word<'a>(args: &'a [Entry], key: &str) -> Option<&'a str> {
    match value(args, key) {
        Some(ValueKind::Word(word) | ValueKind::Path(word)) => Some(word),
        _ => None,
    }
}

/// What the layer would have been, as far as the part of it that can be read tells.
struct Guess {
    nk: TokenStream,
    /// The type of a weight's vectors, which are its `x`.
    element: TokenStream,
    param: TokenStream,
    compute: TokenStream,
    /// The names of all parameters.
    params: Vec<Ident>,
    /// Those that the struct does not declare.
    added: Vec<Ident>,
    /// Whether the field `eps` is to be added.
    adds_eps: bool,
    /// The argument of `new`.
    len: Option<TokenStream>,
    technique: Option<&'static Technique>,
}

impl Guess {
    fn new(item: &syn::ItemStruct, args: &[Entry]) -> Guess {
        let facade = word(args, "crate").and_then(|path| syn::parse_str::<syn::Path>(path).ok());
        let of = |kind: &ValueKind| if let ValueKind::Word(word) = kind { Dtype::of_name(word) } else { None };
        let first = |key: &str| match value(args, key)? {
            ValueKind::Alternatives(items) => items.iter().find_map(|item| of(&item.kind)),
            kind => of(kind),
        };
        let (of_params, of_vectors) = param_elements(item);
        let element = first("dtype").or(of_vectors).or(of_params).unwrap_or(Dtype::F32);
        let param = first("param").or(of_params).unwrap_or(element.compute());
        let technique = word(args, "kind").and_then(Technique::spelled);
        let affine = match word(args, "affine") {
            Some("false") => Affine::None,
            Some("weight") => Affine::Weight,
            _ => technique.map_or(Affine::WeightAndBias, |technique| technique.affine),
        };
        let declared: Vec<&Ident> = item.fields.iter().filter_map(|field| field.ident.as_ref()).collect();
        let buffers = technique.map_or(&[][..], Technique::buffers);
        let of_role = |roles: &[&str]| -> Vec<Ident> {
            let missing = roles.iter().filter(|role| !declared.iter().any(|field| role_of(field) == Some(**role)));
            missing.map(|role| ident(role)).collect()
        };
        let usual = technique.map_or(&["weight", "bias"][..], |technique| technique.params(affine));
        let mut added = of_role(usual);
        let is_buffer = |field: &Ident| role_of(field).is_some_and(|role| role.starts_with("running_"));
        let mut params: Vec<Ident> = declared
            .iter()
            .filter(|field| role_of(field).is_some() && !is_buffer(field))
            .map(|field| (*field).clone())
            .collect();
        params.extend(added.iter().cloned());
        added.extend(of_role(buffers));
        let eps = value(args, "eps") == Some(&ValueKind::Open);
        let len = (!params.is_empty() && is_open(args, technique)).then(|| match technique {
            Some(Technique { of_sum: true, .. }) => {
                let rank = rank(args);
                quote!(_: [::core::primitive::usize; #rank])
            }
            _ => quote!(_: ::core::primitive::usize),
        });
        let nk = facade.map_or_else(|| quote!(::normkit), ToTokens::into_token_stream);
        Guess {
            element: type_of(&nk, element),
            param: type_of(&nk, param),
            compute: type_of(&nk, element.compute()),
            nk,
            params,
            added,
            adds_eps: eps && !declared.iter().any(|field| *field == "eps"),
            len,
            technique,
        }
    }
}

/// The number of axes of the shape.
fn rank(args: &[Entry]) -> usize {
    if let Some(ValueKind::List(axes)) = value(args, "shape") { axes.len() } else { 0 }
}

/// Whether a parameter's number of elements is known only at run time, or is one of several.
fn is_open(args: &[Entry], technique: Option<&Technique>) -> bool {
    let Some(ValueKind::List(axes)) = value(args, "shape") else { return false };
    let index = |axis: i128| usize::try_from(if axis < 0 { axis + axes.len() as i128 } else { axis }).ok();
    let of = |value: &Value| if let ValueKind::Int(axis) = value.kind { index(axis) } else { None };
    let named: Vec<usize> = match (value(args, "axis"), technique.map(|technique| technique.axis)) {
        (Some(ValueKind::Int(axis)), _) => index(*axis).into_iter().collect(),
        (Some(ValueKind::From(axis)), _) => (index(*axis).unwrap_or(0)..axes.len()).collect(),
        (Some(ValueKind::List(items)), _) => items.iter().filter_map(of).collect(),
        (_, Some(AxisKey::Channels { default, .. })) => index(default).into_iter().collect(),
        _ => vec![axes.len().saturating_sub(1)],
    };
    let roles = technique.map(|technique| technique.roles(axes.len(), &named));
    let spans = |axis: usize| match (&roles, technique) {
        (_, Some(Technique { of_sum: true, .. })) => true,
        (Some(roles), Some(Technique { axis: AxisKey::Channels { .. }, .. })) => roles[axis] == Role::Channel,
        _ => named.contains(&axis),
    };
    let is_unknown = |axis: &Value| matches!(axis.kind, ValueKind::Open | ValueKind::Alternatives(_));
    axes.iter().enumerate().any(|(axis, value)| spans(axis) && is_unknown(value))
}

/// The user's struct with the fields that it lacks, without what would contradict the stubs.
fn structure(item: &syn::ItemStruct, guess: &Guess) -> syn::ItemStruct {
    let mut item = item.clone();
    item.attrs.retain(|attribute| !is_ours(attribute));
    for attribute in item.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let paths = syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated;
        let Ok(paths) = attribute.parse_args_with(paths) else { continue };
        let paths = paths.iter().filter(|path| path.segments.last().is_none_or(|s| s.ident != "Default"));
        *attribute = syn::parse_quote!(#[derive(#(#paths),*)]);
    }
    let Guess { nk, element, param, compute, added, .. } = guess;
    let elements = added.iter().map(|name| if name == "weight_v" { element } else { param });
    let declared = match &item.fields {
        syn::Fields::Unnamed(_) => return item,
        syn::Fields::Named(fields) => fields.named.iter().cloned().collect(),
        syn::Fields::Unit => Vec::new(),
    };
    let eps = guess.adds_eps.then(|| quote!(#[allow(missing_docs)] pub eps: #compute,));
    let counted = item.fields.iter().any(|f| f.ident.as_ref().is_some_and(|name| name == "num_batches_tracked"));
    let running = guess.technique.is_some_and(|technique| technique.running);
    let count =
        (running && !counted).then(|| quote!(#[allow(missing_docs)] pub num_batches_tracked: ::core::primitive::i64,));
    // A type that no field mentions would be an error of its own.
    let unit = matches!(item.fields, syn::Fields::Unit);
    let types: Vec<_> = item.generics.type_params().filter(|_| unit).map(|param| &param.ident).collect();
    let types = (!types.is_empty())
        .then(|| quote!(#[allow(missing_docs)] pub normkit_types: ::core::marker::PhantomData<(#(#types,)*)>,));
    item.semi_token = None;
    item.fields = syn::Fields::Named(syn::parse_quote!({
        #(#declared,)*
        #(#[allow(missing_docs)] pub #added: #nk::Param<#elements>,)*
        #count
        #eps
        #types
    }));
    item
}

fn grads(item: &syn::ItemStruct, guess: &Guess) -> TokenStream {
    let (name, vis) = (format_ident!("{}Grads", item.ident), &item.vis);
    let Guess { nk, compute, params, len, .. } = guess;
    let default = default(len.is_none(), &name, &syn::Generics::default());
    quote! {
        #[allow(missing_docs)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
        #vis struct #name {
            #(pub #params: #nk::Param<#compute>,)*
        }

        #[allow(missing_docs, dead_code)]
        impl #name {
            pub fn new(#len) -> Self {
                ::core::panic!("the layer was refused at compile time")
            }
            pub fn zero(&mut self) {}
        }

        #default
    }
}

/// `Default`, where `new` has no argument.
fn default(wanted: bool, name: &Ident, generics: &syn::Generics) -> Option<TokenStream> {
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    wanted.then(|| {
        quote! {
            impl #impl_generics ::core::default::Default for #name #type_generics #where_clause {
                fn default() -> Self {
                    ::core::panic!("the layer was refused at compile time")
                }
            }
        }
    })
}

/// Methods that take any views, and the trait.
fn methods(item: &syn::ItemStruct, guess: &Guess) -> TokenStream {
    let name = &item.ident;
    let Guess { nk, compute, len, .. } = guess;
    let grads = format_ident!("{name}Grads");
    let (impl_generics, type_generics, where_clause) = item.generics.split_for_impl();
    let result = quote!(::core::result::Result<(), #nk::NormError>);
    let new = if len.is_some() { quote!(::core::result::Result<Self, #nk::NormError>) } else { quote!(Self) };
    let default = default(len.is_none(), name, &item.generics);
    let text = quote!(&'static ::core::primitive::str);
    let refused = quote!({ ::core::panic!("the layer was refused at compile time") });
    let (running, of_sum) = guess.technique.map_or((false, false), |technique| (technique.running, technique.of_sum));
    let receiver = if running { quote!(&mut self) } else { quote!(&self) };
    let frozen = running
        .then(|| quote!(pub fn backward_frozen<X, Y, Z>(&self, _: X, _: Y, _: Z, _: &mut #grads) -> #result #refused));
    let passes = if of_sum {
        let argument = len.as_ref().map(|len| quote!(, #len));
        quote! {
            pub fn from_weight<X>(_: X #argument) -> ::core::result::Result<Self, #nk::NormError> #refused
            pub fn forward<Y>(&self, _: Y) -> #result #refused
            pub fn forward_train<Y>(&self, _: Y, _: &mut #nk::Saved<#compute>) -> #result #refused
            pub fn backward<Y>(&self, _: Y, _: &#nk::Saved<#compute>, _: &mut #grads) -> #result #refused
        }
    } else {
        quote! {
            pub fn forward<X, Y>(&self, _: X, _: Y) -> #result #refused
            pub fn forward_inplace<X>(&self, _: X) -> #result #refused
            pub fn forward_train<X, Y>(#receiver, _: X, _: Y, _: &mut #nk::Saved<#compute>) -> #result #refused
            pub fn backward<X, Y, Z>(&self, _: X, _: Y, _: &#nk::Saved<#compute>, _: Z, _: &mut #grads) -> #result #refused
            #frozen
        }
    };
    quote! {
        #[allow(missing_docs, dead_code)]
        impl #impl_generics #name #type_generics #where_clause {
            pub const PLAN: #text = "";
            pub const KERNEL: #nk::Kernel = #nk::Kernel::refused();
            pub fn new(#len) -> #new #refused
            #passes
        }

        #default

        impl #impl_generics #nk::NormLayer for #name #type_generics #where_clause {
            fn spec(&self) -> &'static #nk::Spec #refused
            fn params(&self) -> ::std::vec::Vec<(#text, #nk::Tensor<'_>)> #refused
            fn params_mut(&mut self) -> ::std::vec::Vec<(#text, #nk::TensorMut<'_>)> #refused
            fn plan(&self) -> #text #refused
        }
    }
}
