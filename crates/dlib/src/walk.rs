//! A list of layers taken apart in the order a network must have them.

use crate::DatError;
use crate::layers::{Convolution, Layer, Network, Window};

/// What is left of a network.
pub(crate) struct Walk<'a> {
    file: &'a str,
    mean: Option<[f32; 3]>,
    done: usize,
    layers: std::iter::Peekable<std::vec::IntoIter<Layer>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(file: &'a str, network: Network) -> Self {
        Self { file, mean: Some(network.mean), done: 0, layers: network.layers.into_iter().peekable() }
    }

    pub(crate) fn wrong(&self, what: impl std::fmt::Display) -> DatError {
        DatError { file: self.file.to_owned(), what: format!("layer {}: {what}", self.done) }
    }

    /// Takes a convolution of `channels` with what scales and shifts before and behind it folded in.
    pub(crate) fn convolution(&mut self, channels: usize) -> Result<Convolution, DatError> {
        let Some(Layer::Convolution(mut layer)) = self.next() else {
            return Err(self.wrong("a convolution belongs here"));
        };
        if layer.channels != channels {
            return Err(self.wrong(format!("it takes {} channels instead of {channels}", layer.channels)));
        }
        if let Some(mean) = self.mean.take() {
            let folded = layer.on_pixels(mean);
            layer = folded.ok_or_else(|| self.wrong("the first convolution does not take bare pixels"))?;
        }
        if let Some(Layer::Affine(affine)) = self.layers.next_if(|next| matches!(next, Layer::Affine(_))) {
            self.done += 1;
            layer = layer.then(&affine).ok_or_else(|| self.wrong("it has another number of channels"))?;
        }
        Ok(layer)
    }

    pub(crate) fn relu(&mut self) -> Result<(), DatError> {
        self.is(&Layer::Relu)
    }

    pub(crate) fn is(&mut self, expected: &Layer) -> Result<(), DatError> {
        match self.next() {
            Some(layer) if layer == *expected => Ok(()),
            _ => Err(self.wrong(format!("{expected:?} belongs here"))),
        }
    }

    /// Takes the window of an average over a part of the picture, if one comes next.
    pub(crate) fn average(&mut self) -> Option<Window> {
        let local = |next: &Layer| matches!(next, Layer::AveragePool(window) if window.side > 0 && window.padding == 0);
        let Some(Layer::AveragePool(window)) = self.layers.next_if(local) else { return None };
        self.done += 1;
        Some(window)
    }

    pub(crate) fn next(&mut self) -> Option<Layer> {
        self.done += 1;
        self.layers.next()
    }

    /// Returns how wide the picture is behind a window.
    pub(crate) fn behind(&self, window: &Window, size: usize) -> Result<usize, DatError> {
        window.applied_to(size).ok_or_else(|| self.wrong("the picture is smaller than the window"))
    }

    pub(crate) fn end(mut self) -> Result<(), DatError> {
        if self.layers.peek().is_none() { Ok(()) } else { Err(self.wrong("the network should end here")) }
    }
}
