#!/bin/sh
# Makes the .env that docker-compose.yml reads: fresh random secrets, readable by you alone, never committed.
set -eu
cd "$(dirname "$0")/.."

if [ -e .env ] && grep -q '^PULSO_INFLUX_TOKEN=' .env; then
  echo ".env has a PULSO_INFLUX_TOKEN already; nothing was changed."
  exit 0
fi

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
cat >> .env <<EOF
PULSO_INFLUX_ORG=pulso
PULSO_INFLUX_BUCKET=pulso
PULSO_INFLUX_TOKEN=$(random)
INFLUX_ADMIN_PASSWORD=$(random)
EOF
echo "Made .env with a fresh token and password for InfluxDB. Next: docker compose up --build"
