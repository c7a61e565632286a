//! The places of everything in a YAML text. This iterative pass comes before the typed one, and guards it: against
//! depth, aliases that explode, duplicate keys.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::diagnostic::{Fault, Position, quote};

/// The depth that no configuration exceeds.
const DEEPEST: usize = 32;
/// The number of values that no configuration exceeds.
const MOST: usize = 20_000;
/// The weight (bytes, and 32 for each value) beyond which aliases may not blow a text up.
const HEAVIEST: usize = 4 * 1024 * 1024;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Position,
    pub(crate) shape: Shape,
    weight: usize,
}

/// What a value is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A text; `plain` when it has no quotes, so that it may be a number or null.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A name in a map, with its own place and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) place: Position,
    pub(crate) node: Node,
}

impl Member {
    /// The place to show for the value: its own when it begins on the line of its name, else the name's.
    pub(crate) fn near(&self) -> Position {
        let same_line = self.node.place.line == self.place.line && !self.node.is_null();
        if same_line { self.node.place } else { self.place }
    }
}

impl Node {
    /// Whether this is YAML's "no value".
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.shape, Shape::Text { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The member of a map.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        match &self.shape {
            Shape::Map(members) => members.iter().find(|member| member.name == name),
            _ => None,
        }
    }

    /// The member at a path of keys with dots.
    pub(crate) fn at(&self, path: &str) -> Option<&Member> {
        let mut names = path.split('.');
        let first = self.member(names.next()?)?;
        names.try_fold(first, |at, name| at.node.member(name))
    }

    /// The place of one item of a list, or of one name of a map, in the order of the file.
    pub(crate) fn item(&self, index: usize) -> Option<Position> {
        match &self.shape {
            Shape::List(items) => items.get(index).map(|item| item.place),
            Shape::Map(members) => members.get(index).map(|member| member.place),
            Shape::Text { .. } => None,
        }
    }

    /// What the value is called in a message.
    pub(crate) fn kind(&self) -> String {
        match &self.shape {
            _ if self.is_null() => "nothing".to_owned(),
            Shape::Text { text, .. } => quote(text),
            Shape::List(_) => "a list".to_owned(),
            Shape::Map(_) => "a map".to_owned(),
        }
    }
}

/// Reads a text's outline; `None` when it holds nothing at all.
///
/// # Errors
/// The first thing that makes it no usable YAML, with its place.
pub(crate) fn read(text: &str) -> Result<Option<Node>, Fault> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error, text))?;
        builder.take(event, span)?;
    }
    Ok(builder.root)
}

#[derive(Default)]
struct Builder {
    open: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    expanded: usize,
    documents: usize,
    values: usize,
    root: Option<Node>,
}

/// A list or map that is being read.
struct Frame {
    place: Position,
    anchor: usize,
    weight: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { members: Vec<Member>, names: HashSet<String>, name: Option<(String, Position)> },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let place = place(span);
        self.values += 1;
        if self.values > MOST {
            let text = format!("more than {MOST} values; no configuration needs that, use globs");
            return Err(Fault::at(point(place), &self.path(), text));
        }
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let text = "a second document begins here; keep one, without another ---";
                    return Err(Fault::at(place, "", text));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place)?;
                let weight = text.len() + 32;
                let plain = style == ScalarStyle::Plain;
                let shape = Shape::Text { text: text.into_owned(), plain };
                self.add(Node { place, shape, weight }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place)?;
                self.open(place, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place)?;
                let content =
                    Content::Map { members: Vec::new(), names: HashSet::new(), name: None };
                self.open(place, anchor, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, place: Position, anchor: usize, content: Content) -> Result<(), Fault> {
        if self.open.len() >= DEEPEST {
            let text = format!("nested more than {DEEPEST} deep; no key needs that, flatten it");
            return Err(Fault::at(point(place), "", text));
        }
        if matches!(self.open.last(), Some(Frame { content: Content::Map { name: None, .. }, .. }))
        {
            let text = "a list or map where a key belongs; write a word and a colon";
            return Err(Fault::at(point(place), &self.path(), text));
        }
        self.open.push(Frame { place: point(place), anchor, weight: 32, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let shape = match frame.content {
            Content::List(items) => Shape::List(items),
            Content::Map { members, .. } => Shape::Map(members),
        };
        self.add(Node { place: frame.place, shape, weight: frame.weight }, frame.anchor)
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.expanded = self.expanded.saturating_add(node.weight);
            self.anchors.insert(anchor, node.clone());
            self.check_weight(node.place)?;
        }
        let path = self.path();
        let Some(frame) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.weight = frame.weight.saturating_add(node.weight);
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map { members, names, name } => match name.take() {
                Some((name, place)) => members.push(Member { name, place, node }),
                None => {
                    let Shape::Text { text, .. } = node.shape else {
                        let text = "a list or map where a key belongs; write a word and a colon";
                        return Err(Fault::at(point(node.place), &path, text));
                    };
                    if !names.insert(text.clone()) {
                        let first = members.iter().find(|member| member.name == text);
                        let line = first.map_or(0, |member| member.place.line);
                        let says = format!("duplicate key, first on line {line}; keep one of them");
                        return Err(Fault::at(node.place, &join(&path, &text), says));
                    }
                    *name = Some((text, node.place));
                }
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: Position) -> Result<(), Fault> {
        let Some(node) = self.anchors.get(&anchor) else {
            let text = "an alias inside of what it stands for; write the value itself";
            return Err(Fault::at(place, &self.path(), text));
        };
        // The copy of an alias is weighed before it is made: bombs go off here.
        self.expanded = self.expanded.saturating_add(node.weight);
        let node = Node { place, ..node.clone() };
        self.check_weight(place)?;
        self.add(node, 0)
    }

    fn check_weight(&self, place: Position) -> Result<(), Fault> {
        if self.expanded <= HEAVIEST {
            return Ok(());
        }
        let text = "aliases expand to more than 4 MiB; write the values themselves";
        Err(Fault::at(place, &self.path(), text))
    }

    fn refuse_tag(&self, tag: Option<&Tag>, place: Position) -> Result<(), Fault> {
        match tag {
            Some(tag) => {
                let name = quote(&tag.to_string());
                let text = format!("the tag {name} means nothing here; write the value alone");
                Err(Fault::at(point(place), &self.path(), text))
            }
            None => Ok(()),
        }
    }

    /// The path of keys to the value being read.
    fn path(&self) -> String {
        self.open.iter().fold(String::new(), |path, frame| match &frame.content {
            Content::Map { name: Some((name, _)), .. } => join(&path, name),
            _ => path,
        })
    }
}

/// The path of a key one step longer.
pub(crate) fn join(path: &str, name: &str) -> String {
    let name: String = name.chars().take(60).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn place(span: Span) -> Position {
    let same_line = span.start.line() == span.end.line();
    let length = if same_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
    Position { line: span.start.line(), column: span.start.col() + 1, length }
}

/// The first character of a place that may be long.
fn point(place: Position) -> Position {
    Position { length: 1, ..place }
}

/// The fault for a syntax error, with what is usually behind it.
fn syntax(error: &ScanError, text: &str) -> Fault {
    let marker = error.marker();
    let place = Position { line: marker.line().max(1), column: marker.col() + 1, length: 1 };
    let line = text.split('\n').nth(place.line - 1).unwrap_or_default();
    let here = line.chars().nth(place.column - 1);
    let info = error.info();
    let tab = line
        .chars()
        .position(|c| !matches!(c, ' ' | '-'))
        .filter(|at| line.chars().nth(*at) == Some('\t'));
    if let Some(at) = tab.filter(|_| !info.contains("recursion limit")) {
        let text = "a tab in the indentation; indent with spaces";
        return Fault::at(Position { column: at + 1, ..place }, "", text);
    }
    let says = if info.contains("recursion limit") {
        format!("nested more than {DEEPEST} deep; no key needs that, flatten it")
    } else if here == Some('*') || info.contains("unknown anchor") {
        "a value that begins with * is an alias in YAML; quote it: '*.yml'".to_owned()
    } else if matches!(here, Some('@' | '`' | '%')) {
        format!("a value cannot begin with {}; quote it", here.unwrap_or_default())
    } else if info.contains("escape") {
        "in double quotes a backslash begins an escape; use single quotes: '_test\\.go$'".to_owned()
    } else if info.contains("mapping values are not allowed") {
        "a colon where no key can be; quote a value that holds \": \", or fix the indentation"
            .into()
    } else {
        format!(
            "not valid YAML ({}); check quotes, brackets and indentation",
            super::diagnostic::escape(info)
        )
    };
    Fault::at(place, "", says)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        read(text).expect(text).expect("something")
    }

    #[test]
    fn every_value_has_its_place() {
        let text = "watcher:  # 监视器配置\n  duration: 2000\n  types:\n  - '.go'\n  - \"*.x\"\nenvs: {中文: a, B: 'c d'}\n";
        let root = node(text);
        let table = [
            ("watcher.duration", 2, 13, 4),
            ("watcher.types", 4, 5, 1),
            ("envs", 6, 7, 1),
            ("envs.中文", 6, 12, 1),
            ("envs.B", 6, 18, 5),
        ];
        for (path, line, column, length) in table {
            let place = root.at(path).expect(path).node.place;
            assert_eq!((place.line, place.column, place.length), (line, column, length), "{path}");
        }
        let Some(Shape::List(items)) = root.at("watcher.types").map(|at| &at.node.shape) else {
            panic!("a list")
        };
        assert_eq!(items[0].place, Position { line: 4, column: 5, length: 5 });
        assert_eq!(items[1].place, Position { line: 5, column: 5, length: 5 });
        assert!(root.at("watcher.nothing").is_none());
    }

    #[test]
    fn nothing_at_all_is_no_error() {
        for text in ["", "\n\n", "# only a comment\n", "---\n", "\r\n"] {
            let root = read(text).expect(text);
            assert!(root.as_ref().is_none_or(Node::is_null), "{text:?}: {root:?}");
        }
    }

    #[test]
    fn line_ends_do_not_move_places() {
        for end in ["\n", "\r\n", "\r"] {
            let root = node(&["a: 1", "b:", "  c: 2", ""].join(end));
            assert_eq!(
                root.at("b.c").map(|at| at.node.place),
                Some(Position { line: 3, column: 6, length: 1 }),
                "{end:?}"
            );
        }
    }

    #[test]
    fn an_alias_is_its_value_at_its_own_place() {
        let root = node("a: &x [1, 2]\nb: *x\n");
        let node = &root.at("b").expect("b").node;
        assert_eq!(node.place, Position { line: 2, column: 4, length: 2 });
        assert!(matches!(&node.shape, Shape::List(items) if items.len() == 2));
    }

    #[test]
    fn what_is_no_usable_outline_says_where() {
        let table = [
            ("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key, first on line 1"),
            ("w:\n  a: 1\n  a: 3\n", 3, 3, "duplicate key, first on line 2"),
            ("a: [1\nb: 2\n", 2, 2, "YAML"),
            ("a: 'x\n", 1, 4, "YAML"),
            ("a:\n\tb: 1\n", 2, 1, "tab"),
            ("a:\n- *.yml\n", 2, 3, "quote it"),
            ("a: @x\n", 1, 4, "quote it"),
            ("a: b: c\n", 1, 5, "colon"),
            ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
            ("? [a]\n: b\n", 1, 3, "where a key belongs"),
            ("a: !!binary aGk=\n", 1, 4, "tag"),
            ("a: !x 1\n", 1, 4, "tag"),
            ("a: &x [*x]\n", 1, 8, "alias inside"),
        ];
        for (text, line, column, says) in table {
            let fault = read(text).expect_err(text);
            let place = fault.place.expect("a place");
            assert!(fault.text.contains(says), "{text:?}: {fault:?}");
            assert_eq!((place.line, place.column), (line, column), "{text:?}: {fault:?}");
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut lists = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (name, of) in ('b'..'z').zip('a'..) {
            let aliases = vec![format!("*{of}"); 9].join(", ");
            lists.push_str(&format!("{name}: &{name} [{aliases}]\n"));
        }
        let text = format!("- &a \"{}\"\n{}", "x".repeat(100_000), "- *a\n".repeat(100_000));
        for bomb in [lists, text] {
            let fault = read(&bomb).expect_err("a bomb");
            assert!(fault.text.contains("aliases expand"), "{fault:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_in_every_form() {
        let deep = 10_000;
        let table = [
            "[".repeat(deep),
            "{a: ".repeat(deep),
            "- ".repeat(deep),
            "a: [".to_owned() + &"[".repeat(deep) + &"]".repeat(deep),
            (0..deep / 20).map(|depth| " ".repeat(depth) + "a:\n").collect(),
            "[".repeat(1_000_000),
            "- ".repeat(500_000),
        ];
        for text in table {
            let start = text.chars().take(20).collect::<String>();
            let fault = read(&text).expect_err(&start);
            assert!(fault.text.contains("nested more than"), "{start}: {fault:?}");
        }
    }
}
