//! Entering very many things: some people's items at a time, each slice's results kept as soon as it is entered, so that
//! whoever takes over after a crash goes on behind the last slice. Of the one slice in whose middle it happened, items
//! that had been entered are found `unchanged`.

use rollcall_domain::access::Actor;
use rollcall_domain::id::BatchId;
use rollcall_domain::job::Progress;
use rollcall_usecases::UseCases;
use rollcall_usecases::bulk::{BulkItem, BulkRequest};
use rollcall_usecases::jobs::{JobContext, JobFailure, Worked};
use serde::Deserialize;
use serde_json::json;

use super::parameters::parameters;
use crate::bulk::{BulkQuery, BulkSummaryView, ItemForm, ResultView, read_item};
use crate::problem::Problem;

/// Items that are entered at once, unless one person has more.
const SLICE: usize = 200;

/// Bytes of results that are kept together, at least, if their items follow each other.
const PIECE: usize = 64 << 10;

/// What has to be known of a result that an earlier attempt kept.
#[derive(Deserialize)]
struct KeptResult {
    index: usize,
    outcome: String,
}

/// What is entered, and what came of it so far.
struct Entering {
    batch: BatchId,
    forms: Vec<ItemForm>,
    summary: BulkSummaryView,
    done: Vec<bool>,
}

/// Enters the items of a job. Their results are kept at the places of the items, behind what is said of all of them.
pub(super) async fn enter(
    usecases: &UseCases,
    actor: &Actor,
    context: &mut JobContext<'_>,
) -> Result<Worked, JobFailure> {
    let head: BulkQuery = parameters(context)?;
    let request = head.request()?;
    let forms = items(context).await?;
    // The batch of a job has its name: it is the same one whoever goes on with it.
    let batch = BatchId::new(context.job().id.uuid());
    let done = vec![false; forms.len()];
    let mut entering = Entering { batch, forms, summary: BulkSummaryView::default(), done };
    let mut results = Vec::new();
    if request.atomic {
        let all = (0..entering.forms.len()).collect();
        results = entering.slice(usecases, actor, &request, all).await?;
    } else {
        entering.recall(context).await?;
        let items: Vec<Option<BulkItem>> = entering.left(actor);
        for slice in usecases.bulk.slices(&items, SLICE).await.map_err(Problem::from)? {
            let slice: Vec<usize> = slice.into_iter().filter(|item| !entering.done[*item]).collect();
            if !slice.is_empty() {
                let results = entering.slice(usecases, actor, &request, slice).await?;
                context.keep(&results, entering.progress()).await?;
            }
        }
    }
    let entered = !request.dry_run && usecases.bulk.has_batch(batch).await.map_err(Problem::from)?;
    let batch_id = entered.then(|| batch.to_string());
    let (batch_id, dry_run, counts) = (json!(batch_id), request.dry_run, json!(entering.summary));
    let head = format!("{{\"batch_id\":{batch_id},\"dry_run\":{dry_run},\"summary\":{counts},\"results\":[");
    results.push((0, head.into_bytes()));
    results.push((place(entering.forms.len()), b"]}".to_vec()));
    context.keep(&results, entering.progress()).await?;
    let status = entering.summary.status(request.atomic).as_u16();
    Ok(Worked { status, media_type: "application/json".into(), file_name: None })
}

/// Where the result of an item is kept: the first place is for what is said of all of them.
fn place(item: usize) -> u32 {
    u32::try_from(item + 1).unwrap_or(u32::MAX)
}

/// The items, a line each.
async fn items(context: &JobContext<'_>) -> Result<Vec<ItemForm>, JobFailure> {
    let (mut forms, mut rest, mut input) = (Vec::new(), Vec::new(), context.input());
    while let Some(piece) = input.next().await? {
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
    async fn recall(&mut self, context: &mut JobContext<'_>) -> Result<(), JobFailure> {
        let mut kept = context.kept();
        while let Some(piece) = kept.next().await? {
            let results = piece.strip_prefix(b",").unwrap_or(&piece);
            let results: Vec<KeptResult> = serde_json::from_slice(&[b"[", results, b"]"].concat())
                .map_err(|_| Problem::broken("a result of a job cannot be read"))?;
            for KeptResult { index, outcome } in results {
                self.summary.count(&outcome);
                if let Some(done) = self.done.get_mut(index) {
                    *done = true;
                }
            }
            context.count(piece.len());
        }
        Ok(())
    }

    /// The items of which nothing is told yet, in their places.
    fn left(&self, actor: &Actor) -> Vec<Option<BulkItem>> {
        let item = |(form, done): (&ItemForm, &bool)| if *done { None } else { read_item(form, actor).0 };
        self.forms.iter().zip(&self.done).map(item).collect()
    }

    /// Enters these items; tells what came of them, in pieces for their places.
    async fn slice(
        &mut self,
        usecases: &UseCases,
        actor: &Actor,
        request: &BulkRequest,
        items: Vec<usize>,
    ) -> Result<Vec<(u32, Vec<u8>)>, JobFailure> {
        let read = items.iter().map(|item| read_item(&self.forms[*item], actor));
        let (slice, unread): (Vec<_>, Vec<_>) = read.unzip();
        let request = BulkRequest { items: slice, ..request.clone() };
        let of = u32::try_from(self.forms.len()).unwrap_or(u32::MAX);
        let answer = usecases.bulk.enter_as(actor, &request, self.batch, of).await.map_err(Problem::from)?;
        let mut results: Vec<(usize, Vec<u8>)> = Vec::with_capacity(items.len());
        for ((item, result), unread) in items.into_iter().zip(answer.results).zip(unread) {
            let view = ResultView::new(item, &self.forms[item], result, unread);
            self.done[item] = true;
            self.summary.count(view.outcome());
            // Without names beside ids: what is kept outlives the erasure of a person.
            results.push((item, json!(view).to_string().into_bytes()));
        }
        results.sort_unstable_by_key(|(item, _)| *item);
        Ok(joined(results))
    }
}

/// Joins the results of items that follow each other, with commas between all results but before the first one of all.
fn joined(results: Vec<(usize, Vec<u8>)>) -> Vec<(u32, Vec<u8>)> {
    let mut pieces: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut last = None;
    for (item, result) in results {
        let comma: &[u8] = if item == 0 { b"" } else { b"," };
        match pieces
            .last_mut()
            .filter(|(_, piece)| last.is_some_and(|last| last + 1 == item) && piece.len() < PIECE)
        {
            Some((_, piece)) => piece.extend([comma, &result].concat()),
            None => pieces.push((place(item), [comma, &result].concat())),
        }
        last = Some(item);
    }
    pieces
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

    #[test]
    fn pieces_make_a_list_in_the_order_of_items() {
        let results =
            |items: &[usize]| items.iter().map(|item| (*item, item.to_string().into_bytes())).collect();
        let mut pieces = joined(results(&[1, 2, 5]));
        assert_eq!(pieces, [(2, b",1,2".to_vec()), (6, b",5".to_vec())]);
        pieces.extend(joined(results(&[0, 3, 4])));
        pieces.sort();
        let whole: Vec<u8> = pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(whole, b"0,1,2,3,4,5");
        let long = joined(vec![(7, vec![b'7'; PIECE]), (8, b"8".to_vec())]);
        assert_eq!(long.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [8, 9]);
    }
}
