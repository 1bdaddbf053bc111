//! How often people are found, mistaken for others, or let in although nobody knows them.

use futures_util::{StreamExt, stream};
use rollcall_tests::{TestApp, photos};
use serde_json::{Value, json};

const PEOPLE: usize = 60;
const STRANGERS: usize = 150;

/// Requests under way at once: enough to keep every worker busy.
const AT_ONCE: usize = 4;

#[derive(Debug, Default)]
struct Counts {
    named: usize,
    misnamed: usize,
    unknown: usize,
    ambiguous: usize,
    refused: usize,
}

impl Counts {
    fn add(&mut self, expected: Option<&str>, status: u16, answer: &Value) {
        match (status, answer["result"].as_str(), answer["user"]["name"].as_str()) {
            (200, Some("matched"), name) if name == expected => self.named += 1,
            (200, Some("matched"), _) => self.misnamed += 1,
            (200, Some("ambiguous"), _) => self.ambiguous += 1,
            (200, Some("unknown"), _) => self.unknown += 1,
            (422, ..) => self.refused += 1,
            _ => panic!("{status}: {answer}"),
        }
    }

    fn all(&self) -> usize {
        self.named + self.misnamed + self.unknown + self.ambiguous + self.refused
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the counts are what this story is told for")]
async fn people_are_found_and_strangers_are_not() {
    let app = TestApp::start().await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let people = photos::people(PEOPLE);

    let enrolled = stream::iter(&people).map(async |person| {
        let email = format!("{}@example.org", person.name.to_lowercase());
        let made = admin.post("/api/users", json!({ "name": person.name, "email": email })).await.expect(201);
        let answer = admin.enroll(made["id"].as_str().expect("an id"), &person.enroll).await;
        let status = answer.json()["status"].as_str().map(str::to_owned);
        let refused: Vec<_> = answer.json()["rejected"].as_array().into_iter().flatten().cloned().collect();
        let reasons: Vec<_> =
            refused.iter().filter_map(|photo| photo["code"].as_str().map(str::to_owned)).collect();
        if status.as_deref() != Some("enrolled") {
            println!("{} cannot be recognized: {} {reasons:?}", person.name, answer.status);
        }
        (person, status.as_deref() == Some("enrolled"))
    });
    let enrolled: Vec<(&photos::Person, bool)> = enrolled.buffer_unordered(AT_ONCE).collect().await;
    let known: Vec<_> = enrolled.iter().filter(|(_, complete)| *complete).map(|(person, _)| person).collect();
    let complete = known.len();

    let probes = known.iter().flat_map(|person| person.probes.iter().map(move |probe| (&person.name, probe)));
    let answers = stream::iter(probes).map(async |(name, probe)| (name, kiosk.look_up(probe).await));
    let answers: Vec<_> = answers.buffer_unordered(AT_ONCE).collect().await;
    let mut known = Counts::default();
    answers.iter().for_each(|(name, answer)| known.add(Some(name), answer.status, &answer.json()));

    let mut strangers = Counts::default();
    let photos = photos::strangers(STRANGERS);
    let answers = stream::iter(&photos).map(async |(_, photo)| kiosk.look_up(photo).await);
    let answers: Vec<_> = answers.buffer_unordered(AT_ONCE).collect().await;
    answers.iter().for_each(|answer| strangers.add(None, answer.status, &answer.json()));

    println!("{complete} of {PEOPLE} people can be recognized; probes: {known:?}; strangers: {strangers:?}");
    assert!(complete >= 40, "only {complete} people could be enrolled with their five photos");
    let share = |part: usize, counts: &Counts| part as f64 / counts.all() as f64;
    assert!(share(known.misnamed, &known) <= 0.01, "{known:?}");
    assert!(share(known.named, &known) >= 0.95, "{known:?}");
    assert!(strangers.all() >= 100 && share(strangers.misnamed, &strangers) <= 0.01, "{strangers:?}");
    // Looking somebody up marks nobody.
    let today = admin.get("/api/attendance/today").await.expect(200);
    assert_eq!(today["totals"]["checked_in_now"], 0, "{today}");
}
