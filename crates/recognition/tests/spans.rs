//! What the engine's spans say of a photo: how large it is, never whom it shows.

mod support;

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use rollcall_ports::engine::Wanted;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the name and the fields' names of each span.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<&'static Metadata<'static>>>>);

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("rollcall_recognition")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.lock().unwrap().push(span.metadata());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn every_step_has_a_span_and_none_tells_of_a_face() {
    let spans = Spans::default();
    tracing::subscriber::with_default(spans.clone(), || {
        // What is drawn shows nobody, so the self-test's crop is what is embedded.
        let mut pipeline = support::pipeline("dlib");
        pipeline.self_test().unwrap();
        let mut photo = Cursor::new(Vec::new());
        image::RgbImage::new(64, 48).write_to(&mut photo, image::ImageFormat::Png).unwrap();
        assert!(pipeline.analyze(photo.get_ref(), Wanted::Largest).unwrap().faces.is_empty());
    });
    let spans = spans.0.lock().unwrap();
    for step in [
        "runtime.open",
        "pipeline.load",
        "pipeline.self_test",
        "pipeline.analyze",
        "face.decode",
        "face.detect",
        "face.detect_in_frame",
        "face.look_around",
        "face.cut",
        "face.embed",
    ] {
        assert!(spans.iter().any(|span| span.name() == step), "no span {step}");
    }
    let harmless = ["bytes", "file", "pack", "side", "size", "wanted"];
    for span in &*spans {
        assert_eq!(*span.level(), tracing::Level::DEBUG, "{}", span.name());
        for field in span.fields() {
            assert!(harmless.contains(&field.name()), "{} tells {field}", span.name());
        }
    }
    // A few looks at the picture from each of eight sides; not one a pixel, a row or a cell.
    assert!(spans.len() < 100, "{} spans", spans.len());
}
