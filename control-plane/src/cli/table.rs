//! Tables for people.

use serde_json::Value;
use std::io::{self, Write};

/// Columns that are as wide as their widest cell.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let line: String = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}  ", width = *width))
                .collect();
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A member as a cell: empty if absent. Control characters, which a client may have put there, are shown escaped.
pub(super) fn cell(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.chars().any(char::is_control) => text.escape_default().to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Unix seconds as a cell: as they are if no calendar has them.
pub(super) fn time(value: &Value, pointer: &str) -> String {
    let seconds = value.pointer(pointer).and_then(Value::as_u64);
    let shown = |seconds| crate::ledger::time::format_seconds(seconds).unwrap_or_else(|| seconds.to_string());
    seconds.map(shown).unwrap_or_default()
}

/// Micro-dollars as dollars.
pub(super) fn dollars(value: &Value, pointer: &str) -> String {
    let micros = value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
