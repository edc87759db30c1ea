//! A policy as HCL text.

use std::fmt::{self, Write};

use serde_json::{Map, Value};

use super::{Parameters, Permissions, Policy, Rule, ttl};

/// HCL that reads back to the same rules in the same order.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            writeln!(f, "name = {}", Quoted(name))?;
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if index > 0 || self.name.is_some() {
                writeln!(f)?;
            }
            write!(f, "{rule}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "path {} {{", Quoted(&self.path.written()))?;
        print_permissions(&self.permissions, f)?;
        if let Some(expiration) = &self.expiration {
            writeln!(f, "  expiration = {}", Quoted(expiration))?;
        }
        writeln!(f, "}}")
    }
}

fn print_permissions(permissions: &Permissions, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    print_list("capabilities", permissions.capabilities.names(), f)?;
    let lists = [
        ("required_parameters", &permissions.required_parameters),
        ("mfa_methods", &permissions.mfa_methods),
        ("subscribe_event_types", &permissions.subscribe_event_types),
    ];
    for (name, texts) in lists.into_iter().filter(|it| !it.1.is_empty()) {
        print_list(name, texts.iter().map(String::as_str), f)?;
    }
    print_parameters("allowed_parameters", &permissions.allowed_parameters, f)?;
    print_parameters("denied_parameters", &permissions.denied_parameters, f)?;
    let ttls = [
        ("min_wrapping_ttl", permissions.min_wrapping_ttl),
        ("max_wrapping_ttl", permissions.max_wrapping_ttl),
    ];
    for (name, ttl) in ttls.into_iter().filter_map(|(name, ttl)| Some((name, ttl?))) {
        writeln!(f, "  {name} = {}", Hcl(&ttl::print(ttl)))?;
    }
    if let Some(group) = &permissions.control_group {
        writeln!(f, "  control_group = {}", Object(group))?;
    }
    if let Some(limit) = permissions.pagination_limit {
        writeln!(f, "  pagination_limit = {limit}")?;
    }
    if let Some(template) = &permissions.list_scan_response_keys_filter_path {
        writeln!(f, "  list_scan_response_keys_filter_path = {}", Quoted(template))?;
    }
    Ok(())
}

fn print_list<'a>(
    name: &str,
    texts: impl IntoIterator<Item = &'a str>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let texts: Vec<String> = texts.into_iter().map(|it| Quoted(it).to_string()).collect();
    writeln!(f, "  {name} = [{}]", texts.join(", "))
}

fn print_parameters(
    name: &str,
    parameters: &Parameters,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if parameters.is_empty() {
        return Ok(());
    }
    writeln!(f, "  {name} = {{")?;
    for (parameter, values) in parameters {
        let values: Vec<String> = values.iter().map(|it| Hcl(it).to_string()).collect();
        writeln!(f, "    {} = [{}]", Quoted(parameter), values.join(", "))?;
    }
    writeln!(f, "  }}")
}

/// A text in quotes.
struct Quoted<'a>(&'a str);

/// A value on one line.
struct Hcl<'a>(&'a Value);

struct Object<'a>(&'a Map<String, Value>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let mut letters = self.0.chars().peekable();
        while let Some(c) = letters.next() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                // A dollar before a brace would begin an expression.
                '$' if letters.peek() == Some(&'{') => f.write_str("\\u0024")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for Hcl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("\"\""),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::String(text) => write!(f, "{}", Quoted(text)),
            Value::Array(values) => {
                let values: Vec<String> = values.iter().map(|it| Hcl(it).to_string()).collect();
                write!(f, "[{}]", values.join(", "))
            }
            Value::Object(object) => write!(f, "{}", Object(object)),
        }
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{} = {}", Quoted(key), Hcl(value))).collect();
        write!(f, "{{ {} }}", entries.join(", "))
    }
}
