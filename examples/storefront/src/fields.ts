import type { Violation } from "@orders/client";
import { h } from "./dom.js";

type Attributes = Record<string, string | number | boolean | null>;

/** A labelled control with room for a message. */
export interface Field {
  readonly element: HTMLElement;
  readonly control: HTMLInputElement | HTMLSelectElement;
  /** Shows a message about the value, or none. */
  complain(text: string | undefined): void;
}

let fields = 0;

/** Returns a labelled text or number field. */
export function inputField(label: string, attributes: Attributes): Field {
  return field(label, h("input", { type: "text", autocomplete: "off", ...attributes }));
}

/** Returns a labelled list of choices. */
export function selectField(label: string, choices: readonly string[], attributes: Attributes): Field {
  const { value, ...others } = attributes;
  const options = choices.map((each) => h("option", { value: each }, each));
  const control = h("select", others, ...options);
  // happy-dom, which runs the tests, selects another option if one is selected while the list still grows.
  options.find((each) => each.value === value)?.setAttribute("selected", "");
  return field(label, control);
}

function field(label: string, control: HTMLInputElement | HTMLSelectElement): Field {
  fields += 1;
  control.id = `field-${fields}`;
  control.classList.add("control");
  const message = h("span", { class: "field-message", id: `${control.id}-message` });
  control.setAttribute("aria-describedby", message.id);
  return {
    element: h("div", { class: "field" }, h("label", { for: control.id }, label), control, message),
    control,
    complain: (text) => {
      message.textContent = text ?? "";
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

/** Shows each violation of the contract at its field, and moves the focus to the first. Returns whether all is well. */
export function complain(found: readonly Violation[], byPointer: Readonly<Record<string, Field>>): boolean {
  for (const each of Object.values(byPointer)) each.complain(undefined);
  for (const { pointer, rule, limit } of found) {
    const field = byPointer[pointer];
    field?.complain(field.control.value.trim() === "" ? "Please fill this in." : inWords(rule, limit));
  }
  Object.values(byPointer)
    .find(({ control }) => control.hasAttribute("aria-invalid"))
    ?.control.focus();
  return found.length === 0;
}

function inWords(rule: string, limit: unknown): string {
  const texts: Record<string, string> = {
    maxLength: `At most ${String(limit)} characters, please.`,
    minimum: `Please enter ${String(limit)} or more.`,
    maximum: `Please enter ${String(limit)} or less.`,
    type: "Please enter a number.",
    pattern: "Some of these characters are not allowed here.",
    enum: "Please choose one of the list.",
  };
  return texts[rule] ?? "Please check this value.";
}
