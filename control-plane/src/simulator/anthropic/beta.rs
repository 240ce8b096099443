//! What only a client that names a beta may send.
//!
//! Spec: <https://platform.claude.com/docs/en/api/beta-headers>,
//! <https://platform.claude.com/docs/en/build-with-claude/context-editing>. Invariant: a member without its flag is as
//! unknown as any other.

use crate::simulator::answer::Call;
use crate::simulator::shape::{Checked, Object};

/// Members and the flags that they need.
const GATED: &[(&str, &str)] = &[("context_management", "context-management-2025-06-27")];

/// These members, and those that the request's flags add.
pub(crate) fn known(call: &Call<'_>, members: &[&'static str]) -> Vec<&'static str> {
    let given: Vec<&str> = flags(call).collect();
    let gated = GATED.iter().filter(|(_, flag)| given.contains(flag)).map(|(member, _)| *member);
    members.iter().copied().chain(gated).collect()
}

fn flags<'a>(call: &Call<'a>) -> impl Iterator<Item = &'a str> {
    let lines = call.headers.get_all("anthropic-beta").iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Checks how the conversation is to be edited before the model reads it.
pub(crate) fn context_management(root: &Object<'_>, thinking: bool) -> Checked<()> {
    let Some(node) = root.nullable("context_management") else { return Ok(()) };
    let members = node.object()?;
    members.only(&["edits"])?;
    let Some(edits) = members.nullable("edits") else { return Ok(()) };
    for edit in edits.list()? {
        let members = edit.object()?;
        let kinds = ["clear_tool_uses_20250919", "clear_thinking_20251015", "compact_20260112"];
        match members.need("type")?.choice(&kinds)? {
            "clear_thinking_20251015" => {
                members.only(&["type", "keep"])?;
                if !thinking {
                    let text =
                        "`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive";
                    return Err(edit.rule(text));
                }
            }
            "clear_tool_uses_20250919" => {
                members.only(&[
                    "type",
                    "trigger",
                    "keep",
                    "clear_at_least",
                    "exclude_tools",
                    "clear_tool_inputs",
                ])?;
            }
            _ => members.only(&["type", "trigger", "instructions", "pause_after_compaction"])?,
        }
    }
    Ok(())
}
