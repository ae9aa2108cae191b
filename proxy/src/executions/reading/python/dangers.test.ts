import { describe, expect, it } from 'vitest'
import { readPython } from './index.ts'

const HEAD =
  'import base64, json, os, sys, time, requests, urllib.request\nargs = json.loads(os.environ["OAUTH3_ARGS"])\n'
const kinds = (code: string): string[] => [
  ...new Set(readPython(HEAD + code).dangers.map(({ kind }) => kind)),
]

describe('dangers that are told', () => {
  it.each<[string, string]>([
    ['exec("1")', 'code_from_text'],
    ['e = eval\ne("1")', 'code_from_text'],
    ['e = lambda s: eval(s)', 'code_from_text'],
    ['list(map(exec, ["1"]))', 'code_from_text'],
    ['compile("1", "x", "exec")', 'code_from_text'],
    ['ｅval("1")', 'code_from_text'],
    ['𝓮val("1")', 'code_from_text'],
    ['import builtins\nbuiltins.exec("1")', 'code_from_text'],
    ['from builtins import exec as show\nshow("1")', 'code_from_text'],
    ['__builtins__.eval("1")', 'code_from_text'],
    ['__builtins__.__dict__["ex" "ec"]("1")', 'code_from_text'],
    ['getattr(__builtins__, "e" + "val")("1")', 'code_from_text'],
    ['getattr(os, args["f"])()', 'code_from_text'],
    ['globals()["__builtins__"].eval("1")', 'code_from_text'],
    ['globals()[args["f"]]()', 'code_from_text'],
    ['sys.modules["builtins"].exec("1")', 'code_from_text'],
    ['().__class__.__base__.__subclasses__()', 'code_from_text'],
    ['json.dumps.__globals__["x"]', 'code_from_text'],
    ['print.__self__.exec("1")', 'code_from_text'],
    ['import pickle\npickle.loads(b"1")', 'code_from_text'],
    ['import marshal\nmarshal.loads(b"1")', 'code_from_text'],
    ['import yaml\nyaml.load("1", yaml.Loader)', 'code_from_text'],
    ['import types\ntypes.FunctionType(None, {})', 'code_from_text'],
    ['import runpy\nrunpy.run_path("/tmp/x")', 'code_from_text'],
    ['import code\ncode.interact()', 'code_from_text'],
    ['import importlib.util as u\nu.spec_from_file_location("x", "/tmp/x")', 'code_from_text'],
    ['from functools import reduce\nreduce(getattr, ["path"], os)', 'code_from_text'],
    ['@exec\n@lambda kind: "1"\nclass A: pass', 'code_from_text'],
    ['def f(x: exec("1")): pass', 'code_from_text'],
    ['f"{1:{eval(\'1\')}}"', 'code_from_text'],
    ['from os import *\nsystem("ls")', 'starts_programs'],
    ['os.system("ls")', 'starts_programs'],
    ['getattr(os, "sys" + "tem")("ls")', 'starts_programs'],
    ['import shutil\nshutil.os.system("ls")', 'starts_programs'],
    ['import subprocess\nsubprocess.run(["ls"])', 'starts_programs'],
    ['from subprocess import check_output', 'starts_programs'],
    ['import asyncio\nasyncio.create_subprocess_exec("ls")', 'starts_programs'],
    ['import multiprocessing\nmultiprocessing.Process(target=print)', 'starts_programs'],
    ['__import__("subprocess").run(["ls"])', 'starts_programs'],
    ['import ctypes\nctypes.CDLL(None)', 'native_code'],
    ['import cffi\ncffi.FFI()', 'native_code'],
    ['__import__(args["m"])', 'computed_import'],
    ['import importlib\nimportlib.import_module(args["m"])', 'computed_import'],
    ['sys.path.insert(0, "/tmp")', 'text_import'],
    ['open("/tmp/x.py", "w").write("1")', 'text_import'],
    ['urllib.request.urlopen = lambda *a: None', 'replaced_builtin'],
    ['json.dumps = print', 'replaced_builtin'],
    ['import builtins\nbuiltins.print = lambda *a: None', 'replaced_builtin'],
    ['setattr(json, "dumps", lambda x: x)', 'replaced_builtin'],
    ['from unittest.mock import patch', 'replaced_builtin'],
    ['sys.modules["json"] = args', 'replaced_builtin'],
    ['def print(*a): requests.post("https://a.com/x")', 'replaced_builtin'],
    ['len = lambda x: 1', 'replaced_builtin'],
    ['from urllib.request import urlopen\ndef urlopen(u): pass', 'replaced_builtin'],
    ['requests.get(args["url"])', 'host_from_args'],
    ['requests.get(sys.argv[1])', 'host_from_args'],
    ['requests.get(requests.get("https://a.com/x").json()["u"])', 'host_from_answer'],
    ['requests.get(base64.b64decode("aHR0cHM6Ly9hLmNvbQ==").decode())', 'host_decoded'],
    ['requests.get("".join(map(chr, [104, 116, 116, 112, 115, 58, 47, 47, 97, 46, 98])))', 'host_decoded'],
    ['import random\nrequests.get("https://" + str(random.random()) + ".com")', 'host_computed'],
    ['requests.request(args["m"], "https://a.com/x")', 'method_from_data'],
    ['getattr(requests, args["m"])("https://a.com/x")', 'method_from_data'],
    ['requests.get("https://a.com" + args["p"])', 'path_from_data'],
    ['import socket\nsocket.create_connection(("a.com", 1))', 'opaque_sender'],
    ['import smtplib\nsmtplib.SMTP("a.com")', 'opaque_sender'],
    ['import stripe\nstripe.Charge.list()', 'opaque_sender'],
    ['requests.get("https://a.com/x", proxies={"https": "https://b.com"})', 'opaque_sender'],
    [
      'r = requests.get("https://a.com/x", allow_redirects=False)\nrequests.get(r.headers["Location"])',
      'follows_redirect',
    ],
    [
      'class R(urllib.request.HTTPRedirectHandler):\n  def redirect_request(self, *a): return super().redirect_request(*a)',
      'follows_redirect',
    ],
    ['if time.time() > 1900000000: requests.post("https://a.com/x")', 'hidden_condition'],
    [
      'from datetime import datetime\nif datetime.now().weekday() == 4: requests.post("https://a.com/x")',
      'hidden_condition',
    ],
    [
      'import datetime\nif datetime.date.today() < datetime.date(2030, 1, 1): sys.exit()\nrequests.post("https://a.com/x")',
      'hidden_condition',
    ],
    ['import random\nif random.random() < 0.1: requests.post("https://a.com/x")', 'hidden_condition'],
    ['import random\nrandom.random() < 0.1 and requests.post("https://a.com/x")', 'hidden_condition'],
    [
      'import random\nx = requests.post("https://a.com/x") if random.random() < 0.1 else None',
      'hidden_condition',
    ],
    ['if sys.platform == "linux": requests.post("https://a.com/x")', 'hidden_condition'],
    ['import socket\nif socket.gethostname() != "ci": requests.post("https://a.com/x")', 'hidden_condition'],
    ['if os.environ.get("STAGE") == "prod": requests.post("https://a.com/x")', 'hidden_condition'],
    [
      'n = 0\ndef f():\n  global n\n  n += 1\n  if n > 3: requests.post("https://a.com/x")\nf()',
      'hidden_condition',
    ],
    ['requests.post("https://a.com/x", headers={"X-HTTP-Method-Override": "DELETE"})', 'method_override'],
    ['requests.post("https://a.com/x", data={"_method": "delete"})', 'method_override'],
    ['requests.post("https://a.com/x?_method=delete")', 'method_override'],
    ['requests.post("https://a.com/graphql", json={"query": "mutation { a }"})', 'graphql_mutation'],
    ['x = "\\x65\\x76\\x61\\x6c"', 'escaped_name'],
    ['x = "\\u0065\\u0076al"', 'escaped_name'],
    ['ſet = 1', 'escaped_name'],
    ['dryRun1 = True\ndryRunl = False', 'confusable_names'],
    ['if args["x"] == "a\u00a0b": pass', 'odd_spaces'],
    ['requests.get("https://a.com\u2024b.com/x")', 'odd_address'],
    ['requests.get("https://a.com\u2215x.b.com/x")', 'odd_address'],
  ])('%s', (code, kind) => {
    const facts = readPython(HEAD + code)
    expect(facts.readable).toBe(true)
    expect(kinds(code)).toContain(kind)
  })

  it('names every line, ascending and once', () => {
    const { dangers } = readPython('eval("1")\nx = 1\neval("2"); eval("3")\n')
    expect(dangers).toEqual([{ kind: 'code_from_text', lines: [1, 3], detail: 'eval' }])
  })

  it('reads a host as its dots are mapped', () => {
    const [one] = readPython('import requests\nrequests.get("https://a.com\u2024b.com/x")').requests
    expect(one?.host).toBe('a.com.b.com')
  })
})
