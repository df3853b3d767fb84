import { loadConfig } from "./config.js";
import { byId, fill, h } from "./dom.js";
import { say, watchNetwork } from "./layout.js";
import { pageHead } from "./parts.js";
import { openShop } from "./router.js";
import { startSession } from "./session.js";

async function start(): Promise<void> {
  watchNetwork();
  const config = await loadConfig();
  const session = await startSession(config, { ended: () => show(), say });
  const show = openShop(session);
}

start().catch((error: unknown) => {
  const reload = h("button", { type: "button", class: "button", onclick: () => location.reload() }, "Reload");
  const reason = error instanceof Error ? error.message : String(error);
  const message = h("div", { class: "message message-bad", role: "alert" }, h("p", null, reason), reload);
  fill(byId("main"), h("div", { class: "page" }, pageHead("The shop could not start"), message));
});
