// Each API requires its own token of the same session.
const call = (url, token, options = {}) =>
  fetch(url, { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } });

export const apis = (config, tokens) => ({
  rest: async (path, options) => call(config.restApi.url + path, (await tokens()).id, options),
  http: async (path, options) => call(config.httpApi.url + path, (await tokens()).access, options),
});
