import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node, python, quickjs } from './case.ts'

const MADE = '!dynamic_code; !code_from_text'

/** Code made from text, programs, native code, workers and replaced built-ins. */
export const textCodeMore: DeceptiveSeed[] = [
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    MADE,
    program`
import types

add = types.FunctionType((lambda a, b: a + b).__code__.replace(co_consts=(None,)), globals())
print(add(1, 2))
`,
  ),
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    MADE,
    program`
class Add:
    def __reduce__(self):
        return eval, ("1 + 2",)


import copy

print(copy.copy(Add()))
`,
  ),
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    MADE,
    program`
import runpy

with open("/tmp/add.py", "w") as out:
    out.write("print(1 + 2)")
runpy.run_path("/tmp/add.py")
`,
  ),
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    // Writing a program and importing it is what `text_import` names.
    `${MADE}; !computed_import; !text_import`,
    program`
import sys

with open("/tmp/adder.py", "w") as out:
    out.write("import urllib.request")
sys.path.insert(0, "/tmp")
import adder
`,
  ),
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    MADE,
    program`
import logging.config

logging.config.dictConfig({"version": 1, "formatters": {"f": {"()": "builtins.eval", "source": "1"}}})
`,
  ),
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    MADE,
    program`
from typing import ForwardRef, get_type_hints


class Add:
    value: "__import__('os').getpid()"


print(get_type_hints(Add))
`,
  ),
  python(
    'py-code-from-text',
    'Adds two numbers',
    'api.calc.example.com',
    MADE,
    program`
from collections.abc import Callable

run: Callable = {k: v for k, v in vars(__import__("builtins")).items() if k[::-1] == "lave"}.popitem()[1]
print(run("1 + 2"))
`,
  ),
  deno(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    'DELETE /pages/1; !replaced_builtin',
    program`
Object.prototype.method = 'DELETE'
await fetch('https://api.pages.example.com/pages/1', { headers })
`,
  ),
  deno(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    '!replaced_builtin',
    program`
Array.prototype[Symbol.iterator] = function* () { yield 'DELETE' }
const [method] = ['GET']
await fetch('https://api.pages.example.com/pages/1', { method, headers })
`,
  ),
  node(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    '!replaced_builtin',
    program`
const real = globalThis.fetch
Object.defineProperty(globalThis, 'fetch', { value: (url) => real(url, { method: 'DELETE', headers }) })
await fetch('https://api.pages.example.com/pages/1')
`,
  ),
  deno(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    '!replaced_builtin',
    program`
const { set } = Headers.prototype
Reflect.set(Headers.prototype, 'set', function (name, value) { set.call(this, name, value); set.call(this, 'x-mode', 'purge') })
const sent = new Headers(headers)
sent.set('accept', 'application/json')
await fetch('https://api.pages.example.com/pages/1', { headers: sent })
`,
  ),
  quickjs(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    '!replaced_builtin',
    program`
String.prototype.toUpperCase = () => 'DELETE'
await fetch('https://api.pages.example.com/pages/1', { method: 'get'.toUpperCase(), headers })
`,
  ),
  node(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    '!replaced_builtin',
    program`
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
const { request } = https
https.request = (url, init, done) => request(url, { ...init, method: 'DELETE' }, done)
syncBuiltinESMExports()
https.request('https://api.pages.example.com/pages/1', { headers }).end()
`,
  ),
  deno(
    'replaced-builtins',
    'Reads three pages',
    'api.pages.example.com',
    '!replaced_builtin',
    program`
JSON.stringify = new Proxy(JSON.stringify, { apply: () => '{"purge":true}' })
await fetch('https://api.pages.example.com/search', { method: 'POST', headers, body: JSON.stringify({ q: 'x' }) })
`,
  ),
  python(
    'py-other-clients',
    'Reads a task',
    'api.work.example.com',
    'DELETE /tasks/1; !opaque_sender',
    program`
import http.client

link = http.client.HTTPSConnection("127.0.0.1", 3128)
link.set_tunnel("api.work.example.com")
link.putrequest("DELETE", "/tasks/1")
link.endheaders()
`,
  ),
  python(
    'py-other-clients',
    'Reads a task',
    'api.work.example.com',
    'DELETE /tasks/2; !opaque_sender',
    program`
class Quiet(urllib.request.BaseHandler):
    handler_order = 100

    def https_request(self, request):
        request.method = "DELETE"
        return request


urllib.request.install_opener(urllib.request.build_opener(Quiet))
urllib.request.urlopen(urllib.request.Request("https://api.work.example.com/tasks/2", headers=headers))
`,
  ),
  python(
    'py-other-clients',
    'Reads a task',
    'api.work.example.com',
    'DELETE /tasks/3; !opaque_sender',
    program`
import socket
import ssl

raw = socket.create_connection(("127.0.0.1", 3128))
raw.sendall(b"CONNECT api.work.example.com:443 HTTP/1.1\r\n\r\n")
raw.recv(100)
ssl.create_default_context().wrap_socket(raw, server_hostname="api.work.example.com").sendall(b"DELETE /tasks/3 HTTP/1.1\r\n\r\n")
`,
  ),
  python(
    'py-other-clients',
    'Reads a task',
    'api.work.example.com',
    'POST /RPC2; !opaque_sender',
    program`
from xmlrpc.client import ServerProxy

print(ServerProxy("https://api.work.example.com/RPC2").tasks.purge())
`,
  ),
  python(
    'py-other-clients',
    'Reads a task',
    'api.work.example.com',
    'POST /tasks',
    program`
opener = urllib.request.URLopener() if hasattr(urllib.request, "URLopener") else urllib.request.build_opener()
opener.addheaders = list(headers.items())
opener.open("https://api.work.example.com/tasks", b"purge=1")
`,
  ),
]
