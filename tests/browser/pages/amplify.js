import "aws-amplify/auth/enable-oauth-listener";
import { Amplify } from "aws-amplify";
import { fetchAuthSession, signInWithRedirect, signOut as signOutOfAmplify } from "aws-amplify/auth";
import { parseAmplifyConfig } from "aws-amplify/utils";

const load = async (path) => (await fetch(path)).json();
const config = await load("/config.json");
const amplify = parseAmplifyConfig(await load("/amplify_outputs.json"));
// amplify_outputs.json has no field for the address of Cognito's API, which is not AWS's in a local stack.
amplify.Auth.Cognito.userPoolEndpoint = config.userPoolEndpoint;
Amplify.configure(amplify);

const signIn = () => signInWithRedirect();

const tokens = async () => {
  const session = await fetchAuthSession();
  return session.tokens && { id: session.tokens.idToken.toString(), access: session.tokens.accessToken.toString() };
};

const signOut = () => {
  // Amplify chooses the first sign-out URI that begins with the address of the current page, so the page must be "/".
  window.history.replaceState({}, "", "/");
  return signOutOfAmplify();
};

// The rest of this file is for the tests.
import { apis } from "./apis.js";

window.session = {
  ...apis(config, tokens),
  signIn,
  signOut,
  tokens,
  refresh: () => fetchAuthSession({ forceRefresh: true }),
};
document.title = (await tokens()) ? "signed in" : "signed out";
