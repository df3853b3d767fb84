#!/bin/sh
# Writes a page for each OpenAPI document to .build/docs. Usage: pages.sh DIRECTORY, where DIRECTORY contains the npm
# packages. The pages need no network, because each page contains Redoc.
set -eu
pages=.build/docs
REDOCLY_TELEMETRY=off
REDOCLY_SUPPRESS_UPDATE_NOTICE=true
export REDOCLY_TELEMETRY REDOCLY_SUPPRESS_UPDATE_NOTICE
mkdir -p $pages
for name in rest-api http-api; do
    said=$(.venv/bin/node "$1/node_modules/@redocly/cli/bin/cli.js" build-docs "contracts/$name.yaml" --inlineBundle \
        --output "$pages/$name.html" 2>&1) || {
        printf 'error: cannot build the page of contracts/%s.yaml: %s\n' "$name" "$said" >&2
        exit 1
    }
done
cp tools/openapi/index.html $pages
echo "Open $pages/index.html in a browser."
