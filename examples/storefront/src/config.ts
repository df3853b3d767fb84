/** The settings in /config.json, which `make frontend` writes and the site serves. */
export interface Config {
  readonly restApi: { readonly url: string };
  readonly httpApi: { readonly url: string };
  readonly oidc: {
    readonly authority: string;
    readonly metadataUrl: string;
    readonly client_id: string;
    readonly response_type: string;
    readonly scope: string;
  };
  readonly redirectUris: readonly string[];
  readonly logoutUris: readonly string[];
}

/** Returns the settings of the stack that this site belongs to. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("/config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`/config.json: got status ${response.status}`);
  return (await response.json()) as Config;
}

/** Returns the address of this site in a list of allowed addresses. Throws if the stack does not allow this site. */
export function ours(addresses: readonly string[], setting: string): string {
  const found = addresses.find((each) => new URL(each).origin === location.origin);
  if (found) return found;
  throw new Error(`${setting}: got ${location.origin}; allowed: ${addresses.join(", ")}`);
}
