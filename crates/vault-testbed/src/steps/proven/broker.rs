//! An application that stays connected to a broker by AMQP while its user lasts.

use std::fmt;

use cucumber::{then, when};

use crate::{
    ground::far::{Said, amqp},
    steps::SOON,
    world::{Change, Failure, Result, World, failure},
};

/// With whether its connection was open.
#[derive(Default)]
pub(super) struct Application(Option<amqp::Connected>);

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "connected" } else { "none" })
    }
}

impl Application {
    fn connected(&mut self) -> Result<&mut amqp::Connected> {
        self.0.as_mut().ok_or_else(|| Failure("nobody is connected to the broker".into()))
    }
}

#[when(expr = "the login connects to the virtual host {string}")]
async fn connects(world: &mut World, vhost: String) -> Result {
    let login = world.proven.login()?.login();
    match amqp::Connected::open(&login, &vhost).await? {
        Ok(connected) => {
            world.proven.application = Application(Some(connected));
            Ok(())
        }
        Err(refusal) => failure(refusal.to_string()),
    }
}

#[then(expr = "what it publishes to the queue {string} comes back to it")]
async fn comes_back(world: &mut World, queue: String) -> Result {
    let text = format!("of {}", world.proven.login()?.username);
    match world.proven.application.connected()?.sends_itself(&queue, &text).await? {
        Said::Done => Ok(()),
        Said::Refused(refusal) => failure(refusal.to_string()),
    }
}

#[then(expr = "the broker ends its connection with {word}")]
async fn is_ended(world: &mut World, code: String) -> Result {
    let username = world.proven.login()?.username.clone();
    match world.proven.application.connected()?.ended(SOON).await? {
        Said::Refused(refusal) if refusal.code == code => {
            let seen = format!("its open connection was {refusal}");
            world.turn(&username, Change::Refused, None, seen);
            Ok(())
        }
        Said::Refused(refusal) => failure(format!("it is {refusal}")),
        Said::Done => failure("its connection is still open"),
    }
}
