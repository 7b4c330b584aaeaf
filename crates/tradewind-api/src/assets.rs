//! The dashboard's files, compiled in.

/// A file of the dashboard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    /// Its path below the root: `assets/index-1a2b3c.js`.
    pub(crate) path: &'static str,
    pub(crate) bytes: &'static [u8],
    /// The same, compressed.
    pub(crate) gzip: Option<&'static [u8]>,
}

/// All of them, by path; empty if the dashboard was not built. Written by `build.rs`.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What is shown in the dashboard's place when it was not built.
pub(crate) const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Tradewind</title>
<h1>The desk is running, without its dashboard</h1>
<p>This binary was built without Node, so the dashboard is not in it. With Node 20.19 or later, <code>make build</code>
(or <code>make run</code>) puts it in.</p>
<p>Everything else works: the command line (<code>tradewind status</code>), and the API at <code>/api/v1</code>, described
in <code>docs/api.md</code>.</p>
</html>
";

impl Asset {
    /// The file at this path.
    pub(crate) fn find(path: &str) -> Option<&'static Self> {
        let index = ASSETS.binary_search_by(|asset| asset.path.cmp(path));
        index.ok().map(|index| &ASSETS[index])
    }

    /// What it is, by the end of its name.
    pub(crate) fn content_type(&self) -> &'static str {
        let end = self.path.rsplit_once('.').map_or("", |(_, end)| end);
        match end {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" | "map" | "webmanifest" => "application/json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/x-icon",
            "woff2" => "font/woff2",
            "woff" => "font/woff",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }

    /// How long it may be kept: for ever if its name changes with its content.
    pub(crate) fn cache_control(&self) -> &'static str {
        if self.path.starts_with("assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(path: &'static str) -> Asset {
        Asset {
            path,
            bytes: b"",
            gzip: None,
        }
    }

    #[test]
    fn kinds_and_caching_follow_from_the_name() {
        let script = asset("assets/index-1a2b3c.js");
        assert_eq!(script.content_type(), "text/javascript; charset=utf-8");
        assert!(script.cache_control().contains("immutable"));
        let page = asset("index.html");
        assert_eq!(page.content_type(), "text/html; charset=utf-8");
        assert_eq!(page.cache_control(), "no-cache");
        assert_eq!(asset("x").content_type(), "application/octet-stream");
    }

    #[test]
    fn the_table_is_in_the_order_it_is_searched_in() {
        assert!(ASSETS.is_sorted_by_key(|asset| asset.path));
    }
}
