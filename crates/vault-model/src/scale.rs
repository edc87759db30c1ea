//! A copy of what a spec describes whose leases, tokens and logins live shorter, all by one divisor: their ends can be
//! waited for, and what was longer than something else still is.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    Body, Path, duration,
    kind::{Field, Shape},
    object::Object,
};

/// One field that says how long something lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    pub path: Path,
    /// With a dot for a body within the body.
    pub field: String,
    pub seconds: i64,
}

/// Shorter, a server is busy for longer than what it should show.
pub const SHORTEST_SECONDS: i64 = 4;
/// What a proof waits for at most.
pub const LONGEST_WAIT_SECONDS: i64 = 30;
/// What a divisor aims at: the longest life as short as this, if the shortest allows it.
const AIM_SECONDS: i64 = 20;

/// Every life that is said in seconds, in the order of the objects. What is 0 has no end or the default of its mount.
pub fn lives(objects: &[Arc<Object>]) -> Vec<Life> {
    let mut lives = Vec::new();
    for object in objects {
        each(&object.said, "", &|name| object.row(name), &mut |field, seconds| {
            lives.push(Life { path: object.path.clone(), field, seconds });
        });
    }
    lives
}

/// What to divide all lives by, so that the longest takes about 20 s and none is shorter than 4 s; 1 leaves them alone.
pub fn divisor(lives: &[Life]) -> i64 {
    let seconds = || lives.iter().map(|it| it.seconds);
    let (Some(shortest), Some(longest)) = (seconds().min(), seconds().max()) else { return 1 };
    (longest / AIM_SECONDS).min(shortest / SHORTEST_SECONDS).max(1)
}

/// The same objects, with every life divided by `divisor`, to the next whole second.
pub fn divided(objects: &[Arc<Object>], divisor: i64) -> Vec<Arc<Object>> {
    let one = |object: &Arc<Object>| {
        let said = shorter(&object.said, &|name| object.row(name), divisor);
        Arc::new(object.saying(said))
    };
    objects.iter().map(one).collect()
}

/// What a life of so many seconds becomes.
pub fn shortened(seconds: i64, divisor: i64) -> i64 {
    ((seconds + divisor / 2) / divisor.max(1)).max(1)
}

type Row<'a> = &'a dyn Fn(&str) -> Option<&'static Field>;

fn each(said: &Body, within: &str, row: Row<'_>, found: &mut dyn FnMut(String, i64)) {
    for (name, value) in said {
        let Some(field) = row(name) else { continue };
        match (field.shape, value) {
            (Shape::Body(fields), Value::Object(body)) => {
                let row = |name: &str| crate::kind::field(fields, name);
                each(body, &format!("{within}{name}."), &row, found);
            }
            _ => {
                if let Some(seconds) = life(field, value) {
                    found(format!("{within}{name}"), seconds);
                }
            }
        }
    }
}

fn shorter(said: &Body, row: Row<'_>, divisor: i64) -> Body {
    let one = |(name, value): (&String, &Value)| {
        let shorter = match (row(name), value) {
            (Some(Field { shape: Shape::Body(fields), .. }), Value::Object(body)) => {
                Value::Object(shorter(body, &|name| crate::kind::field(fields, name), divisor))
            }
            (Some(field), _) => match life(field, value) {
                Some(seconds) => shortened(seconds, divisor).into(),
                None => value.clone(),
            },
            (None, _) => value.clone(),
        };
        (name.clone(), shorter)
    };
    said.iter().map(one).collect()
}

fn life(field: &Field, value: &Value) -> Option<i64> {
    field.life.then(|| duration::seconds(value)).flatten().filter(|it| *it > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(seconds: &[i64]) -> Vec<Life> {
        let one = |it: &i64| Life { path: "p".into(), field: "f".into(), seconds: *it };
        seconds.iter().map(one).collect()
    }

    #[test]
    fn minutes_become_seconds() {
        assert_eq!(divisor(&of(&[120, 600])), 30);
        assert_eq!((shortened(120, 30), shortened(600, 30)), (4, 20));
    }

    #[test]
    fn the_shortest_life_bounds_the_divisor() {
        assert_eq!(divisor(&of(&[3600, 86_400])), 900);
        assert_eq!(divisor(&of(&[2, 86_400])), 1);
    }

    #[test]
    fn without_lives_nothing_is_divided() {
        assert_eq!(divisor(&[]), 1);
    }

    proptest! {
        #[test]
        fn ratios_are_kept_to_the_second(
            seconds in proptest::collection::vec(1_i64..10_000_000, 1..9)
        ) {
            let divisor = divisor(&of(&seconds));
            for it in &seconds {
                let exact = *it as f64 / divisor as f64;
                prop_assert!((shortened(*it, divisor) as f64 - exact).abs() <= 0.5);
                prop_assert!(shortened(*it, divisor) >= SHORTEST_SECONDS.min(*it));
            }
        }

        #[test]
        fn what_was_longer_is_never_shorter(
            a in 1_i64..10_000_000, b in 1_i64..10_000_000, divisor in 1_i64..100_000
        ) {
            let (short, long) = (a.min(b), a.max(b));
            prop_assert!(shortened(short, divisor) <= shortened(long, divisor));
        }
    }
}
