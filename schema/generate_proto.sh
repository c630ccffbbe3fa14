#!/bin/sh
# Generates *_pb2.py and *_pb2.pyi beside the .proto files, with protoc 4.25: its code runs on
# every protobuf from 4.25 on, which training images pin to all sorts of versions. That protoc
# wants protobuf 4 for itself, so it lives in an environment of its own.
#
#   schema/generate_proto.sh [OUTPUT]      OUTPUT defaults to the schema folder
#
# $PYTHON (default python3) makes the environment; $PROTO_ENV keeps it between runs.
set -eu
schema=$(cd "$(dirname "$0")" && pwd)
output=${1:-$schema}
keep=${PROTO_ENV:-}
environment=${keep:-$(mktemp -d)}
[ -n "$keep" ] || trap 'rm -rf "$environment"' EXIT

if [ ! -x "$environment/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$environment"
fi
# setuptools 81 dropped pkg_resources, which these tools import.
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    'setuptools<81' 'grpcio-tools==1.62.3'
cd "$schema"
"$environment/bin/python" -m grpc_tools.protoc -I . \
    --python_out="$output" --pyi_out="$output" orgboard_schema/wire/*.proto
# The stubs name `Mapping` without its arguments, which mypy's strict mode minds.
for stub in "$output"/orgboard_schema/wire/*_pb2.pyi; do
    { echo '# mypy: disable-error-code="type-arg"'; cat "$stub"; } >"$stub.new"
    mv "$stub.new" "$stub"
done
