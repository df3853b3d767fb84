import { productArt } from "../art.js";
import { fill, h } from "../dom.js";
import type { Page } from "../shop.js";

const SHOWN = ["teapot", "matcha-whisk", "green-tea", "apple", "bento", "rice-bowl"];
const POINTS = [
  ["Prices that stay", "You pay the total that you see at checkout. If a price changes first, we ask you again."],
  ["An answer in seconds", "Each order is confirmed or declined while you watch. We never sell what we don't have."],
  ["Change your mind", "Cancel with one click. What you ordered goes straight back on the shelf."],
] as const;

/** The page for visitors who are not signed in. */
export const landingPage: Page = {
  title: "Tea, and the things to make it with",
  show: (at, { session }) => {
    // After the sign-in, the visitor sees the page whose address was opened.
    const signIn = (): void => void session.signIn();
    fill(
      at,
      h(
        "section",
        { class: "hero" },
        h(
          "div",
          { class: "hero-text" },
          h("h1", { tabindex: -1 }, "Tea, and the things to make it with"),
          h("p", { class: "lead" }, "A small shop for slow mornings: leaves, bowls and cast iron, a few of each."),
          h(
            "p",
            { class: "actions" },
            h("button", { type: "button", class: "button button-large", onclick: signIn }, "Sign in to shop"),
          ),
        ),
        h("div", { class: "hero-art" }, ...SHOWN.map((each) => productArt(each))),
      ),
      h(
        "section",
        { class: "points", "aria-label": "How the shop works" },
        ...POINTS.map(([title, text]) => h("div", { class: "point" }, h("h2", null, title), h("p", null, text))),
      ),
    );
  },
};
