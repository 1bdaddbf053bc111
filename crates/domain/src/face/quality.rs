//! What is measured on a face, and which faces are good enough.

/// What was measured on one face, before any judgment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceQuality {
    /// The detector's confidence, 0..=1.
    pub detector: f32,
    /// Distance between the eyes in the photo, in pixels.
    pub eye_distance: f32,
    /// Width of the face box in the photo, in pixels.
    pub face_px: f32,
    /// Variance of the Laplacian of the aligned gray crop (levels²), corrected for how much the crop was
    /// enlarged; larger is sharper.
    pub sharpness: f32,
    /// Mean gray level of the aligned crop, 0..=255.
    pub brightness: f32,
    /// Standard deviation of the gray levels of the aligned crop.
    pub contrast: f32,
    /// Share of the crop's pixels at gray level 250 or above, 0..=1.
    pub overexposed: f32,
    /// Turn to the side, in degrees, positive to the image right; estimated from the landmarks.
    pub yaw: f32,
    /// Nod, in degrees, positive downwards; estimated from the landmarks.
    pub pitch: f32,
    /// Tilt of the line between the eyes, in degrees, positive clockwise.
    pub roll: f32,
}

/// A reason to refuse a photo for enrollment, with the words that help to take a better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flaw {
    /// No face was found.
    NoFace,
    /// A second face of similar size.
    MultipleFaces,
    /// The eyes are too close together.
    FaceTooSmall,
    /// Out of focus or moved.
    LowSharpness,
    /// Too dark.
    LowBrightness,
    /// Burnt out.
    Overexposed,
    /// Gray on gray.
    LowContrast,
    /// Looking away.
    ExtremePose,
    /// The picture lies on its side, on its head, or askew, and it cannot be told how.
    Turned,
    /// The detector is not sure.
    LowConfidence,
    /// The same shot as one already kept.
    NearDuplicate,
    /// Does not look like the person's other photos.
    NotSamePerson,
    /// Not a JPEG, PNG or WebP picture.
    UnsupportedImage,
    /// A JPEG of a kind that is not read.
    UnsupportedJpeg(JpegKind),
    /// Too many bytes or pixels.
    TooLarge,
    /// Damaged or incomplete.
    DecodeFailed,
}

macro_rules! jpeg_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal)*) => {
        /// A kind of JPEG that other programs read and Rollcall does not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum JpegKind {
            $($(#[$doc])* $kind,)*
        }

        impl JpegKind {
            /// What is special about it, in a few words.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// That it is not read, as a sentence for a person.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!("this kind of JPEG (", $name, ") is not supported"),)*
                }
            }
        }
    };
}

jpeg_kinds! {
    /// Coded arithmetically.
    Arithmetic = "arithmetic coding"
    /// Coded without loss.
    Lossless = "lossless"
    /// Several frames that add up.
    Hierarchical = "hierarchical"
    /// Other than 8 bits a sample.
    Precision = "not 8 bits a color"
    /// The number of lines is told after the pixels.
    Unmeasured = "height not told"
    /// Other than 1, 3 or 4 components.
    Components = "unusual number of colors"
    /// Components sampled by factors that do not divide each other.
    Sampling = "unusual sampling"
    /// Something else.
    Other = "an unusual feature"
}

impl Flaw {
    /// The stable code of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoFace => "no_face",
            Self::MultipleFaces => "multiple_faces",
            Self::FaceTooSmall => "face_too_small",
            Self::LowSharpness => "low_sharpness",
            Self::LowBrightness => "low_brightness",
            Self::Overexposed => "overexposed",
            Self::LowContrast => "low_contrast",
            Self::ExtremePose | Self::Turned => "extreme_pose",
            Self::LowConfidence => "low_confidence",
            Self::NearDuplicate => "near_duplicate",
            Self::NotSamePerson => "not_same_person",
            Self::UnsupportedImage | Self::UnsupportedJpeg(_) => "unsupported_image",
            Self::TooLarge => "too_large",
            Self::DecodeFailed => "decode_failed",
        }
    }

    /// What is wrong, as a sentence for a person.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::NoFace => "no face was found",
            Self::MultipleFaces => "more than one face of similar size",
            Self::FaceTooSmall => "the face is too small",
            Self::LowSharpness => "the face is blurred",
            Self::LowBrightness => "the face is too dark",
            Self::Overexposed => "the face is overexposed",
            Self::LowContrast => "the face has too little contrast",
            Self::ExtremePose => "the head is turned too far",
            Self::Turned => "the picture seems to lie on its side or upside down",
            Self::LowConfidence => "the face could not be seen clearly",
            Self::NearDuplicate => "almost the same shot as one already kept",
            Self::NotSamePerson => "does not look like this person's other photos",
            Self::UnsupportedImage => "not a JPEG, PNG or WebP picture",
            Self::UnsupportedJpeg(kind) => kind.detail(),
            Self::TooLarge => "the picture is too large",
            Self::DecodeFailed => "the picture is damaged or incomplete",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NoFace => "Face the camera and keep the whole head in the picture.",
            Self::MultipleFaces => "Make sure nobody else is in the picture.",
            Self::FaceTooSmall => "Come closer to the camera.",
            Self::LowSharpness => "Hold still and wipe the lens.",
            Self::LowBrightness => "Turn on a light or face a window.",
            Self::Overexposed => "Step out of the direct light.",
            Self::LowContrast => "Use even light from the front.",
            Self::ExtremePose => "Look straight into the camera.",
            Self::Turned => "Turn the picture upright and send it again.",
            Self::LowConfidence => "Uncover the face and look into the camera.",
            Self::NearDuplicate => "Move the head a little or change the light between shots.",
            Self::NotSamePerson => "Use photos of the same person only.",
            Self::UnsupportedImage => "Send JPEG, PNG or WebP; convert HEIC photos to JPEG first.",
            Self::UnsupportedJpeg(_) => {
                "Open the picture in any program and save it anew as an ordinary JPEG."
            }
            Self::TooLarge => "Send a smaller picture.",
            Self::DecodeFailed => "Send the original file again.",
        }
    }
}

/// What a face must reach to be enrolled, or at least to be recognized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityGate {
    /// Least detector confidence.
    pub detector: f32,
    /// Least distance between the eyes, in pixels.
    pub eye_distance: f32,
    /// Least sharpness; see [`FaceQuality::sharpness`].
    pub sharpness: f32,
    /// Least mean gray level.
    pub brightness: f32,
    /// Least standard deviation of gray levels.
    pub contrast: f32,
    /// Largest share of burnt-out pixels.
    pub overexposed: f32,
    /// Largest turn to either side, in degrees.
    pub yaw: f32,
    /// Largest nod either way, in degrees.
    pub pitch: f32,
    /// Largest tilt either way, in degrees.
    pub roll: f32,
}

impl QualityGate {
    /// What an enrollment photo must reach: one good template serves for years.
    ///
    /// 24 px between the eyes is the least that still fills a quarter of the 112 px crop. The other limits were
    /// read off the 755 enrollment portraits of the project's test photos with both packs (smallest and largest
    /// values seen: detector 0.59, sharpness 27, brightness 45, contrast 21, overexposed 0.23, roll 46° once, else 28°; yaw
    /// exceeds 48° in one of a hundred) and the deliberately bad photos beside them: out of focus has sharpness 6,
    /// dark has brightness 8 and contrast 5, overexposed 0.71, profile yaw 52°. They pass 98 % of the portraits.
    /// A moderate motion blur is not told from ordinary sharpness by this measure.
    pub const ENROLL: Self = Self {
        detector: 0.6,
        eye_distance: 24.0,
        sharpness: 25.0,
        brightness: 42.0,
        contrast: 15.0,
        overexposed: 0.35,
        yaw: 48.0,
        pitch: 35.0,
        roll: 35.0,
    };

    /// What a probe must reach to be searched at all: below it a match would be luck.
    pub const RECOGNIZE: Self = Self {
        detector: 0.5,
        eye_distance: 12.0,
        sharpness: 3.0,
        brightness: 15.0,
        contrast: 5.0,
        overexposed: 0.6,
        yaw: 70.0,
        pitch: 60.0,
        roll: 180.0,
    };

    /// Every reason to refuse `quality`, in the order a person should mend them.
    #[must_use]
    pub fn flaws(&self, quality: &FaceQuality) -> Vec<Flaw> {
        let q = quality;
        [
            (q.detector < self.detector, Flaw::LowConfidence),
            (q.eye_distance < self.eye_distance, Flaw::FaceTooSmall),
            (
                q.yaw.abs() > self.yaw || q.pitch.abs() > self.pitch || q.roll.abs() > self.roll,
                Flaw::ExtremePose,
            ),
            (q.brightness < self.brightness, Flaw::LowBrightness),
            (q.overexposed > self.overexposed, Flaw::Overexposed),
            (q.contrast < self.contrast, Flaw::LowContrast),
            (q.sharpness < self.sharpness, Flaw::LowSharpness),
        ]
        .into_iter()
        .filter_map(|(broken, flaw)| broken.then_some(flaw))
        .collect()
    }

    /// How far above the gate the face is, 0 (at or below it) to 1 (nothing to improve): the smallest of
    /// its margins, each as a share of what a good portrait reaches.
    #[must_use]
    pub fn score(&self, quality: &FaceQuality) -> f32 {
        let above = |value: f32, least: f32, good: f32| ((value - least) / (good - least)).clamp(0.0, 1.0);
        let below = |value: f32, most: f32| (1.0 - value.abs() / most).clamp(0.0, 1.0);
        [
            above(quality.detector, self.detector, 0.9),
            above(quality.eye_distance, self.eye_distance, 60.0),
            above(quality.sharpness, self.sharpness, self.sharpness * 4.0 + 1.0),
            above(quality.brightness, self.brightness, 90.0),
            above(quality.contrast, self.contrast, 40.0),
            below(quality.yaw, self.yaw),
            below(quality.pitch, self.pitch),
        ]
        .into_iter()
        .fold(1.0, f32::min)
    }
}
