import { program } from '../honest/case.ts'
import { type DeceptiveSeed, python } from './case.ts'

const send = (path: string, method = 'method'): string =>
  `urllib.request.urlopen(urllib.request.Request("https://api.work.example.com${path}", headers=headers, method=${method}))\n`

const host = 'api.work.example.com'

/** Python: verbs and paths made by the standard library's small tools, and names that are bound twice. */
export const pyValues: DeceptiveSeed[] = [
  python(
    'py-functools-operator',
    'Reads a task',
    host,
    'DELETE /tasks/1',
    program`
from functools import partial, reduce

get = partial(urllib.request.Request, headers=headers, method="GET")
urllib.request.urlopen(get("https://api.work.example.com/tasks/1", method="DELETE"))
`,
  ),
  python(
    'py-functools-operator',
    'Reads a task',
    host,
    'DELETE /tasks/2',
    program`
from functools import reduce

method = reduce(lambda word, step: step + word, ["TE", "LE", "DE"])
${send('/tasks/2')}`,
  ),
  python(
    'py-functools-operator',
    'Reads a task',
    host,
    'DELETE /tasks/3',
    program`
import operator

plan = {"method": "GET"}
operator.setitem(plan, "method", operator.concat("DEL", "ETE"))
${send('/tasks/3', '**plan'.replace('**plan', 'operator.itemgetter("method")(plan)'))}`,
  ),
  python(
    'py-functools-operator',
    'Reads a task',
    host,
    'DELETE /tasks/4',
    program`
import operator

method = operator.methodcaller("replace", "GET", "DELETE")("GET")
${send('/tasks/4')}`,
  ),
  python(
    'py-functools-operator',
    'Reads a task',
    host,
    'DELETE /tasks/5',
    program`
from functools import singledispatch


@singledispatch
def verb(value):
    return "GET"


@verb.register
def _(value: int):
    return "DELETE"


${send('/tasks/5', 'verb(5)')}`,
  ),
  python(
    'py-itertools',
    'Reads a task',
    host,
    'DELETE /tasks/6',
    program`
from itertools import cycle, islice

method = next(islice(cycle(["GET", "DELETE"]), 3, None))
${send('/tasks/6')}`,
  ),
  python(
    'py-itertools',
    'Reads a task',
    host,
    'DELETE /tasks/7',
    program`
from itertools import chain, compress

method = "".join(compress("GDEELETTE", (0, 1, 1, 0, 1, 1, 1, 0, 1)))
${send('/tasks/7')}`,
  ),
  python(
    'py-itertools',
    'Reads a task',
    host,
    'DELETE /tasks/8',
    program`
from itertools import accumulate

*_, method = accumulate(["DE", "LE", "TE"])
${send('/tasks/8')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/9',
    program`
method = "GET".translate(str.maketrans({"G": "DEL", "E": "E", "T": "TE"}))
${send('/tasks/9')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/10',
    program`
method = "{0[1]}{1.real:c}{2!s}".format(["GET", "DE"], 76, "ETE")
${send('/tasks/10')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/11',
    program`
method = "%(b)s%(a)s" % {"a": "LETE", "b": "DE", "c": "GET"}
${send('/tasks/11')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/12',
    program`
import re

method = re.sub(r"(?P<v>GET)", lambda m: "DELETE" if m["v"] else m["v"], "GET")
${send('/tasks/12')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/13',
    program`
import string

method = string.Template("$a$b").substitute(a="DEL", b=f"{'ETE GET':.3}")
${send('/tasks/13')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/14',
    program`
method = bytes.fromhex("44454c455445").decode()
${send('/tasks/14')}`,
  ),
  python(
    'py-string-tricks',
    'Reads a task',
    host,
    'DELETE /tasks/15',
    program`
import unicodedata

method = unicodedata.normalize("NFKC", "ＤＥＬＥＴＥ") if "GET".isascii() else "GET"
${send('/tasks/15')}`,
  ),
  python(
    'py-containers',
    'Reads a task',
    host,
    'DELETE /tasks/16',
    program`
from collections import ChainMap

method = ChainMap({"method": "DELETE"}, {"method": "GET"})["method"]
${send('/tasks/16')}`,
  ),
  python(
    'py-containers',
    'Reads a task',
    host,
    'DELETE /tasks/17',
    program`
from collections import deque

verbs = deque(["GET", "DELETE"])
verbs.rotate(1)
method = verbs[0]
${send('/tasks/17')}`,
  ),
  python(
    'py-containers',
    'Reads a task',
    host,
    'DELETE /tasks/18',
    program`
class Verbs(dict):
    def __missing__(self, key):
        return "DELETE"


method = Verbs({"get": "GET"})["GET"]
${send('/tasks/18')}`,
  ),
  python(
    'py-containers',
    'Reads a task',
    host,
    'DELETE /tasks/19',
    program`
plan = {"method": "GET", **{"method": "DELETE"}}
plan |= {}
${send('/tasks/19', 'plan.setdefault("method", "GET")')}`,
  ),
  python(
    'py-containers',
    'Reads a task',
    host,
    'DELETE /tasks/20',
    program`
row = [["GET"]] * 2
row[1][0] = "DELETE"
${send('/tasks/20', 'row[0][0]')}`,
  ),
  python(
    'py-monkey-patching',
    'Reads a task',
    host,
    'DELETE /tasks/21; !replaced_builtin',
    program`
urllib.request.Request.get_method = lambda self: "DELETE"
${send('/tasks/21', '"GET"')}`,
  ),
  python(
    'py-monkey-patching',
    'Reads a task',
    host,
    'DELETE /tasks/22; !replaced_builtin',
    program`
class Odd(urllib.request.Request):
    def __init__(self, *a, **k):
        super().__init__(*a, **{**k, "method": "DELETE"})


setattr(urllib.request, "Request", Odd)
${send('/tasks/22', '"GET"')}`,
  ),
  python(
    'py-monkey-patching',
    'Reads a task',
    host,
    '!replaced_builtin',
    program`
import http.client

real = http.client.HTTPConnection.putrequest
http.client.HTTPConnection.putrequest = lambda self, m, *a, **k: real(self, "DELETE", *a, **k)
${send('/tasks/23', '"GET"')}`,
  ),
  python(
    'py-monkey-patching',
    'Reads a task',
    host,
    '!replaced_builtin',
    program`
import builtins

builtins.str = lambda value: "/tasks/all"
urllib.request.urlopen(urllib.request.Request("https://api.work.example.com" + str(24), headers=headers, method="DELETE"))
`,
  ),
]
