import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { defineConfig, type Plugin, type ProxyOptions } from "vite";

/** Folder with the files of `make frontend`. `make storefront` sets it. */
const FOLDER = process.env["ORDERS_FRONTEND"];

/** Folder with the security policy of the site on AWS. */
const SITE = join(import.meta.dirname, "../../components/site");

/** The part of the stack output `frontend` that the server needs. */
interface Frontend {
  restApi: { url: string };
  httpApi: { url: string };
  auth: { hostedUiUrl: string; discoveryUrl: string };
}

interface Middlewares {
  middlewares: { use(handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void): void };
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

function frontendOf(folder: string): Frontend {
  return JSON.parse(read(folder, "frontend.json")) as Frontend;
}

/** Serves /config.json. The file is read for each request, so a new `make frontend` needs no restart. */
function runtimeConfig(folder: string): Plugin {
  // Vite would call a returned value later, so the function returns nothing.
  const serve = ({ middlewares }: Middlewares): void => {
    middlewares.use((request, response, next) => {
      if (request.url?.split("?")[0] !== "/config.json") return next();
      response.setHeader("Content-Type", "application/json");
      response.setHeader("Cache-Control", "no-store");
      response.end(read(folder, "config.json"));
    });
  };
  return { name: "runtime-config", configureServer: serve, configurePreviewServer: serve };
}

/** Returns the headers that components/site sets on AWS, so that the built pages are tested with the same policy. */
function securityHeaders({ auth }: Frontend): Record<string, string> {
  const directives = JSON.parse(read(SITE, "content_security_policy.json")) as string[];
  const signIn = new Set([auth.hostedUiUrl, auth.discoveryUrl].map((url) => new URL(url).origin));
  return {
    "Content-Security-Policy": directives.join("; ").replace("${sign_in}", [...signIn].join(" ")),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
  };
}

/** Forwards /api/rest and /api/http to the two APIs, as the site does on AWS. No request is then cross-origin. */
function proxies({ restApi, httpApi }: Frontend): Record<string, ProxyOptions> {
  const to = (path: string, url: string): ProxyOptions => {
    const { origin, pathname } = new URL(url);
    return {
      target: origin,
      changeOrigin: true,
      rewrite: (found) => pathname.replace(/\/$/, "") + found.slice(path.length),
      // The APIs would check the origin of the page, although the page's requests are not cross-origin.
      headers: { Origin: origin },
    };
  };
  return { "/api/rest": to("/api/rest", restApi.url), "/api/http": to("/api/http", httpApi.url) };
}

export default defineConfig(({ command, isPreview }) => {
  if (command === "build") return { build: { target: "es2023", modulePreload: { polyfill: false } } };
  if (!FOLDER) throw new Error("ORDERS_FRONTEND: not set; start the shop with `make storefront`");
  // `make storefront` holds the other end of this pipe, which is closed even if the command is killed.
  process.stdin.on("end", () => process.exit()).resume();
  const frontend = frontendOf(FOLDER);
  const server = { host: "127.0.0.1", strictPort: true, proxy: proxies(frontend) };
  return {
    clearScreen: false,
    plugins: [runtimeConfig(FOLDER)],
    server,
    preview: { ...server, headers: isPreview ? securityHeaders(frontend) : {} },
  };
});
