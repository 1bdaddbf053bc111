//! The manifest as written, and the checks that turn it into packs.

use std::collections::BTreeMap;

use rollcall_domain::face::{Embedding, ModelId};
use serde::Deserialize;

use super::file::is_sha256;
use super::{
    AlignmentTemplate, DetectorFamily, DetectorModel, LandmarkModel, LivenessModel, Manifest, ManifestError,
    ModelFile, Pack, PythonPackage, RecognizerModel,
};

/// The file as written: models by name, packs referring to them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    default: String,
    packs: BTreeMap<String, PackTable>,
    #[serde(default)]
    packages: BTreeMap<String, PythonPackage>,
    detectors: BTreeMap<String, DetectorModel>,
    #[serde(default)]
    landmarks: BTreeMap<String, LandmarkModel>,
    recognizers: BTreeMap<String, RecognizerModel>,
    #[serde(default)]
    liveness: BTreeMap<String, LivenessModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackTable {
    about: String,
    detector: String,
    landmarks: Option<String>,
    recognizer: String,
    #[serde(default)]
    liveness: Vec<String>,
    lfw: Option<f32>,
    lfw_first_five: Option<f32>,
}

impl Tables {
    /// Puts names and models together, and refuses what makes no sense.
    pub(super) fn resolve(mut self) -> Result<Manifest, ManifestError> {
        self.packages.iter_mut().for_each(|(name, package)| package.name.clone_from(name));
        self.detectors.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.landmarks.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.recognizers.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.liveness.iter_mut().for_each(|(name, model)| model.name.clone_from(name));
        self.check().map_err(ManifestError::Invalid)?;
        self.find_packages().map_err(ManifestError::Invalid)?;

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
                landmarks: match &table.landmarks {
                    Some(model) => Some(self.landmarks.get(model).ok_or_else(|| missing(model))?.clone()),
                    None => None,
                },
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
            check_points(&pack).map_err(ManifestError::Invalid)?;
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

    /// Gives each file the package it names.
    fn find_packages(&mut self) -> Result<(), String> {
        let detectors = self.detectors.values_mut().map(|model| &mut model.file);
        let landmarks = self.landmarks.values_mut().map(|model| &mut model.file);
        let recognizers = self.recognizers.values_mut().map(|model| &mut model.file);
        let liveness = self.liveness.values_mut().map(|model| &mut model.file);
        for file in detectors.chain(landmarks).chain(recognizers).chain(liveness) {
            let ModelFile { package: Some(package), .. } = file else { continue };
            let known = self.packages.get(package);
            let what = || format!("{} names package {package}, which is not described", file.name);
            file.resolved = Some(known.ok_or_else(what)?.clone());
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let unit = 0.0..=1.0;
        for (name, package) in &self.packages {
            // They become arguments of the package client and a file name.
            let plain = |text: &str| {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
                text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain)
            };
            if ![name, &package.version, &package.archive].into_iter().all(|text| plain(text)) {
                return Err(format!("package {name}: name, version and archive must be plain"));
            }
            if !is_sha256(&package.sha256) {
                return Err(format!("package {name}: sha256 must be 64 lower-case hex digits"));
            }
        }
        for (name, model) in &self.landmarks {
            model.file.check(name)?;
        }
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
            if model.sure.is_some_and(|sure| !(model.score..1.0).contains(&sure)) {
                return Err(format!("detector {name}: sure must be between score and 1"));
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

/// Checks that somebody finds the points by which the template aligns.
fn check_points(pack: &Pack) -> Result<(), String> {
    let found = pack.landmarks.is_some();
    let needed = pack.recognizer.template == AlignmentTemplate::Dlib150;
    if found != needed {
        return Err(format!("pack {}: template dlib-150 and a landmark model go together", pack.name));
    }
    if pack.detector.family == DetectorFamily::Mmod && !found {
        return Err(format!("pack {}: a detector that finds no points needs a landmark model", pack.name));
    }
    Ok(())
}

fn check_scale(name: &str, scale: &[f32; 3], mean: &[f32; 3]) -> Result<(), String> {
    let sound = mean.iter().all(|m| m.is_finite()) && scale.iter().all(|s| s.is_finite() && *s != 0.0);
    if sound { Ok(()) } else { Err(format!("{name}: mean and scale must be finite, scale not zero")) }
}
