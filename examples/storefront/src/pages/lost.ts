import { fill } from "../dom.js";
import { link, pageHead } from "../parts.js";
import type { Page } from "../shop.js";

/** The page for addresses that do not exist. */
export const lostPage: Page = {
  title: "Page not found",
  show: (at) => {
    fill(
      at,
      pageHead("There is nothing here", "The address may have a typing error, or the page is gone."),
      link("/", "See all products", "button"),
    );
  },
};
