//! `rollcall migrate`

use anyhow::Context;
use clap::Subcommand;
use rollcall_migration::SCHEMA;
use rollcall_storage::Database;

use crate::console::{block_on, print};
use crate::settings::Settings;
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Apply every migration that is missing.
    Up,
    /// Take back the last migration, or several. Tables that it made are dropped with what is in them.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List migrations and whether they are applied.
    Status,
}

/// Moves the database's tables up or down, or tells where they are.
pub(crate) fn run(settings: &Settings, command: &Command) -> anyhow::Result<()> {
    block_on(async {
        let database = wiring::reached_database(settings).await?;
        let done = work(&database, command).await;
        database.close().await;
        done
    })
}

async fn work(database: &Database, command: &Command) -> anyhow::Result<()> {
    let connection = database.connection();
    match command {
        Command::Up => {
            wiring::migrate(database).await?;
            print("the database is up to date");
        }
        Command::Down { steps } => {
            let down = SCHEMA.down(connection, *steps);
            database.alone(down).await.context("migrating down")?;
            print(&format!("took back {steps} migration(s)"));
        }
        Command::Status => {
            let status = SCHEMA.status(connection).await?;
            status.applied.iter().for_each(|name| print(&format!("applied {name}")));
            status.pending.iter().for_each(|name| print(&format!("pending {name}")));
            status.unknown.iter().for_each(|name| print(&format!("unknown {name}: the database is newer")));
            if let Some(unsound) = SCHEMA.check(connection).await? {
                return Err(unsound.into());
            }
        }
    }
    Ok(())
}
