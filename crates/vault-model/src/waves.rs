//! The order in which things must be made.

use std::collections::HashMap;

use crate::{Path, object::Object};

/// For each object the wave that it belongs to, from 0: it needs only what earlier waves hold.
#[derive(Debug)]
pub struct Waves(pub Vec<usize>);

#[derive(Debug, thiserror::Error)]
#[error("these need each other: {}", .0.join(" -> "))]
pub struct Cycle(pub Vec<Path>);

impl Waves {
    pub fn new<'a>(objects: impl Iterator<Item = &'a Object> + Clone) -> Result<Waves, Cycle> {
        let given = objects.clone().enumerate();
        let index: HashMap<Path, usize> =
            given.flat_map(|(i, it)| it.gives().map(move |path| (path, i))).collect();
        let needs: Vec<Vec<usize>> = objects
            .clone()
            .map(|it| it.needs().iter().filter_map(|it| index.get(it).copied()).collect())
            .collect();
        let paths: Vec<&str> = objects.map(|it| it.path.as_str()).collect();
        let mut visit = Visit { needs: &needs, waves: vec![None; needs.len()], trail: Vec::new() };
        for start in 0..needs.len() {
            visit.wave(start).map_err(|cycle| {
                Cycle(cycle.into_iter().map(|it| paths[it].to_owned()).collect())
            })?;
        }
        Ok(Waves(visit.waves.into_iter().flatten().collect()))
    }
}

struct Visit<'a> {
    needs: &'a [Vec<usize>],
    waves: Vec<Option<usize>>,
    /// What is being visited, outermost first: each with how many of its needs are done.
    trail: Vec<(usize, usize)>,
}

impl Visit<'_> {
    /// Goes down the needs of `start` without recursion: a long chain must not end the stack.
    fn wave(&mut self, start: usize) -> Result<(), Vec<usize>> {
        if self.waves[start].is_some() {
            return Ok(());
        }
        self.trail.push((start, 0));
        while let Some((at, done)) = self.trail.last_mut() {
            let at = *at;
            let Some(&need) = self.needs[at].get(*done) else {
                let deepest = self.needs[at].iter().filter_map(|it| self.waves[*it]).max();
                self.waves[at] = Some(deepest.map_or(0, |it| it + 1));
                self.trail.pop();
                continue;
            };
            *done += 1;
            if self.waves[need].is_none() {
                if let Some(from) = self.trail.iter().position(|(it, _)| *it == need) {
                    let around = self.trail[from..].iter().map(|(it, _)| *it);
                    return Err(around.chain([need]).collect());
                }
                self.trail.push((need, 0));
            }
        }
        Ok(())
    }
}
