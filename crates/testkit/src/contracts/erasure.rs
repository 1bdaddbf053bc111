//! What a [`UserStore`](rollcall_ports::users::UserStore) promises about erasing somebody.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayStatus, Location, Punch};
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::{CorrectionId, UserId};
use rollcall_domain::leave::Decision;
use rollcall_domain::lockout::LockOut;
use rollcall_domain::page::Page;
use rollcall_domain::user::{Status, StatusChange, User, UserScope};
use rollcall_ports::corrections::CorrectionFilter;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Erased, Erasure};

use super::{assert_matches, read, save};
use crate::StoreBench;
use crate::bench::the_shift;
use crate::builders::*;

fn why() -> StatusChange {
    StatusChange { reason: Some("asked for it".into()), by: None, at: at("2026-03-02T12:00:00Z") }
}

/// Somebody with two templates, a login, failed logins and a punch with words.
async fn somebody(bench: &dyn StoreBench) -> (User, [u8; 32], rollcall_domain::session::Session) {
    let user = User { phone: Some("+1".into()), ..a_consenting_user("Ada Lovelace") };
    bench.users().insert(&user, Some(&a_hash("own"))).await.unwrap();
    bench.faces().add(user.id, &[a_face_of(&user, 1), a_face_of(&user, 2)], None, 5, None).await.unwrap();
    let (session, address) = (a_session(user.id), a_fingerprint());
    bench.sessions().open(&session).await.unwrap();
    bench.attempts().begin(&address, at("2026-03-02T08:00:00Z"), &LockOut::STANDARD).await.unwrap();
    let shift = the_shift(bench).await;
    let day = a_day_of(&shift, user.id, "2026-03-02");
    let punch = Punch {
        note: Some("at the dentist's".into()),
        reason: Some("forgot the badge".into()),
        location: Some(Location::new(52.5, 13.4, Some(10.0)).unwrap()),
        ..a_check_in(user.id, "2026-03-02T09:00:00Z")
    };
    bench.attendance().commit(&a_punch_on(&day, &punch, Revision::NEW)).await.unwrap();
    let asked = Correction {
        id: CorrectionId::new(fresh()),
        key: day.key,
        day_status: Some(DayStatus::OnLeave),
        first_in: None,
        last_out: None,
        reason: "was at the dentist's".into(),
        status: CorrectionStatus::Pending,
        requested_at: at("2026-03-02T12:00:00Z"),
        decided: None,
        overriding: None,
        revision: Revision(1),
    };
    bench.corrections().insert(&asked, &an_audit_entry()).await.unwrap();
    let comment = Some("get well".into());
    let decided = Some(Decision { by: None, at: asked.requested_at, comment });
    let rejected = Correction { status: CorrectionStatus::Rejected, decided, ..asked };
    bench.corrections().settle(&rejected, None, &an_audit_entry()).await.unwrap();
    (read(bench, &user).await, address, session)
}

async fn corrections_of(bench: &dyn StoreBench, user: UserId) -> Vec<Correction> {
    let (all, page) = (CorrectionFilter::default(), Page::default());
    let everybody = CorrectionFilter { user: Some(user), ..all };
    bench.corrections().list(&UserScope::Everybody, &everybody, page).await.unwrap().items
}

pub async fn nothing_tells_who_an_erased_person_was(bench: &dyn StoreBench) {
    let (user, address, session) = somebody(bench).await;
    let nobody = user.erased(why());
    let erased = bench.users().erase(Erasure { user: &nobody, address, attendance: false }).await.unwrap();
    assert_eq!(erased, Erased { encodings: 2, logins: 1, ..Erased::default() });
    let after = read(bench, &user).await;
    assert_eq!(after, User { revision: user.revision.next(), ..nobody });
    assert!(after.is_erased() && after.status == Status::Deleted);
    assert_eq!(bench.users().password(user.id).await.unwrap(), None);
    assert_matches!(bench.users().credentials(user.email.canonical()).await, Ok(None));
    assert_matches!(bench.users().credentials(after.email.canonical()).await, Ok(None));
    assert_eq!(bench.sessions().principal(session.id).await.unwrap(), None);
    assert_eq!(bench.faces().of_user(user.id).await.unwrap(), []);
    let change = bench.faces().change_of(user.id, 1).await.unwrap().unwrap();
    assert!(change.templates.is_empty());
    assert_eq!(bench.attempts().failures(&[address]).await.unwrap(), [None]);
    // The address is free.
    bench.users().insert(&User { email: user.email, ..a_user("Heir") }, None).await.unwrap();
}

pub async fn attendance_is_kept_without_words_or_destroyed(bench: &dyn StoreBench) {
    let march = dates("2026-03-01", "2026-03-31");
    let (kept, address, _) = somebody(bench).await;
    let nobody = kept.erased(why());
    bench.users().erase(Erasure { user: &nobody, address, attendance: false }).await.unwrap();
    let days = bench.attendance().records(&UserScope::One(kept.id), march).await.unwrap();
    assert_eq!(days[0].similarity, None);
    let days = super::attendance::with_punches(bench, days).await;
    let punch = &days[0].day.punches[0];
    assert_eq!((punch.user, punch.at), (kept.id, at("2026-03-02T09:00:00Z")));
    assert_eq!((&punch.note, &punch.reason, punch.location), (&None, &None, None));
    let asked = corrections_of(bench, kept.id).await;
    let told =
        (asked[0].reason.as_str(), asked[0].decided.as_ref().and_then(|decided| decided.comment.as_ref()));
    assert_eq!(told, ("", None));

    let (gone, address, _) = somebody(bench).await;
    let nobody = gone.erased(why());
    let erased = bench.users().erase(Erasure { user: &nobody, address, attendance: true }).await.unwrap();
    assert_eq!((erased.punches, erased.remaining), (1, 0));
    assert_eq!(bench.attendance().records(&UserScope::One(gone.id), march).await.unwrap(), []);
    assert_eq!(corrections_of(bench, gone.id).await, []);
    assert_eq!(bench.attendance().records(&UserScope::One(kept.id), march).await.unwrap().len(), 1);
}

pub async fn an_erasure_that_comes_late_changes_nothing(bench: &dyn StoreBench) {
    let (user, address, session) = somebody(bench).await;
    save(bench, &user).await.unwrap();
    let nobody = user.erased(why());
    let late = bench.users().erase(Erasure { user: &nobody, address, attendance: true }).await;
    assert_matches!(late, Err(StoreError::Stale));
    assert_eq!(read(bench, &user).await.name, user.name);
    assert_eq!(bench.faces().of_user(user.id).await.unwrap().len(), 2);
    assert!(!bench.sessions().principal(session.id).await.unwrap().unwrap().ended);
}

pub async fn removed_person_can_be_erased(bench: &dyn StoreBench) {
    let (user, address, _) = somebody(bench).await;
    save(
        bench,
        &User { status: Status::Deleted, deleted_at: Some(at("2026-03-02T10:00:00Z")), ..user.clone() },
    )
    .await
    .unwrap();
    let removed = read(bench, &user).await;
    let nobody = removed.erased(why());
    bench.users().erase(Erasure { user: &nobody, address, attendance: false }).await.unwrap();
    let after = read(bench, &user).await;
    assert!(after.is_erased());
    assert_eq!(after.deleted_at, removed.deleted_at);
}
