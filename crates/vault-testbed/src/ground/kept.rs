//! Servers that nobody needs any more, for whoever wants the like: some take longer to start than a scenario to run.

use std::sync::{Arc, Mutex, PoisonError};

use super::far::{Server, ServerOptions};

/// Of one run's ground, and ended with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<Server>>>);

impl Kept {
    pub fn put(&self, server: Server) {
        self.all().push(server);
    }

    /// As new, or none.
    pub async fn take(&self, options: &ServerOptions) -> Option<Server> {
        while let Some(server) = self.one_like(options) {
            let made = server.made_new(options).await;
            if made.is_some() {
                return made;
            }
        }
        None
    }

    pub fn end(&self) {
        drop(std::mem::take(&mut *self.all()));
    }

    fn one_like(&self, options: &ServerOptions) -> Option<Server> {
        let mut all = self.all();
        let at = all.iter().position(|it| it.is_like(options))?;
        Some(all.swap_remove(at))
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Server>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
