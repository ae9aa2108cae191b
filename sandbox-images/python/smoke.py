import json
import os

print("hello", json.loads(os.environ["OAUTH3_ARGS"])["to"])
