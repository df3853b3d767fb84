import { UserManager } from "oidc-client-ts";

const config = await (await fetch("/config.json")).json();
const ofThisOrigin = (uris) => uris.find((uri) => uri.startsWith(`${window.location.origin}/`));
const manager = new UserManager({ ...config.oidc, redirect_uri: ofThisOrigin(config.redirectUris) });

if (window.location.pathname === "/callback") {
  await manager.signinCallback();
  window.history.replaceState({}, "", "/");
}

const signIn = () => manager.signinRedirect();

const tokens = async () => {
  const user = await manager.getUser();
  return user && { id: user.id_token, access: user.access_token };
};

const signOut = async () => {
  await manager.revokeTokens(["refresh_token"]);
  // Cognito requires these two parameters, and ignores the parameters of OpenID Connect.
  const extraQueryParams = { client_id: config.oidc.client_id, logout_uri: ofThisOrigin(config.logoutUris) };
  await manager.signoutRedirect({ extraQueryParams });
};

// The rest of this file is for the tests.
import { apis } from "./apis.js";
import { buy, clientOf } from "./order.js";

window.session = {
  ...apis(config, tokens),
  signIn,
  signOut,
  tokens,
  refresh: () => manager.signinSilent(),
  buy: (productId) => buy(clientOf(config, manager), productId),
  refreshToken: async () => (await manager.getUser()).refresh_token,
};
document.title = (await tokens()) ? "signed in" : "signed out";
