//! Who may import whom: reads `src/` and fails on an arrow against the stream (docs/ARCHITECTURE.md).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms it may use. `main`, `lib`, `run` and `cli` wire the others together and may use all of them.
const MAY_USE: &[(&str, &[&str])] = &[
    ("http", &["gateway", "model", "error", "words", "clock"]),
    ("work", &["gateway", "store", "wa", "model", "error", "words", "clock"]),
    ("gateway", &["store", "wa", "look", "egress", "model", "error", "clock", "config"]),
    ("look", &["model", "error"]),
    ("wa", &["store", "model", "error", "clock", "egress"]),
    ("store", &["model", "error"]),
    ("model", &["error"]),
    ("config", &["model", "error"]),
    ("logging", &["config", "error"]),
    ("egress", &["error"]),
    ("error", &["words"]),
    ("words", &[]),
    ("clock", &[]),
];
/// Rooms that wire the others together.
const WIRING: &[&str] = &["main", "lib", "run", "cli"];
/// Libraries that live in one place: their names and where they may appear.
const LIVES_IN: &[(&[&str], &[&str])] = &[
    (&["redb"], &["src/store/"]),
    (&["whatsapp_rust", "whatsapp_rust_tokio_transport", "wacore", "wacore_binary", "waproto"], &["src/wa/"]),
    (&["warp"], &["src/http/"]),
    (&["kurir_sandbox"], &["src/run.rs", "src/http/sandbox.rs"]),
];

#[test]
fn calls_go_one_way() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let room = source.room();
        if WIRING.contains(&room) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{}: `{room}` is not a known room; give it a row in MAY_USE", source.path));
            continue;
        };
        for used in source.rooms_used() {
            if used != room && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: `{room}` must not use `{used}`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows against the stream:\n{}", wrong.join("\n"));
}

#[test]
fn each_library_lives_in_its_room() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for (libraries, homes) in LIVES_IN {
            let is_home = homes.iter().any(|home| source.path.starts_with(home));
            for library in libraries.iter().filter(|library| !is_home && source.names_crate(library)) {
                wrong.push(format!("{}: `{library}` lives in {}", source.path, homes.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "libraries out of their rooms:\n{}", wrong.join("\n"));
}

#[test]
fn the_simulated_network_knows_nothing_of_kurir() {
    for source in sources("sandbox") {
        assert!(!source.names_crate("kurir"), "{} names kurir", source.path);
    }
    let manifest =
        fs::read_to_string(root().join("sandbox/Cargo.toml")).expect("the manifest of the network");
    let depends =
        manifest.lines().any(|line| line.trim_start().starts_with("kurir ") || line.contains("\"..\""));
    assert!(!depends, "sandbox/Cargo.toml depends on kurir");
}

#[test]
fn the_reader_sees_what_it_should() {
    let source = Source {
        path: "src/http/rest/x.rs".into(),
        code: code(
            "use crate::{error::Result, store::{self, Tables}};\n// crate::wa::Fleet\nuse super::super::gateway;\n\
             use super::super::super::work;\nlet s = \"crate::model::x\"; let r = r#\"redb::Table\"#;\n\
             fn f() -> crate::clock::Millis { ::warp::path() }\nuse waproto as p;\nextern crate redb_like;\n\
             #[cfg(test)]\nmod tests { use crate::run::x; }",
        ),
    };
    assert_eq!(source.room(), "http");
    let used: Vec<String> = source.rooms_used().into_iter().collect();
    assert_eq!(used, ["clock", "error", "store", "work"]);
    assert!(source.names_crate("warp") && source.names_crate("waproto"));
    assert!(!source.names_crate("redb") && !source.names_crate("wa"));
    let top = Source { path: "src/http/mod.rs".into(), code: code("use super::wa::Fleet; mod wa2;") };
    assert_eq!(top.rooms_used().into_iter().collect::<Vec<_>>(), ["wa"]);
}

/// A source file without comments, strings and unit tests.
struct Source {
    /// Path from the root of the project.
    path: String,
    code: String,
}

impl Source {
    /// Returns the first part of its module path.
    fn room(&self) -> &str {
        let inside = self.path.split_once('/').map_or(self.path.as_str(), |(_, rest)| rest);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Returns how many modules lie between its own and the crate.
    fn depth(&self) -> usize {
        let segments = self.path.split('/').count() - 1;
        if self.path.ends_with("/mod.rs") { segments - 1 } else { segments }
    }

    /// Returns the top-level modules that it names through `crate::` or as many `super::` as lead there.
    fn rooms_used(&self) -> BTreeSet<String> {
        let supers = "super::".repeat(self.depth());
        let mut used = BTreeSet::new();
        for prefix in ["crate::", supers.as_str()] {
            for (at, _) in self.code.match_indices(prefix) {
                let before = &self.code[..at];
                if before.ends_with("::") || before.ends_with(is_word) {
                    continue;
                }
                used.extend(first_names(&self.code[at + prefix.len()..]));
            }
        }
        used.retain(|name| MAY_USE.iter().any(|(room, _)| room == name) || WIRING.contains(&name.as_str()));
        used
    }

    /// Returns whether it names an external crate in a path or `use`.
    fn names_crate(&self, name: &str) -> bool {
        self.code.match_indices(name).any(|(at, _)| {
            let before = self.code[..at].trim_end();
            let after = &self.code[at + name.len()..];
            let is_whole = !self.code[..at].ends_with(is_word) && !after.starts_with(is_word);
            let is_inner = before.ends_with("::") && before.trim_end_matches("::").ends_with(is_word);
            let is_used = after.trim_start().starts_with("::")
                || before.ends_with("use")
                || before.ends_with("extern crate")
                || before.ends_with("use ::");
            is_whole && !is_inner && is_used
        })
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns the name at the start of a path, or the first name of each branch of a group.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|letter| is_word(*letter)).collect()];
    };
    let (mut level, mut names, mut name) = (0, Vec::new(), String::new());
    let mut complete = false;
    for letter in group.chars() {
        match letter {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => {
                names.push(std::mem::take(&mut name));
                complete = false;
            }
            _ if is_word(letter) && level == 0 && !complete => name.push(letter),
            _ => complete |= !name.is_empty(),
        }
    }
    names.push(name);
    names
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root().join(below), &mut files);
    assert!(files.len() > 5, "no sources below {below}");
    let relative =
        |file: &PathBuf| file.strip_prefix(root()).expect("a file of the project").display().to_string();
    let read = |file: &PathBuf| fs::read_to_string(file).expect("a readable source");
    let tests: Vec<PathBuf> = files.iter().flat_map(|file| test_modules(file, &read(file))).collect();
    let is_test =
        |file: &Path| tests.iter().any(|test| file == test.with_extension("rs") || file.starts_with(test));
    files
        .iter()
        .filter(|file| !is_test(file))
        .map(|file| Source { path: relative(file), code: code(&read(file)) })
        .collect()
}

/// Returns the paths, without extension, of the modules that a file declares for tests only.
fn test_modules(file: &Path, source: &str) -> Vec<PathBuf> {
    let is_root =
        file.file_name().is_some_and(|name| name == "mod.rs" || name == "lib.rs" || name == "main.rs");
    let dir = if is_root { file.with_file_name("") } else { file.with_extension("") };
    let declared = source.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let name = rest.lines().next()?.strip_suffix(';')?;
        Some(name.rsplit_once("mod ")?.1)
    });
    declared.map(|name| dir.join(name)).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Drops comments, the insides of strings, and everything behind the unit tests.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let (mut out, mut rest) = (String::new(), source);
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if letter == '"' {
            string_length(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        rest = &rest[skipped..];
    }
    out
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
