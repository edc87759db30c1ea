//! What goes over the wire, before it goes.

use std::fmt;

use crate::{Body, Path};

#[derive(Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    pub path: Path,
    pub body: Body,
    /// Ask Vault to wrap its answer, for so many seconds.
    pub wrap_ttl_seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Get,
    List,
    Post,
    Patch,
    Delete,
}

impl Request {
    pub fn new(method: Method, path: impl Into<Path>, body: Body) -> Request {
        Request { method, path: path.into(), body, wrap_ttl_seconds: None }
    }

    pub fn get(path: impl Into<Path>) -> Request {
        Request::new(Method::Get, path, Body::new())
    }

    pub fn list(path: impl Into<Path>) -> Request {
        Request::new(Method::List, path, Body::new())
    }

    pub fn post(path: impl Into<Path>, body: Body) -> Request {
        Request::new(Method::Post, path, body)
    }

    pub fn delete(path: impl Into<Path>) -> Request {
        Request::new(Method::Delete, path, Body::new())
    }

    pub fn wrapped(mut self, ttl_seconds: u64) -> Request {
        self.wrap_ttl_seconds = Some(ttl_seconds);
        self
    }
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::List => "LIST",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// Names its fields and never shows their values.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.path)?;
        self.body.keys().try_for_each(|it| write!(f, " {it}"))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
