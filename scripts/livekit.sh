#!/bin/sh
# Installs the LiveKit that the calls' benchmark runs beside ours, once, and
# prints its path.
set -eu
version=v1.8.4
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.tools/bin
if [ ! -x "$bin/livekit-server" ]; then
	echo "installing livekit-server $version (some minutes, once) …" >&2
	mkdir -p "$bin"
	# In a module of its own: its dependencies are no business of ours.
	(cd "${TMPDIR:-/tmp}" && GOFLAGS=-mod=mod GOWORK=off GOBIN="$bin" go install "github.com/livekit/livekit-server/cmd/server@$version") >&2
	mv "$bin/server" "$bin/livekit-server"
fi
echo "$bin/livekit-server"
