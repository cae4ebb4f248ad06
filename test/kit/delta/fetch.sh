#!/usr/bin/env bash
# Puts readers of other projects, for tests of the tables we write, beside the modules: delta-rs and DuckDB, in a Python of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
readers=node_modules/.cache/gridactor-readers/2
if [ -e "$readers/complete" ]; then exit 0; fi
rm -rf "$readers"
python3 -m venv "$readers"
"$readers/bin/pip" install --quiet --disable-pip-version-check deltalake==1.6.6 duckdb==2.0.0 pytz==2026.6
touch "$readers/complete"
