//! The Python package, which the binary brings along, and the lines that load it from a socket.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Each file of the package with its text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/package.rs"));

/// What the interpreter runs: it reads the package from descriptor 0, so that nothing is written to a disk, and serves.
pub(crate) const BOOTSTRAP: &str = include_str!("bootstrap.py");

/// Names a folder whose package is used in place of the binary's: for work on the package without a build.
const FOLDER: &str = "TRADEWIND_PYTHON_DIR";

/// What the bootstrap reads: a length, and a JSON object of all files.
pub(crate) fn parcel() -> std::io::Result<Vec<u8>> {
    let mut files: Map<String, Value> = FILES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Value::from(*text)))
        .collect();
    if let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) {
        files.clear();
        read(&folder, &folder.join("tradewind"), &mut files)?;
    }
    let json = Value::Object(files).to_string();
    let length = u32::try_from(json.len()).expect("the package is smaller than 4 GiB");
    let mut out = length.to_le_bytes().to_vec();
    out.extend_from_slice(json.as_bytes());
    Ok(out)
}

fn read(root: &Path, folder: &Path, files: &mut Map<String, Value>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .display()
                .to_string();
            files.insert(name, Value::from(std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
