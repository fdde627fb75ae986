//! The forward kernel; it keeps statistics where it is given room for them, which is the training forward pass.

use super::sweep::{
    Chunk, Sums, blocks, declare_line, fold_chains, may_go_past_caches, output_sweep, put_line, sums, sweep_past_caches,
};
use super::{
    ask, cast_before_weight, facade, far_or_near, function, ident, number, of_row, param_of, row_at, row_start,
    runtime, type_of,
};
use crate::model::{Affine, Len, Model};
use crate::plan::PassPlan;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The kernel for rows of `len`.
pub fn forward(model: &Model, len: Len, plan: &PassPlan) -> TokenStream {
    let emitter = Forward { model, len, plan };
    let rt = runtime(model);
    let blocks = blocks(&rt, plan.schedule.rows, &quote!(&&a.together), &mut |rows| emitter.block(rows));
    let line = may_go_past_caches(plan, len).then(|| declare_line(&rt, &quote!(y)));
    function(model, len, plan, &quote!(#line #blocks))
}

struct Forward<'a> {
    model: &'a Model,
    len: Len,
    plan: &'a PassPlan,
}

impl Forward<'_> {
    /// `rows` rows from `row`.
    fn block(&self, rows: usize) -> TokenStream {
        let pointers = (0..rows).map(|r| self.pointers(r));
        let statistics = self.statistics(rows);
        let save = self.save(rows);
        let output = self.output(rows);
        let centred = self.model.technique.centred;
        if rows == 1 {
            return self.single(quote!(#(#pointers)*), statistics, quote!(#save #output));
        }
        let pivots = centred.then(|| self.pivots(rows));
        let bound = (0..rows).filter(|_| centred).map(|r| {
            let (pivot, m, index) = (format_ident!("pivot{r}"), format_ident!("m{r}"), number(r));
            quote! {
                let #pivot = pivots[#index];
                let #m = v::splat(#pivot);
            }
        });
        let rows = number(rows);
        quote! {
            #(#pointers)*
            #pivots
            #(#bound)*
            #statistics
            if f.good {
                #save
                #output
                row += #rows;
                continue;
            }
        }
    }

    /// One row. Where its pivot turns out to be far from the mean, once more about a better one; where that is of no use,
    /// carefully.
    fn single(&self, pointers: TokenStream, statistics: TokenStream, finish: TokenStream) -> TokenStream {
        let rt = runtime(self.model);
        let centred = self.model.technique.centred;
        let (element, param) = (type_of(&facade(self.model), self.plan.dtype), param_of(self.model));
        let line = may_go_past_caches(self.plan, self.len).then(|| put_line(&rt, &quote!(y0)));
        let careful = quote!(#line <#element as #rt::rows::Entry<#param>>::careful_row(a, row, n, &SPEC););
        if !centred {
            return quote!(#pointers #statistics if f.good { #finish } else { #careful });
        }
        let pivots = self.pivots(1);
        quote! {
            #pointers
            #pivots
            let mut pivot0 = pivots[0];
            let mut again = true;
            loop {
                let m0 = v::splat(pivot0);
                #statistics
                if f.good {
                    #finish
                    break;
                }
                if !(again && f.in_range) {
                    #careful
                    break;
                }
                again = false;
                pivot0 += f.shift[0];
            }
        }
    }

    /// The pointers of row `r` of the block.
    fn pointers(&self, r: usize) -> TokenStream {
        let [x, y] = ["x", "y"].map(|name| format_ident!("{name}{r}"));
        let [x_start, y_start] = [quote!(a.x_stride), quote!(a.y_stride)].map(|stride| row_start(r, &stride));
        quote! {
            let #x = a.x.add(#x_start);
            let #y = a.y.add(#y_start);
        }
    }

    /// The sums that statistics are made of.
    fn sums(&self, rows: usize) -> Sums<'_> {
        let names: &[_] = if self.model.technique.centred { &["s", "q"] } else { &["q"] };
        Sums::new(&self.plan.schedule, self.len, self.plan.schedule.chains, names, rows)
    }

    /// For each row of the block a number near its mean: the mean of its first 16 elements, of the first few where there are
    /// fewer.
    fn pivots(&self, rows: usize) -> TokenStream {
        let rt = runtime(self.model);
        let lanes = self.plan.schedule.lanes;
        let x = |r: usize| format_ident!("x{r}");
        let first_16: Vec<TokenStream> = (0..rows)
            .map(|r| {
                let x = x(r);
                if lanes > 16 {
                    return quote!(x::load_part(#x, 16, v::zero()));
                }
                let vectors = (0..16).step_by(lanes).map(number).map(|at| quote!(x::load(#x.add(#at))));
                fold_chains(vectors.collect())
            })
            .collect();
        let first_16 = sums(&first_16);
        let few = (0..4).map(|r| {
            let x = x(r.min(rows - 1));
            quote!(#rt::rows::pivot(#x, n))
        });
        let first_16 = quote!(finish::sixteenth(#first_16));
        let pivots = match self.len {
            Len::Fixed(n) if n >= 16 => first_16,
            Len::Fixed(_) => quote!([#(#few),*]),
            Len::Runtime => quote!(if n >= 16 { #first_16 } else { [#(#few),*] }),
        };
        quote!(let pivots = #pivots;)
    }

    /// What stands for missing elements of row `r`: they add nothing to the sums.
    fn fill(&self, r: usize) -> TokenStream {
        if self.model.technique.centred {
            let m = format_ident!("m{r}");
            quote!(#m)
        } else {
            quote!(v::zero())
        }
    }

    /// `d`: an element, less the pivot where the mean is subtracted.
    fn load(&self, chunk: &Chunk, r: usize) -> TokenStream {
        let x = format_ident!("x{r}");
        self.deviation(chunk.load(&quote!(x), &quote!(#x), &self.fill(r)), r)
    }

    /// The same of elements in any order.
    fn load_any(&self, chunk: &Chunk, r: usize) -> TokenStream {
        let x = format_ident!("x{r}");
        self.deviation(chunk.load_any(&quote!(x), &quote!(#x), &self.fill(r)), r)
    }

    fn deviation(&self, value: TokenStream, r: usize) -> TokenStream {
        if self.model.technique.centred {
            let m = format_ident!("m{r}");
            quote!(v::sub(#value, #m))
        } else {
            value
        }
    }

    fn statistics(&self, rows: usize) -> TokenStream {
        let keep = &self.plan.schedule.keep;
        let all = self.sums(rows);
        let declare = all.declare();
        let sweep = all.sweep(&mut |chunk| {
            (0..rows)
                .map(|r| {
                    let (k, index) = (chunk.chain, chunk.index);
                    let (s, q) = (format_ident!("s{r}_{k}"), format_ident!("q{r}_{k}"));
                    let d = if *keep { format_ident!("d{r}_{index}") } else { format_ident!("d") };
                    let value = if *keep { self.load(chunk, r) } else { self.load_any(chunk, r) };
                    let sum = self.model.technique.centred.then(|| quote!(#s = v::add(#s, #d);));
                    quote! {
                        let #d = #value;
                        #sum
                        #q = v::fma(#d, #d, #q);
                    }
                })
                .collect()
        });
        let square = all.total("q");
        if self.model.technique.centred {
            let sum = all.total("s");
            quote! {
                #declare
                #sweep
                let f = finish::centred(#sum, #square, inverse_n, a.eps);
            }
        } else {
            quote! {
                #declare
                #sweep
                let f = finish::plain(#square, inverse_n, a.eps);
            }
        }
    }

    fn save(&self, rows: usize) -> TokenStream {
        let each = (0..rows).map(|r| {
            let (index, row, pivot) = (number(r), row_at(r), format_ident!("pivot{r}"));
            let mean = self.model.technique.centred.then(|| {
                quote! {
                    let (mean, residual) = finish::split_mean(#pivot, f.shift[#index]);
                    a.mean.add(#row).write(mean);
                    a.residual.add(#row).write(residual);
                }
            });
            quote! {
                #mean
                a.rstd.add(#row).write(f.rstd[#index]);
            }
        });
        quote! {
            if !a.rstd.is_null() {
                #(#each)*
            }
        }
    }

    /// The second sweep goes row by row, however many rows the first one took together: writing several rows in step cost
    /// half the speed on rows of 3 KB and more (their lines compete for the same cache sets, and loads wait for stores
    /// whose addresses agree in the low 12 bits).
    fn output(&self, rows: usize) -> TokenStream {
        if self.plan.schedule.keep || rows == 1 {
            return (0..rows)
                .map(|r| {
                    let index = number(r);
                    self.output_row(rows, r, &row_at(r), &quote!(f.rstd[#index]), &quote!(f.offset[#index]))
                })
                .collect();
        }
        let rt = runtime(self.model);
        let centred = self.model.technique.centred;
        let pivot = centred.then(|| quote!(let m0 = v::splat(#rt::finish::row(&pivots, k));));
        let [rstd, offset] = [quote!(#rt::finish::row(&f.rstd, k)), quote!(#rt::finish::row(&f.offset, k))];
        let row = self.output_row(rows, 0, &quote!(row + k), &rstd, &offset);
        let rows = number(rows);
        quote! {
            let mut k = 0_usize;
            while k < #rows {
                let x0 = a.x.add((row + k) * a.x_stride);
                let y0 = a.y.add((row + k) * a.y_stride);
                #pivot
                #row
                k += 1;
            }
        }
    }

    /// Row `row`, the variables of which end in `r`, of a block of `rows`, from its statistics.
    fn output_row(
        &self,
        rows: usize,
        r: usize,
        row: &TokenStream,
        rstd: &TokenStream,
        offset: &TokenStream,
    ) -> TokenStream {
        let centred = self.model.technique.centred;
        let [r_, o, y] = ["r", "o", "y"].map(|name| format_ident!("{name}{r}"));
        let offset = centred.then(|| quote!(let #o = v::splat(#offset);));
        let keep = self.plan.schedule.keep;
        let step = |chunk: &Chunk, loaded: TokenStream| {
            let normalized = if centred { quote!(v::fma(#loaded, #r_, #o)) } else { quote!(v::mul(#loaded, #r_)) };
            let normalized = cast_before_weight(self.model, self.plan, normalized);
            let value = match self.model.affine {
                Affine::None => normalized,
                Affine::Weight => quote!(v::mul(#normalized, w)),
                Affine::WeightAndBias => quote!(v::fma(#normalized, w, b)),
            };
            let (params, store) = (self.params(chunk), chunk.store(&quote!(x), &quote!(#y), &value));
            quote!(#params #store)
        };
        let rt = runtime(self.model);
        let near = output_sweep(&self.plan.schedule, &rt, self.len, &mut |chunk| {
            let d = format_ident!("d{r}_{}", chunk.index);
            step(chunk, if keep { quote!(#d) } else { self.load(chunk, r) })
        });
        // Rows that are taken together are near.
        let sweep = if rows > 1 || !may_go_past_caches(self.plan, self.len) {
            near
        } else {
            let (to, more) = (quote!(y0), quote!(row + 1 < a.rows));
            let next = ask(self.len, self.plan, &rt, &quote!(x0.wrapping_add(i + a.x_stride)));
            let far = sweep_past_caches(&self.plan.schedule, &rt, &to, &more, &next, &mut |chunk| {
                step(chunk, self.load(chunk, r))
            });
            far_or_near(&rt, &far, &near)
        };
        let of_row = |name: &str, variable: &Ident| of_row(self.model, name, row, variable);
        let params = each_param(self.model.affine_of_row(), of_row);
        quote! {
            let #r_ = v::splat(#rstd);
            #offset
            #params
            #sweep
        }
    }

    fn params(&self, chunk: &Chunk) -> TokenStream {
        each_param(self.model.affine_along_row(), |name, variable| {
            let field = ident(name);
            let value = chunk.load(&quote!(p), &quote!(a.#field), &quote!(v::zero()));
            quote!(let #variable = #value;)
        })
    }
}

/// `bind` gives the code that binds a parameter to a variable.
fn each_param(affine: Affine, bind: impl Fn(&str, &Ident) -> TokenStream) -> TokenStream {
    let weight = (affine >= Affine::Weight).then(|| bind("weight", &ident("w")));
    let bias = (affine >= Affine::WeightAndBias).then(|| bind("bias", &ident("b")));
    quote!(#weight #bias)
}
