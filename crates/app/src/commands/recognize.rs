//! `rollcall recognize`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args as ClapArgs;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::PunchKind;
use rollcall_domain::face::Photo;
use rollcall_usecases::recognition::{Outcome, RecognizeRequest, Recognized};
use serde_json::{Value, json};

use crate::console::{PartialSuccess, block_on, display, print};
use crate::settings::Settings;
use crate::wiring::System;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Photos, JPEG, PNG or WebP.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Every face of a photo instead of the largest.
    #[arg(long)]
    all_faces: bool,
    /// One JSON object a photo.
    #[arg(long)]
    json: bool,
}

/// Tells who is in each photo.
pub(crate) fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    block_on(async {
        let system = System::with_gallery(settings).await?;
        let mut failed = 0;
        for file in &args.files {
            let answer = match look(&system, file, args.all_faces).await {
                Ok(answer) => answer,
                Err(error) => {
                    failed += 1;
                    json!({ "file": display(file), "error": format!("{error:#}") })
                }
            };
            print(&if args.json { answer.to_string() } else { sentence(&answer) });
        }
        system.close().await;
        if failed > 0 {
            return Err(PartialSuccess(format!(
                "{failed} of {} photos could not be answered",
                args.files.len()
            ))
            .into());
        }
        Ok(())
    })
}

async fn look(system: &System, file: &PathBuf, all_faces: bool) -> anyhow::Result<Value> {
    let bytes = std::fs::read(file).context("reading the file")?;
    let request = RecognizeRequest {
        photo: Photo(bytes.into()),
        mark: false,
        kind: PunchKind::Auto,
        top_k: rollcall_usecases::recognition::MAX_TOP_K,
        all_faces,
        location: None,
    };
    let recognition = system.usecases.recognition.recognize(&Actor::Operator, request).await?;
    let mut faces = Vec::new();
    for face in &recognition.faces {
        let mut candidates = Vec::new();
        for candidate in &face.candidates {
            let known = system.usecases.users.get(&Actor::Operator, candidate.user).await.ok();
            candidates.push(json!({
                "user_id": candidate.user.to_string(),
                "name": known.map(|profile| profile.user.name.as_str().to_owned()),
                "similarity": candidate.similarity,
            }));
        }
        let (result, name) = match &face.outcome {
            Outcome::Matched(user, _) => ("matched", Some(user.name.as_str())),
            Outcome::Unknown => ("unknown", None),
            Outcome::Ambiguous => ("ambiguous", None),
            Outcome::Rejected(_) => ("rejected", None),
        };
        faces.push(json!({
            "result": result,
            "name": name,
            "similarity": face.similarity,
            "box": [face.bounds.left, face.bounds.top, face.bounds.right, face.bounds.bottom],
            "candidates": candidates,
        }));
    }
    Ok(json!({
        "file": display(file),
        "faces": faces,
        "threshold_similarity": recognition.policy.threshold.similarity(),
        "margin": recognition.policy.margin,
        "model_id": recognition.model.as_str(),
        "milliseconds": milliseconds(&recognition),
    }))
}

fn milliseconds(recognition: &Recognized) -> Value {
    let ms = |micros: u32| f64::from(micros) / 1000.0;
    let steps = &recognition.timings;
    json!({
        "decode": ms(steps.decode),
        "detect": ms(steps.detect),
        "align": ms(steps.align),
        "embed": ms(steps.embed),
        "search": ms(recognition.search),
    })
}

fn sentence(answer: &Value) -> String {
    let file = answer["file"].as_str().unwrap_or_default();
    if let Some(error) = answer["error"].as_str() {
        return format!("{file}: {error}");
    }
    let least = answer["threshold_similarity"].as_f64().unwrap_or_default();
    let faces: Vec<String> =
        answer["faces"].as_array().into_iter().flatten().map(|face| describe(face, least)).collect();
    format!("{file}: {}", faces.join("; "))
}

fn describe(face: &Value, least: f64) -> String {
    let next: Vec<String> = face["candidates"]
        .as_array()
        .into_iter()
        .flatten()
        .take(3)
        .map(|c| {
            format!(
                "{} {:.3}",
                c["name"].as_str().unwrap_or("?"),
                c["similarity"].as_f64().unwrap_or_default()
            )
        })
        .collect();
    let who = face["name"].as_str().map_or(String::new(), |name| format!(" {name}"));
    let result = face["result"].as_str().unwrap_or_default();
    format!("{result}{who} (at least {least:.3} needed; nearest: {})", next.join(", "))
}
