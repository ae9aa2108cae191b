import { describe, expect, it } from 'vitest'
import { readPython } from './index.ts'

const HEAD = 'import base64, hashlib, json, os, sys, requests, urllib.request\n'
const flows = (code: string): string[] =>
  readPython(HEAD + code).secrets.map(({ name, goes }) => `${name} ${goes.join(' ')}`)

describe('where secrets go', () => {
  it.each<[string, string[]]>([
    [
      'k = os.environ["KEY"]\nrequests.get("https://a.com/x", headers={"Authorization": f"Bearer {k}"})',
      ['KEY header'],
    ],
    ['requests.get("https://a.com/x", headers={"A": os.environ.get("KEY")})', ['KEY header']],
    ['requests.get("https://a.com/x", headers={"A": os.getenv("KEY", "")})', ['KEY header']],
    ['from os import environ as e\nrequests.get("https://a.com/x", headers={"A": e["KEY"]})', ['KEY header']],
    ['s = requests.Session()\ns.headers["A"] = os.environ["KEY"]\ns.get("https://a.com/x")', ['KEY header']],
    [
      'r = urllib.request.Request("https://a.com/x")\nr.add_header("A", os.environ["KEY"])\nurllib.request.urlopen(r)',
      ['KEY header'],
    ],
    [
      'o = urllib.request.build_opener()\no.addheaders = [("A", os.environ["KEY"])]\no.open("https://a.com/x")',
      ['KEY header'],
    ],
    ['requests.get("https://a.com/x", auth=(os.environ["KEY"], ""))', ['KEY header']],
    [
      'b = base64.b64encode(os.environ["KEY"].encode()).decode()\nrequests.get("https://a.com/x", headers={"Authorization": "Basic " + b})',
      ['KEY header'],
    ],
    ['requests.get("https://a.com/x?key=" + os.environ["KEY"])', ['KEY query']],
    ['requests.get("https://a.com/x", params={"key": os.environ["KEY"]})', ['KEY query']],
    ['requests.get("https://a.com/bot" + os.environ["KEY"] + "/x")', ['KEY path']],
    ['requests.post("https://a.com/x", json={"a": [os.environ["KEY"]]})', ['KEY body']],
    [
      'urllib.request.urlopen("https://a.com/x", data=json.dumps({"a": os.environ["KEY"]}).encode())',
      ['KEY body'],
    ],
    ['print(os.environ["KEY"])', ['KEY output']],
    ['sys.stdout.write(os.environ["KEY"])', ['KEY output']],
    ['hashlib.sha256(os.environ["KEY"].encode()).hexdigest()', ['KEY computed']],
    ['print(os.environ["KEY"][::-1])', ['KEY computed output']],
    [
      'requests.post("https://a.com/x", data=base64.b64encode(os.environ["KEY"].encode()))',
      ['KEY body computed'],
    ],
    ['import boto3\nboto3.client("s3", aws_secret_access_key=os.environ["KEY"])', ['KEY unknown']],
    ['for k, v in os.environ.items(): print(k, v)', ['* output']],
    ['print(dict(os.environ))', ['* output']],
    ['print(json.dumps(os.environ.copy()))', ['* output']],
    ['n = "K" + "EY"\nprint(os.environ[n])', ['KEY output']],
    ['print(os.environ["OAUTH3_ARGS"], os.environ["HOME"])', []],
  ])('%s', (code, expected) => {
    expect(flows(code)).toEqual(expected)
  })

  it('keeps every line that reads a secret, and the imports with theirs', () => {
    const facts = readPython(
      'import os\nfrom urllib import request as r\na = os.environ["KEY"]\nb = os.environ["KEY"]\n__import__("json")\n',
    )
    expect(facts.secrets).toEqual([{ name: 'KEY', lines: [3, 4], goes: ['unknown'] }])
    expect(facts.imports).toEqual([
      { line: 1, specifier: 'os', dynamic: false },
      { line: 2, specifier: 'urllib', dynamic: false },
      { line: 5, specifier: 'json', dynamic: true },
    ])
  })
})
