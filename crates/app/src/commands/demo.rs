//! `rollcall demo`

use indicatif::{ProgressBar, ProgressStyle};
use rollcall_domain::access::Actor;
use rollcall_onboarding::demo::{DemoRequest, Staged};

use crate::console::{block_on, print};
use crate::server;
use crate::settings::Settings;
use crate::wiring;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many people.
    #[arg(long, default_value_t = 50)]
    people: u32,
    /// Of how many days before today.
    #[arg(long, default_value_t = 90)]
    days: u32,
    /// The same seed makes the same people on the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    block_on(async {
        let system = wiring::System::without_engine(settings).await?;
        let first_admin = server::first_admin(&system.usecases)?;
        if system.usecases.users.found(&first_admin).await? {
            server::introduce(&first_admin);
        }
        let bar = ProgressBar::new(u64::from(args.people));
        bar.set_style(ProgressStyle::with_template("{pos}/{len} people {wide_bar} {eta}")?);
        let request = DemoRequest { people: args.people, days: args.days, seed: args.seed };
        let staged = system.demo().stage(&Actor::Operator, request, &|done| bar.set_position(done)).await?;
        bar.finish_and_clear();
        let Staged { departments, people, punches, records, leaves } = staged;
        print(&format!(
            "{people} people in {departments} departments, {punches} punches, {records} records, {leaves} leaves"
        ));
        print(
            "`rollcall serve` shows them; `rollcall admin create` adds somebody who can log in, if there is nobody yet",
        );
        system.close().await;
        Ok(())
    })
}
