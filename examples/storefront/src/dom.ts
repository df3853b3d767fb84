/** What an element can contain. */
export type Content = Node | string | number | false | null | undefined | Content[];

type Handlers = { [Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => void };
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/** Returns an HTML element: `h("button", { type: "button", onclick: add }, "Add")`. Texts are never parsed as HTML. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: (Attributes & Handlers) | null = null,
  ...content: Content[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  append(element, content);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Returns an SVG element. Colors come from classes in styles.css, so that they follow light and dark. */
export function s(tag: string, attributes: Record<string, string | number> = {}, ...content: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...content);
  return element;
}

/** Replaces the content of an element. A heading that has the focus passes the focus on to the new heading. */
export function fill(element: Element, ...content: Content[]): void {
  // A new page focuses its heading. Without this, the focus would be lost when the page's data arrives.
  const isHeading = document.activeElement?.tagName === "H1" && element.contains(document.activeElement);
  element.replaceChildren();
  append(element, content);
  if (isHeading) element.querySelector("h1")?.focus({ preventScroll: true });
}

/** Returns the element with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element with the id ${id}`);
  return found;
}

function setAttribute(element: Element, name: string, value: string | number | boolean | null | undefined): void {
  if (value === undefined || value === null || value === false) return;
  element.setAttribute(name, value === true ? "" : String(value));
}

function append(element: Element, content: Content[]): void {
  for (const each of content) {
    if (Array.isArray(each)) append(element, each);
    else if (each instanceof Node) element.append(each);
    else if (each !== undefined && each !== null && each !== false) element.append(String(each));
  }
}
