import { type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { Tokens } from "@orders/client";
import { type Config, ours } from "./config.js";

const ADMINS = "admin";
/** Where the page is that a user wanted to see before the sign-in. */
interface State {
  path: string;
}

/** The signed-in customer, and the ways in and out. */
export interface Session {
  /** Whether somebody is signed in. */
  readonly isSignedIn: boolean;
  readonly userId: string;
  readonly email: string;
  readonly isAdmin: boolean;
  /** Returns the tokens that @orders/client needs. */
  readonly tokens: Tokens;
  /** Opens the sign-in page. The user returns to `path`. */
  signIn(path?: string): Promise<void>;
  /** Ends the session here and on the sign-in page. */
  signOut(): Promise<void>;
}

const UNREACHABLE = "We can't reach the sign-in page. Please check your connection and try again.";

/** What the page does when the session changes. */
export interface SessionListener {
  /** The session has ended. */
  ended(): void;
  /** Shows a message. */
  say(text: string): void;
}

/** Returns the session. Completes a sign-in if the sign-in page has just sent the user back. */
export async function startSession(config: Config, { ended, say }: SessionListener): Promise<Session> {
  const manager = new UserManager({
    ...config.oidc,
    redirect_uri: ours(config.redirectUris, "redirectUris"),
    // Tokens end with the tab. The library renews them a minute before they expire.
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    automaticSilentRenew: true,
    revokeTokensOnSignout: true,
    // Cognito revokes the access token together with its refresh token, and refuses to revoke the access token alone.
    revokeTokenTypes: ["refresh_token"],
  });
  let user = await arrived(manager);
  let renewal: Promise<User | null> | undefined;

  manager.events.addUserLoaded((renewed) => {
    user = renewed;
  });
  manager.events.addUserUnloaded(() => {
    user = null;
    ended();
  });

  /** Renews the tokens. Requests that fail at the same time share one renewal. */
  function renewed(): Promise<User | null> {
    renewal ??= manager
      .signinSilent()
      // The refresh token is used up or revoked: only a new sign-in helps, and the API's 401 leads there.
      .catch(() => null)
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  }

  return {
    get isSignedIn() {
      return user !== null;
    },
    get userId() {
      return user?.profile.sub ?? "";
    },
    get email() {
      return user?.profile.email ?? "";
    },
    get isAdmin() {
      const groups: unknown = user?.profile["cognito:groups"];
      return Array.isArray(groups) && groups.includes(ADMINS);
    },
    tokens: async (use, { refresh }) => {
      const holder = refresh ? await renewed() : user;
      return use === "id" ? holder?.id_token : holder?.access_token;
    },
    signIn: (path = location.pathname + location.search) => {
      const state: State = { path };
      return manager.signinRedirect({ state }).catch(() => say(UNREACHABLE));
    },
    signOut: async () => {
      // Cognito needs these parameters instead of those of OpenID Connect.
      const extraQueryParams = { client_id: config.oidc.client_id, logout_uri: ours(config.logoutUris, "logoutUris") };
      await manager.signoutRedirect({ extraQueryParams }).catch(() => say(UNREACHABLE));
    },
  };
}

async function arrived(manager: UserManager): Promise<User | null> {
  if (location.pathname !== "/callback") return storedUser(manager);
  try {
    const user = await manager.signinCallback();
    const state = user?.state as State | undefined;
    history.replaceState(null, "", state?.path ?? "/");
    return user ?? null;
  } catch {
    // The callback was opened again, from the history or a bookmark. The sign-in itself may still be good.
    history.replaceState(null, "", "/");
    return storedUser(manager);
  }
}

async function storedUser(manager: UserManager): Promise<User | null> {
  const user = await manager.getUser();
  // Even an expired user has a refresh token, which the first request then uses.
  return user?.refresh_token || (user && !user.expired) ? user : null;
}
