//! The model as others use it: text in, text out. No server is needed.

mod kinds;
mod mistakes;
mod plan;
mod policies;
mod samples;
mod templates;
mod yaml;
