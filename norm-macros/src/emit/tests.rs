use super::sweep::{Extent, sweep};
use super::*;
use crate::plan::{Schedule, Tail};
use crate::{expand_norm, expand_normalize};
use expect_test::{ExpectFile, expect_file};
use proc_macro2::{Delimiter, TokenTree};

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether `name` is that of a kernel's function: `forward_20_avx512`.
fn is_kernel(name: &str) -> bool {
    let level = Isa::ALL.iter().any(|isa| name.ends_with(&format!("_{}", isa.name())));
    let passes = Pass::ROWS.iter().chain(&Pass::SETS);
    level && passes.into_iter().any(|pass| name.starts_with(&format!("{}_", pass.name())))
}

/// The bodies of all kernels, by name.
fn kernels(expansion: TokenStream, found: &mut Vec<(String, TokenStream)>) {
    let mut inside: Option<String> = None;
    let mut before = None;
    for token in expansion {
        match &token {
            TokenTree::Ident(name) if before.as_deref() == Some("fn") && is_kernel(&name.to_string()) => {
                inside = Some(name.to_string());
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => match inside.take() {
                Some(name) => found.push((name, group.stream())),
                None => kernels(group.stream(), found),
            },
            _ => {}
        }
        before = Some(token.to_string());
    }
}

// Snapshots of expansions, of the kernels those that are asked for. `UPDATE_EXPECT=1 cargo test -p norm-macros` blesses them.
// The files are no modules: nothing compiles or formats them.

/// The expansion with the bodies of other kernels than `kept` empty, and without the table, which the plan's tests have.
fn abridged(expansion: TokenStream, kept: &[&str]) -> TokenStream {
    let mut inside: Option<String> = None;
    let mut before = None;
    let abridge = |token: TokenTree| {
        let was = before.replace(token.to_string());
        match &token {
            TokenTree::Ident(name) if was.as_deref() == Some("fn") && is_kernel(&name.to_string()) => {
                inside = Some(name.to_string());
            }
            TokenTree::Group(group) => {
                let is_body = group.delimiter() == Delimiter::Brace && inside.is_some();
                let is_kept = !is_body || inside.take().is_some_and(|name| kept.contains(&name.as_str()));
                let stream = if is_kept { abridged(group.stream(), kept) } else { TokenStream::new() };
                return proc_macro2::Group::new(group.delimiter(), stream).into();
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(table) = text.find("| length |") {
                    return Literal::string(&format!("{}(the table)", &text[1..table].replace("\\n", "\n"))).into();
                }
            }
            TokenTree::Punct(_) | TokenTree::Ident(_) => {}
        }
        token
    };
    expansion.into_iter().map(abridge).collect()
}

/// The expansion as it is where all is optimized, `where_optimized! { [faster] rest }` being `faster rest`, or where nothing is.
fn resolved(expansion: TokenStream, optimized: bool) -> TokenStream {
    let mut tokens: Vec<TokenTree> = Vec::new();
    for token in expansion {
        let TokenTree::Group(group) = &token else {
            tokens.push(token);
            continue;
        };
        let inside = resolved(group.stream(), optimized);
        let named =
            matches!(&tokens[..], [.., TokenTree::Ident(name), TokenTree::Punct(_)] if name == "where_optimized");
        if !named {
            tokens.push(proc_macro2::Group::new(group.delimiter(), inside).into());
            continue;
        }
        // The path before it, of identifiers and colons.
        let is_path = |token: &TokenTree| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => [':', '!'].contains(&punct.as_char()),
            _ => false,
        };
        while tokens.last().is_some_and(is_path) {
            tokens.pop();
        }
        let mut inside = inside.into_iter();
        let Some(TokenTree::Group(faster)) = inside.next() else { panic!("{group}") };
        let faster = if optimized { faster.stream() } else { TokenStream::new() };
        tokens.extend(faster.into_iter().chain(inside));
    }
    tokens.into_iter().collect()
}

fn check(call: &str, file: TokenStream, kept: &[&str], expected: &ExpectFile) {
    let short = resolved(file.clone(), false);
    assert!(syn::parse2::<syn::File>(short.clone()).is_ok(), "{call}: {short}");
    check_as(call, resolved(file, true), kept, expected);
}

fn check_as(call: &str, file: TokenStream, kept: &[&str], expected: &ExpectFile) {
    let file = abridged(file, kept);
    let file = syn::parse2(file.clone()).unwrap_or_else(|error| panic!("{error} in {file}"));
    let bodies = if kept.is_empty() { "none".into() } else { kept.join(", ") };
    expected.assert_eq(&format!("// {call}\n// Bodies of kernels: {bodies}.\n\n{}", prettyplease::unparse(&file)));
}

fn check_norm(args: &str, kept: &[&str], expected: &ExpectFile) {
    let expansion = expand_norm(tokens(args));
    check(&format!("norm!({args})"), quote!(fn main() { let _ = #expansion; }), kept, expected);
}

fn check_layer(args: &str, item: &str, kept: &[&str], expected: &ExpectFile) {
    let expansion = expand_normalize(tokens(args), tokens(item));
    check(&format!("#[normalize({args})] {item}"), expansion, kept, expected);
}

#[test]
fn rms_of_20() {
    let kept = ["forward_20_avx512", "backward_20_avx512"];
    check_norm("kind = \"rms\", shape = [_, 20]", &kept, &expect_file!["./snapshots/rms_of_20.rs"]);
}

#[test]
fn rms_of_4096_where_nothing_is_optimized() {
    let args = "kind = \"rms\", shape = [_, 4096]";
    let expansion = expand_norm(tokens(args));
    let short = resolved(quote!(fn main() { let _ = #expansion; }), false);
    let kept = ["forward_4096_avx512", "backward_4096_avx512"];
    check_as(&format!("norm!({args}), short"), short, &kept, &expect_file!["./snapshots/rms_of_4096_short.rs"]);
}

#[test]
fn layer_of_100() {
    let item = "pub struct Norm { pub weight: [f32; 100], pub bias: [f32; 100] }";
    let kept = ["forward_100_avx2", "backward_100_avx2"];
    check_layer("kind = \"layer\"", item, &kept, &expect_file!["./snapshots/layer_of_100.rs"]);
}

#[test]
fn family() {
    let kept = ["forward_n_avx512", "backward_n_avx512"];
    check_norm("kind = \"rms\", shape = [_, 64 | _]", &kept, &expect_file!["./snapshots/family.rs"]);
}

#[test]
fn no_parameters_f64() {
    let kept = ["forward_16_portable", "backward_16_portable"];
    let args = "kind = \"layer\", shape = [_, 16], dtype = f64, affine = false";
    check_norm(args, &kept, &expect_file!["./snapshots/no_parameters_f64.rs"]);
}

#[test]
fn eps_at_run_time() {
    let args = "kind = \"rms\", shape = [_, _], eps = _, crate = mine::normkit";
    check_layer(args, "struct Norm<'a> { name: &'a str }", &[], &expect_file!["./snapshots/eps_at_run_time.rs"]);
}

#[test]
fn channels_of_49() {
    let kept = ["sums_49_avx512", "output_49_avx512", "gradient_sums_49_avx512", "gradient_49_avx512"];
    check_norm("kind = \"batch\", shape = [_, 64, 7, 7]", &kept, &expect_file!["./snapshots/channels_of_49.rs"]);
}

#[test]
fn columns_of_20() {
    let kept = ["sums_20_avx512", "output_20_avx2", "gradient_sums_20_avx512", "gradient_20_avx2"];
    let args = "kind = \"layer\", shape = [_, 12, 4, 5], axis = 1";
    check_norm(args, &kept, &expect_file!["./snapshots/columns_of_20.rs"]);
}

#[test]
fn layers_of_channels() {
    let args = "kind = \"batch\", shape = [_, _], eps = _, momentum = cumulative";
    check_layer(args, "struct Norm;", &[], &expect_file!["./snapshots/batch_layer.rs"]);
    let args = "kind = \"weight\", shape = [_, 20]";
    check_layer(args, "struct Norm { weight_g: Vec<f32> }", &[], &expect_file!["./snapshots/weight_layer.rs"]);
}

#[test]
fn a_family_of_types() {
    let args = "kind = \"rms\", shape = [_, 20], dtype = f32 | bf16, param = bf16, cast = before_weight";
    check_layer(args, "struct Norm;", &["forward_20_avx512"], &expect_file!["./snapshots/types.rs"]);
}

#[test]
fn refused() {
    let item = "pub struct Norm { pub weight: [f32; 8] }";
    check_layer("kind = \"rsm\", shape = [_, 0]", item, &[], &expect_file!["./snapshots/refused.rs"]);
}

// What holds for every expansion.

/// Arguments of all sorts of kernels.
fn arguments() -> Vec<String> {
    let shapes = ["[_, 20]", "[1]", "[_, 64 | 7 | _]", "[_, 3, 40], axis = 1..", "[_, 1000]", "[_, 1024]", "[_, _]"];
    let mut all = Vec::new();
    for kind in ["rms", "layer"] {
        for shape in shapes {
            for dtype in ["f32", "f64"] {
                for rest in ["", ", eps = _, affine = false", ", eps = 0, affine = weight"] {
                    all.push(format!("kind = {kind}, shape = {shape}, dtype = {dtype}{rest}"));
                }
            }
        }
    }
    let of_channels = [
        "kind = batch, shape = [_, 6, 7, 7]",
        "kind = batch, shape = [_, 6], eps = _, momentum = cumulative, running_var = biased",
        "kind = batch, shape = [_, 7, 7, _], axis = -1, affine = weight, dtype = f64",
        "kind = instance, shape = [_, 6, _, _], affine = false, eps = _",
        "kind = instance, shape = [_, 64, 64, 6], axis = -1",
        "kind = group, groups = 2, shape = [_, 6, 56, 56]",
        "kind = group, groups = 2, shape = [_, 9, 6], axis = -1, dtype = f64",
        "kind = weight, shape = [12, 20]",
        "kind = weight, shape = [_, _, 5], axis = 1, dtype = f64",
        "kind = weight, shape = [_, 20], axis = -1, affine = false",
        "kind = layer, shape = [_, 12, 9, 9], axis = 1",
        "kind = rms, shape = [_, 12, _, _], axis = 1, affine = false",
        "kind = layer, shape = [_, 3, 9, 5], axis = [1, 3], affine = weight",
    ];
    all.extend(of_channels.map(String::from));
    all
}

#[test]
fn expansions_are_rust_and_the_same_each_time() {
    for args in arguments() {
        let norm = || expand_norm(tokens(&args));
        let layer = || expand_normalize(tokens(&args), quote! { struct Norm; });
        let (norm_text, layer_text) = (norm().to_string(), layer().to_string());
        assert_eq!((norm_text.as_str(), layer_text.as_str()), (&*norm().to_string(), &*layer().to_string()), "{args}");
        // Right arguments are not refused.
        assert!(!norm_text.contains("compile_error") && !layer_text.contains("compile_error"), "{args}");
        assert!(syn::parse2::<syn::ExprBlock>(norm()).is_ok(), "{args}");
        assert!(syn::parse2::<syn::File>(layer()).is_ok(), "{args}");
    }
}

#[test]
fn refusals_are_rust_too() {
    let arguments = [
        "",
        "kind",
        "kind = rsm",
        "kind = layer, shape = []",
        "kind = rms, shape = [_, 0], eps = _",
        "kind = layer, shape = [_, N], axis = 170141183460469231731687303715884105727",
        "kind = layer, shape = [_, 0 | _], axis = [-9, _, 9], affine = weight, dtype = f64",
        "kind = _, shape = _, axis = -170141183460469231731687303715884105727.., crate = a::b, affine = false",
        "shape = [_, _], crate = \"not a path\", param = f64",
    ];
    let items = [
        "struct S;",
        "pub struct S {}",
        "#[derive(Clone, Default)] #[normalize] pub(crate) struct S { eps: f32, #[a] pub gamma: Vec<f64>, weight: () }",
        "struct S<'a, T: ?Sized + Copy, const N: usize>;",
        "struct S<'a, T = u8> where T: 'a { r#type: &'a T, bias: [f32; N] }",
        "#[derive] #[derive(1)] struct r#struct { beta: f32 }",
        "struct S<T>(T) where T: Copy;",
    ];
    for args in arguments {
        for item in items {
            let expand = || expand_normalize(tokens(args), tokens(item));
            let text = expand().to_string();
            assert!(text.contains("compile_error"), "{args} on {item}");
            assert_eq!(text, expand().to_string(), "{args} on {item}");
            assert!(syn::parse2::<syn::File>(expand()).is_ok(), "{args} on {item}: {text}");
        }
        for item in ["enum E { A }", "fn f() {}", "impl S {}"] {
            assert!(syn::parse2::<syn::File>(expand_normalize(tokens(args), tokens(item))).is_ok(), "{args} on {item}");
        }
        assert!(syn::parse2::<syn::ExprBlock>(expand_norm(tokens(args))).is_ok(), "{args}");
    }
}

/// Nothing that may panic, and no bounds check: an index is a number.
fn assert_calm(shown: &str, kernel: TokenStream) {
    const LOUD: &[&str] = &[
        "panic",
        "unwrap",
        "expect",
        "assert",
        "assert_eq",
        "debug_assert",
        "unreachable",
        "todo",
        "unimplemented",
        "get",
    ];
    let mut before = None;
    for token in kernel {
        match &token {
            TokenTree::Ident(name) => assert!(!LOUD.contains(&name.to_string().as_str()), "`{name}` in {shown}"),
            TokenTree::Group(group) => {
                let after_value = matches!(before, Some(TokenTree::Ident(_) | TokenTree::Group(_)));
                if group.delimiter() == Delimiter::Bracket && after_value {
                    let index: Vec<_> = group.stream().into_iter().collect();
                    assert!(matches!(index[..], [TokenTree::Literal(_)]), "`{group}` in {shown}");
                }
                assert_calm(shown, group.stream());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        before = Some(token);
    }
}

#[test]
fn kernels_cannot_panic_and_divide_once() {
    for args in arguments() {
        let mut found = Vec::new();
        kernels(expand_norm(tokens(&args)), &mut found);
        let lens = if args.contains('|') { 3 } else { 1 };
        let over_rows = found.iter().any(|(name, _)| name.starts_with("forward_"));
        let passes = if over_rows { Pass::ROWS.len() } else { Pass::SETS.len() };
        assert_eq!(found.len(), lens * passes * Isa::of(Dtype::F32).len(), "{args}");
        for (name, body) in found {
            // `inverse_n`, where a mean is taken; all else is multiplied.
            let divisions = usize::from(over_rows && !args.contains("kind = weight"));
            assert_eq!(body.to_string().matches('/').count(), divisions, "{name} of {args}");
            assert_calm(&format!("{name} of {args}"), body);
        }
    }
}

#[test]
fn a_call_that_cannot_panic_is_told_from_one_that_may() {
    let calm = [
        quote!(f.rstd[0]),
        quote!([v::sum(a); 4]),
        quote!(let a = [b, c];),
        quote!(
            #[inline]
            fn f() {}
        ),
    ];
    for tokens in calm {
        assert_calm("calm", tokens);
    }
    for tokens in [quote!(a[i]), quote!({ a.b()[i + 1] }), quote!(a[0][i]), quote!(x.unwrap()), quote!((panic!()))] {
        let shown = tokens.to_string();
        assert!(std::panic::catch_unwind(|| assert_calm("loud", tokens)).is_err(), "{shown}");
    }
}

/// How often each element of a row of `n` is visited, if the code of the sweep is run by hand.
fn visits(schedule: &Schedule, n: usize, unroll: usize) -> Vec<usize> {
    let mut chunks = Vec::new();
    let code = sweep(schedule, &quote!(rt), Len::Fixed(n), unroll, &mut |chunk| {
        assert!(chunk.chain < schedule.chains);
        let part = match &chunk.extent {
            Extent::Whole | Extent::Streamed => None,
            Extent::Part(count) | Extent::Beside(count) => Some(count.to_string()),
        };
        chunks.push((chunk.at.to_string(), part));
        quote!(step();)
    });
    let code = code.to_string();
    assert_eq!(code.matches("step").count(), chunks.len());
    // The loop, if there is one, goes as far as the first chunk after it.
    let end = chunks.iter().find_map(|(at, _)| at.parse().ok()).unwrap_or(n);
    let left = if end == n { String::new() } else { format!(" - {}", n - end) };
    assert!(!code.contains("while") || code.contains(&format!("= a . n{left} ;")), "{code}");
    let mut visits = vec![0; n];
    for (at, part) in chunks {
        let count = part.map_or(schedule.lanes, |part| part.parse().unwrap());
        assert!((1..=schedule.lanes).contains(&count));
        let starts: Vec<usize> = match at.strip_prefix('i') {
            None => vec![at.parse().unwrap()],
            Some(offset) => {
                let offset = offset.strip_prefix(" + ").map_or(0, |offset| offset.parse().unwrap());
                (0..end).step_by(unroll * schedule.lanes).map(|i| i + offset).collect()
            }
        };
        for start in starts {
            visits[start..start + count].iter_mut().for_each(|visits| *visits += 1);
        }
    }
    visits
}

#[test]
fn a_sweep_visits_each_element_once() {
    let mut report = crate::check::Report::default();
    let args = crate::parse::args(tokens("kind = rms, shape = [_, 8]"), &mut report);
    let model = crate::model::kernel(&args, &mut report).unwrap();
    let base = &crate::plan::plan(&model).kernels[0].passes[0].schedule;
    for lanes in [4, 8, 16] {
        for unroll in [1, 2, 4] {
            for keep in [false, true] {
                for n in 1..=300 {
                    let tail = if n % lanes == 0 { Tail::None } else { Tail::Part(n % lanes) };
                    let schedule = Schedule { lanes, chains: unroll, keep, unroll, tail, ..base.clone() };
                    assert_eq!(visits(&schedule, n, unroll), vec![1; n], "{n} elements: {schedule:?}");
                }
            }
        }
    }
}
