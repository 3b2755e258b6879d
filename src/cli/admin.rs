//! `kurir admin`: administrators, while the service is stopped.

use super::read_line;
use crate::clock::{Clock, local};
use crate::config::Config;
use crate::egress::Egress;
use crate::error::Result;
use crate::gateway::{Gateway, NewUser};
use crate::model::user::Role;
use crate::run::{network, options, prepare_data_dir, say};
use crate::store::{Store, users};
use crate::wa::Fleet;
use clap::Subcommand;

/// What to do with administrators.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create an administrator; the password is read from standard input
    Create {
        /// Email address
        #[arg(long)]
        email: String,
        /// Username [default: the part before the @]
        #[arg(long)]
        username: Option<String>,
    },
    /// Set a new password and end all logins of the account; the password is read from standard input
    ResetPassword {
        /// Username or email address
        name: String,
    },
    /// List all accounts
    List,
}

/// Runs one verb.
pub async fn run(config: Config, verb: Verb) -> Result<()> {
    prepare_data_dir(&config)?;
    let store = Store::open(&config.data_dir, config.passphrase.as_deref())?;
    let clock = Clock::real();
    let egress = Egress::new(config.egress.allow_private)?;
    // No device is started; the verbs only need the gateway's rules about accounts.
    let fleet = Fleet::new(store.clone(), clock.clone(), network(&config, None)?, egress, options(&config))?;
    let gateway = Gateway::new(store.clone(), fleet, clock, config, false).await?;
    match verb {
        Verb::Create { email, username } => {
            let local_part = email.split('@').next().unwrap_or_default().to_owned();
            let password = read_line("password:")?;
            let new = NewUser { username: username.unwrap_or(local_part), email, password, full_name: None };
            let user = gateway.add_user(new, Role::Admin).await?;
            say(&format!("created administrator `{}` with id {}", user.username, user.id));
        }
        Verb::ResetPassword { name } => {
            let user = gateway.reset_password(&name, &read_line("new password:")?).await?;
            say(&format!("changed the password of `{}` and ended all logins", user.username));
        }
        Verb::List => {
            for user in users::all(&store.view()?)? {
                let last = user.last_login.map_or_else(|| "never".to_owned(), local);
                let locked = if user.is_active { "" } else { " locked" };
                say(&format!(
                    "{:4} {:6} {:30} {} (last login {last}){locked}",
                    user.id,
                    user.role.as_str(),
                    user.username,
                    user.email
                ));
            }
        }
    }
    Ok(())
}
