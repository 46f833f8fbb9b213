#!/bin/sh
# Installs the chart.
set -eu
name=${1:-"shelf"} # the release
helm install "$name" . --set 'a="b"' --set c=d#e
