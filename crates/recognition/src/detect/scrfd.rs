//! SCRFD's outputs: scores, boxes and points of the three strides, by position; two anchors per cell.

use rollcall_domain::face::FaceBox;
use rollcall_ports::engine::EngineError;

use super::{Detection, Grid, Turn, check_columns, points};
use crate::runtime::{Declared, Outputs};

const ANCHORS: usize = 2;

/// Proof that the nine outputs are there. Their names are numbers that differ from export to export, their
/// order does not.
pub(super) struct Heads(());

impl Heads {
    pub(super) fn of(outputs: &[Declared]) -> Result<Self, String> {
        if outputs.len() != 9 {
            return Err(format!("it has {} outputs instead of 9", outputs.len()));
        }
        for level in 0..3 {
            check_columns(outputs, level, 1)?;
            check_columns(outputs, 3 + level, 4)?;
            check_columns(outputs, 6 + level, 10)?;
        }
        Ok(Self(()))
    }

    pub(super) fn read(
        &self,
        outputs: &Outputs<'_>,
        level: usize,
        grid: &Grid,
        least: f32,
        faces: &mut Vec<Detection>,
    ) -> Result<(), EngineError> {
        let scores = grid.matrix(outputs, level, ANCHORS, 1)?;
        let distances = grid.matrix(outputs, 3 + level, ANCHORS, 4)?;
        let landmarks = grid.matrix(outputs, 6 + level, ANCHORS, 10)?;
        let stride = grid.stride as f32;
        for (anchor, score) in scores.iter().enumerate() {
            if score.is_nan() || *score < least {
                continue;
            }
            let (column, row) = grid.cell(anchor, ANCHORS);
            let d = distances.row(anchor);
            faces.push(Detection {
                bounds: FaceBox {
                    left: (column - d[0]) * stride,
                    top: (row - d[1]) * stride,
                    right: (column + d[2]) * stride,
                    bottom: (row + d[3]) * stride,
                },
                landmarks: points(landmarks.row(anchor), (column, row), stride),
                corners: None,
                score: score.min(1.0),
                turn: Turn::NONE,
                settled: true,
            });
        }
        Ok(())
    }
}
