import assert from "node:assert/strict";

/** How long a customer waits until the page shows something. */
const WAIT_MS = 5000;

/** Elements by the role that they have for a screen reader. */
const ROLES = {
  alert: "[role=alert]",
  button: "button",
  combobox: "select",
  dialog: "dialog[open]",
  form: "form",
  heading: "h1, h2, h3",
  link: "a[href]",
  listitem: "li",
  radio: "input[type=radio]",
  spinbutton: "input[type=number]",
  status: "[role=status]",
  textbox: "input[type=text]",
} as const;

export type Role = keyof typeof ROLES;

/** Returns what a customer reads in an element. */
export function textOf(element: Node): string {
  if (element.nodeType === Node.TEXT_NODE) return element.textContent ?? "";
  if (element instanceof Element && element.matches("[aria-hidden=true], noscript, option")) return "";
  return [...element.childNodes].map(textOf).join(" ").replace(/\s+/g, " ").trim();
}

/** Returns the name of an element: that of its label, or its own text. */
function nameOf(element: Element): string {
  const label =
    document.getElementById(element.getAttribute("aria-labelledby") ?? "") ??
    document.querySelector(`label[for="${element.id}"]`) ??
    (element.matches("input") ? element.closest("label") : null);
  return element.getAttribute("aria-label") ?? textOf(label ?? element);
}

/** Returns the elements that have this role now, and this name. A list item also has the names of its headings. */
export function all(role: Role, name?: string | RegExp, at: ParentNode = document): HTMLElement[] {
  const fits = (element: Element): boolean => {
    if (name === undefined) return true;
    const names = [element, ...(role === "listitem" ? element.querySelectorAll(ROLES.heading) : [])].map(nameOf);
    return names.some((each) => (typeof name === "string" ? each === name : name.test(each)));
  };
  return [...at.querySelectorAll<HTMLElement>(ROLES[role])].filter(fits);
}

/** Returns the only element with this role and name, as soon as the page shows it. */
export async function find(role: Role, name?: string | RegExp, at?: ParentNode): Promise<HTMLElement> {
  const [found] = await until(
    () => all(role, name, at),
    ({ length }) => length === 1,
    `one ${role} ${String(name ?? "")}`,
  );
  assert.ok(found);
  return found;
}

/** Checks that the page has no element with this role and name now. */
export function lacks(role: Role, name?: string | RegExp): void {
  assert.equal(all(role, name).length, 0, `the page shows a ${role} ${String(name ?? "")}`);
}

/** Waits until an element shows this text, and returns everything that it shows. */
export function sees(text: string | RegExp, at: Element = document.body): Promise<string> {
  const fits = (shown: string): boolean => (typeof text === "string" ? shown.includes(text) : text.test(shown));
  return until(() => textOf(at), fits, String(text));
}

/** Clicks an element as soon as the page shows it. */
export async function click(role: Role, name: string | RegExp, at?: ParentNode): Promise<void> {
  (await find(role, name, at)).click();
}

/** Replaces the value of a field or of a list of choices. */
export async function enter(value: string, role: Role, label: string, at?: ParentNode): Promise<void> {
  const field = (await find(role, label, at)) as HTMLInputElement | HTMLSelectElement;
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Returns the value of a field. */
export async function valueOf(role: Role, label: string, at?: ParentNode): Promise<string> {
  return ((await find(role, label, at)) as HTMLInputElement | HTMLSelectElement).value;
}

/** Returns the message at a field. */
export async function messageAt(role: Role, label: string, at?: ParentNode): Promise<string> {
  const field = await find(role, label, at);
  const message = document.getElementById(field.getAttribute("aria-describedby") ?? "");
  assert.equal(field.hasAttribute("aria-invalid"), message?.textContent !== "", label);
  return message?.textContent ?? "";
}

async function until<Value>(read: () => Value, fits: (value: Value) => boolean, what: string): Promise<Value> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const value = read();
    if (fits(value)) return value;
    assert.ok(Date.now() < end, `the page does not show ${what}, but: ${textOf(document.body)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
