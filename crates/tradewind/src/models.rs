//! Versions of trained models: folders beside the configuration that `tradewind train` writes and bots of `model:NAME` load.
//!
//! `models/NAME/3/` holds `model.pkl`, the script as `train.py`, the rows as `rows.csv`, and `model.json` with what is to be known of
//! the version. A folder with another name is none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tradewind_model::Interval;

/// The folder of all models, beside the configuration.
const FOLDER: &str = "models";
/// What a version is described in.
pub(crate) const DESCRIPTION: &str = "model.json";

/// What `strategy = "model:NAME"` names; `model:NAME@3` pins a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelReference {
    pub(crate) name: String,
    pub(crate) version: Option<u32>,
}

impl ModelReference {
    /// Reads a strategy's name; `None` for one that names no model.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("model:")?;
        let (name, version) = match rest.split_once('@') {
            Some((name, version)) => (name, Some(version.parse().ok()?)),
            None => (rest, None),
        };
        Some(Self {
            name: name.to_owned(),
            version,
        })
    }
}

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelVersion {
    pub(crate) folder: PathBuf,
    pub(crate) version: u32,
    /// Expressions by name.
    pub(crate) features: BTreeMap<String, String>,
    pub(crate) timeframe: Interval,
    /// SHA-256 of the model's file.
    pub(crate) hash: String,
    /// The interpreter that it was trained with, as configured.
    pub(crate) python: String,
}

/// The folder of a model's versions.
pub(crate) fn folder_of(configuration: &Path, name: &str) -> PathBuf {
    configuration.join(FOLDER).join(name)
}

/// The versions in a model's folder, ascending.
pub(crate) fn versions(folder: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |entry: std::fs::DirEntry| {
        let is_whole = entry.path().join(DESCRIPTION).is_file();
        entry
            .file_name()
            .to_str()?
            .parse()
            .ok()
            .filter(|_| is_whole)
    };
    let mut versions: Vec<u32> = entries.filter_map(number).collect();
    versions.sort_unstable();
    versions
}

/// Reads the version that is named, or the newest one. An error is a problem and its cure.
pub(crate) fn open(
    configuration: &Path,
    reference: &ModelReference,
) -> Result<ModelVersion, (String, String)> {
    let name = &reference.name;
    let folder = folder_of(configuration, name);
    let known = versions(&folder);
    let train = || format!("run tradewind train {name}");
    let Some(newest) = known.last() else {
        return Err((
            format!("no version of the model {name:?} in {}", folder.display()),
            train(),
        ));
    };
    let version = reference.version.unwrap_or(*newest);
    if !known.contains(&version) {
        let there: Vec<String> = known.iter().map(ToString::to_string).collect();
        let what = format!("the model {name:?} has no version {version}");
        return Err((what, format!("its versions are {}", there.join(", "))));
    }
    let folder = folder.join(version.to_string());
    let damaged = |what: String| (format!("{}: {what}", folder.display()), train());
    let text = std::fs::read_to_string(folder.join(DESCRIPTION));
    let text = text.map_err(|error| damaged(error.to_string()))?;
    let read: Value = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let text = |key: &str| {
        let text = read[key].as_str().map(str::to_owned);
        text.ok_or_else(|| damaged(format!("{DESCRIPTION} has no {key}")))
    };
    let timeframe = text("timeframe")?;
    let timeframe = timeframe
        .parse()
        .map_err(|_| damaged(format!("no candles of {timeframe:?}")))?;
    let features = read["features"].as_object().into_iter().flatten();
    let features =
        features.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
    let absolute = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
    Ok(ModelVersion {
        version,
        features: features.collect(),
        timeframe,
        hash: text("model_sha256")?,
        python: text("interpreter")?,
        folder: absolute,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_model_and_perhaps_a_version() {
        let check = |text: &str, wanted: Option<(&str, Option<u32>)>| {
            let read = ModelReference::parse(text);
            let wanted = wanted.map(|(name, version)| ModelReference {
                name: name.to_owned(),
                version,
            });
            assert_eq!(read, wanted, "{text}");
        };
        check("model:dip", Some(("dip", None)));
        check("model:dip@3", Some(("dip", Some(3))));
        check("model:dip@new", None);
        check("rules", None);
    }

    #[test]
    fn the_newest_version_is_taken_unless_one_is_named() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let reference = |version| ModelReference {
            name: "dip".to_owned(),
            version,
        };
        let error = open(folder.path(), &reference(None)).unwrap_err();
        assert!(error.1.contains("tradewind train dip"), "{error:?}");
        for version in ["2", "10", ".partial"] {
            let of = folder_of(folder.path(), "dip").join(version);
            std::fs::create_dir_all(&of)?;
            let text = serde_json::json!({
                "timeframe": "1h", "features": { "r": "rsi(14)" }, "model_sha256": version, "interpreter": "python3",
            });
            std::fs::write(of.join(DESCRIPTION), text.to_string())?;
        }
        let newest = open(folder.path(), &reference(None)).unwrap();
        assert_eq!((newest.version, newest.hash.as_str()), (10, "10"));
        assert_eq!(newest.features["r"], "rsi(14)");
        assert_eq!(open(folder.path(), &reference(Some(2))).unwrap().version, 2);
        let error = open(folder.path(), &reference(Some(3))).unwrap_err();
        assert_eq!(error.1, "its versions are 2, 10");
        Ok(())
    }
}
