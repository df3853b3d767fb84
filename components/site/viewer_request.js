// CloudFront runs this function for each request of a viewer, before it looks for the response in its cache.
//
// Each API of the distribution has a path of its own, which the API itself does not know: the request
// /api/http/products becomes /products. A path without a file extension is a page of the single-page application, which
// has one document for all pages. The program replaces ${viewer_address} with the name of a header.
// CloudFront functions are written in JavaScript (ECMAScript 5.1 with additions).
function handler(event) {
  var request = event.request;
  var api = /^\/api\/(?:rest|http)(\/.*)?$/.exec(request.uri);
  if (api) {
    request.uri = api[1] || '/';
    // AWS WAF in front of the REST API limits the requests of one address. Without this header, it would see the address
    // of CloudFront instead.
    request.headers['${viewer_address}'] = { value: event.viewer.ip };
  } else if (!/\.[^/]+$/.test(request.uri)) {
    request.uri = '/index.html';
  }
  return request;
}
