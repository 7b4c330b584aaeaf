/** The value of one of the colour names of styles.css, for what is drawn on a canvas. */
export function color(name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
