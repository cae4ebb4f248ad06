#!/usr/bin/env bash
# Has Maven copy Apache Kafka's jars into the cache folder that test/kit/kafka_broker.ts looks into. Once; afterwards it does nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
folder=$here/../../../node_modules/.cache/gridactor-kafka/$version
if [ -e "$folder/complete" ]; then exit 0; fi
mkdir -p "$folder"
mvn --quiet --batch-mode --file "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$folder"
touch "$folder/complete"
