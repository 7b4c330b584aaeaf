//! Writes the table of the dashboard's files, with the compressed variant beside each where there is one. The files are
//! copied first, so that a rebuild of the dashboard cannot remove them during the compile.
//!
//! Without `dashboard/dist` the table is empty and the server has a page of its own that explains how to build the dashboard.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let dist = here.join("../../dashboard/dist");
    // A missing path would make cargo run this at every build; an empty one makes it wait for a change.
    if let Err(error) = fs::create_dir_all(&dist) {
        println!("cargo::warning=no folder for the dashboard: {error}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let copies = out.join("dist");
    if copies.is_dir() {
        fs::remove_dir_all(&copies)?;
    }
    let mut names = Vec::new();
    if dist.is_dir() {
        copy(&dist, &copies, "", &mut names)?;
    }
    names.sort();
    fs::write(out.join("assets.rs"), table(&names))
}

/// Copies all files beneath a folder and notes their names below it.
fn copy(from: &Path, to: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{prefix}{file}");
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(&file), &format!("{name}/"), names)?;
        } else {
            let _ = fs::copy(entry.path(), to.join(&file))?;
            names.push(name);
        }
    }
    Ok(())
}

/// The table, in the order of the names.
fn table(names: &[String]) -> String {
    let include = |name: &str| {
        let path = format!("/dist/{name}");
        format!("include_bytes!(concat!(env!(\"OUT_DIR\"), {path:?}))")
    };
    let rows = names
        .iter()
        .filter(|name| !name.ends_with(".gz"))
        .map(|name| {
            let compressed = format!("{name}.gz");
            let gzip = match names.binary_search(&compressed) {
                Ok(_) => format!("Some({})", include(&compressed)),
                Err(_) => "None".to_owned(),
            };
            let bytes = include(name);
            format!("    Asset {{ path: {name:?}, bytes: {bytes}, gzip: {gzip} }},\n")
        });
    format!("&[\n{}]\n", rows.collect::<String>())
}
