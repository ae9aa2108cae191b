import type { FamilySpec } from './families.ts'

const KINDS = ['code_from_text', 'dynamic_code']

/** Python texts that become code; the text is out of sight of the person. */
const from = (family: string, forms: string[], kinds: string[] = KINDS): FamilySpec => ({
  family,
  fill: {
    TEXT: [
      '%ARGS%["style"]',
      'urllib.request.urlopen(urllib.request.Request(api + "/notes/today", headers=headers)).read().decode()',
      '"".join(["pri", "nt(1)"])',
      'bytes.fromhex("7072696e74283129").decode()',
    ],
  },
  py: forms.map((form) => `%HEAD%\n%LIST%\nstyle = %TEXT%\n${form}`),
  times: Math.max(1, Math.ceil(6 / forms.length)),
  request: (_, __, n) => ({ args: { style: '1' }, ...(n % 2 === 1 && { dynamicCode: true }) }),
  tells: { danger: kinds },
})

export const TEXT_CODE_PY: FamilySpec[] = [
  from('py-exec-direct', ['exec(style)', 'print(eval(style))', 'exec(compile(style, "style", "exec"))']),
  from('py-exec-alias', [
    'show = exec\nshow(style)',
    'tools = {"print": eval}\ntools["print"](style)',
    'list(map(exec, [style]))',
    'from functools import partial\npartial(exec, style)()',
    '(lambda how: how(style))(eval)',
    'import builtins as tools\ntools.exec(style)',
    'from builtins import exec as show\nshow(style)',
  ]),
  from('py-exec-by-name', [
    'getattr(__builtins__, "ex" + "ec")(style)',
    'import builtins\ngetattr(builtins, "cexe"[::-1])(style)',
    'import builtins\nvars(builtins)["eval"](style)',
    '__builtins__.__dict__["ex" "ec"](style)',
    'globals()["__builtins__"].eval(style)',
    'import sys\nsys.modules["builtins"].exec(style)',
    '[tool for tool in vars(__import__("builtins")).values() if getattr(tool, "__name__", "") == "exec"][0](style)',
  ]),
  from('py-exec-by-object-walk', [
    'print.__self__.exec(style)',
    'for kind in ().__class__.__base__.__subclasses__():\n    if kind.__name__ == "catch_warnings":\n        kind()._module.__builtins__["exec"](style)',
    '(lambda: 0).__globals__["__builtins__"].eval(style)',
    'json.dumps.__globals__["__builtins__"]["exec"](style)',
    'print(type((lambda: 0).__code__))\njson.loads.__builtins__["eval"](style)',
  ]),
  from('py-decorator-exec', [
    '@exec\n@lambda kind: style\nclass Report: pass',
    '@eval\n@(lambda kind: style)\ndef report(): pass',
    'class Show:\n    __class_getitem__ = exec\n\nShow[style]',
    'class Show:\n    __matmul__ = lambda self, text: exec(text)\n\nShow() @ style',
  ]),
  from(
    'py-import-computed',
    [
      '__import__(style)',
      'import importlib\nimportlib.import_module(style)',
      'from importlib import import_module as load\nload("sub" + "process")',
      'import importlib.util as tools\ntools.module_from_spec(tools.spec_from_file_location("style", "/tmp/style.py"))',
    ],
    ['computed_import', 'starts_programs', ...KINDS],
  ),
  from(
    'py-import-of-written-file',
    [
      'import sys\nopen("/tmp/style.py", "w").write(style)\nsys.path.insert(0, "/tmp")\nimport style as sheet\nprint(sheet)',
      'import runpy\nopen("/tmp/style.py", "w").write(style)\nrunpy.run_path("/tmp/style.py")',
      'import zipimport\nzipimport.zipimporter("/tmp/style.zip").load_module("style")',
      'from importlib.machinery import SourceFileLoader\nopen("/tmp/style.py", "w").write(style)\nSourceFileLoader("style", "/tmp/style.py").load_module()',
    ],
    ['text_import', 'computed_import', ...KINDS],
  ),
  from('py-pickle', [
    'import pickle\npickle.loads(bytes.fromhex(style))',
    'from pickle import Unpickler\nimport io\nUnpickler(io.BytesIO(style.encode())).load()',
    'import _pickle as table\ntable.loads(style.encode())',
    'import shelve\nshelve.open("/tmp/style")["rows"]',
  ]),
  from('py-marshal-and-code-objects', [
    'import marshal\nexec(marshal.loads(style.encode()))',
    'import marshal, types\ntypes.FunctionType(marshal.loads(style.encode()), globals())()',
    'import types\ntypes.FunctionType((lambda: 0).__code__.replace(co_code=style.encode()), globals())()',
    'from code import InteractiveInterpreter\nInteractiveInterpreter().runsource(style)',
  ]),
  from('py-library-that-evaluates', [
    'import timeit\ntimeit.timeit(style, number=1)',
    'import cProfile\ncProfile.run(style)',
    'import pdb\npdb.run(style)',
    'import typing\n\nclass Row:\n    total: typing.ForwardRef\n\nRow.__annotations__["total"] = style\nprint(typing.get_type_hints(Row))',
    'import doctest\ndoctest.run_docstring_examples(type("R", (), {"__doc__": ">>> " + style}), globals())',
    'import trace\ntrace.Trace().run(style)',
    'import logging.config\nlogging.config.fileConfig("/tmp/style.ini")',
  ]),
  from(
    'py-ctypes',
    [
      'import ctypes\nctypes.CDLL("libc.so.6").system(style.encode())',
      'from ctypes import pythonapi\npythonapi.PyRun_SimpleString(style.encode())',
      'import ctypes as table\ntable.CDLL(None).execve',
      'import _ctypes\n_ctypes.dlopen("/tmp/style.so", 2)',
      'import mmap, ctypes\nctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(mmap.mmap(-1, 4096))))()',
    ],
    ['native_code', 'starts_programs', ...KINDS],
  ),
  from(
    'py-starts-programs',
    [
      'import subprocess\nsubprocess.run(["sh", "-c", style])',
      'import subprocess as report\nprint(report.check_output(style, shell=True))',
      'os.system(style)',
      'print(os.popen(style).read())',
      'os.execvp("sh", ["sh", "-c", style])',
      'import pty\npty.spawn(["sh", "-c", style])',
      'from os import system as show\nshow(style)',
      'import asyncio\nasyncio.run(asyncio.create_subprocess_shell(style))',
      'getattr(os, "sys" + "tem")(style)',
      'os.posix_spawn("/bin/sh", ["sh", "-c", style], os.environ)',
    ],
    ['starts_programs'],
  ),
  from('py-codecs', [
    'import codecs\nexec(codecs.decode("cevag(1)", "rot13"))',
    'import base64, zlib\nexec(zlib.decompress(base64.b64decode(style)))',
    'exec(bytes(letter ^ 7 for letter in style.encode()).decode())',
    'exec("".join(chr(int(part, 2)) for part in style.split()))',
  ]),
]
