//! The house rules that a machine can see: floors import downward only, rooms keep to their size, every room says what it
//! is for, and only the shell names Envoy's API. The length of functions is clippy's to see (`too_many_lines`, clippy.toml).
//! See ARCHITECTURE.md.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Code lines (neither blank nor comment) that a file may have.
const FILE_CAP: usize = 600;
/// Ninety in a hundred files keep to this.
const FILE_P90: usize = 400;
/// Half of the files keep to this.
const FILE_MEDIAN: usize = 150;
/// Words that name no room.
const VAGUE: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "manager", "misc", "handler"];

/// The module's floors, bottom-up. A floor may use its own and those before it.
const FLOORS: [&[&str]; 6] =
    [&["wire"], &["ir", "config"], &["dialect"], &["provider"], &["gateway"], &["shell"]];

/// The rooms of wire formats; none knows another.
const DIALECTS: [&str; 5] = ["openai", "responses", "anthropic", "gemini", "bedrock"];

/// The control plane's rooms that never import each other.
const APART: [&str; 5] = ["discovery", "access_log", "api", "dashboard", "simulator"];

struct Source {
    path: PathBuf,
    /// Rooms from the crate's root: `["dialect", "openai", "stream"]`.
    rooms: Vec<String>,
    text: String,
}

impl Source {
    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    fn is_test(&self) -> bool {
        self.rooms.last().is_some_and(|room| room == "tests" || room == "test_app")
            || self.rooms.iter().any(|room| room == "tests")
    }

    /// The code without comments and without the test module at its end.
    fn code(&self) -> Vec<&str> {
        let text = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(crate_source: &str) -> Vec<Source> {
    fn walk(dir: &Path, base: &Path, into: &mut Vec<Source>) {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, base, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let rooms = path.strip_prefix(base).unwrap().with_extension("");
                let rooms = rooms.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                let text = fs::read_to_string(&path).unwrap();
                into.push(Source { path, rooms, text });
            }
        }
    }
    let base = root().join(crate_source);
    let mut found = Vec::new();
    walk(&base, &base, &mut found);
    assert!(found.len() > 3, "no sources under {}", base.display());
    found
}

fn all() -> Vec<Source> {
    let mut found = sources("src");
    found.extend(sources("control-plane/src"));
    found
}

/// The rooms that a line of code names under `crate::`.
fn imports(line: &str) -> Vec<Vec<&str>> {
    line.match_indices("crate::")
        .filter_map(|(at, word)| {
            let (before, path) = line.split_at(at);
            let inside = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let path = path.strip_prefix(word).filter(|_| !inside)?;
            let path = path.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next()?;
            Some(path.split("::").filter(|part| !part.is_empty()).collect())
        })
        .collect()
}

fn report(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn floors_import_downward_only() {
    let height = |room: &str| FLOORS.iter().position(|floor| floor.contains(&room));
    let mut problems = Vec::new();
    for source in sources("src") {
        let Some(own) = source.rooms.first().and_then(|room| height(room)) else { continue };
        for line in source.code() {
            for import in imports(line) {
                if import.first().and_then(|room| height(room)).is_some_and(|other| other > own) {
                    problems.push(format!("{}: imports upward: {line}", source.name()));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn dialects_do_not_know_each_other() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let [floor, own, ..] = source.rooms.as_slice() else { continue };
        if floor != "dialect" {
            continue;
        }
        for line in source.code() {
            for import in imports(line) {
                if let ["dialect", other, ..] = import.as_slice()
                    && DIALECTS.contains(other)
                    && other != own
                {
                    problems.push(format!("{}: a dialect imports another: {line}", source.name()));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn only_the_shell_names_envoy_s_api() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let shell = source.rooms.first().is_some_and(|room| room == "shell");
        for line in source.code() {
            if !shell && line.contains("proxy_wasm") {
                problems.push(format!("{}: names proxy_wasm: {line}", source.name()));
            }
            if shell && line.contains("serde_json") {
                problems.push(format!("{}: the shell parses JSON: {line}", source.name()));
            }
            let hostcalls = source.rooms.last().is_some_and(|room| room == "host" || room == "root");
            if shell && !hostcalls && line.contains("hostcalls::") {
                problems.push(format!("{}: a host call outside shell/host.rs: {line}", source.name()));
            }
        }
    }
    report(&problems);
}

#[test]
fn control_plane_rooms_stay_apart() {
    let mut problems = Vec::new();
    for source in sources("control-plane/src") {
        let own = source.rooms.first().map(String::as_str).unwrap_or_default();
        for line in source.code() {
            if !source.is_test() && line.contains("sqlx") && own != "store" {
                problems.push(format!("{}: SQL outside store/: {line}", source.name()));
            }
            if line.contains("envoy_types") && !["discovery", "access_log"].contains(&own) {
                problems.push(format!(
                    "{}: protobuf types outside discovery/ and access_log/: {line}",
                    source.name()
                ));
            }
            if source.is_test() || !APART.contains(&own) {
                continue;
            }
            for import in imports(line) {
                if import.first().is_some_and(|other| APART.contains(other) && *other != own) {
                    problems.push(format!("{}: imports a room it must not know: {line}", source.name()));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn every_room_says_what_it_is_for() {
    let problems: Vec<String> = all()
        .iter()
        .filter(|source| !source.is_test() && !source.text.starts_with("//!"))
        .map(|source| format!("{}: has no //! at its top", source.name()))
        .collect();
    report(&problems);
}

#[test]
fn rooms_have_telling_names() {
    let vague = |source: &&Source| {
        let name = source.rooms.last().map(String::as_str).unwrap_or_default();
        VAGUE.contains(&name) || name == "mod"
    };
    let problems: Vec<String> = all()
        .iter()
        .filter(vague)
        .map(|source| format!("{}: a name that says nothing", source.name()))
        .collect();
    report(&problems);
}

#[test]
fn rooms_keep_to_their_size() {
    let mut sizes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for source in all().iter().filter(|source| !source.is_test()) {
        sizes.entry(source.code().len()).or_default().push(source.name());
    }
    let problems: Vec<String> = sizes
        .range(FILE_CAP + 1..)
        .flat_map(|(size, names)| {
            names.iter().map(move |name| format!("{name}: {size} code lines, cap {FILE_CAP}"))
        })
        .collect();
    report(&problems);
    let flat: Vec<usize> = sizes.iter().flat_map(|(size, names)| vec![*size; names.len()]).collect();
    let at = |percent: usize| flat[(flat.len() - 1) * percent / 100];
    assert!(at(50) <= FILE_MEDIAN, "the median file has {} code lines", at(50));
    assert!(at(90) <= FILE_P90, "one file in ten has more than {} code lines", at(90));
}

#[test]
fn nothing_is_left_for_later() {
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat(), ["HA", "CK"].concat()];
    let mut problems = Vec::new();
    for source in all() {
        for (number, line) in source.text.lines().enumerate() {
            let found =
                |word: &String| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word);
            if words.iter().any(found) {
                problems.push(format!("{}:{}: {}", source.name(), number + 1, line.trim()));
            }
        }
    }
    report(&problems);
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_recipe_for_a_dialect_is_true_to_the_tree() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let (_, recipe) = text.split_once("### A new dialect").unwrap();
    let (recipe, _) = recipe.split_once("\n## ").unwrap();
    let lines = recipe.replace("\n  ", " ");
    let mut problems = Vec::new();
    let mut files = 0;
    for line in lines.lines().filter(|line| line.starts_with("* ")) {
        let mut content = String::new();
        for word in quoted(line) {
            let is_path = ["src/", "tests/", "docs/"].iter().any(|root| word.starts_with(root));
            if is_path {
                files += 1;
                match fs::read_to_string(root().join(word)) {
                    Ok(text) => content = text,
                    Err(error) => problems.push(format!("CONTRIBUTING.md: {word}: {error}")),
                }
            } else if word != "make golden" && !content.contains(word) {
                problems.push(format!("CONTRIBUTING.md: {word} does not stand where it says: {line}"));
            }
        }
    }
    assert!(files > 12, "the recipe names only {files} files");
    report(&problems);
}
