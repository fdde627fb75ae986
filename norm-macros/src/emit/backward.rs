//! The backward kernel, derived once for all techniques:
//! `dx = r * (g - mean(g) - xhat * mean(g * xhat))`, `g = dy * weight`, the middle term only where the mean is subtracted.

use super::sweep::{
    Chunk, Sums, blocks, declare_line, may_go_past_caches, output_sweep, put_line, sweep, sweep_past_caches,
};
use super::{
    ask, cast_before_weight, compute_of, facade, far_or_near, function, number, of_row, param_of, pointer, row_at,
    row_start, runtime, type_of,
};
use crate::model::{Affine, Len, Model};
use crate::plan::{PassPlan, Schedule};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The kernel for rows of `len`.
pub fn backward(model: &Model, len: Len, plan: &PassPlan) -> TokenStream {
    let emitter = Backward { model, len, plan };
    let body = emitter.body();
    let line = emitter.streams().then(|| declare_line(&runtime(model), &quote!(dx)));
    function(model, len, plan, &quote!(#line #body))
}

struct Backward<'a> {
    model: &'a Model,
    len: Len,
    plan: &'a PassPlan,
}

impl Backward<'_> {
    /// Whether the gradient is a parameter's, and added to what is there.
    fn adds(&self) -> bool {
        self.plan.pass.adds(self.model.technique)
    }

    fn schedule(&self) -> &Schedule {
        &self.plan.schedule
    }

    /// The gradients of parameters along the row: the argument, and the variable that a chunk of it is in.
    fn grads(&self) -> &'static [(&'static str, &'static str)] {
        match self.model.affine_along_row() {
            Affine::None => &[],
            Affine::Weight => &[("dweight", "dw")],
            Affine::WeightAndBias => &[("dweight", "dw"), ("dbias", "db")],
        }
    }

    /// A chunk of a gradient of a parameter. Its memory is padded, so every chunk is whole.
    fn grad_name(&self, variable: &str, chunk: &Chunk) -> proc_macro2::Ident {
        if self.schedule().keep_grads {
            format_ident!("{variable}{}", chunk.index)
        } else {
            format_ident!("{variable}")
        }
    }

    /// Reads them: into new variables with `let mut` as `binding`, into those there are without.
    fn load_grads(&self, chunk: &Chunk, binding: &TokenStream) -> TokenStream {
        let at = &chunk.at;
        self.grads()
            .iter()
            .map(|(argument, variable)| {
                let (argument, name) = (format_ident!("{argument}"), self.grad_name(variable, chunk));
                quote!(#binding #name = v::load(a.#argument.add(#at));)
            })
            .collect()
    }

    fn store_grads(&self, chunk: &Chunk) -> TokenStream {
        let at = &chunk.at;
        self.grads()
            .iter()
            .map(|(argument, variable)| {
                let (argument, name) = (format_ident!("{argument}"), self.grad_name(variable, chunk));
                quote!(v::store(a.#argument.add(#at), #name);)
            })
            .collect()
    }

    /// Whether rows may be written past the caches: those that are added to are read first.
    fn streams(&self) -> bool {
        may_go_past_caches(self.plan, self.len) && !self.adds()
    }

    fn body(&self) -> TokenStream {
        let rt = runtime(self.model);
        let blocks = blocks(&rt, self.schedule().rows, &quote!(&&!a.stream), &mut |rows| self.block(rows));
        if !self.schedule().keep_grads {
            return blocks;
        }
        let before = sweep(self.schedule(), &rt, self.len, 1, &mut |chunk| self.load_grads(chunk, &quote!(let mut)));
        let after = sweep(self.schedule(), &rt, self.len, 1, &mut |chunk| self.store_grads(chunk));
        quote!(#before #blocks #after)
    }

    /// `rows` rows from `row`.
    fn block(&self, rows: usize) -> TokenStream {
        let starts = (0..rows).map(|r| self.start(r));
        let statistics = self.statistics(rows);
        let output = self.output(rows);
        let done = (rows > 1).then(|| {
            let rows = number(rows);
            quote! {
                row += #rows;
                continue;
            }
        });
        let fast = quote! {
            #(#starts)*
            #statistics
            #output
            #done
        };
        if !self.model.technique.centred {
            return fast;
        }
        let rt = runtime(self.model);
        let compute = compute_of(self.model);
        let each = (0..rows).map(|r| {
            let row = row_at(r);
            quote!(a.rstd.add(#row).read() >= <#compute as #rt::Compute>::SMALLEST_RSTD)
        });
        let careful = (rows == 1).then(|| self.careful());
        quote! {
            if #(#each)&&* { #fast } #careful
        }
    }

    /// The row in which `x - mean` may overflow; gradients that are kept in registers go by way of memory.
    fn careful(&self) -> TokenStream {
        let rt = runtime(self.model);
        let (element, param) = (type_of(&facade(self.model), self.plan.dtype), param_of(self.model));
        let line = self.streams().then(|| put_line(&rt, &quote!(a.dx.add(row * a.dx_stride))));
        let call = quote!(#line <#element as #rt::rows::Entry<#param>>::careful_backward_row(a, row, n, &SPEC););
        if !self.schedule().keep_grads {
            return quote!(else { #call });
        }
        let store = sweep(self.schedule(), &rt, self.len, 1, &mut |chunk| self.store_grads(chunk));
        let into_place = TokenStream::new();
        let reload = sweep(self.schedule(), &rt, self.len, 1, &mut |chunk| self.load_grads(chunk, &into_place));
        quote!(else { #store #call #reload })
    }

    fn start(&self, r: usize) -> TokenStream {
        let row = row_at(r);
        let [x, dy, dx, rstd, m, c] = ["x", "dy", "dx", "r", "m", "c"].map(|name| format_ident!("{name}{r}"));
        let centred = self.model.technique.centred;
        let mean = centred.then(|| {
            quote! {
                let #m = v::splat(a.mean.add(#row).read());
                let #c = v::splat(-a.residual.add(#row).read() * rstd);
            }
        });
        let to = pointer(self.model, self.plan, "dx");
        let [x_start, dy_start, dx_start] =
            [quote!(a.x_stride), quote!(a.dy_stride), quote!(a.dx_stride)].map(|stride| row_start(r, &stride));
        let weight = self.weighted_by_row().then(|| of_row(self.model, "weight", &row, &format_ident!("w{r}")));
        quote! {
            let #x = a.x.add(#x_start);
            let #dy = a.dy.add(#dy_start);
            let #dx = #to.add(#dx_start);
            #weight
            let rstd = a.rstd.add(#row).read();
            let #rstd = v::splat(rstd);
            #mean
        }
    }

    /// The normalized element.
    fn normalized(&self, chunk: &Chunk, r: usize) -> TokenStream {
        let [x, rstd, m, c] = ["x", "r", "m", "c"].map(|name| format_ident!("{name}{r}"));
        if self.model.technique.centred {
            let value = chunk.load(&quote!(x), &quote!(#x), &quote!(#m));
            quote!(v::fma(v::sub(#value, #m), #rstd, #c))
        } else {
            let value = chunk.load(&quote!(x), &quote!(#x), &quote!(v::zero()));
            quote!(v::mul(#value, #rstd))
        }
    }

    /// Whether there is a weight for each row.
    fn weighted_by_row(&self) -> bool {
        self.model.affine_of_row() >= Affine::Weight
    }

    /// Whether there is a weight along the row.
    fn weighted_along(&self) -> bool {
        self.model.affine_along_row() >= Affine::Weight
    }

    fn weight(&self, chunk: &Chunk) -> Option<TokenStream> {
        let value = chunk.load(&quote!(p), &quote!(a.weight), &quote!(v::zero()));
        self.weighted_along().then(|| quote!(let w = #value;))
    }

    /// `d`, the gradient of the output, and `g`, the same times the weight; `h`, the normalized element.
    fn load(&self, chunk: &Chunk, r: usize, [g, h]: &[proc_macro2::Ident; 2]) -> TokenStream {
        let dy = format_ident!("dy{r}");
        let value = chunk.load(&quote!(x), &quote!(#dy), &quote!(v::zero()));
        let weighted = if self.weighted_along() { quote!(v::mul(d, w)) } else { quote!(d) };
        let normalized = self.normalized(chunk, r);
        quote! {
            let d = #value;
            let #g = #weighted;
            let #h = #normalized;
        }
    }

    /// The names of `g` and `h`: numbered where they are kept.
    fn names(&self, chunk: &Chunk, r: usize) -> [proc_macro2::Ident; 2] {
        ["g", "h"].map(|name| {
            if self.schedule().keep { format_ident!("{name}{r}_{}", chunk.index) } else { format_ident!("{name}") }
        })
    }

    fn statistics(&self, rows: usize) -> TokenStream {
        let schedule = self.schedule();
        let summed = self.sums_gradient();
        let names: &[_] = if summed { &["s", "q"] } else { &["q"] };
        let all = Sums::new(schedule, self.len, schedule.unroll, names, rows);
        let declare = all.declare();
        let sweep = all.sweep(&mut |chunk| {
            let weight = self.weight(chunk);
            let (before, after) = if schedule.keep_grads {
                (TokenStream::new(), TokenStream::new())
            } else {
                (self.load_grads(chunk, &quote!(let mut)), self.store_grads(chunk))
            };
            let each = (0..rows).map(|r| {
                let k = chunk.chain;
                let (s, q) = (format_ident!("s{r}_{k}"), format_ident!("q{r}_{k}"));
                let names = self.names(chunk, r);
                let [g, h] = &names;
                let load = self.load(chunk, r, &names);
                let sum = summed.then(|| quote!(#s = v::add(#s, #g);));
                let grads: TokenStream = self
                    .grads()
                    .iter()
                    .map(|(_, variable)| {
                        let name = self.grad_name(variable, chunk);
                        if *variable == "dw" {
                            let h = cast_before_weight(self.model, self.plan, quote!(#h));
                            quote!(#name = v::fma(d, #h, #name);)
                        } else {
                            quote!(#name = v::add(#name, d);)
                        }
                    })
                    .collect();
                quote! {
                    #load
                    #sum
                    #q = v::fma(#g, #h, #q);
                    #grads
                }
            });
            quote!(#weight #before #(#each)* #after)
        });
        let square = all.total("q");
        let sum = summed.then(|| {
            let sum = all.total("s");
            quote!(let sum = #sum;)
        });
        let give = self.give(rows);
        quote! {
            #declare
            #sweep
            #sum
            let square = #square;
            #give
        }
    }

    /// Whether the gradient itself is summed, beside its product with the normalized element.
    fn sums_gradient(&self) -> bool {
        self.model.technique.centred || self.model.affine_of_row() >= Affine::WeightAndBias
    }

    /// The gradients of parameters that are one number for each row: sums of `dy` times the normalized element, and of `dy`. The weight
    /// is applied afterwards.
    fn give(&self, rows: usize) -> TokenStream {
        let affine = self.model.affine_of_row();
        let (dweight, dbias) = (affine >= Affine::Weight, affine >= Affine::WeightAndBias);
        let each = (0..rows).map(|r| {
            let (index, row) = (number(r), row_at(r));
            let dweight = dweight.then(|| quote!(a.dweight.add(#row).write(square[#index]);));
            let dbias = dbias.then(|| quote!(a.dbias.add(#row).write(sum[#index]);));
            quote!(#dweight #dbias)
        });
        each.collect()
    }

    fn output(&self, rows: usize) -> TokenStream {
        let centred = self.model.technique.centred;
        let broadcast = (0..rows).map(|r| {
            let (index, u, t) = (number(r), format_ident!("u{r}"), format_ident!("t{r}"));
            let mean = centred.then(|| quote!(let #u = v::splat(sum[#index] * inverse_n);));
            quote! {
                #mean
                let #t = v::splat(square[#index] * inverse_n);
            }
        });
        let schedule = self.schedule();
        // The direction of a vector of one element does not change (and that of zero is not a number).
        let constant = self.model.technique.of_sum && self.len == Len::Fixed(1);
        let value = |r: usize, [g, h]: &[proc_macro2::Ident; 2]| {
            let [rstd, u, t] = ["r", "u", "t"].map(|name| format_ident!("{name}{r}"));
            let g = if centred { quote!(v::sub(#g, #u)) } else { quote!(#g) };
            if constant {
                return quote!(v::mul(#rstd, v::zero()));
            }
            let value = quote!(v::mul(v::fnma(#h, #t, #g), #rstd));
            let w = format_ident!("w{r}");
            if self.weighted_by_row() { quote!(v::mul(#value, #w)) } else { value }
        };
        let step = |chunk: &Chunk, keep: bool| {
            let weight = if keep { None } else { self.weight(chunk) };
            // No row is written before all have been read: loads wait for stores whose addresses agree in the lower 12 bits, as those of
            // rows of 4096 bytes do.
            let (read, write): (Vec<_>, Vec<_>) = (0..rows)
                .map(|r| {
                    let (names, dx, z) = (self.names(chunk, r), format_ident!("dx{r}"), format_ident!("z{r}"));
                    let (load, value) = ((!keep).then(|| self.load(chunk, r, &names)), value(r, &names));
                    let store = chunk.store_output(&quote!(#dx), &quote!(#z), self.adds());
                    (quote!(#load let #z = #value;), store)
                })
                .unzip();
            quote!(#weight #(#read)* #(#write)*)
        };
        let rt = runtime(self.model);
        let near = output_sweep(schedule, &rt, self.len, &mut |chunk| step(chunk, schedule.keep));
        if rows > 1 || !self.streams() {
            return quote!(#(#broadcast)* #near);
        }
        let (to, more) = (quote!(dx0), quote!(row + 1 < a.rows));
        let [x, dy] = [quote!(x0.wrapping_add(i + a.x_stride)), quote!(dy0.wrapping_add(i + a.dy_stride))];
        let next = [x, dy].iter().map(|place| ask(self.len, self.plan, &rt, place)).collect();
        let far = sweep_past_caches(schedule, &rt, &to, &more, &next, &mut |chunk| step(chunk, false));
        let output = far_or_near(&rt, &far, &near);
        quote!(#(#broadcast)* #output)
    }
}
