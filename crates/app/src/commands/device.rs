//! `rollcall device`

use anyhow::{Context, bail};
use clap::Subcommand;
use rollcall_domain::access::Actor;
use rollcall_domain::id::DeviceId;

use crate::console::{block_on, print};
use crate::settings::Settings;
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a kiosk and print its key, once. The kiosk sends it as a bearer token.
    Add {
        /// A name for the kiosk, such as its place.
        #[arg(long)]
        name: String,
        /// Let it enroll faces.
        #[arg(long)]
        may_enroll: bool,
    },
    /// List kiosks.
    List,
    /// Turn a kiosk away from its next request on.
    Revoke {
        /// Its id, as `list` shows it.
        id: String,
    },
}

/// Adds, lists or revokes kiosks.
pub(crate) fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    block_on(async {
        let devices = wiring::System::without_engine(settings).await?.usecases.devices;
        match command {
            Command::Add { name, may_enroll } => {
                let (device, key) = devices.add(&Actor::Operator, &name, may_enroll).await?;
                print(&format!("kiosk {} added with id {}", device.name, device.id));
                print(&format!("key (shown once): {key}"));
            }
            Command::List => {
                for device in devices.list(&Actor::Operator).await? {
                    let state = if device.revoked_at.is_some() { "revoked" } else { "active" };
                    let enroll = if device.may_enroll { " may-enroll" } else { "" };
                    print(&format!("{} {state}{enroll} {}", device.id, device.name));
                }
            }
            Command::Revoke { id } => {
                let id: DeviceId = id.parse().context("the id")?;
                if !devices.revoke(&Actor::Operator, id).await? {
                    bail!("there is no kiosk {id}");
                }
                print("revoked");
            }
        }
        Ok(())
    })
}
