# Where backup and restore find the pods: in the cluster of kubectl, or among the containers of docker compose.
# shellcheck shell=bash disable=SC2034

# The images hold no tar and no sqlite3 program; Python does both. The database of one Pi is on the same volume.
PACK='import sys, tarfile
mine = lambda entry: None if entry.name.startswith("./roadside.db") else entry
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar: tar.add("/var/lib/roadside", arcname=".", filter=mine)'
UNPACK='import sys, tarfile
safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar: tar.extractall("/var/lib/roadside", **safe)'
DUMP_SQLITE='import sqlite3, sys
sys.stdout.buffer.write(sqlite3.connect("file:/var/lib/roadside/roadside.db?mode=ro", uri=True).serialize())'
LOAD_SQLITE='import pathlib, sys
place = pathlib.Path("/var/lib/roadside/roadside.db")
place.with_suffix(".new").write_bytes(sys.stdin.buffer.read())
for name in ("-wal", "-shm"): place.with_name(place.name + name).unlink(missing_ok=True)
place.with_suffix(".new").replace(place)'

project="" sqlite=""
while [[ ${1-} == --* ]]; do
  case "$1" in
    --compose) project=${2:?--compose needs the name of the project}; shift 2 ;;
    --sqlite) sqlite=yes; shift ;;
    *) set --; break ;;
  esac
done

run() { # run SERVICE COMMAND...: in its container, standard input and output connected
  local service=$1 container
  shift
  if [ -n "$project" ]; then
    container=$(docker ps --quiet --filter "label=com.docker.compose.project=$project" \
      --filter "label=com.docker.compose.service=$service" | head -n 1)
    [ -n "$container" ] || { echo "no container of $service runs in project $project" >&2; exit 1; }
    docker exec --interactive "$container" "$@"
  else
    case "$service" in
      postgres) kubectl --namespace roadside exec --stdin statefulset/postgres --container postgres -- "$@" ;;
      *) kubectl --namespace roadside exec --stdin "deployment/$service" --container "$service" -- "$@" ;;
    esac
  fi
}
