//! Identifiers that follow from where something came from: a second import finds what the first one made, without a
//! table that could be lost, and two systems never meet.

use rollcall_domain::id::{DepartmentId, FaceId, LeaveId, PunchId, UserId};
use rollcall_ports::legacy::Cell;
use sha2::{Digest, Sha256};
use uuid::{Uuid, Variant};

/// Everything of one system that came before.
#[derive(Debug, Clone)]
pub(super) struct Namespace(String);

impl Namespace {
    pub(super) fn new(system: &str) -> Self {
        Self(system.to_owned())
    }

    pub(super) fn user(&self, old: &Cell) -> UserId {
        UserId::new(self.id("user", old, ""))
    }

    pub(super) fn department(&self, old: &Cell) -> DepartmentId {
        DepartmentId::new(self.id("department", old, ""))
    }

    /// A department of which nothing but the name was kept.
    pub(super) fn department_named(&self, canonical: &str) -> DepartmentId {
        DepartmentId::new(self.id("department named", &Cell::Text(canonical.to_owned()), ""))
    }

    /// `place` is the table and, of several encodings in one value, which.
    pub(super) fn face(&self, old: &Cell, place: &str) -> FaceId {
        FaceId::new(self.id("face", old, place))
    }

    pub(super) fn punch(&self, old: &Cell, which: &str) -> PunchId {
        PunchId::new(self.id("event", old, which))
    }

    /// Of the row of its first date.
    pub(super) fn leave(&self, old: &Cell) -> LeaveId {
        LeaveId::new(self.id("leave", old, ""))
    }

    /// A few letters that stand for the system.
    pub(super) fn tag(&self) -> String {
        self.id("tag", &Cell::Null, "").simple().to_string()[..8].to_owned()
    }

    /// Version 8 (RFC 9562, section 5.8): a hash of names. Each part is preceded by its length, so that no two
    /// sequences of parts are one text.
    fn id(&self, kind: &str, old: &Cell, which: &str) -> Uuid {
        let text = match old {
            Cell::Text(text) => text.as_bytes(),
            Cell::Bytes(bytes) => bytes,
            Cell::Null | Cell::TooLong(_) => &[],
        };
        let mut hash = Sha256::new();
        for part in [b"rollcall import", self.0.as_bytes(), kind.as_bytes(), text, which.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let id = Uuid::from_bytes(bytes);
        debug_assert!(id.get_version_num() == 8 && id.get_variant() == Variant::RFC4122);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn the_same_row_has_the_same_id_and_no_other_has_it() {
        let (one, two) = (Namespace::new("db.example.org:3306/attendance"), Namespace::new("other"));
        assert_eq!(one.user(&text("7")), Namespace::new("db.example.org:3306/attendance").user(&text("7")));
        let ids = [
            one.user(&text("7")).uuid(),
            one.user(&text("8")).uuid(),
            two.user(&text("7")).uuid(),
            one.department(&text("7")).uuid(),
            one.department_named("7").uuid(),
            one.face(&text("7"), "users").uuid(),
            one.face(&text("7"), "face_encodings").uuid(),
            one.punch(&text("7"), "in").uuid(),
            one.punch(&text("7"), "out").uuid(),
        ];
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(id.get_version_num(), 8);
            assert!(!ids[..n].contains(id), "{n}");
        }
    }
}
