"""What somebody does with pytruenas, a client that others wrote. Prints one JSON object."""

import json
import sys

import pytruenas

url, ca, key = sys.argv[1:]
nas = pytruenas.TrueNASClient(url, verify=ca, credentials=pytruenas.APIKeyAuth(key, "admin"))
parent, dataset, snapshot = "tank/k8s/nfs/v", "tank/k8s/nfs/v/py", "tank/k8s/nfs/v/py@one"

seen = {
    "version": nas.api.system.version(),
    "me": nas.me()["pw_name"],
    "ping": nas.ping(),
    "created": nas.api.pool.dataset.create({"name": dataset})["id"],
    "datasets": [row["id"] for row in nas.api.pool.dataset.query([["id", "^", parent]], {"order_by": ["id"]})],
    "snapshot": nas.api.pool.snapshot.create({"dataset": dataset, "name": "one"})["id"],
}
found = nas.api.pool.snapshot.query([["id", "=", snapshot]], {"get": True})
# The client makes a time of "$date" by itself.
seen["year"] = found["properties"]["creation"]["parsed"].year
seen["cloned"] = nas.api.pool.snapshot.clone({"snapshot": snapshot, "dataset_dst": f"{parent}/clone"})
try:
    nas.api.pool.snapshot.delete(snapshot)
except pytruenas.ValidationErrors as error:
    seen["refused"] = str(error)
try:
    nas.api.pool.dataset.delete(dataset, {"recursive": True})
except pytruenas.ClientException as error:
    seen["errno"] = error.errno
seen["deleted"] = [
    nas.api.pool.dataset.delete(f"{parent}/clone"),
    nas.api.pool.snapshot.delete(snapshot),
    nas.api.pool.dataset.delete(dataset),
]
nas.logout()
nas.close()

try:
    pytruenas.TrueNASClient(url, verify=ca, credentials=pytruenas.APIKeyAuth("1-" + "z" * 64, "admin")).me()
except pytruenas.AuthenticationError as error:
    seen["stranger"] = str(error)
print(json.dumps(seen))
