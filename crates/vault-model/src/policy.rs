//! stub
use serde_json::Value;
pub fn canonical(_: &str) -> Option<Value> {
    None
}
pub mod password {
    use serde_json::Value;
    pub fn canonical(_: &str) -> Option<Value> {
        None
    }
}
