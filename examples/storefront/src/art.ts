import { s } from "./dom.js";

/** Number of palettes in styles.css (`.art-0` and so on). */
const PALETTES = 6;

/** Returns a number that is always the same for a text (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  // The last rounds of MurmurHash spread similar ids over all drawings.
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

const path = (d: string, color: string): SVGElement => s("path", { d, class: color });
const circle = (cx: number, cy: number, r: number, color: string): SVGElement => s("circle", { cx, cy, r, class: color });

/** The drawings: things on a table, from a few shapes each. */
const DRAWINGS: readonly (() => SVGElement[])[] = [
  // A bowl.
  () => [path("M44 92h112a56 56 0 0 1-112 0z", "art-main"), path("M84 146h32v8H84z", "art-dark"), path("M44 92h112v9H45z", "art-dark")],
  // A cup with steam.
  () => [
    path("M62 84h64v44a28 28 0 0 1-28 26h-8a28 28 0 0 1-28-26z", "art-main"),
    path("M126 94h8a18 18 0 0 1 0 36h-9v-9h9a9 9 0 0 0 0-18h-8z", "art-dark"),
    path("M82 72c-7-9 7-15 0-26h6c8 11-6 17 1 26zM103 72c-7-9 7-15 0-26h6c8 11-6 17 1 26z", "art-accent"),
  ],
  // A bottle and a pear.
  () => [
    path("M64 154V96c0-12 12-16 12-28V48h20v20c0 12 12 16 12 28v58z", "art-main"),
    path("M76 48h20v-9H76z", "art-dark"),
    path("M134 154c-19 0-25-13-23-26 2-12 14-14 15-27 1-8 15-8 16 0 1 13 14 15 16 27 2 13-5 26-24 26z", "art-accent"),
    path("M133 95c0-8 3-13 9-15l2 4c-5 2-6 6-6 11z", "art-dark"),
  ],
  // A teapot.
  () => [
    path("M56 112a44 42 0 0 1 88 0c0 24-14 42-44 42s-44-18-44-42z", "art-main"),
    path("M60 120c-16 0-18-20-30-24l5-10c20 4 20 18 32 20z", "art-main"),
    path("M62 82c4-44 72-44 76 0h-9c-6-30-52-30-58 0z", "art-dark"),
    path("M78 76a24 12 0 0 1 44 0z", "art-accent"),
    circle(100, 61, 6, "art-accent"),
  ],
  // Leaves.
  () => [
    path("M98 154V58h5v96z", "art-dark"),
    path("M100 132c-34 2-50-14-52-42 32 0 50 14 52 42z", "art-main"),
    path("M101 116c0-30 16-48 50-50 0 32-18 50-50 50z", "art-accent"),
    path("M100 88c-20-10-22-28-2-50 20 22 20 40 2 50z", "art-main"),
  ],
  // Fruit.
  () => [
    circle(82, 116, 38, "art-main"),
    circle(134, 126, 28, "art-accent"),
    path("M80 82c0-14 4-22 14-28l5 6c-8 5-11 11-11 22z", "art-dark"),
    path("M92 70c10-14 24-16 36-10-8 14-22 16-36 10z", "art-accent"),
  ],
];

/** Returns the picture of a product. Products have no photos, so the picture is drawn from the product's id. */
export function productArt(productId: string, label = ""): SVGElement {
  const seed = hash(productId);
  const drawing = DRAWINGS[Math.floor(seed / PALETTES) % DRAWINGS.length] ?? DRAWINGS[0]!;
  const sun = { x: 40 + ((seed >>> 8) % 120), y: 44 + ((seed >>> 16) % 24), r: 18 + ((seed >>> 20) % 12) };
  const name = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return s(
    "svg",
    { viewBox: "0 0 200 200", class: `art art-${seed % PALETTES}`, preserveAspectRatio: "xMidYMid slice", ...name },
    s("rect", { width: 200, height: 200, class: "art-ground" }),
    circle(sun.x, sun.y, sun.r, "art-sun"),
    s("rect", { y: 154, width: 200, height: 46, class: "art-table" }),
    s("g", {}, ...drawing()),
  );
}
