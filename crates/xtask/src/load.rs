//! A load over loopback: latencies of `GET /api/health` and `POST /api/face/recognize`.

mod client;
mod form;
mod report;
mod server;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::setup::{self, Needs};
use crate::shell::{Root, say};
use client::Client;
use form::Form;
use report::Samples;
use server::Server;

/// Photographs beside the checkout, used when no `--photo` is given.
const PHOTOS: &str = "../shared/faces/photos";

/// Only loopback addresses are accepted: this is a measurement, not a tool against other people's servers.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Where the server listens; loopback only.
    #[arg(long, default_value = "http://127.0.0.1:5000", conflicts_with = "start")]
    url: String,
    /// How long each endpoint is driven.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Connections at once, each on its own thread, kept alive.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    clients: u16,
    /// The picture to recognize [default: one of ../shared/faces/photos].
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,
    /// Let recognitions mark attendance; without this they write nothing but the decision log.
    #[arg(long)]
    mark: bool,
    /// An administrator's or manager's address.
    #[arg(long, required_unless_present = "start", conflicts_with = "start")]
    email: Option<String>,
    /// The password; better exported as ROLLCALL_ADMIN_PASSWORD, where other users of this machine cannot see it.
    #[arg(long, conflicts_with = "start")]
    password: Option<String>,
    /// Build and start a release server of its own, on a free port with an empty SQLite database and without
    /// rate limits; also print its memory and how long it took to be ready.
    #[arg(long)]
    start: bool,
}

pub(crate) fn load(root: &Root, args: &LoadArgs) -> Result<()> {
    let photo = photo(root, args.photo.as_deref())?;
    let form = Form::recognition(&photo, args.mark)?;
    if args.start {
        let machine = setup::prepare(root, &Needs::serving())?;
        let server = Server::start(root, &machine)?;
        say(format!("ready after {:.0} ms", server.ready_after.as_secs_f64() * 1e3));
        say(format!("memory when ready: {}", server.memory()));
        let measured = measure(&Client::new(&server.url)?, &server.email, &server.password, &form, args);
        say(format!("memory after the load: {}", server.memory()));
        return measured.with_context(|| format!("the server's last words:\n{}", server.last_words()));
    }
    let exported = || std::env::var("ROLLCALL_ADMIN_PASSWORD").ok();
    let password = args.password.clone().or_else(exported).context("export ROLLCALL_ADMIN_PASSWORD")?;
    let email = args.email.as_deref().context("--email is missing")?;
    measure(&Client::new(&args.url)?, email, &password, &form, args)
}

fn measure(client: &Client, email: &str, password: &str, form: &Form, args: &LoadArgs) -> Result<()> {
    let token = client.login(email, password)?;
    say(format!("{} clients, {} s per endpoint", args.clients, args.seconds));
    let health = drive(args, || client.fresh(), client::Client::health)?;
    say(format!("GET  /api/health          {}", health.summary()));
    let recognized = drive(args, || client.fresh(), |client| client.recognize(&token, form))?;
    say(format!("POST /api/face/recognize  {}", recognized.summary()));
    for (what, samples) in [("health", &health), ("recognize", &recognized)] {
        if samples.succeeded() == 0 {
            bail!("no {what} request succeeded: {}", samples.first_failure());
        }
        if samples.failed() > 0 {
            say(format!("{what}: the first failure was {}", samples.first_failure()));
        }
    }
    Ok(())
}

/// Runs `request` on every client's thread until the time is over.
fn drive(
    args: &LoadArgs,
    client: impl Fn() -> Client + Sync,
    request: impl Fn(&Client) -> Result<client::Answer> + Sync,
) -> Result<Samples> {
    let time = Duration::from_secs(args.seconds);
    let began = Instant::now();
    let worker = || {
        let client = client();
        let mut samples = Samples::default();
        while began.elapsed() < time {
            let sent = Instant::now();
            let answer = request(&client);
            samples.add(sent.elapsed(), answer);
        }
        samples
    };
    let mut all = Samples::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..args.clients).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            let Ok(samples) = thread.join() else { bail!("a client thread panicked") };
            all.merge(samples);
        }
        Ok(())
    })?;
    all.took = began.elapsed();
    Ok(all)
}

fn photo(root: &Root, given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(file) => Ok(file.to_owned()),
        None => first_photo(&root.join(PHOTOS)).context("no photograph found. Name one with --photo FILE."),
    }
}

/// The first picture by name, so that measurements compare.
fn first_photo(folder: &Path) -> Option<PathBuf> {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    let is_photo = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "jpg");
    entries.iter().find(is_photo).cloned().or_else(|| entries.iter().find_map(|entry| first_photo(entry)))
}
