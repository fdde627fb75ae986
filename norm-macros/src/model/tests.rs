use super::*;
use crate::check::catalogue;
use crate::parse;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use std::collections::BTreeSet;

// From tokens to a model, and the names of what was reported.

pub fn read_kernel(args: TokenStream) -> (Option<Model>, Vec<&'static str>) {
    let mut report = Report::default();
    let args = parse::args(args, &mut report);
    let model = kernel(&args, &mut report);
    (model, report.names)
}

pub fn read_layer(args: TokenStream, item: TokenStream) -> (Option<Layer>, Vec<&'static str>) {
    let mut report = Report::default();
    let args = parse::args(args, &mut report);
    let layer = parse::item(item, &mut report).and_then(|item| layer(&args, &item, &mut report));
    (layer, report.names)
}

fn kernel_of(args: TokenStream) -> Model {
    let shown = args.to_string();
    let (model, names) = read_kernel(args);
    assert_eq!(names, [""; 0], "{shown}");
    model.unwrap()
}

fn layer_of(args: TokenStream, item: TokenStream) -> Layer {
    let shown = format!("{args} on {item}");
    let (layer, names) = read_layer(args, item);
    assert_eq!(names, [""; 0], "{shown}");
    layer.unwrap()
}

fn with_default_keys(kind: &str, shape: Vec<Axis>) -> Model {
    let technique = Technique::of_kind(kind).unwrap();
    Model {
        technique,
        roles: technique.roles(shape.len(), &[shape.len() - 1]),
        shape,
        groups: None,
        running: Running { momentum: Some(0.1), unbiased: true },
        eps: Eps::Fixed(technique.eps),
        dtypes: vec![Dtype::F32],
        param: Dtype::F32,
        cast: Cast::Once,
        affine: technique.affine,
        facade: "::normkit".into(),
    }
}

#[test]
fn defaults_of_each_kind() {
    let shape = vec![Axis::Open, Axis::Fixed(4096)];
    let rms = kernel_of(quote!(kind = "rms", shape = [_, 4096]));
    assert_eq!(rms, with_default_keys("rms", shape.clone()));
    assert_eq!((rms.eps, rms.affine, rms.technique.centred), (Eps::Fixed(1e-6), Affine::Weight, false));
    let layer = kernel_of(quote!(kind = layer, shape = [_, 4096]));
    assert_eq!(layer, with_default_keys("layer", shape));
    assert_eq!((layer.eps, layer.affine, layer.technique.centred), (Eps::Fixed(1e-5), Affine::WeightAndBias, true));
}

#[test]
fn affine_says_which_parameters_there_are() {
    let params = |args| kernel_of(args).params();
    assert_eq!(params(quote!(kind = layer, shape = [_, 8], affine = true)), ["weight", "bias"]);
    assert_eq!(params(quote!(kind = layer, shape = [_, 8], affine = weight)), ["weight"]);
    assert_eq!(params(quote!(kind = layer, shape = [_, 8], affine = "false")), [""; 0]);
    assert_eq!(params(quote!(kind = rms, shape = [_, 8], affine = weight)), ["weight"]);
    assert_eq!(params(quote!(kind = rms, shape = [_, 8], affine = false)), [""; 0]);
}

#[test]
fn axes_in_all_forms() {
    let cases = [
        (quote!(shape = [_, 5, 7]), 2, Some(7)),
        (quote!(shape = [_, 5, 7], axis = -1), 2, Some(7)),
        (quote!(shape = [_, 5, 7], axis = 2), 2, Some(7)),
        (quote!(shape = [_, 5, 7], axis = [2]), 2, Some(7)),
        (quote!(shape = [_, 5, 7], axis = [-2, -1]), 1, Some(35)),
        (quote!(shape = [_, 5, 7], axis = [-1, 1]), 1, Some(35)),
        (quote!(shape = [_, 5, 7], axis = 1..), 1, Some(35)),
        (quote!(shape = [_, 5, 7], axis = -2..), 1, Some(35)),
        (quote!(shape = [_, 5, 7], axis = -1..), 2, Some(7)),
        (quote!(shape = [3, 5, 7], axis = 0..), 0, Some(105)),
        (quote!(shape = [_, 5, 7], axis = 0..), 0, None),
        (quote!(shape = [7]), 0, Some(7)),
        (quote!(shape = [7], axis = 0), 0, Some(7)),
        (quote!(shape = [7], axis = 0..), 0, Some(7)),
        (quote!(shape = [_]), 0, None),
    ];
    for (args, leading, len) in cases {
        let model = kernel_of(quote!(kind = rms, #args));
        let kept = model.roles.iter().filter(|role| **role == Role::Kept).count();
        assert_eq!((kept, model.form(), model.param_len("weight")), (leading, Form::Rows, len), "{args}");
    }
}

#[test]
fn axes_of_every_kind_and_the_form_they_give() {
    use Role::{Channel, Kept, Normalized};
    let cases = [
        (
            quote!(kind = rms, shape = [_, 5, 7], axis = 1),
            vec![Kept, Normalized, Kept],
            Form::ColumnsByRow,
            Len::Fixed(7),
        ),
        (
            quote!(kind = layer, shape = [_, 5, 7, 3], axis = 1),
            vec![Kept, Normalized, Kept, Kept],
            Form::ColumnsByRow,
            Len::Fixed(21),
        ),
        (
            quote!(kind = layer, shape = [_, 5, 7, 3], axis = [1, 3]),
            vec![Kept, Normalized, Kept, Normalized],
            Form::Gathered,
            Len::Fixed(15),
        ),
        (quote!(kind = layer, shape = [5, 7], axis = 0), vec![Normalized, Kept], Form::ColumnsByRow, Len::Fixed(7)),
        (
            quote!(kind = batch, shape = [_, 5, 7, 3]),
            vec![Normalized, Channel, Normalized, Normalized],
            Form::Segments,
            Len::Fixed(21),
        ),
        (quote!(kind = batch, shape = [_, 5]), vec![Normalized, Channel], Form::Columns, Len::Fixed(5)),
        (
            quote!(kind = batch, shape = [_, 7, 3, _], axis = -1),
            vec![Normalized, Normalized, Normalized, Channel],
            Form::Columns,
            Len::Runtime,
        ),
        (
            quote!(kind = instance, shape = [_, 5, _, 3]),
            vec![Kept, Channel, Normalized, Normalized],
            Form::Segments,
            Len::Runtime,
        ),
        (
            quote!(kind = instance, shape = [_, 5, 64, 64]),
            vec![Kept, Channel, Normalized, Normalized],
            Form::ChannelRows,
            Len::Fixed(4096),
        ),
        (
            quote!(kind = instance, shape = [_, 5, 64, 65]),
            vec![Kept, Channel, Normalized, Normalized],
            Form::Segments,
            Len::Fixed(4160),
        ),
        (
            quote!(kind = group, groups = 5, shape = [_, 5, 7]),
            vec![Kept, Channel, Normalized],
            Form::Segments,
            Len::Fixed(7),
        ),
        (
            quote!(kind = group, groups = 2, shape = [_, 3, 6], axis = -1),
            vec![Kept, Normalized, Channel],
            Form::Columns,
            Len::Fixed(6),
        ),
        (quote!(kind = group, groups = 2, shape = [_, 6]), vec![Kept, Channel], Form::Columns, Len::Fixed(6)),
        (quote!(kind = weight, shape = [5, 7]), vec![Channel, Normalized], Form::ChannelRows, Len::Fixed(7)),
        (quote!(kind = weight, shape = [5, 7], axis = 1), vec![Normalized, Channel], Form::Columns, Len::Fixed(7)),
    ];
    for (args, roles, form, len) in cases {
        let model = kernel_of(args.clone());
        assert_eq!((&model.roles, model.form(), &model.lens()[..]), (&roles, form, &[len][..]), "{args}");
    }
}

#[test]
fn running_statistics_as_the_keys_say() {
    let running = |args| kernel_of(quote!(kind = batch, shape = [_, 8], #args)).running;
    assert_eq!(running(quote!()), Running { momentum: Some(0.1), unbiased: true });
    assert_eq!(running(quote!(momentum = 0, running_var = biased)), Running { momentum: Some(0.0), unbiased: false });
    assert_eq!(running(quote!(momentum = 1)).momentum, Some(1.0));
    assert_eq!(running(quote!(momentum = "cumulative")).momentum, None);
}

#[test]
fn families_and_the_lengths_they_give() {
    let cases = [
        (quote!(shape = [_, 64 | 20]), vec![Len::Fixed(64), Len::Fixed(20)]),
        (quote!(shape = [_, _ | 64 | 20]), vec![Len::Fixed(64), Len::Fixed(20), Len::Runtime]),
        (quote!(shape = [_, 64 | _]), vec![Len::Fixed(64), Len::Runtime]),
        (quote!(shape = [_, 64 | 20, 3], axis = 1..), vec![Len::Fixed(192), Len::Fixed(60)]),
        (quote!(shape = [_, 3, 64 | _], axis = 1..), vec![Len::Fixed(192), Len::Runtime]),
        (quote!(shape = [64 | 20, 3]), vec![Len::Fixed(3)]),
        (quote!(shape = [2 | 3, 64 | 20]), vec![Len::Fixed(64), Len::Fixed(20)]),
        (quote!(shape = [_, 3, _], axis = 1..), vec![Len::Runtime]),
        (quote!(shape = [_, _, _], axis = 1..), vec![Len::Runtime]),
    ];
    for (args, lens) in cases {
        assert_eq!(kernel_of(quote!(kind = layer, #args)).lens(), lens, "{args}");
    }
    let axes = kernel_of(quote!(kind = rms, shape = [_, 64 | _ | 20])).shape;
    assert_eq!(axes, [Axis::Open, Axis::Family { sizes: vec![64, 20], open: true }]);
    assert_eq!(shown(&axes), "[_, 64 | 20 | _]");
}

#[test]
fn eps_in_all_forms() {
    let eps = |args| kernel_of(quote!(kind = rms, shape = [_, 8], #args)).eps;
    assert_eq!(eps(quote!(eps = _)), Eps::Runtime);
    assert_eq!(eps(quote!(eps = 0)), Eps::Fixed(0.0));
    assert_eq!(eps(quote!(eps = 1e-12)), Eps::Fixed(1e-12));
    assert_eq!(eps(quote!(eps = 2)), Eps::Fixed(2.0));
    // Nothing in f32, but something in f64.
    assert_eq!(eps(quote!(eps = 1e-60, dtype = f64)), Eps::Fixed(1e-60));
    assert_eq!(eps(quote!(eps = 1e60, dtype = f64)), Eps::Fixed(1e60));
}

#[test]
fn f64_is_computed_in_f64_with_parameters_of_f64() {
    let model = kernel_of(quote!(kind = rms, shape = [_, 8], dtype = f64));
    assert_eq!((model.dtypes[0], model.compute(), model.param), (Dtype::F64, Dtype::F64, Dtype::F64));
    assert_eq!(model, kernel_of(quote!(kind = rms, shape = [_, 8], dtype = "f64", param = f64)));
}

#[test]
fn the_facade_is_where_crate_says() {
    let facade = |args| kernel_of(quote!(kind = rms, shape = [_, 8], #args)).facade;
    assert_eq!(facade(quote!()), "::normkit");
    assert_eq!(facade(quote!(crate = ::mine::norms)), "::mine::norms");
    assert_eq!(facade(quote!(crate = "mine::norms")), "mine::norms");
    assert_eq!(facade(quote!(crate = crate)), "crate");
    assert_eq!(facade(quote!(crate = norms)), "norms");
}

#[test]
fn fields_tell_shape_and_dtype() {
    let cases = [
        (quote!([f32; 12]), Dtype::F32, Some(Some(12))),
        (quote!([f64; 12]), Dtype::F64, Some(Some(12))),
        (quote!([f64; 12_usize]), Dtype::F64, Some(Some(12))),
        (quote!([f64; 0xC]), Dtype::F64, Some(Some(12))),
        (quote!(Box<[f64; 12]>), Dtype::F64, Some(Some(12))),
        (quote!([bf16; 12]), Dtype::Bf16, Some(Some(12))),
        (quote!([half::f16; 12]), Dtype::F16, Some(Some(12))),
        (quote!(std::boxed::Box<[core::primitive::f32; 12]>), Dtype::F32, Some(Some(12))),
    ];
    for (ty, dtype, array) in cases {
        let layer = layer_of(quote!(kind = "rms"), quote! { pub struct S { pub weight: #ty } });
        assert_eq!(layer.model.shape, [Axis::Open, Axis::Fixed(12)], "{ty}");
        assert_eq!((layer.model.dtypes[0], layer.model.param), (dtype, dtype), "{ty}");
        assert_eq!(layer.model.roles, [Role::Kept, Role::Normalized], "{ty}");
        let storage = layer.params[0].declared.as_ref().unwrap();
        assert_eq!((storage.dtype, storage.array), (dtype, array), "{ty}");
    }
    for (ty, dtype) in [
        (quote!(Vec<f32>), Dtype::F32),
        (quote!(Vec<f64>), Dtype::F64),
        (quote!(Param<f64>), Dtype::F64),
        (quote!(normkit::Param<f32>), Dtype::F32),
    ] {
        // These tell no length, so a shape is needed; any is right.
        for shape in [quote!([_, 12]), quote!([_, _]), quote!([_, 12 | 20])] {
            let layer = layer_of(quote!(kind = "rms", shape = #shape), quote! { struct S { weight: #ty } });
            assert_eq!((layer.model.dtypes[0], layer.model.param), (dtype, dtype), "{ty}");
            assert_eq!(layer.params[0].declared.as_ref().unwrap().array, None, "{ty}");
        }
    }
}

#[test]
fn parameters_are_found_by_name_and_added_where_they_are_not() {
    let params = |args, item| -> Vec<_> {
        let params = layer_of(args, item).params.into_iter();
        params.map(|param| (param.role, param.field.to_string(), param.declared.is_some())).collect()
    };
    let [weight, bias] = ["weight", "bias"];
    for (w, b) in [("weight", "bias"), ("gamma", "beta"), ("scale", "shift")] {
        let [w_, b_] = [w, b].map(|name| quote::format_ident!("{name}"));
        // The order is that of arguments, not that of fields.
        let item = quote! { struct S { #b_: [f32; 4], pub other: String, #w_: Vec<f32> } };
        let found = params(quote!(kind = layer), item);
        assert_eq!(found, [(weight, w.into(), true), (bias, b.into(), true)]);
    }
    let found = params(quote!(kind = layer), quote! { struct S { beta: [f32; 4] } });
    assert_eq!(found, [(weight, "weight".into(), false), (bias, "beta".into(), true)]);
    let found = params(quote!(kind = rms, shape = [_, 4]), quote! { struct S; });
    assert_eq!(found, [(weight, "weight".into(), false)]);
    assert_eq!(params(quote!(kind = rms, shape = [_, 4], affine = false), quote! { struct S {} }), []);
}

#[test]
fn types_of_elements_and_parameters() {
    use Dtype::{Bf16, F16, F32, F64};
    let types = |args, item| {
        let model = layer_of(args, item).model;
        (model.dtypes.clone(), model.param)
    };
    let none = || quote! { struct S; };
    assert_eq!(types(quote!(kind = rms, shape = [_, 8], dtype = bf16), none()), (vec![Bf16], F32));
    assert_eq!(types(quote!(kind = rms, shape = [_, 8], dtype = f16, param = bf16), none()), (vec![F16], Bf16));
    assert_eq!(
        types(quote!(kind = rms, shape = [_, 8], dtype = f32 | bf16 | f16), none()),
        (vec![F32, Bf16, F16], F32)
    );
    let weight = |ty| quote! { struct S { weight: #ty } };
    assert_eq!(types(quote!(kind = rms), weight(quote!([bf16; 8]))), (vec![Bf16], Bf16));
    assert_eq!(types(quote!(kind = rms, dtype = f32 | bf16), weight(quote!([bf16; 8]))), (vec![F32, Bf16], Bf16));
    // The vectors of a weight are what is normalized, its lengths are parameters.
    let weight = |v, g| quote! { struct S { weight_v: Vec<#v>, weight_g: Vec<#g> } };
    let args = || quote!(kind = weight, shape = [_, _]);
    assert_eq!(types(args(), weight(quote!(bf16), quote!(f32))), (vec![Bf16], F32));
    assert_eq!(types(args(), weight(quote!(f64), quote!(f64))), (vec![F64], F64));
    assert_eq!(types(args(), quote! { struct S { weight_v: Vec<f16> } }), (vec![F16], F32));
}

#[test]
fn a_field_eps_is_the_users() {
    let declares = |item| layer_of(quote!(kind = rms, shape = [_, 4], eps = _), item).declares_eps;
    assert!(declares(quote! { struct S { eps: f32 } }));
    assert!(!declares(quote! { struct S; }));
}

#[test]
fn lifetimes_and_other_attributes_stay() {
    let item = quote! {
        /// Documented.
        #[cfg(all())]
        #[derive(Clone, Debug)]
        pub(crate) struct S<'a> where 'a: 'static { name: &'a str, weight: [f32; 4] }
    };
    let layer = layer_of(quote!(kind = rms), item.clone());
    let layer = layer.item;
    assert_eq!(quote!(#layer).to_string(), item.to_string());
}

/// A rule's name, and arguments (and an item) that break it and no other: for every rule that parse or model can report.
#[rustfmt::skip]
const BROKEN: &[(&str, &str, &str)] = &[
    ("syntax", "kind = rms, shape = [_, 8], eps", ""),
    ("value_syntax", "kind = rms, shape = [_, 8], eps = (1)", ""),
    ("value_syntax", "kind = rms, shape = (8)", ""),
    ("value_syntax", "kind =, shape = [_, 8]", ""),
    ("unknown_key", "kind = rms, shape = [_, 8], epsilon = 1e-6", ""),
    ("repeated_key", "kind = rms, shape = [_, 8], eps = 1e-6, eps = 1e-6", ""),
    ("missing_kind", "shape = [_, 8]", ""),
    ("unknown_kind", r#"kind = "rmsnorm", shape = [_, 8]"#, ""),
    ("mistyped", "kind = 1, shape = [_, 8]", ""),
    ("mistyped", "kind = rms, shape = 8", ""),
    ("mistyped", "kind = rms, shape = [_, -8]", ""),
    ("mistyped", "kind = rms, shape = [_, 8.0]", ""),
    ("mistyped", "kind = rms, shape = [_, [8]]", ""),
    ("mistyped", "kind = rms, shape = [_, 8], axis = last", ""),
    ("mistyped", "kind = rms, shape = [_, 8], axis = []", ""),
    ("mistyped", "kind = rms, shape = [_, 8], axis = [_]", ""),
    ("mistyped", "kind = rms, shape = [_, 8], axis = _", ""),
    ("mistyped", r#"kind = rms, shape = [_, 8], eps = "small""#, ""),
    ("mistyped", "kind = rms, shape = [_, 8], dtype = 32", ""),
    ("mistyped", "kind = rms, shape = [_, 8], param = _", ""),
    ("mistyped", "kind = rms, shape = [_, 8], affine = 1", ""),
    ("mistyped", "kind = rms, shape = [_, 8], affine = bias", ""),
    ("mistyped", "kind = rms, shape = [_, 8], crate = 1", ""),
    ("mistyped", r#"kind = rms, shape = [_, 8], crate = "not a path""#, ""),
    ("mistyped", "kind = rms, shape = [_, 8], allow = everything", ""),
    ("mistyped", "kind = rms, shape = [_, 8], deny(1)", ""),
    ("unknown_lint", "kind = rms, shape = [_, 8], allow(eps_unusal)", ""),
    ("unknown_lint", "kind = rms, shape = [_, 8], deny(eps_unusual, everything)", ""),
    ("missing_shape", "kind = rms", ""),
    ("missing_shape", "kind = rms", "struct S;"),
    ("missing_shape", "kind = rms", "struct S { weight: Vec<f32> }"),
    ("empty_shape", "kind = rms, shape = []", ""),
    ("too_many_axes", "kind = rms, shape = [_, 2, 2, 2, 2, 2, 2, 2, 2]", ""),
    ("zero_dim", "kind = rms, shape = [_, 0]", ""),
    ("zero_dim", "kind = rms, shape = [_, 8 | 0]", ""),
    ("huge_shape", "kind = rms, shape = [_, 268435457]", ""),
    ("huge_shape", "kind = rms, shape = [_, 16385, 16384], axis = 1..", ""),
    ("huge_shape", "kind = rms, shape = [_, 8 | 16385, 16384], axis = 1..", ""),
    ("huge_shape", "kind = rms, shape = [_, 170141183460469231731687303715884105727]", ""),
    ("huge_shape", "kind = rms", "struct S { weight: [f32; 268435457] }"),
    ("constant_size", "kind = rms, shape = [_, N]", ""),
    ("constant_size", "kind = rms, shape = [_, 8 | Self::N]", ""),
    ("repeated_size", "kind = rms, shape = [_, 8 | 9 | 8]", ""),
    ("repeated_size", "kind = rms, shape = [_, 8 | _ | _]", ""),
    ("large_family", "kind = rms, dtype = f32 | f16 | bf16, shape = [_, 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | _]", ""),
    ("large_family", "kind = rms, shape = [_, 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 |
        17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32 | 33]", ""),
    ("family_off_axis", "kind = rms, shape = [_, 8 | 9, 8 | 9], axis = 1..", ""),
    ("family_off_axis", "kind = rms, shape = [_, 8 | 9, _], axis = 1..", ""),
    ("axis_out_of_range", "kind = rms, shape = [_, 8], axis = 2", ""),
    ("axis_out_of_range", "kind = rms, shape = [_, 8], axis = -3", ""),
    ("axis_out_of_range", "kind = rms, shape = [_, 8], axis = 2..", ""),
    ("axis_out_of_range", "kind = rms, shape = [_, 8], axis = [-1, -3]", ""),
    ("repeated_axis", "kind = rms, shape = [_, 8], axis = [1, -1]", ""),
    ("no_channel_axis", "kind = batch, shape = [_]", ""),
    ("unknown_key", "kind = group, shape = [_, 8, 9], num_groups = 2", ""),
    ("unknown_key", "kind = batch, num_features = 64", ""),
    ("mistyped", r#"kind = batch, shape = [_, 8], axis = "NHWC""#, ""),
    ("count_type", "kind = batch, shape = [_, 8]", "struct S { num_batches_tracked: u32 }"),
    ("count_type", "kind = batch, shape = [_, 8]", "struct S { num_batches_tracked: Option<i64> }"),
    ("axis_is_batch", "kind = instance, shape = [_, 8, 9], axis = 0", ""),
    ("axis_is_batch", "kind = group, shape = [_, 8, 9], axis = -3, groups = 2", ""),
    ("one_axis", "kind = batch, shape = [_, 8, 9], axis = 1..", ""),
    ("one_axis", "kind = weight, shape = [_, 8, 9], axis = [0, 1]", ""),
    ("nothing_normalized", "kind = instance, shape = [_, 8]", ""),
    ("nothing_normalized", "kind = batch, shape = [8], axis = 0", ""),
    ("missing_groups", "kind = group, shape = [_, 8, 9]", ""),
    ("groups_do_not_divide", "kind = group, shape = [_, 8, 9], groups = 3", ""),
    ("groups_do_not_divide", "kind = group, shape = [_, 8 | 9, 9], groups = 4", ""),
    ("groups_do_not_divide", "kind = group, shape = [_, 8, 9], groups = 16", ""),
    ("mistyped", "kind = group, shape = [_, 8, 9], groups = 0", ""),
    ("mistyped", "kind = group, shape = [_, 8, 9], groups = all", ""),
    ("mistyped", "kind = batch, shape = [_, 8, 9], running_var = sample", ""),
    ("momentum_out_of_range", "kind = batch, shape = [_, 8, 9], momentum = 1.5", ""),
    ("momentum_out_of_range", "kind = batch, shape = [_, 8, 9], momentum = -1", ""),
    ("momentum_out_of_range", "kind = batch, shape = [_, 8, 9], momentum = none", ""),
    ("key_not_of_kind", "kind = layer, shape = [_, 8], groups = 2", ""),
    ("key_not_of_kind", "kind = rms, shape = [_, 8], momentum = 0.1", ""),
    ("key_not_of_kind", "kind = weight, shape = [8, 9], eps = 1e-5", ""),
    ("missing_shape", "kind = weight", "struct S { weight_v: [f32; 72], weight_g: [f32; 8] }"),
    ("field_length", "kind = weight, shape = [8, 9]", "struct S { weight_v: [f32; 8], weight_g: [f32; 8] }"),
    ("field_not_of_layer", "kind = weight, shape = [8, 9]", "struct S { weight_g: [f32; 8], bias: [f32; 8] }"),
    ("field_not_of_layer", "kind = layer", "struct S { weight: [f32; 8], running_mean: [f32; 8] }"),
    ("eps_out_of_range", "kind = rms, shape = [_, 8], eps = -1e-6", ""),
    ("eps_out_of_range", "kind = rms, shape = [_, 8], eps = 1e400", ""),
    ("eps_out_of_range", "kind = rms, shape = [_, 8], eps = 1e60", ""),
    ("eps_vanishes", "kind = rms, shape = [_, 8], eps = 1e-60", ""),
    ("eps_vanishes", "kind = rms, shape = [_, 8], eps = 1e-320, dtype = f32", ""),
    ("unknown_dtype", "kind = rms, shape = [_, 8], dtype = i32", ""),
    ("unknown_dtype", "kind = rms, shape = [_, 8], param = i32", ""),
    ("unknown_dtype", "kind = rms, shape = [_, 8], dtype = f32 | half", ""),
    ("mistyped", "kind = rms, shape = [_, 8], dtype = f32 | 16", ""),
    ("mistyped", "kind = rms, shape = [_, 8], dtype = f16, param = f16 | f32", ""),
    ("repeated_dtype", "kind = rms, shape = [_, 8], dtype = f32 | bf16 | f32", ""),
    ("dtypes_computed_apart", "kind = rms, shape = [_, 8], dtype = f32 | f64", ""),
    ("dtypes_of_weight", "kind = weight, shape = [4, 8], dtype = f32 | bf16", ""),
    ("cast_of_wide_type", "kind = rms, shape = [_, 8], cast = before_weight", ""),
    ("cast_of_wide_type", "kind = layer, cast = before_weight", "struct S { weight: [f64; 8] }"),
    ("mistyped", "kind = rms, shape = [_, 8], dtype = bf16, cast = twice", ""),
    ("mistyped", "kind = rms, shape = [_, 8], dtype = bf16, cast = 1", ""),
    ("key_not_of_kind", "kind = batch, shape = [_, 8], dtype = bf16, cast = before_weight", ""),
    ("param_of_other_type", "kind = rms, shape = [_, 8], dtype = f64, param = bf16", ""),
    ("param_of_other_type", "kind = rms, shape = [_, 8], dtype = f64, param = f32", ""),
    ("param_of_other_type", "kind = rms, shape = [_, 8], param = f64", ""),
    ("param_of_other_type", "kind = rms, dtype = f32", "struct S { weight: [f64; 8] }"),
    ("affine_not_of_kind", "kind = rms, shape = [_, 8], affine = true", ""),
    ("not_a_struct", "kind = rms", "enum E {}"),
    ("not_a_struct", "kind = rms", "fn f() {}"),
    ("not_a_struct", "kind = rms", "nothing at all"),
    ("tuple_struct", "kind = rms", "struct S([f32; 8]);"),
    ("type_generics", "kind = rms", "struct S<T> { weight: [f32; 8], other: T }"),
    ("type_generics", "kind = rms, shape = [_, _]", "struct S<const N: usize>;"),
    ("field_type", "kind = rms, shape = [_, 8]", "struct S { weight: [i32; 8] }"),
    ("field_type", "kind = rms, shape = [_, 8]", "struct S { gamma: f32 }"),
    ("field_type", "kind = rms, shape = [_, 8]", "struct S { weight: Box<Vec<f32>> }"),
    ("field_type", "kind = rms, shape = [_, 8]", "struct S { weight: Option<[f32; 8]> }"),
    ("field_length", "kind = rms, shape = [_, 8]", "struct S { weight: [f32; 9] }"),
    ("field_length", "kind = layer", "struct S { weight: [f32; 8], bias: [f32; 9] }"),
    ("field_size_unknown", "kind = rms", "struct S { weight: [f32; N] }"),
    ("field_size_unknown", "kind = rms", "struct S { weight: [f32; 2 * 4] }"),
    ("fields_disagree", "kind = layer", "struct S { weight: [f32; 8], bias: [f64; 8] }"),
    ("field_contradicts_param", "kind = rms, dtype = f32, param = f32", "struct S { weight: [f64; 8] }"),
    ("field_contradicts_param", "kind = weight, shape = [2, 4], dtype = f32", "struct S { weight_v: [bf16; 8] }"),
    ("field_not_of_layer", "kind = rms", "struct S { weight: [f32; 8], bias: [f32; 8] }"),
    ("field_not_of_layer", "kind = rms, affine = false", "struct S { weight: [f32; 8] }"),
    ("field_not_of_layer", "kind = layer, affine = weight", "struct S { beta: [f32; 8] }"),
    ("field_fixed_for_open", "kind = rms, shape = [_, _]", "struct S { weight: [f32; 8] }"),
    ("field_fixed_for_open", "kind = rms, shape = [_, 8 | 9]", "struct S { weight: [f32; 8] }"),
    ("two_names", "kind = rms", "struct S { weight: [f32; 8], gamma: [f32; 8] }"),
    ("cfg_on_parameter", "kind = layer", "struct S { weight: [f32; 8], #[cfg(a)] bias: [f32; 8] }"),
    ("cfg_on_parameter", "kind = layer", "struct S { weight: [f32; 8], #[cfg_attr(a, doc(hidden), cfg(b))] bias: [f32; 8] }"),
    ("cfg_on_parameter", "kind = rms, eps = _", "struct S { weight: [f32; 8], #[cfg(a)] eps: f32 }"),
    ("cfg_on_parameter", "kind = batch, shape = [_, 8]", "struct S { #[cfg(a)] num_batches_tracked: i64 }"),
    ("norm_on_struct", "kind = rms, shape = [_, 8]", "#[norm(kind = rms)] struct S;"),
    ("mistyped", "kind = rms, shape = [_, 8], explain = yes", ""),
    ("mistyped", "kind = rms, shape = [_, 8], explain = 1", ""),
    ("stacked", "kind = rms, shape = [_, 8]", "#[normkit::normalize(kind = rms)] struct S;"),
    ("conflicting_derive", "kind = rms, shape = [_, 8]", "#[derive(Clone, Default)] struct S;"),
];

#[test]
fn each_rule_is_reported_by_its_name_and_alone() {
    for (rule, args, item) in BROKEN {
        let names = match *item {
            "" => read_kernel(tokens(args)).1,
            item => read_layer(tokens(args), tokens(item)).1,
        };
        assert_eq!(names, [*rule], "{args} on {item}");
    }
}

/// The lint that fires, if any, and arguments of `norm!`.
const LINTED: &[(&str, &str)] = &[
    ("small_batch", "kind = batch, shape = [1, 8, 9]"),
    ("small_batch", "kind = batch, shape = [3, 8]"),
    ("few_samples", "kind = batch, shape = [4, 8]"),
    ("few_samples", "kind = batch, shape = [15, 8, 9], axis = -1"),
    ("", "kind = batch, shape = [16, 8]"),
    ("", "kind = batch, shape = [_, 8]"),
    ("", "kind = batch, shape = [2 | 4, 8]"),
    ("", "kind = batch, shape = [3, 8, 9], axis = 0"),
    ("", "kind = layer, shape = [2, 8]"),
    ("one_by_channels", "kind = batch, shape = [1, 8]"),
    ("one_by_channels", "kind = batch, shape = [1, _]"),
    ("batch_axis_last", "kind = batch, shape = [8, _], axis = 0"),
    ("", "kind = batch, shape = [8, 9, _], axis = 0"),
    ("", "kind = batch, shape = [_, _], axis = 0"),
    ("eps_unusual", "kind = rms, shape = [_, 8], eps = 0"),
    ("eps_unusual", "kind = rms, shape = [_, 8], eps = 1.1e-5"),
    ("eps_unusual", "kind = layer, shape = [_, 8], eps = 1e-2, dtype = bf16"),
    ("eps_unusual", "kind = rms, shape = [_, 8], eps = 1e-3"),
    ("eps_unusual", "kind = rms, shape = [_, 8], eps = 1e-12"),
    ("eps_unusual", "kind = batch, shape = [_, 8], eps = 1e-12"),
    ("eps_unusual", "kind = instance, shape = [_, 8, 9], eps = 1e-3"),
    ("eps_unusual", "kind = layer, shape = [_, 8], eps = 1e-12"),
    ("eps_unusual", "kind = layer, shape = [_, 8], eps = 1e-3"),
    ("eps_unusual", "kind = batch, shape = [_, 8], eps = 0.001, dtype = bf16"),
    ("eps_unusual", "kind = group, shape = [_, 8, 9], groups = 4, eps = 1e-3"),
    ("", "kind = layer, shape = [_, 8], eps = 1e-8"),
    ("", "kind = layer, shape = [_, 8], eps = 1e-5"),
    ("", "kind = rms, shape = [_, 8], eps = 1e-3, dtype = f64"),
    ("", "kind = layer, shape = [_, 8], eps = _"),
    ("eps_below_type", "kind = rms, shape = [_, 8], eps = 5e-8, dtype = f16"),
    ("eps_below_type", "kind = rms, shape = [_, 8], eps = 1e-9, dtype = f32 | f16"),
    ("eps_unusual", "kind = rms, shape = [_, 8], eps = 0, dtype = f16"),
    ("", "kind = rms, shape = [_, 8], eps = 6e-8, dtype = f16"),
    ("", "kind = rms, shape = [_, 8], eps = 5e-8, dtype = bf16"),
    ("eps_unusual", "kind = rms, shape = [_, 8], eps = 1e-40, dtype = bf16"),
    ("eps_below_type", "kind = rms, shape = [_, 8], eps = 9e-41, dtype = bf16"),
    ("one_group", "kind = group, shape = [_, 8, 9], groups = 1"),
    ("one_group", "kind = group, shape = [_, _, 9], groups = 1"),
    ("group_per_channel", "kind = group, shape = [_, 8, 9], groups = 8"),
    ("group_per_channel", "kind = group, shape = [_, 1, 9], groups = 1"),
    ("", "kind = group, shape = [_, 8, 9], groups = 4"),
    ("instance_of_one", "kind = instance, shape = [_, 8, 1, 1]"),
    ("", "kind = instance, shape = [_, 8, 1, 2]"),
    ("", "kind = instance, shape = [_, 8, _]"),
    ("layer_of_one", "kind = rms, shape = [_, 1]"),
    ("layer_of_one", "kind = layer, shape = [_, 1, 8, 1], axis = [1, 3]"),
    ("", "kind = layer, shape = [_, 1 | 2]"),
    ("momentum_extreme", "kind = batch, shape = [_, 8], momentum = 0"),
    ("momentum_extreme", "kind = batch, shape = [_, 8], momentum = 1.0"),
    ("momentum_of_keras", "kind = batch, shape = [_, 8], momentum = 0.9"),
    ("", "kind = batch, shape = [_, 8], momentum = 0.89"),
    ("", "kind = batch, shape = [_, 8], momentum = cumulative"),
];

#[test]
fn each_lint_fires_alone_is_allowed_and_denied() {
    let read = |args: &str| {
        let mut report = Report::default();
        let args = parse::args(tokens(args), &mut report);
        assert!(kernel(&args, &mut report).is_some(), "{args:?}");
        (report.warned(), report.names)
    };
    for (lint, args) in LINTED {
        let lints: Vec<_> = [*lint].into_iter().filter(|lint| !lint.is_empty()).collect();
        assert_eq!(read(args), (lints.clone(), vec![]), "{args}");
        let lint = lints.first().copied().unwrap_or("small_batch");
        assert_eq!(read(&format!("{args}, allow({lint})")), (vec![], vec![]), "{args}");
        assert_eq!(read(&format!("{args}, deny({lint})")), (vec![], lints), "{args}");
        // What is allowed is not denied.
        assert_eq!(read(&format!("{args}, deny({lint}), allow({lint})")), (vec![], vec![]), "{args}");
    }
}

#[test]
fn no_rule_is_without_a_case() {
    let forms = model_form::tests::BROKEN.iter().map(|(rule, ..)| *rule);
    let cases: BTreeSet<_> = BROKEN.iter().map(|(rule, ..)| *rule).chain(forms).collect();
    let rules: BTreeSet<_> = catalogue().map(|rule| rule.name).collect();
    assert_eq!(cases, rules);
}

#[test]
fn spellings_of_other_frameworks_are_answered_with_ours() {
    let said = |args: &str| {
        let mut report = Report::default();
        let args = parse::args(tokens(args), &mut report);
        let _ = kernel(&args, &mut report);
        (report.names.clone(), report.to_tokens(&[]).to_string())
    };
    // Of each line the first word is ours. The model has neither, and is not told that it lacks ours as well.
    let keys = "eps epsilon norm_eps layer_norm_eps rms_norm_eps variance_epsilon layer_norm_epsilon
        axis dim dims axes channel_axis feature_axes reduction_axes data_format channels_first channels_last
        shape normalized_shape num_features num_channels hidden_size
        groups num_groups
        affine elementwise_affine bias center use_scale
        momentum decay
        param param_dtype";
    for (ours, theirs) in keys.lines().map(|line| line.trim().split_once(' ').unwrap()) {
        for theirs in theirs.split(' ') {
            let right = ["kind = batch", "shape = [_, 8, 9]"].iter().filter(|entry| !entry.starts_with(ours));
            let right: Vec<_> = right.copied().collect();
            let (names, text) = said(&format!("{}, {theirs} = 1", right.join(", ")));
            assert_eq!(names, ["unknown_key"], "{theirs}");
            assert!(text.contains(&format!("unknown key `{theirs}`, which is `{ours}` here")), "{text}");
        }
    }
    // Where it is certain what the value is here, that is said too.
    for (theirs, ours) in [
        ("kind = layer, shape = [_, 8], epsilon = 1e-12", "write `eps = 1e-12`; the keys of"),
        ("kind = layer, shape = [_, 8], dim = -1", "write `axis = -1`; "),
        ("kind = rms, hidden_size = 64", "write `shape = [_, 64]`; "),
        ("kind = batch, num_features = 64", "write `shape = [_, 64, _, _]`; "),
        ("kind = batch, shape = [_, 8], channels_last = true", "write `axis = -1` for channels-last order, "),
        ("kind = layer, shape = [_, 8], bias = false", "write `affine = weight`, which has no bias; "),
        ("kind = layer, shape = [_, 8], elementwise_affine = false", "write `affine = false`; "),
        ("type = \"LayerNorm\", shape = [_, 8]", "write `kind = \\\"layer\\\"`; "),
        ("kind = batch, shape = [_, 8], decay = 0.9", "\\nhelp: the keys of"),
        ("kind = layer, normalized_shape = [4, 8]", "\\nhelp: the keys of"),
        ("kind = layer, shape = [_, 8], scale = false", "\\nhelp: the keys of"),
    ] {
        let (_, text) = said(theirs);
        assert!(text.contains(ours), "{theirs}: {text}");
    }
    let kinds = "rms rmsnorm RMSNorm rms_norm RMSNormalization LlamaRMSNorm T5LayerNorm
        layer LayerNorm layer_norm LayerNormalization ln
        batch BatchNorm2d BatchNormalization SyncBatchNorm bn
        group GroupNorm group_norm GroupNormalization gn
        instance InstanceNorm2d instance_norm InstanceNormalization
        weight WeightNorm weight_norm WeightNormalization";
    for (ours, theirs) in kinds.lines().map(|line| line.trim().split_once(' ').unwrap()) {
        for theirs in theirs.split(' ') {
            let (names, text) = said(&format!("kind = \"{theirs}\", shape = [_, 8]"));
            assert_eq!(names, ["unknown_kind"], "{theirs}");
            assert!(text.contains(&format!("unknown kind `{theirs}`, did you mean `{ours}`?")), "{text}");
        }
    }
}

#[test]
fn several_at_once_are_all_reported() {
    let (model, names) = read_kernel(quote!(
        kind = "rms",
        epsilon = 1e-6,
        shape = [_, 0, N, 8 | 8],
        dtype = i8,
        eps = -1,
        affine = true,
        crate = 7,
        banana
    ));
    assert!(model.is_none());
    let keys = ["syntax", "unknown_key", "zero_dim", "constant_size", "repeated_size", "unknown_dtype"];
    assert_eq!(names, [&keys[..], &["eps_out_of_range", "affine_not_of_kind", "mistyped"]].concat());

    let (_, names) = read_layer(
        quote!(kind = "rsm", shape = [_, 8, 8], axis = [1, 5, 1]),
        quote! {
            #[normalize(kind = "rms")]
            #[derive(Default)]
            struct S<T> { weight: [f32; 8], scale: [f32; 8], bias: Vec<f64>, x: T }
        },
    );
    let item = ["stacked", "conflicting_derive", "type_generics", "two_names", "fields_disagree"];
    assert_eq!(names, [&item[..], &["unknown_kind", "axis_out_of_range", "repeated_axis"]].concat());

    // Nothing more of a key that the kind does not take; what is warned of is said beside what is wrong.
    let mut report = Report::default();
    let args =
        "kind = weight, shape = [4, 8], eps = 1e-12, momentum = 0; kind = layer, shape = [_, 1], eps = 1, banana = 2";
    for args in args.split(';') {
        let _ = kernel(&parse::args(tokens(args), &mut report), &mut report);
    }
    assert_eq!(report.names, ["key_not_of_kind", "key_not_of_kind", "unknown_key"]);
    assert_eq!(report.warned(), ["layer_of_one", "eps_unusual"]);

    // What the fields are held against is known only when the keys are right; then again all of it is said.
    let (_, names) = read_layer(
        quote!(kind = layer, shape = [_, 8], affine = weight),
        quote! { struct S { weight: [f32; 9], bias: [f32; 8] } },
    );
    assert_eq!(names, ["field_length", "field_not_of_layer"]);
}

/// What a `macro_rules` hands on comes in invisible brackets.
fn invisible(tokens: TokenStream) -> TokenTree {
    TokenTree::Group(Group::new(Delimiter::None, tokens))
}

#[test]
fn values_through_a_macro_are_the_same() {
    let (kind, n, eps) = (invisible(quote!("rms")), invisible(quote!(8)), invisible(quote!(1e-3)));
    let model = kernel_of(quote!(kind = #kind, shape = [_, #n], eps = #eps));
    assert_eq!(model, kernel_of(quote!(kind = "rms", shape = [_, 8], eps = 1e-3)));
}

#[test]
fn fields_through_a_macro_are_the_same() {
    let (ty, n) = (invisible(quote!([f32; 8])), invisible(quote!(8)));
    for ty in [quote!([f32; #n]), quote!(#ty), quote!(Box<#ty>)] {
        let layer = layer_of(quote!(kind = rms), quote! { struct S { weight: #ty } });
        assert_eq!(layer.model.param_len("weight"), Some(8), "{ty}");
    }
}

#[test]
fn a_field_of_no_elements_is_refused() {
    let (_, names) = read_layer(quote!(kind = rms), quote! { struct S { weight: [f32; 0] } });
    assert_eq!(names, ["zero_dim"]);
}

#[test]
fn the_length_of_a_boxed_array_is_named_where_it_is_an_expression() {
    let (_, names) = read_layer(quote!(kind = rms), quote! { struct S { weight: Box<[f32; 2 * 4]> } });
    assert_eq!(names, ["field_size_unknown"]);
}

#[test]
fn a_box_in_a_box_is_no_parameter() {
    let (_, names) = read_layer(quote!(kind = rms, shape = [_, 8]), quote! { struct S { weight: Box<Box<[f32; 8]>> } });
    assert_eq!(names, ["field_type"]);
}

/// Tokens from text, in which `hidden!(...)` stands for invisible brackets.
pub fn tokens(text: &str) -> TokenStream {
    fn show(tokens: TokenStream) -> TokenStream {
        let mut shown = Vec::new();
        for token in tokens {
            let TokenTree::Group(group) = &token else {
                shown.push(token);
                continue;
            };
            let is_hidden = matches!(&shown[..], [.., TokenTree::Ident(name), _] if name == "hidden");
            let delimiter = if is_hidden { Delimiter::None } else { group.delimiter() };
            if is_hidden {
                shown.truncate(shown.len() - 2);
            }
            shown.push(TokenTree::Group(Group::new(delimiter, show(group.stream()))));
        }
        shown.into_iter().collect()
    }
    show(text.parse().unwrap_or_else(|error| panic!("{error}: {text}")))
}
