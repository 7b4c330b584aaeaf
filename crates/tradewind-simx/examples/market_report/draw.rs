//! As much of SVG as the report needs: a frame with axes, lines, points, bars and a grid of colours. Texts are plain, so
//! that a picture reads on a light and on a dark page.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// A span of values on an axis, and what stands beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis<'a> {
    /// What it measures.
    pub(crate) label: &'a str,
    /// Its least and greatest value.
    pub(crate) span: (f64, f64),
    /// How far apart its marks are.
    pub(crate) step: f64,
}

/// A picture being drawn.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    body: String,
    x: Axis<'a>,
    y: Axis<'a>,
}

impl<'a> Plot<'a> {
    /// A frame with a title, axes and marks.
    pub(crate) fn new(title: &str, x: Axis<'a>, y: Axis<'a>) -> Self {
        let mut plot = Self {
            body: head(WIDTH, HEIGHT, title),
            x,
            y,
        };
        plot.frame();
        plot
    }

    /// A line through points; colours are SVG's.
    pub(crate) fn line(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        color: &str,
        width: f64,
    ) {
        let path: Vec<String> = points
            .into_iter()
            .map(|(x, y)| format!("{:.1},{:.1}", self.across(x), self.up(y)))
            .collect();
        self.put(format_args!(
            r#"<polyline fill="none" stroke="{color}" stroke-width="{width}" points="{}"/>"#,
            path.join(" ")
        ));
    }

    /// Points, all in one path: a picture of thousands stays small.
    pub(crate) fn points(&mut self, points: impl IntoIterator<Item = (f64, f64)>, color: &str) {
        let path: String = points
            .into_iter()
            .map(|(x, y)| format!("M{:.0} {:.0}h0", self.across(x) * 4.0, self.up(y) * 4.0))
            .collect();
        self.put(format_args!(
            r#"<path transform="scale(.25)" stroke="{color}" stroke-opacity="0.4" stroke-width="14" stroke-linecap="round" d="{path}"/>"#
        ));
    }

    /// A bar from the lower edge, `width` values wide with `x` in its middle.
    pub(crate) fn bar(&mut self, (x, y): (f64, f64), width: f64, color: &str) {
        let (left, right) = (self.across(x - width / 2.0), self.across(x + width / 2.0));
        let (top, foot) = (self.up(y), HEIGHT - BOTTOM);
        self.put(format_args!(
            r#"<rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" fill="{color}"/>"#,
            right - left,
            foot - top
        ));
    }

    /// What a colour means; entries stand below each other.
    pub(crate) fn legend(&mut self, place: u32, color: &str, text: &str) {
        let (x, y) = (WIDTH - 240.0, TOP + 16.0 + 18.0 * f64::from(place));
        self.put(format_args!(
            r#"<rect x="{x}" y="{}" width="18" height="4" fill="{color}"/><text x="{}" y="{y}">{text}</text>"#,
            y - 6.0,
            x + 24.0
        ));
    }

    /// The finished picture.
    pub(crate) fn finish(mut self) -> String {
        self.body.push_str("</svg>\n");
        self.body
    }

    fn frame(&mut self) {
        let (right, foot) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for value in marks(self.x) {
            let (x, text) = (self.across(value), number(value));
            self.put(format_args!(
                r#"<path class="grid" d="M{x:.1} {TOP}V{foot}"/><text x="{x:.1}" y="{}" text-anchor="middle">{text}</text>"#,
                foot + 16.0
            ));
        }
        for value in marks(self.y) {
            let (y, text) = (self.up(value), number(value));
            self.put(format_args!(
                r#"<path class="grid" d="M{LEFT} {y:.1}H{right}"/><text x="{}" y="{:.1}" text-anchor="end">{text}</text>"#,
                LEFT - 6.0,
                y + 4.0
            ));
        }
        let (x, y) = (self.x.label, self.y.label);
        let middle = TOP + (foot - TOP) / 2.0;
        self.put(format_args!(
            r#"<text x="{}" y="{}" text-anchor="middle">{x}</text><text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{y}</text>"#,
            LEFT + (right - LEFT) / 2.0,
            HEIGHT - 10.0
        ));
    }

    fn across(&self, x: f64) -> f64 {
        let (least, most) = self.x.span;
        LEFT + (x - least) / (most - least) * (WIDTH - LEFT - RIGHT)
    }

    /// Values beyond the axis are drawn at its end.
    fn up(&self, y: f64) -> f64 {
        let (least, most) = self.y.span;
        let share = (y.clamp(least, most) - least) / (most - least);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("writing to memory cannot fail");
    }
}

/// A square of colours, one for each pair of names; values are between 0 and 1.
pub(crate) fn square(title: &str, names: &[&str], value: impl Fn(usize, usize) -> f64) -> String {
    const CELL: f64 = 20.0;
    const EDGE: f64 = 56.0;
    let size = EDGE + CELL * names.len() as f64 + 12.0;
    let mut body = head(size, size + TOP, title);
    let mut put = |element: std::fmt::Arguments<'_>| {
        writeln!(body, "{element}").expect("writing to memory cannot fail");
    };
    for (row, name) in names.iter().enumerate() {
        let y = TOP + EDGE + CELL * row as f64;
        put(format_args!(
            r#"<text x="{}" y="{}" text-anchor="end">{name}</text>"#,
            EDGE - 4.0,
            y + 14.0
        ));
        let x = EDGE + CELL * row as f64 + 14.0;
        put(format_args!(
            r#"<text transform="translate({x} {}) rotate(-90)">{name}</text>"#,
            TOP + EDGE - 4.0
        ));
        for column in 0..names.len() {
            let value = value(row, column).clamp(0.0, 1.0);
            let (x, percent) = (EDGE + CELL * column as f64, libm::round(value * 100.0));
            put(format_args!(
                r##"<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="#1f6feb" fill-opacity="{value:.2}"/><text class="cell" x="{}" y="{}">{percent}</text>"##,
                x + CELL / 2.0,
                y + 13.0
            ));
        }
    }
    body.push_str("</svg>\n");
    body
}

fn head(width: f64, height: f64, title: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<style>rect.page{{fill:#fff}}text{{fill:#24292f}}.grid{{stroke:#d0d7de}}.cell{{font-size:9px;text-anchor:middle}}</style>
<rect class="page" width="{width}" height="{height}"/>
<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{title}</text>
"##
    )
}

/// Multiples of the step within the span.
fn marks(axis: Axis<'_>) -> impl Iterator<Item = f64> {
    let (least, most) = axis.span;
    let first = libm::ceil(least / axis.step - 1e-9);
    std::iter::successors(Some(first), |mark| Some(mark + 1.0))
        .map(move |mark| mark * axis.step)
        .take_while(move |value| *value <= most + axis.step * 1e-9)
}

/// A mark's text, without the noise of its arithmetic.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.replace("-0", if text == "-0" { "0" } else { "-0" })
}
