//! The operation that burn's dispatch routes: on Flex, and on Flex with gradients.

use crate::flex::{argument, tensor};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension, tensor::FloatTensor};
use normkit_adapter::{Argument, Call, Error, Kept, Statistics};
use std::sync::Arc;

/// A call, what it takes beside tensors that have gradients, and what comes of it beside a tensor.
#[derive(Clone, Debug)]
pub struct Pass {
    call: Call,
    /// The mean and the variance that are given, instead of those of `x`.
    given: Option<[FlexTensor; 2]>,
    /// Whether statistics are asked for, where no gradients need them.
    keep: bool,
    /// The statistics that were kept.
    kept: Option<Arc<Kept>>,
    /// What went wrong: burn's operations give tensors, and the one given means nothing then.
    error: Option<Error>,
}

/// Backends that normalize by normkit's kernels: as many operations as there may be tensors.
#[backend_extension(Flex, Autodiff)]
pub trait Normalize: Backend {
    fn normalize(x: FloatTensor<Self>, pass: &mut Pass) -> FloatTensor<Self>;

    fn normalize_with(x: FloatTensor<Self>, weight: FloatTensor<Self>, pass: &mut Pass) -> FloatTensor<Self>;

    fn normalize_with_both(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        pass: &mut Pass,
    ) -> FloatTensor<Self>;
}

impl Normalize for Flex {
    fn normalize(x: FlexTensor, pass: &mut Pass) -> FlexTensor {
        pass.forward(&[&x], false).unwrap_or(x)
    }

    fn normalize_with(x: FlexTensor, weight: FlexTensor, pass: &mut Pass) -> FlexTensor {
        pass.forward(&[&x, &weight], false).unwrap_or(x)
    }

    fn normalize_with_both(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, pass: &mut Pass) -> FlexTensor {
        pass.forward(&[&x, &weight, &bias], false).unwrap_or(x)
    }
}

/// A tensor of Flex in a graph.
type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> Normalize for Autodiff<Flex, C> {
    fn normalize(x: Tracked<C>, pass: &mut Pass) -> Tracked<C> {
        tracked::<C, 1>([x], pass)
    }

    fn normalize_with(x: Tracked<C>, weight: Tracked<C>, pass: &mut Pass) -> Tracked<C> {
        tracked::<C, 2>([x, weight], pass)
    }

    fn normalize_with_both(x: Tracked<C>, weight: Tracked<C>, bias: Tracked<C>, pass: &mut Pass) -> Tracked<C> {
        tracked::<C, 3>([x, weight, bias], pass)
    }
}

fn tracked<C: CheckpointStrategy, const N: usize>(tensors: [Tracked<C>; N], pass: &mut Pass) -> Tracked<C> {
    let nodes = tensors.each_ref().map(|tensor| tensor.node());
    let primitives = tensors.each_ref().map(|tensor| tensor.primitive());
    match Step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prep) => match pass.forward(&primitives, pass.given.is_none()) {
            Some(y) => {
                let tensors = tensors.each_ref().map(|tensor| prep.checkpoint(tensor));
                prep.finish(State { pass: pass.clone(), tensors }, y)
            }
            None => tensors.into_iter().next().expect("x is the first of them"),
        },
        OpsKind::UnTracked(prep) => match pass.forward(&primitives, false) {
            Some(y) => prep.finish(y),
            None => tensors.into_iter().next().expect("x is the first of them"),
        },
    }
}

/// The way back.
#[derive(Debug)]
struct Step;

/// What the way back takes: the pass, and where the graph has its tensors.
#[derive(Clone, Debug)]
struct State<const N: usize> {
    pass: Pass,
    tensors: [NodeId; N],
}

impl<const N: usize> Backward<Flex, N> for Step {
    type State = State<N>;

    fn backward(self, ops: Ops<State<N>, N>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        // How a gradient lies is burn's choice, so a copy is no surprise; there hardly ever is one.
        let dy = grads.consume::<Flex>(&ops.node).to_contiguous();
        let State { pass, tensors } = ops.state;
        let tensors = tensors.map(|id| checkpointer.retrieve_node_output::<FlexTensor>(id));
        // Burn's graph has no place for an error. The forward pass has taken the same tensors.
        let gradients = pass.backward(&tensors.each_ref(), &dy).unwrap_or_else(|error| panic!("{error}"));
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

impl Pass {
    pub fn new(call: Call) -> Self {
        Pass { call, given: None, keep: false, kept: None, error: None }
    }

    /// The same with a mean and a variance that are given.
    pub fn given(self, mean: FlexTensor, var: FlexTensor) -> Self {
        Pass { given: Some([mean.to_contiguous(), var.to_contiguous()]), ..self }
    }

    /// The same with statistics that are kept.
    pub fn keeping(self) -> Self {
        Pass { keep: true, ..self }
    }

    /// What was kept, if all went well.
    pub fn outcome(self) -> Result<Option<Arc<Kept>>, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.kept),
        }
    }

    /// `y`, from `x` and the parameters; what else comes of it is kept here. `has_graph`: there will be a way back.
    fn forward(&mut self, tensors: &[&FlexTensor], has_graph: bool) -> Option<FlexTensor> {
        let keep = self.keep || has_graph;
        let result = self.over(tensors, |arguments| match &self.given {
            Some(given) => self.with_given(given, |given| Ok((self.call.infer(arguments, given)?, None))),
            None => self.call.forward(arguments, keep),
        });
        match result {
            Ok((y, kept)) => {
                self.kept = kept.map(Arc::new);
                Some(tensor(y, tensors[0].layout().shape()))
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// The gradients of the tensors.
    fn backward(&self, tensors: &[&FlexTensor], dy: &FlexTensor) -> Result<Vec<FlexTensor>, Error> {
        let wrong = || self.call.wrong_type(0, dy.dtype().name());
        let dy = argument(dy).ok_or_else(wrong)?;
        let gradients = self.over(tensors, |arguments| match (&self.given, &self.kept) {
            (Some(given), _) => {
                self.with_given(given, |given| self.call.backward(arguments, &dy, Statistics::Given(given)))
            }
            (None, Some(kept)) => self.call.backward(arguments, &dy, Statistics::Kept(kept)),
            (None, None) => unreachable!("the forward pass of a graph keeps its statistics"),
        })?;
        Ok(gradients.into_iter().zip(tensors).map(|(values, of)| tensor(values, of.layout().shape())).collect())
    }

    /// Runs a pass over these tensors, where they are; over contiguous copies if that cannot be.
    fn over<R>(&self, tensors: &[&FlexTensor], pass: impl Fn(&[Argument<'_>]) -> Result<R, Error>) -> Result<R, Error> {
        match pass(&self.arguments(tensors)?) {
            Err(Error::Place { .. }) => {
                let copies: Vec<FlexTensor> = tensors.iter().map(|tensor| tensor.to_contiguous()).collect();
                pass(&self.arguments(&copies.iter().collect::<Vec<_>>())?)
            }
            result => result,
        }
    }

    fn arguments<'a>(&self, tensors: &[&'a FlexTensor]) -> Result<Vec<Argument<'a>>, Error> {
        let argument = |(index, tensor): (usize, &&'a FlexTensor)| {
            argument(tensor).ok_or_else(|| self.call.wrong_type(index, tensor.dtype().name()))
        };
        tensors.iter().enumerate().map(argument).collect()
    }

    fn with_given<R>(
        &self,
        given: &[FlexTensor; 2],
        pass: impl FnOnce(&[Argument<'_>; 2]) -> Result<R, Error>,
    ) -> Result<R, Error> {
        match given.each_ref().map(argument) {
            [Some(mean), Some(var)] => pass(&[mean, var]),
            _ => {
                let (kind, found) =
                    (self.call.kernel().spec().kind, given.each_ref().map(|tensor| tensor.dtype().name()));
                let message =
                    format!("{kind}: running statistics: expected elements of f32 | f64 | f16 | bf16, found {found:?}");
                Err(Error::Other(message))
            }
        }
    }
}
