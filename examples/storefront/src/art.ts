import { s } from "./dom.js";

/** Number of palettes in styles.css (`.art-0` and so on). */
const PALETTES = 6;
/** Chosen so that the seeded products have different palettes. */
const SEED = 3189;

/** Returns a number that is always the same for a text (FNV-1a, then the last rounds of MurmurHash). */
function hash(text: string): number {
  let value = SEED;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

const path = (d: string, color: string): SVGElement => s("path", { d, class: color });
const circle = (cx: number, cy: number, r: number, color: string): SVGElement =>
  s("circle", { cx, cy, r, class: color });
const box = (x: number, y: number, width: number, height: number, rx: number, color: string): SVGElement =>
  s("rect", { x, y, width, height, rx, class: color });

type Drawing = () => SVGElement[];

/** Drawings by words in a product's id. The first match counts. */
const NAMED: readonly (readonly [RegExp, Drawing])[] = [
  [
    /kettle|teapot/,
    () => [
      path("M56 112a44 42 0 0 1 88 0c0 24-14 42-44 42s-44-18-44-42z", "art-main"),
      path("M60 120c-16 0-18-20-30-24l5-10c20 4 20 18 32 20z", "art-main"),
      path("M62 82c4-44 72-44 76 0h-9c-6-30-52-30-58 0z", "art-dark"),
      path("M78 76a24 12 0 0 1 44 0z", "art-accent"),
      circle(100, 61, 6, "art-accent"),
    ],
  ],
  [
    /whisk|brush/,
    () => [
      path("M78 96h44l14 58H64z", "art-main"),
      path("M86 98h5l-6 56h-5zM98 98h4v56h-4zM109 98h5l6 56h-5z", "art-dark"),
      path("M84 50h32l6 42H78z", "art-accent"),
      box(76, 88, 48, 10, 5, "art-dark"),
    ],
  ],
  [
    /cup|mug|coffee/,
    () => [
      path("M62 84h64v44a28 28 0 0 1-28 26h-8a28 28 0 0 1-28-26z", "art-main"),
      path("M126 94h8a18 18 0 0 1 0 36h-9v-9h9a9 9 0 0 0 0-18h-8z", "art-dark"),
      path("M82 72c-7-9 7-15 0-26h6c8 11-6 17 1 26zM103 72c-7-9 7-15 0-26h6c8 11-6 17 1 26z", "art-accent"),
    ],
  ],
  [
    /tea|matcha|leaf|herb|plant/,
    () => [
      path("M98 154V58h5v96z", "art-dark"),
      path("M100 132c-34 2-50-14-52-42 32 0 50 14 52 42z", "art-main"),
      path("M101 116c0-30 16-48 50-50 0 32-18 50-50 50z", "art-accent"),
      path("M100 88c-20-10-22-28-2-50 20 22 20 40 2 50z", "art-main"),
    ],
  ],
  [
    /bento|box|tin/,
    () => [
      box(46, 120, 108, 34, 6, "art-main"),
      box(46, 84, 108, 34, 6, "art-accent"),
      box(52, 68, 96, 14, 6, "art-dark"),
      box(92, 68, 16, 86, 0, "art-dark"),
      path("M100 68c-24 2-34-8-30-22 16-2 28 8 30 22 2-14 14-24 30-22 4 14-6 24-30 22z", "art-main"),
    ],
  ],
  [
    /apple|fruit|pear|yuzu|plum/,
    () => [
      circle(82, 116, 38, "art-main"),
      circle(134, 126, 28, "art-accent"),
      path("M80 82c0-14 4-22 14-28l5 6c-8 5-11 11-11 22z", "art-dark"),
      path("M92 70c10-14 24-16 36-10-8 14-22 16-36 10z", "art-accent"),
    ],
  ],
  [
    /bottle|sake|vase|oil|soy/,
    () => [
      path("M64 154V96c0-12 12-16 12-28V48h20v20c0 12 12 16 12 28v58z", "art-main"),
      path("M76 48h20v-9H76z", "art-dark"),
      circle(134, 130, 24, "art-accent"),
    ],
  ],
  [
    /bowl|plate|dish|rice/,
    () => [
      path("M44 92h112a56 56 0 0 1-112 0z", "art-main"),
      box(84, 146, 32, 8, 0, "art-dark"),
      box(44, 88, 112, 9, 4, "art-dark"),
    ],
  ],
];

/** Drawings of nothing in particular, for all other products. */
const ABSTRACT: readonly Drawing[] = [
  () => [
    path("M60 154a40 22 0 0 1 80 0z", "art-main"),
    s("ellipse", { cx: 100, cy: 122, rx: 31, ry: 15, class: "art-accent" }),
    s("ellipse", { cx: 96, cy: 96, rx: 21, ry: 12, class: "art-dark" }),
  ],
  () => [
    path("M48 154v-46a34 34 0 0 1 68 0v46h-17v-46a17 17 0 0 0-34 0v46z", "art-main"),
    path("M108 154v-26a24 24 0 0 1 48 0v26z", "art-accent"),
    path("M120 154v-26a12 12 0 0 1 24 0v26z", "art-dark"),
  ],
  () => [
    path("M50 154 92 74l42 80z", "art-main"),
    circle(134, 128, 26, "art-accent"),
    box(84, 138, 16, 16, 0, "art-dark"),
  ],
  () => [box(52, 90, 44, 64, 22, "art-main"), box(104, 64, 44, 90, 22, "art-accent"), circle(74, 74, 14, "art-dark")],
];

/** Returns the picture of a product. Products have no photos, so the picture is drawn from the product's id. */
export function productArt(productId: string): SVGElement {
  const seed = hash(productId);
  const named = NAMED.find(([words]) => words.test(productId.toLowerCase()))?.[1];
  const drawing = named ?? ABSTRACT[Math.floor(seed / PALETTES) % ABSTRACT.length];
  const sun = { x: 40 + ((seed >>> 8) % 120), y: 64 + ((seed >>> 16) % 20), r: 18 + ((seed >>> 20) % 12) };
  return s(
    "svg",
    // The name of the product is always beside its picture.
    {
      viewBox: "0 0 200 200",
      class: `art art-${seed % PALETTES}`,
      preserveAspectRatio: "xMidYMax slice",
      "aria-hidden": "true",
    },
    s("rect", { width: 200, height: 200, class: "art-ground" }),
    circle(sun.x, sun.y, sun.r, "art-sun"),
    s("rect", { y: 154, width: 200, height: 46, class: "art-table" }),
    s("g", {}, ...(drawing?.() ?? [])),
  );
}
