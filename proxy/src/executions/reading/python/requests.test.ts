import { describe, expect, it } from 'vitest'
import { readPython } from './index.ts'

const HEAD = 'import json, os, urllib.request\nargs = json.loads(os.environ["OAUTH3_ARGS"])\n'

/** `METHOD host/path` for each request, `?source` where a part is open. */
const seen = (code: string): string[] =>
  readPython(HEAD + code).requests.map(
    (one) =>
      `${one.websocket ? 'WS ' : ''}${one.method ?? `?${one.methodFrom}`} ${one.host ?? `?${one.hostFrom}`}${one.path ?? ` ?${one.pathFrom}`}${one.graphql === null ? '' : ` ${one.graphql}`}`,
  )

const A = 'GET a.com/x'

describe('requests that are read', () => {
  it.each<[string, string[]]>([
    // Clients.
    ['urllib.request.urlopen("https://a.com/x")', [A]],
    ['urllib.request.urlopen("https://a.com/x", data=b"1")', ['POST a.com/x']],
    ['urllib.request.urlopen("https://a.com/x", None)', [A]],
    ['urllib.request.urlopen(urllib.request.Request("https://a.com/x", method="PUT"))', ['PUT a.com/x']],
    ['urllib.request.urlopen(urllib.request.Request("https://a.com/x", b"1", {"A": "b"}))', ['POST a.com/x']],
    [
      'r = urllib.request.Request("https://a.com/x")\nr.get_method = lambda: "DELETE"\nurllib.request.urlopen(r)',
      ['DELETE a.com/x'],
    ],
    [
      'class R(urllib.request.Request):\n  def get_method(self): return "DELETE"\nurllib.request.urlopen(R("https://a.com/x"))',
      ['DELETE a.com/x'],
    ],
    ['urllib.request.build_opener().open("https://a.com/x")', [A]],
    ['urllib.request.urlretrieve("https://a.com/x", "/tmp/x")', [A]],
    ['from urllib.request import urlopen as u\nu("https://a.com/x")', [A]],
    ['import urllib.request as r\nr.urlopen("https://a.com/x")', [A]],
    ['getattr(urllib.request, "url" + "open")("https://a.com/x")', [A]],
    [
      'import http.client\nc = http.client.HTTPSConnection("a.com")\nc.request("PUT", "/x?y=1")',
      ['PUT a.com/x'],
    ],
    [
      'from http.client import HTTPSConnection\nHTTPSConnection("a.com", 8443).request("GET", "/x")',
      ['GET a.com:8443/x'],
    ],
    [
      'import http.client\nc = http.client.HTTPSConnection("proxy.com")\nc.set_tunnel("a.com")\nc.request("GET", "/x")',
      [A],
    ],
    ['import requests\nrequests.get("https://a.com/x")', [A]],
    ['import requests\nrequests.request("delete", url="https://a.com/x")', ['DELETE a.com/x']],
    ['import requests\ns = requests.Session()\ns.patch("https://a.com/x")', ['PATCH a.com/x']],
    ['import requests\nwith requests.Session() as s:\n  s.head("https://a.com/x")', ['HEAD a.com/x']],
    ['import requests\nclass S(requests.Session): pass\nS().put("https://a.com/x")', ['PUT a.com/x']],
    ['import httpx\nc = httpx.Client(base_url="https://a.com/v1")\nc.post("/x")', ['POST a.com/v1/x']],
    [
      'import aiohttp, asyncio\nasync def main():\n  async with aiohttp.ClientSession() as s:\n    async with s.get("https://a.com/x") as r: return await r.json()\nasyncio.run(main())',
      [A],
    ],
    ['import urllib3\nurllib3.PoolManager().request("GET", "https://a.com/x")', [A]],
    ['import websockets\nwebsockets.connect("wss://a.com/x")', ['WS GET a.com/x']],
    ['def go(client):\n  client.post("https://a.com/x")\nprint(go)', ['POST a.com/x']],
    // Folding.
    ['B = "https://a.com"\nurllib.request.urlopen(B + "/x")', [A]],
    ['urllib.request.urlopen("https://%s/%s" % ("a.com", "x"))', [A]],
    ['urllib.request.urlopen("https://{}/{p}".format("a.com", p="x"))', [A]],
    ['h = "a.com"\nurllib.request.urlopen(f"https://{h}/x")', [A]],
    ['urllib.request.urlopen("/".join(["https:", "", "a.com", "x"]))', [A]],
    ['urllib.request.urlopen("HTTPS://A.COM/x".lower())', [A]],
    ['urllib.request.urlopen("x/moc.a//:sptth"[::-1])', [A]],
    ['urllib.request.urlopen("https://b.com/x".replace("b", "a", ))', [A]],
    ['c = {"api": {"host": "https://a.com"}}\nurllib.request.urlopen(c["api"]["host"] + "/x")', [A]],
    ['c = ["https://a.com", "/x"]\nurllib.request.urlopen(c[0] + c[-1])', [A]],
    ['a, b = "https://a.com", "/x"\nurllib.request.urlopen(a + b)', [A]],
    ['from urllib.parse import urljoin\nurllib.request.urlopen(urljoin("https://a.com/v1/", "/x"))', [A]],
    ['from urllib.parse import quote\nurllib.request.urlopen("https://a.com/" + quote("x"))', [A]],
    [
      'from urllib.parse import urlencode\nurllib.request.urlopen("https://a.com/x?" + urlencode({"a": args["q"]}))',
      [A],
    ],
    [
      'from enum import Enum\nclass M(Enum):\n  P = "PATCH"\nurllib.request.urlopen(urllib.request.Request("https://a.com/x", method=M.P.value))',
      ['PATCH a.com/x'],
    ],
    ['urllib.request.urlopen("https://a.com/" + ("x" if args else "y"))', [A, 'GET a.com/y']],
    ['for p in ["/x", "/y"]: urllib.request.urlopen("https://a.com" + p)', [A, 'GET a.com/y']],
    [
      'for m, p in [("PUT", "/x"), ("DELETE", "/y")]: urllib.request.urlopen(urllib.request.Request("https://a.com" + p, method=m))',
      ['PUT a.com/x', 'DELETE a.com/y'],
    ],
    [
      'urls = ["https://a.com/" + p for p in ("x", "y")]\nfor u in urls: urllib.request.urlopen(u)',
      [A, 'GET a.com/y'],
    ],
    [
      'm = {"a": "GET", "b": "PUT"}[args["m"]]\nurllib.request.urlopen(urllib.request.Request("https://a.com/x", method=m))',
      [A, 'PUT a.com/x'],
    ],
    ['import base64\nurllib.request.urlopen(base64.b64decode("aHR0cHM6Ly9hLmNvbS94").decode())', [A]],
    ['urllib.request.urlopen(bytes.fromhex("68747470733a2f2f612e636f6d2f78").decode())', [A]],
    ['import codecs\nurllib.request.urlopen(codecs.decode("uggcf://n.pbz/k", "rot13"))', [A]],
    // Calls that are followed.
    [
      'def send(m, p="/x", **kw): return urllib.request.urlopen(urllib.request.Request("https://a.com" + p, method=m))\nsend("GET")\nsend(p="/y", m="POST")',
      [A, 'POST a.com/y'],
    ],
    [
      'class C:\n  def __init__(self, base="https://a.com"): self.base = base\n  def get(self, p): return urllib.request.urlopen(self.base + p)\nC().get("/x")',
      [A],
    ],
    [
      'class B:\n  base = "https://a.com"\n  def get(self, p): return urllib.request.urlopen(self.base + p)\nclass C(B):\n  def x(self): return self.get("/x")\nC().x()',
      [A],
    ],
    [
      'class C:\n  def get(self, p): return urllib.request.urlopen("https://a.com" + p)\n  @property\n  def x(self): return self.get("/x")\nprint(C().x)',
      [A],
    ],
    [
      'from dataclasses import dataclass\n@dataclass\nclass C:\n  base: str = "https://b.com"\n  def x(self): return urllib.request.urlopen(self.base + "/x")\nC("https://a.com").x()',
      [A],
    ],
    [
      'def retry(f):\n  def run(*a, **k): return f(*a, **k)\n  return run\n@retry\ndef get(p): return urllib.request.urlopen("https://a.com" + p)\nget("/x")',
      [A],
    ],
    [
      'from concurrent.futures import ThreadPoolExecutor\ndef get(p): return urllib.request.urlopen("https://a.com" + p)\nwith ThreadPoolExecutor() as e: list(e.map(get, ["/x"]))',
      [A],
    ],
    ['import functools\nget = functools.partial(urllib.request.urlopen, "https://a.com/x")\nget()', [A]],
    [
      'import threading\nthreading.Thread(target=urllib.request.urlopen, args=("https://a.com/x",)).start()',
      [A],
    ],
    [
      'def pages():\n  while True:\n    yield urllib.request.urlopen("https://a.com/x")\nfor page in pages(): print(page)',
      [A],
    ],
    [
      'class L:\n  def __getattr__(self, name): return urllib.request.urlopen("https://a.com/" + name)\nL().x',
      [A],
    ],
    ['def unused(m, u): return urllib.request.urlopen(urllib.request.Request(u, method=m))', []],
    ['@lambda f: urllib.request.urlopen("https://a.com/x")\ndef g(): pass', [A]],
    ['import operator, requests\noperator.methodcaller("get", "https://a.com/x")(requests)', [A]],
    // Open parts.
    ['urllib.request.urlopen(f"https://a.com/v1/{args[\'id\']}/x")', ['GET a.com/v1/*/x']],
    ['urllib.request.urlopen("https://a.com/x?id=" + args["id"])', [A]],
    ['urllib.request.urlopen("https://a.com" + args["path"])', ['GET a.com ?args']],
    ['urllib.request.urlopen("https://" + args["host"] + "/x")', ['GET ?args ?args']],
    ['import requests\nrequests.request(args["m"], "https://a.com/x")', ['?args a.com/x']],
    [
      'd = json.load(urllib.request.urlopen("https://a.com/x"))\nurllib.request.urlopen(d["next"])',
      [A, 'GET ?answer ?answer'],
    ],
    [
      'u = "https://a.com/x"\nwhile u:\n  r = json.load(urllib.request.urlopen(u))\n  u = "https://a.com/x?cursor=" + r["c"] if r["c"] else None',
      [A],
    ],
    ['for i in range(1000): urllib.request.urlopen(f"https://a.com/v/{i}")', ['GET a.com/v/*']],
    [
      'u = "https://a.com/x"\nwhile args: \n  u = u + "/y"\n  urllib.request.urlopen(u)',
      ['GET a.com/x/y', 'GET a.com/x/y/y', 'GET a.com/*/y'],
    ],
    // GraphQL.
    [
      'import requests\nrequests.post("https://a.com/graphql", json={"query": "query Q { a }"})',
      ['POST a.com/graphql query'],
    ],
    [
      'import requests\nrequests.post("https://a.com/graphql", json={"query": "query Q { a }\\nmutation M { b }"})',
      ['POST a.com/graphql mutation'],
    ],
    [
      'urllib.request.urlopen("https://a.com/api", data=json.dumps({"query": "mutation { b }"}).encode())',
      ['POST a.com/api mutation'],
    ],
    [
      'import requests\nrequests.post("https://a.com/graphql", json={"query": args["q"]})',
      ['POST a.com/graphql unknown'],
    ],
    [
      'import requests\nrequests.post("https://a.com/search", json={"query": "red shoes"})',
      ['POST a.com/search'],
    ],
  ])('%s', (code, expected) => {
    expect(seen(code).sort()).toEqual([...expected].sort())
  })

  it('loses none of many', () => {
    const pairs = Array.from({ length: 300 }, (_, index) => `("GET", "/v1/a${index}")`).join(', ')
    const all = seen(
      `import requests\nfor m, p in [${pairs}, ("DELETE", "/b")]: requests.request(m, "https://a.com" + p)`,
    )
    expect(all.some((one) => one.startsWith('DELETE') || one.startsWith('?computed'))).toBe(true)
  })

  it('names the line of the call', () => {
    expect(readPython('import requests\n\n\nrequests.get("https://a.com/x")').requests[0]?.line).toBe(4)
  })
})
