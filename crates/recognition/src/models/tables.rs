//! The manifest as written, and the checks that turn it into packs.

use std::collections::BTreeMap;

use rollcall_domain::face::{Embedding, ModelId};
use serde::Deserialize;

use super::{DetectorModel, LivenessModel, Manifest, ManifestError, Pack, RecognizerModel};

/// The file as written: models by name, packs referring to them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    default: String,
    packs: BTreeMap<String, PackTable>,
    detectors: BTreeMap<String, DetectorModel>,
    recognizers: BTreeMap<String, RecognizerModel>,
    #[serde(default)]
    liveness: BTreeMap<String, LivenessModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackTable {
    about: String,
    detector: String,
    recognizer: String,
    #[serde(default)]
    liveness: Vec<String>,
    lfw: Option<f32>,
    lfw_first_five: Option<f32>,
}

impl Tables {
    /// Puts names and models together, and refuses what makes no sense.
    pub(super) fn resolve(mut self) -> Result<Manifest, ManifestError> {
        self.detectors.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.recognizers.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.liveness.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.check().map_err(ManifestError::Invalid)?;

        let mut packs = BTreeMap::new();
        for (name, table) in &self.packs {
            let missing = |what: &str| {
                ManifestError::Invalid(format!("pack {name} names {what}, which is not described"))
            };
            let pack = Pack {
                name: name.clone(),
                about: table.about.clone(),
                detector: self
                    .detectors
                    .get(&table.detector)
                    .ok_or_else(|| missing(&table.detector))?
                    .clone(),
                recognizer: self
                    .recognizers
                    .get(&table.recognizer)
                    .ok_or_else(|| missing(&table.recognizer))?
                    .clone(),
                liveness: table
                    .liveness
                    .iter()
                    .map(|model| self.liveness.get(model).cloned().ok_or_else(|| missing(model)))
                    .collect::<Result<_, _>>()?,
                lfw: table.lfw,
                lfw_first_five: table.lfw_first_five,
            };
            packs.insert(name.clone(), pack);
        }
        if !packs.contains_key(&self.default) {
            return Err(ManifestError::Invalid(format!(
                "the default pack {} is not described",
                self.default
            )));
        }
        Ok(Manifest { default: self.default, packs })
    }

    fn check(&self) -> Result<(), String> {
        let unit = 0.0..=1.0;
        for (name, model) in &self.detectors {
            let sizes = &model.sizes;
            let sound = !sizes.is_empty()
                && sizes.iter().all(|size| size % 32 == 0 && (32..=2048).contains(size))
                && sizes.windows(2).all(|pair| pair[0] < pair[1]);
            if !sound {
                return Err(format!("detector {name}: sizes must be rising multiples of 32 up to 2048"));
            }
            if !(unit.contains(&model.score) && unit.contains(&model.nms)) {
                return Err(format!("detector {name}: score and nms must be between 0 and 1"));
            }
            check_scale(name, &model.scale, &model.mean)?;
            model.file.check(name)?;
        }
        for (name, model) in &self.recognizers {
            if !(16..=1024).contains(&model.input) || !(1..=Embedding::MAX_LEN).contains(&model.dim) {
                return Err(format!(
                    "recognizer {name}: input must be 16 to 1024 and dim 1 to {}",
                    Embedding::MAX_LEN
                ));
            }
            if ModelId::parse(&format!("{name}:000000000000")).is_err() {
                return Err(format!(
                    "recognizer {name}: the name must consist of a-z, 0-9, '.', '-' and '_'"
                ));
            }
            check_scale(name, &model.scale, &model.mean)?;
            model.file.check(name)?;
        }
        for (name, model) in &self.liveness {
            if !((16..=1024).contains(&model.input) && model.crop >= 1.0 && unit.contains(&model.weight)) {
                return Err(format!("liveness {name}: input, crop or weight is out of range"));
            }
            check_scale(name, &model.scale, &model.mean)?;
            model.file.check(name)?;
        }
        Ok(())
    }
}

fn check_scale(name: &str, scale: &[f32; 3], mean: &[f32; 3]) -> Result<(), String> {
    let sound = mean.iter().all(|m| m.is_finite()) && scale.iter().all(|s| s.is_finite() && *s != 0.0);
    if sound { Ok(()) } else { Err(format!("{name}: mean and scale must be finite, scale not zero")) }
}
