//! YuNet's outputs: per stride `cls`, `obj`, `bbox` and `kps`, one prior per cell.

use rollcall_domain::face::FaceBox;
use rollcall_ports::engine::EngineError;

use super::{Detection, Grid, STRIDES, Turn, check_columns, points};
use crate::runtime::{Declared, Outputs};

/// Positions of the four outputs of each level, found by name.
pub(super) struct Heads([Level; 3]);

#[derive(Clone, Copy)]
struct Level {
    class: usize,
    object: usize,
    bounds: usize,
    points: usize,
}

impl Heads {
    pub(super) fn of(outputs: &[Declared]) -> Result<Self, String> {
        let named = |kind: &str, stride: usize, columns: i64| {
            let name = format!("{kind}_{stride}");
            let position = outputs.iter().position(|output| output.name == name);
            let position = position.ok_or_else(|| format!("it has no output {name}"))?;
            check_columns(outputs, position, columns).map(|()| position)
        };
        let mut levels = [Level { class: 0, object: 0, bounds: 0, points: 0 }; 3];
        for (level, stride) in levels.iter_mut().zip(STRIDES) {
            *level = Level {
                class: named("cls", stride, 1)?,
                object: named("obj", stride, 1)?,
                bounds: named("bbox", stride, 4)?,
                points: named("kps", stride, 10)?,
            };
        }
        Ok(Self(levels))
    }

    pub(super) fn read(
        &self,
        outputs: &Outputs<'_>,
        level: usize,
        grid: &Grid,
        least: f32,
        faces: &mut Vec<Detection>,
    ) -> Result<(), EngineError> {
        let at = self.0[level];
        let class = grid.matrix(outputs, at.class, 1, 1)?;
        let object = grid.matrix(outputs, at.object, 1, 1)?;
        let bounds = grid.matrix(outputs, at.bounds, 1, 4)?;
        let landmarks = grid.matrix(outputs, at.points, 1, 10)?;
        let stride = grid.stride as f32;
        for (prior, (class, object)) in class.iter().zip(&object).enumerate() {
            let score = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            if score.is_nan() || score < least {
                continue;
            }
            let (column, row) = grid.cell(prior, 1);
            let b = bounds.row(prior);
            let (x, y) = ((column + b[0]) * stride, (row + b[1]) * stride);
            let (width, height) = (b[2].exp() * stride, b[3].exp() * stride);
            faces.push(Detection {
                bounds: FaceBox {
                    left: x - width / 2.0,
                    top: y - height / 2.0,
                    right: x + width / 2.0,
                    bottom: y + height / 2.0,
                },
                landmarks: points(landmarks.row(prior), (column, row), stride),
                corners: None,
                score,
                turn: Turn::NONE,
                settled: true,
            });
        }
        Ok(())
    }
}
