#!/bin/sh
# Installs the InfluxDB that the tests run against, once, and prints its path.
# 1.8.10 is the last one that the Go toolchain builds by itself.
set -eu
version=v1.8.10
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.tools/bin
if [ ! -x "$bin/influxd" ]; then
	echo "installing influxd $version (a minute or two, once) …" >&2
	mkdir -p "$bin"
	# In a module of its own: the tool's old dependencies are no business of ours.
	(cd "${TMPDIR:-/tmp}" && GOFLAGS=-mod=mod GOWORK=off GOBIN="$bin" go install "github.com/influxdata/influxdb/cmd/influxd@$version") >&2
fi
echo "$bin/influxd"
