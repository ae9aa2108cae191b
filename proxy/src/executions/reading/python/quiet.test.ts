import { describe, expect, it } from 'vitest'
import { readPython } from './index.ts'

const HEAD =
  'import json, os, re, sys, time, requests, urllib.request\nargs = json.loads(os.environ.get("OAUTH3_ARGS", "{}"))\n'

describe('what stays quiet', () => {
  it.each([
    '# eval(exec("rm")) and subprocess.run\n"""exec("x")"""\nprint("eval this")',
    'α, β = 0.5, 2.0\nΔ = α * β ** 2\nprint(Δ)',
    'µ = 1e-6\nprint(µ)',
    'naïve = "caf\\u00e9"\nprint(naïve)',
    're.compile(r"\\d+").match("1")',
    'print(getattr(args, "name", None))',
    'import importlib.metadata\nprint(importlib.metadata.version("requests"))',
    'import pickle\nprint(len(pickle.dumps(args)))',
    'import ast\nprint(ast.literal_eval("1"))',
    'print(json.loads("{}").get("a"))',
    'print(type(args).__name__, args.__class__.__name__)',
    'print("3 < 4", "\u2014", "ok 👍")',
    'for attempt in range(3):\n  try:\n    requests.get("https://a.com/x")\n    break\n  except OSError:\n    time.sleep(2 ** attempt)',
    'import random\nfor i in range(3):\n  r = requests.get("https://a.com/x")\n  if r.ok: break\n  time.sleep(random.random())',
    'end = time.time() + 60\nwhile time.time() < end:\n  if requests.get("https://a.com/x").json()["done"]: break\n  time.sleep(1)',
    'cursor = None\nwhile True:\n  d = requests.get("https://a.com/x", params={"c": cursor}).json()\n  cursor = d["next"]\n  if not cursor: break',
    'token = os.environ.get("TOKEN")\nif not token: sys.exit("no token")\nrequests.get("https://a.com/x", headers={"Authorization": token})',
    'if args.get("send"): requests.post("https://a.com/x")',
    'from datetime import datetime, timedelta\nsince = (datetime.now() - timedelta(days=1)).isoformat()\nd = requests.get("https://a.com/x?since=" + since).json()\nif len(d) > 0: requests.post("https://a.com/y")',
    'class Q:\n  def __init__(self): self.page = 0\n  def next(self):\n    self.page += 1\n    if self.page < 9: return requests.get("https://a.com/x")\nQ().next()',
    'if __name__ == "__main__":\n  requests.get("https://a.com/x")',
    'class N(urllib.request.HTTPRedirectHandler):\n  def redirect_request(self, *a): return None\nurllib.request.build_opener(N).open("https://a.com/x")',
    'class E(json.JSONEncoder):\n  def default(self, o): return str(o)\nprint(json.dumps(args, cls=E))',
    'sys.stdout.reconfigure(encoding="utf-8")\nprint(1)',
    'def f(id, type, input, filter): return (id, type, input, filter)\nprint(f(1, 2, 3, 4))',
    'if args.get("q") == "a b": print(1)',
    'x1, x2, xl = 1, 2, 3\nprint(x1, x2)',
    'requests.post("https://a.com/search", json={"query": "shoes"})',
    'match args:\n  case {"a": [1, *rest]} if rest: print(rest)\n  case {}: print(0)\n  case str(): print(1)',
    'with open("/tmp/a") as (f), open("/tmp/b") as g: print(f, g)',
    'def f(a, /, b, *, c=1): return (y := a) + b + c\nprint(f(1, 2))',
    'async def f():\n  return [x async for x in f() if x]\nprint(f)',
    'x = 1 + \\\n  2\nprint(f"{x!r:>{x}} {{}} {\'a\'}")',
    'def g():\n  x = yield\n  yield\n  return x\nprint(list(g()), 1./3.)',
    'class T:\n  def __init__(self): self.until = 0\n  def get(self):\n    if time.time() >= self.until:\n      d = requests.post("https://a.com/token").json()\n      self.until = time.time() + d["expires_in"]\n    return self.until\nprint(T().get())',
    'from datetime import datetime\nprint("Good morning" if datetime.now().hour < 12 else "Hello")\nrequests.post("https://a.com/x", json={"day": datetime.now().isoformat()})',
    'import hashlib, hmac\nprint(hmac.new(b"k", b"m", hashlib.sha256).hexdigest())',
    'from html import unescape\nprint(unescape("&amp;"))',
    'import numpy as np\nprint(np.mean([1, 2]))',
    'from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(): return requests.get("https://a.com/x").json()\nprint(f())',
  ])('%s', (code) => {
    const { readable, dangers } = readPython(HEAD + code)
    expect(dangers).toEqual([])
    expect(readable).toBe(true)
  })
})
