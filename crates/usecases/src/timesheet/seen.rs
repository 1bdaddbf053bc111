//! Punches as they are shown.

use std::collections::HashMap;

use jiff::civil::Date;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{RecordId, UserId};
use rollcall_ports::attendance::RecordedPunch;
use rollcall_ports::store::StoreError;

use crate::attendance::SeenPunch;
use crate::timesheet::Timesheets;

impl Timesheets {
    /// Gives punches the dates of their records; those that belong to none have the date of where the person is.
    pub(crate) async fn seen(&self, punches: Vec<RecordedPunch>) -> Result<Vec<SeenPunch>, StoreError> {
        let mut records: Vec<RecordId> = punches.iter().filter_map(|(_, record)| *record).collect();
        records.sort();
        records.dedup();
        let records: HashMap<RecordId, (Date, Zone)> = self
            .days
            .records_by_id(&records)
            .await?
            .into_iter()
            .map(|record| (record.day.id, (record.day.key.date, record.day.zone)))
            .collect();
        let of_record = |record: Option<RecordId>| records.get(&record?).cloned();
        let mut strays: Vec<UserId> = punches
            .iter()
            .filter(|(_, record)| of_record(*record).is_none())
            .map(|(punch, _)| punch.user)
            .collect();
        strays.sort();
        strays.dedup();
        let mut zones: HashMap<UserId, Zone> = HashMap::new();
        if !strays.is_empty() {
            let people = self.users.get_many(&strays).await?;
            zones.extend(people.iter().map(|user| (user.id, self.zone_of(user))));
        }
        let seen = |(punch, record): RecordedPunch| {
            let (date, zone) = of_record(record).unwrap_or_else(|| {
                let zone = zones.get(&punch.user).cloned().unwrap_or_else(|| self.zone_named(None));
                (zone.local(punch.at).date(), zone)
            });
            SeenPunch { punch, date, zone }
        };
        Ok(punches.into_iter().map(seen).collect())
    }
}
