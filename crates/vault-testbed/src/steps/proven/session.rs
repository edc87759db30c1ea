//! A session that a login keeps open while its lease is revoked: many servers drop a login and leave its sessions alone.

use std::time::{Duration, Instant};

use cucumber::{then, when};

use crate::{
    ground::far::{Fate, Session},
    steps::{SOON, until},
    world::{Change, Failure, Result, World, ensure, failure},
};

/// How long a server may take over the end of a session before it is said to go on.
const A_MOMENT: Duration = Duration::from_millis(500);

#[when(expr = "the login keeps a session open")]
async fn kept_open(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let superuser = login.place.superuser.as_ref();
    let session = login.login().open_session(superuser).await?;
    match &session {
        None => world.evidence(format!("{} may keep none", login.username)),
        // Else it would be no wonder that it is not listed later.
        Some(session) => {
            until(SOON, || async {
                let listed = is_listed(world, session).await?;
                ensure(listed != Some(false), || "nobody lists the session".into())
            })
            .await?;
        }
    }
    world.proven.session = session;
    Ok(())
}

/// Whether the server ends it is for the spec to say: a claim with `sessions_end` demands it.
#[then(expr = "it is told whether its session goes on")]
async fn is_told(world: &mut World) -> Result {
    let Some(mut session) = world.proven.session.take() else { return Ok(()) };
    let seen = match until_ended(world, &mut session, A_MOMENT).await? {
        Ok(end) => end,
        Err(seen) => format!("not proven to end with its login: {seen}"),
    };
    world.evidence(seen);
    Ok(())
}

#[then(expr = "its session is ended")]
async fn is_ended(world: &mut World) -> Result {
    let session = world.proven.session.take();
    let mut session = session.ok_or_else(|| Failure("it keeps no session open".into()))?;
    match until_ended(world, &mut session, SOON).await? {
        Ok(end) => {
            let username = &world.proven.login()?.username;
            world.turn(username, Change::Refused, None, end);
            Ok(())
        }
        Err(seen) => failure(format!("{} s later {seen}", SOON.as_secs())),
    }
}

/// How it ended, in its own words and in those of who lists sessions; or what is still there of it.
async fn until_ended(
    world: &World,
    session: &mut Session,
    deadline: Duration,
) -> Result<Result<String, String>> {
    let began = Instant::now();
    loop {
        let fate = session.fate().await?;
        let listed = is_listed(world, session).await?;
        let in_list = match listed {
            None => String::new(),
            Some(true) => format!("; {} lists it", catalogue(world)?),
            Some(false) => format!("; {} lists it no more", catalogue(world)?),
        };
        match fate {
            Fate::Over(how) if listed != Some(true) => {
                return Ok(Ok(format!("its session is over: {how}{in_list}")));
            }
            fate if began.elapsed() > deadline => {
                let seen = match fate {
                    Fate::GoesOn => "its session goes on without it".to_owned(),
                    Fate::Over(how) => format!("its session is over: {how}"),
                };
                return Ok(Err(format!("{seen}{in_list}")));
            }
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// None where nobody here may look.
async fn is_listed(world: &World, session: &Session) -> Result<Option<bool>> {
    match &world.proven.login()?.place.superuser {
        Some(superuser) => Ok(Some(superuser.lists(session).await?)),
        None => Ok(None),
    }
}

fn catalogue(world: &World) -> Result<&'static str> {
    let sessions = world.proven.login()?.place.login.side.sessions.as_ref();
    Ok(sessions.map_or("nobody", |it| it.catalogue))
}
