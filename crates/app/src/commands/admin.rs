//! `rollcall admin`

use std::io::Read;

use anyhow::{Context, bail};
use clap::Subcommand;
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::user::{EmailAddress, Password, PersonName, Status};
use rollcall_usecases::users::NewUser;

use crate::console::{block_on, print};
use crate::settings::Settings;
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an administrator. Without --password-stdin a password is made up and printed once.
    Create {
        /// E-mail address to log in with.
        #[arg(long)]
        email: String,
        /// Their name.
        #[arg(long)]
        name: String,
        /// Read the password from standard input, up to the first line end.
        #[arg(long)]
        password_stdin: bool,
    },
}

/// Adds an administrator.
pub(crate) fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let Command::Create { email, name, password_stdin } = command;
    let given = if password_stdin { Some(password_from_stdin()?) } else { None };
    let email = EmailAddress::parse(&email).context("--email")?;
    let name = PersonName::parse(&name).context("--name")?;
    block_on(async {
        let system = wiring::System::without_engine(settings).await?;
        let made_up = match &given {
            Some(_) => None,
            None => Some(system.usecases.users.made_up_password()?),
        };
        let new = NewUser {
            name,
            email: email.clone(),
            role: Role::Admin,
            status: Status::Active,
            password: given.or_else(|| made_up.clone()),
            employee_code: None,
            department: None,
            timezone: None,
            join_date: None,
            default_shift: None,
        };
        let created = system.usecases.users.create(&Actor::Operator, new).await?;
        print(&format!("administrator {} added with id {}", email.as_str(), created.user.id));
        if let Some(password) = made_up {
            print(&format!("password (shown once): {}", password.as_str()));
        }
        Ok(())
    })
}

fn password_from_stdin() -> anyhow::Result<Password> {
    let mut text = String::new();
    // One byte more than is accepted, so that too long is seen as too long.
    std::io::stdin().take(Password::MAX_BYTES as u64 + 2).read_to_string(&mut text)?;
    let line = text.split(['\r', '\n']).next().unwrap_or_default();
    if line.is_empty() {
        bail!("no password came on standard input");
    }
    Ok(Password::new(line.to_owned())?)
}
