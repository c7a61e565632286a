//! Tables of patterns and paths.

use super::{Glob, On, Units, expand};

fn path(pattern: &str, text: &[u8]) -> bool {
    Glob::new(On::Path, pattern.as_bytes(), Units::Bytes).unwrap().matches(text)
}

#[test]
fn wildcards_stay_inside_a_component_and_double_stars_span() {
    let table: &[(&str, &str, bool)] = &[
        ("a", "a", true),
        ("a", "ab", false),
        ("a/b", "a/b", true),
        ("a/b", "a/b/c", false),
        ("*", "a", true),
        ("*", "a/b", false),
        ("a*c", "abbc", true),
        ("a*c", "ac", true),
        ("a*c", "a/c", false),
        ("*a*b*", "xxaxxbxx", true),
        ("*a*b*", "xxbxxaxx", false),
        ("?", "a", true),
        ("?", "ab", false),
        ("a?b", "a/b", false),
        ("**", "a/b/c", true),
        ("**/c", "c", true),
        ("**/c", "a/b/c", true),
        ("**/c", "a/bc", false),
        ("a/**", "a", false),
        ("a/**", "a/b/c", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "ab", false),
        ("a/**/b/**/c", "a/b/x/b/c", true),
        ("**/a/*/b", "x/a/a/b/b", true),
        ("**/a/*/b", "x/a/b/b/b", false),
        ("**/a/*/b", "x/a/a/a/b", true),
        ("***/c", "a/b/c", true),
        ("x/a**b", "x/a1b", true),
        ("x/a**b", "x/a1/b", false),
        ("[ab]c", "bc", true),
        ("[!ab]c", "bc", false),
        ("[^ab]c", "cc", true),
        ("[!a]b", "/b", false),
        ("[]a]", "]", true),
        ("[!]a]", "]", false),
        ("[a-c]", "b", true),
        ("[a-]", "-", true),
        ("[\\]]", "]", true),
        ("[a\\-c]", "b", false),
        ("[[:digit:]x]", "7", true),
        ("[[:alpha:]]", "7", false),
        ("[[:x]", ":", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("a\\/b", "a/b", true),
        ("**/", "a", false),
        ("a//b", "a/b", false),
        ("[z-a]", "m", false),
        ("[!z-a]", "m", true),
        ("a[!x]b", "a/b", false),
        ("a[+-9]b", "a/b", false),
        ("a[+-9]b", "a5b", true),
        ("[--0]", ".", true),
        ("[!]a-]*", "-x", false),
        ("{a,b}", "{a,b}", true),
        ("{a,b}", "a", false),
        ("a\u{1}?", "a\u{1}b", true),
        ("a\u{1}?", "axb", false),
        ("*\n*", "a\nb", true),
    ];
    for (pattern, text, expected) in table {
        assert_eq!(path(pattern, text.as_bytes()), *expected, "{pattern} on {text}");
    }
}

#[test]
fn a_double_star_after_a_literal_beginning_spans_as_it_does_in_git() {
    for (pattern, text, expected) in [
        ("lib**/x", "lib1/y/x", true),
        ("lib**/x", "lib/x", true),
        ("lib**/x", "lic/x", false),
        ("lib**", "lib/y/x", true),
        ("lib**x", "lib/x", false),
        ("lib**//x", "lib/x", true),
        ("lib**/", "lib1", false),
        ("lib**/", "lib", true),
    ] {
        assert_eq!(path(pattern, text.as_bytes()), expected, "{pattern} on {text}");
    }
}

#[test]
fn names_that_are_no_text_are_compared_byte_by_byte() {
    let bytes = |pattern: &[u8], text: &[u8]| {
        Glob::new(On::Name, pattern, Units::Bytes).unwrap().matches(text)
    };
    assert!(bytes(b"a\xff*", b"a\xffb"));
    assert!(!bytes(b"a\xfe*", b"a\xffb"));
    assert!(bytes(b"?", b"\xff"));
    assert!(!bytes("?".as_bytes(), "é".as_bytes()));
    let characters = |pattern: &str, text: &[u8]| {
        Glob::new(On::Name, pattern.as_bytes(), Units::Characters).unwrap().matches(text)
    };
    assert!(characters("?", "é".as_bytes()));
    assert!(characters("[à-ü]x", "éx".as_bytes()));
    assert!(!characters("??", "é".as_bytes()));
    assert!(characters("[à-üx]*", "x\u{fffd}".as_bytes()));
    assert!(characters("?", "\u{10ffff}".as_bytes()));
    // A byte that is no character stands for itself and is matched by a star, by nothing else.
    assert!(!characters("?", b"\xff"));
    assert!(characters("*", b"\xff"));
    // `globset` refuses a brace that nothing opened.
    assert!(characters("a}b*", b"a}bc"));
    assert!(characters("\\{a,b}*", b"{a,b}c"));
    assert!(!characters("*???", "éé".as_bytes()));
    assert!(!characters("[\u{0}-\u{10ffff}]", b"\xff"));
}

#[test]
fn a_class_of_bytes_that_are_no_ascii() {
    assert!(path("[é]", b"\xc3"));
    assert!(path("[x/é[!a]", b"a"));
    assert!(!path("[!é]", b"\xa9"));
    assert!(path("[à-ü]", b"\xb0"));
}

#[test]
fn the_longest_patterns_can_be_compiled() {
    for unit in ["?", "*a", "[a-z]", "[!é-ü]", "é", "a/", "*/"] {
        let pattern = unit.repeat(4096 / unit.len());
        let pattern = pattern.trim_end_matches('/').as_bytes();
        for units in [Units::Bytes, Units::Characters] {
            // It panics in a debug build when it cannot be.
            assert!(!Glob::new(On::Path, pattern, units).unwrap().matches(b"nothing like it"));
        }
    }
    assert!(Glob::new(On::Path, &[b'?'; 4097], Units::Bytes).is_err());
}

#[test]
fn hostile_patterns_take_no_exponential_time() {
    let pattern = "*a".repeat(60);
    assert!(!path(&pattern, ("a".repeat(250) + "b").as_bytes()));
    let pattern = "**/a/".repeat(40) + "b";
    assert!(!path(&pattern, "a/".repeat(200).trim_end_matches('/').as_bytes()));
}

#[test]
fn what_is_no_pattern_says_why() {
    for (pattern, word) in
        [("[a", "["), ("a[", "["), ("a\\", "\\"), ("[[:nope:]]", "class"), ("[a-", "[")]
    {
        let error = Glob::new(On::Path, pattern.as_bytes(), Units::Bytes).unwrap_err();
        assert!(error.0.contains(word), "{pattern}: {error:?}");
    }
}

#[test]
fn a_pattern_leads_into_the_directories_above_what_it_names() {
    for (pattern, directory, expected) in [
        ("a/b/c", "a", true),
        ("a/b/c", "a/b", true),
        ("a/b/c", "a/b/c", false),
        ("a/b/c", "x", false),
        ("a/*/c", "a/x", true),
        ("a/*/c", "b/x", false),
        ("a/**/c", "a", true),
        ("a/**/c", "a/x/y/z", true),
        ("a/**/c", "b", false),
        ("**/c", "a", false),
        ("c", "a", false),
        ("*/c", "a", true),
        ("a**/c", "ab", true),
        ("a**/c", "b", false),
    ] {
        let glob = Glob::new(On::Path, pattern.as_bytes(), Units::Bytes).unwrap();
        assert_eq!(glob.leads_below(directory.as_bytes()), expected, "{pattern} into {directory}");
    }
}

#[test]
fn braces_are_alternatives() {
    let table: &[(&str, &[&str])] = &[
        ("a", &["a"]),
        ("a{b,c}d", &["abd", "acd"]),
        ("{a,b}{c,d}", &["ac", "ad", "bc", "bd"]),
        ("{a,b{c,d}}e", &["ae", "bce", "bde"]),
        ("x{,.y}", &["x", "x.y"]),
        ("\\{a,b}", &["\\{a,b}"]),
        ("[{]a", &["[{]a"]),
        ("a}b,c", &["a}b,c"]),
        ("{a}", &["a"]),
    ];
    for (pattern, expected) in table {
        let all = expand(pattern.as_bytes()).unwrap();
        let all: Vec<_> = all.iter().map(|one| str::from_utf8(one).unwrap()).collect();
        assert_eq!(all, *expected, "{pattern}");
    }
    assert!(expand(b"a{b,c").is_err());
    assert!(expand("{a,b}".repeat(12).as_bytes()).is_err());
}
