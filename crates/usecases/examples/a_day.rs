//! The whole system on fakes, in one screen: somebody is enrolled, comes, and leaves.

use rollcall_domain::access::Actor;
use rollcall_domain::attendance::PunchKind;
use rollcall_domain::face::FaceSource;
use rollcall_domain::user::ConsentVersion;
use rollcall_testkit::builders::a_user;
use rollcall_testkit::fake_ports;
use rollcall_testkit::photos::{drawn_photo, shots};
use rollcall_usecases::UseCases;
use rollcall_usecases::enroll::EnrollRequest;
use rollcall_usecases::recognition::{Outcome, RecognizeRequest};
use rollcall_usecases::rules::Rules;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example shows what happens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (ports, fakes) = fake_ports();
    let system = UseCases::new(&ports, Rules::standard());

    let ada = a_user("Ada");
    ports.users.insert(&ada, None).await?;
    let request = EnrollRequest {
        user: ada.id,
        photos: shots("Ada", 5),
        consent: Some(ConsentVersion::parse("2026-01")?),
        allow_duplicate: false,
        replace: false,
        reason: None,
        source: FaceSource::Api,
    };
    let enrolled = system.faces.enroll(&Actor::Operator, request).await?;
    println!("Ada is {}", enrolled.status.name());

    for (shot, time) in
        [(6, "2026-03-02T09:11:00Z"), (7, "2026-03-02T09:11:20Z"), (8, "2026-03-02T18:02:00Z")]
    {
        fakes.clock.set(time);
        let photo = drawn_photo("Ada").shot(shot).photo();
        let request = RecognizeRequest {
            photo,
            mark: true,
            kind: PunchKind::Auto,
            top_k: 1,
            all_faces: false,
            location: None,
        };
        let seen = system.recognition.recognize(&Actor::Operator, request).await?;
        if let Outcome::Matched(user, Some(marked)) = &seen.faces[0].outcome {
            let status = marked.day.record.status.name();
            println!("{time} {}: {:?}, the day is {status}", user.name.as_str(), marked.outcome);
        }
    }
    Ok(())
}
