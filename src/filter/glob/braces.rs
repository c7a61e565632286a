//! `{a,b}`: alternatives, expanded before a pattern is compiled. git knows none.

use super::GlobError;

/// A pattern with more alternatives than this is a mistake.
const MOST: usize = 1_000;

/// All patterns that `pattern` stands for; itself when it has no braces.
pub(in crate::filter) fn expand(pattern: &[u8]) -> Result<Vec<Vec<u8>>, GlobError> {
    let mut done = Vec::new();
    let mut open = vec![(pattern.to_vec(), 0)];
    while let Some((text, from)) = open.pop() {
        let Some((start, bars, end)) = first_group(&text, from)? else {
            done.push(text);
            continue;
        };
        if done.len() + open.len() + bars.len() >= MOST {
            return Err(GlobError("more than 1,000 alternatives"));
        }
        let mut edges = vec![start];
        edges.extend(bars);
        edges.push(end);
        // Last alternative first: what is popped next is the first one again.
        for pair in edges.windows(2).rev() {
            let mut one = text[..start].to_vec();
            one.extend_from_slice(&text[pair[0] + 1..pair[1]]);
            one.extend_from_slice(&text[end + 1..]);
            open.push((one, start));
        }
    }
    Ok(done)
}

/// A group: where its `{` is, its commas, its `}`.
type Group = (usize, Vec<usize>, usize);

/// The first group of braces at or after `from`.
fn first_group(text: &[u8], from: usize) -> Result<Option<Group>, GlobError> {
    let mut start = None;
    let mut commas = Vec::new();
    let mut depth = 0_usize;
    let mut i = from;
    while let Some(&byte) = text.get(i) {
        match byte {
            b'\\' => i += 1,
            b'[' => i = class_end(text, i),
            b'{' => {
                depth += 1;
                start = start.or(Some(i));
            }
            b',' if depth == 1 => commas.push(i),
            b'}' if depth == 1 => return Ok(start.map(|start| (start, commas, i))),
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        i += 1;
    }
    match start {
        Some(_) => Err(GlobError("a { without its }; write \\{ for the brace itself")),
        None => Ok(None),
    }
}

/// The index of the `]` that closes the class at `open`, or `open` when nothing does.
fn class_end(text: &[u8], open: usize) -> usize {
    let mut i = open + 1;
    if matches!(text.get(i), Some(b'!' | b'^')) {
        i += 1;
    }
    // A bracket in the first place is a member.
    let mut first = true;
    while let Some(&byte) = text.get(i) {
        match byte {
            b'\\' => i += 1,
            b']' if !first => return i,
            _ => {}
        }
        first = false;
        i += 1;
    }
    open
}
