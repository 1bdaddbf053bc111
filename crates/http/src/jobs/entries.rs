//! Entering very many things: some people's items at a time, each slice's results kept as soon as it is entered, so that
//! whoever takes over after a crash goes on behind the last slice. Of the one slice in whose middle it happened, items
//! that had been entered are found `unchanged`.

use rollcall_domain::access::Actor;
use rollcall_domain::id::BatchId;
use rollcall_domain::job::Progress;
use rollcall_usecases::UseCases;
use rollcall_usecases::bulk::{BulkAnswer, BulkItem, BulkRequest};
use rollcall_usecases::jobs::{JobContext, JobFailure, Worked};
use serde::Deserialize;
use serde_json::json;

use super::parameters::parameters;
use super::spool::Spool;
use crate::bulk::{BulkQuery, BulkSummaryView, ItemForm, ResultView, read_item};
use crate::problem::Problem;

/// Items that are entered at once, unless one person has more.
const SLICE: usize = 200;

/// What has to be known of a result that an earlier attempt kept.
#[derive(Deserialize)]
struct Told {
    index: usize,
    outcome: String,
}

/// What is entered, and what came of it so far.
struct Entering {
    batch: BatchId,
    forms: Vec<ItemForm>,
    summary: BulkSummaryView,
    spool: Spool,
    done: Vec<bool>,
}

/// Enters the items of a job.
pub(super) async fn enter(
    usecases: &UseCases,
    actor: &Actor,
    desk: &mut JobContext<'_>,
) -> Result<Worked, JobFailure> {
    let head: BulkQuery = parameters(desk)?;
    let request = head.request()?;
    let forms = items(desk).await?;
    // The batch of a job has its name: it is the same one whoever goes on with it.
    let batch = BatchId::new(desk.job().id.uuid());
    let (done, spool) = (vec![false; forms.len()], Spool::new(forms.len())?);
    let mut entering = Entering { batch, forms, summary: BulkSummaryView::default(), spool, done };
    if request.atomic {
        let all = (0..entering.forms.len()).collect();
        entering.slice(usecases, actor, &request, all).await?;
    } else {
        entering.recall(desk).await?;
        let items: Vec<Option<BulkItem>> = entering.left(actor);
        for slice in usecases.bulk.slices(&items, SLICE).await.map_err(Problem::from)? {
            let slice: Vec<usize> = slice.into_iter().filter(|place| !entering.done[*place]).collect();
            if !slice.is_empty() {
                let lines = entering.slice(usecases, actor, &request, slice).await?;
                desk.draft(&lines, entering.progress()).await?;
            }
        }
    }
    desk.note(entering.progress());
    let entered = !request.dry_run && usecases.bulk.has_batch(batch).await.map_err(Problem::from)?;
    let batch_id = entered.then(|| batch.to_string());
    let Entering { summary, mut spool, .. } = entering;
    let (batch_id, dry_run, counts) = (json!(batch_id), request.dry_run, json!(summary));
    let head = format!("{{\"batch_id\":{batch_id},\"dry_run\":{dry_run},\"summary\":{counts},\"results\":[");
    desk.write(head.as_bytes()).await?;
    while let Some(bytes) = spool.next().await? {
        desk.write(&bytes).await?;
    }
    desk.write(b"]}").await?;
    let status = summary.status(request.atomic).as_u16();
    Ok(Worked { status, media_type: "application/json".into(), file_name: None })
}

/// The items, a line each.
async fn items(desk: &JobContext<'_>) -> Result<Vec<ItemForm>, JobFailure> {
    let (mut forms, mut rest, mut n) = (Vec::new(), Vec::new(), 0);
    while let Some(piece) = desk.input(n).await? {
        n += 1;
        rest.extend_from_slice(&piece);
        for line in whole_lines(&mut rest) {
            let form = serde_json::from_slice(&line);
            forms.push(form.map_err(|_| Problem::broken("an item of a job cannot be read"))?);
        }
    }
    Ok(forms)
}

/// Takes the lines that are whole.
fn whole_lines(bytes: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let rest = bytes.split_off(end);
    let whole = std::mem::replace(bytes, rest);
    whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

impl Entering {
    fn progress(&self) -> Progress {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Progress { done: count(self.summary.total()), total: count(self.forms.len()) }
    }

    /// Takes over what earlier attempts have kept.
    async fn recall(&mut self, desk: &mut JobContext<'_>) -> Result<(), JobFailure> {
        let mut rest = Vec::new();
        while let Some(piece) = desk.drafted().await? {
            rest.extend_from_slice(&piece);
            let mut lines = Vec::new();
            for line in whole_lines(&mut rest) {
                let done: Told = serde_json::from_slice(&line)
                    .map_err(|_| Problem::broken("a result of a job cannot be read"))?;
                if let Some(known) = self.done.get_mut(done.index).filter(|known| !**known) {
                    *known = true;
                    self.summary.count(&done.outcome);
                    lines.push((done.index, line));
                }
            }
            self.spool.add(lines).await?;
        }
        Ok(())
    }

    /// The items of which nothing is told yet, in their places.
    fn left(&self, actor: &Actor) -> Vec<Option<BulkItem>> {
        let item = |(form, done): (&ItemForm, &bool)| if *done { None } else { read_item(form, actor).0 };
        self.forms.iter().zip(&self.done).map(item).collect()
    }

    /// Enters the items in these places; tells what came of them as lines.
    async fn slice(
        &mut self,
        usecases: &UseCases,
        actor: &Actor,
        request: &BulkRequest,
        places: Vec<usize>,
    ) -> Result<Vec<u8>, JobFailure> {
        let read = places.iter().map(|place| read_item(&self.forms[*place], actor));
        let (items, unread): (Vec<_>, Vec<_>) = read.unzip();
        let request = BulkRequest { items, ..request.clone() };
        let of = u32::try_from(self.forms.len()).unwrap_or(u32::MAX);
        let answer = usecases.bulk.enter_as(actor, &request, self.batch, of).await.map_err(Problem::from)?;
        let BulkAnswer { results, .. } = answer;
        let (mut lines, mut text) = (Vec::new(), Vec::new());
        let mut views = Vec::new();
        for ((place, result), unread) in places.into_iter().zip(results).zip(unread) {
            let view = ResultView::new(place, &self.forms[place], result, unread);
            self.done[place] = true;
            self.summary.count(view.outcome());
            views.push((place, view));
        }
        // Without names beside ids: what is kept outlives the erasure of a person.
        for (place, view) in views {
            let line = json!(view).to_string().into_bytes();
            text.extend_from_slice(&line);
            text.push(b'\n');
            lines.push((place, line));
        }
        self.spool.add(lines).await?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_come() {
        let mut bytes = b"one\ntw".to_vec();
        assert_eq!(whole_lines(&mut bytes), [b"one"]);
        bytes.extend_from_slice(b"o\n");
        assert_eq!(whole_lines(&mut bytes), [b"two"]);
        assert!(bytes.is_empty() && whole_lines(&mut bytes).is_empty());
    }
}
