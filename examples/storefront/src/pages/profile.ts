import { ApiError, type NewUser, type OrdersClient, unwrap, type User, validateNewUser } from "@orders/client";
import { fill, h } from "../dom.js";
import { failure } from "../failures.js";
import { complain, inputField } from "../fields.js";
import { day } from "../format.js";
import { busy, loading, pageHead } from "../parts.js";
import type { Page, Shop } from "../shop.js";

const INTRO = "We write to this address when an order is confirmed, declined or cancelled.";

/** The customer's name and address for emails. */
export const profilePage: Page = {
  title: "Profile",
  show: async (at, shop) => {
    fill(at, pageHead("Profile", INTRO), loading("your profile", "rows"));
    const user = await profileOf(shop);
    if (user) showProfile(at, user);
    else showForm(at, shop);
  },
};

async function profileOf({ client, session }: Shop): Promise<User | undefined> {
  try {
    return await unwrap(client.rest.GET("/users/{user_id}", { params: { path: { user_id: session.userId } } }));
  } catch (error) {
    if (error instanceof ApiError && error.code === "UserNotFound") return undefined;
    throw error;
  }
}

function showProfile(at: HTMLElement, user: User): void {
  fill(
    at,
    pageHead("Profile", INTRO),
    h(
      "dl",
      { class: "panel facts" },
      h("dt", null, "Name"),
      h("dd", null, user.name),
      h("dt", null, "Email"),
      h("dd", null, user.email),
      h("dt", null, "Customer since"),
      h("dd", null, day(user.created_at)),
    ),
  );
}

function showForm(at: HTMLElement, shop: Shop): void {
  const { email } = shop.session;
  const name = inputField("Name", { name: "name", autocomplete: "name", required: true });
  // The platform accepts only the verified address of the sign-in.
  const address = inputField("Email", { name: "email", value: email, readonly: true });
  const outcome = h("div", { class: "outcome" });
  const button = h("button", { type: "submit", class: "button" }, "Create profile");
  const form = h(
    "form",
    { class: "panel form", novalidate: true },
    h("p", null, "You can also order without a profile, but then we can't write to you."),
    name.element,
    address.element,
    outcome,
    h("p", { class: "actions" }, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body: NewUser = { name: name.control.value.trim(), email };
    if (!complain(validateNewUser(body), { "/name": name, "/email": address })) return;
    void busy(button, "Creating…", async () => {
      fill(outcome);
      try {
        showProfile(at, await create(shop.client, body));
        shop.say("Your profile is ready.");
        at.querySelector("h1")?.focus();
      } catch (error) {
        fill(outcome, failure(shop, error));
      }
    });
  });
  fill(at, pageHead("Profile", INTRO), form);
}

function create(client: OrdersClient, body: NewUser): Promise<User> {
  return unwrap(client.rest.POST("/users", { body }));
}
