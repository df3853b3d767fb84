/** The kind of token that an API requires: the ID token for the REST API, the access token for the HTTP API. */
export type TokenUse = "id" | "access";

/**
 * Returns the signed-in user's token of a kind, or undefined if nobody is signed in.
 * If `refresh` is true, the API refused the previous token or the token has expired: get a new one from the user pool.
 */
export type Tokens = (use: TokenUse, options: { refresh: boolean }) => Token | Promise<Token>;
type Token = string | null | undefined;

interface Claims {
  exp?: unknown;
  token_use?: unknown;
  scope?: unknown;
}

const SCOPE = "email";
const HEADER = "Authorization";

/** Returns a fetch that adds the user's token to each request, and repeats a request once if its token was refused. */
export function authorized(use: TokenUse, tokens: Tokens, send: typeof fetch): (request: Request) => Promise<Response> {
  // Requests that are sent at the same time share one refresh, because a page often sends several.
  let refreshing: Promise<Token> | undefined;
  const refreshed = (): Promise<Token> => {
    refreshing ??= (async () => tokens(use, { refresh: true }))().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };
  return async (request) => {
    let token = await tokens(use, { refresh: false });
    // The page can't read the HTTP API's response to an expired token across origins, so the check is also made here.
    const isExpired = !!token && expired(token);
    if (isExpired) token = await refreshed();
    // Without a token, the response would be 401, which the page can't read across origins.
    if (!token) return refused(401, "Unauthorized");
    const problem = wrongToken(token, use);
    if (problem) return problem;

    const again = request.clone();
    request.headers.set(HEADER, `Bearer ${token}`);
    const response = await send(request);
    if (response.status !== 401 || isExpired) return response;
    const fresh = await refreshed();
    if (!fresh || fresh === token) return response;
    again.headers.set(HEADER, `Bearer ${fresh}`);
    return send(again);
  };
}

function refused(status: number, message: string): Response {
  return Response.json({ message }, { status });
}

/** Returns the response that the gateway would return for a token of the wrong kind or without the scope. */
function wrongToken(token: string, use: TokenUse): Response | undefined {
  const claims = claimsOf(token);
  if (!claims) return undefined;
  const { token_use: actual, scope } = claims;
  if (typeof actual === "string" && actual !== use) {
    return refused(401, `This API requires the ${use} token, and the token is the ${actual} token`);
  }
  if (use === "access" && typeof scope === "string" && !scope.split(" ").includes(SCOPE)) {
    // Amplify's sign-in with a password returns such tokens.
    return refused(403, `The access token lacks the scope ${SCOPE}; sign in on the hosted page with this scope`);
  }
  return undefined;
}

function expired(token: string): boolean {
  const expires = claimsOf(token)?.exp;
  return typeof expires === "number" && expires * 1000 <= Date.now();
}

/** Returns the claims of a JSON Web Token without a check of its signature, or undefined if it is no such token. */
function claimsOf(token: string): Claims | undefined {
  const [, payload] = token.split(".");
  if (!payload) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
