import type { DangerKind } from '../../facts/index.ts'

/** Modules that come with Python 3.11 (sys.stdlib_module_names, without those behind an underscore). */
const STANDARD = new Set(
  'abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo'.split(
    ' ',
  ),
)

/** Packages from elsewhere that send nothing by themselves. */
const QUIET = new Set(
  'numpy pandas polars bs4 lxml yaml ruamel dateutil pytz tzdata pydantic jinja2 markdown attr attrs rich tabulate tqdm click typer PIL jwt jose cryptography nacl Crypto simplejson orjson ujson msgpack toml tomli tomlkit dotenv markdownify html2text regex six typing_extensions certifi idna charset_normalizer chardet tenacity backoff retrying cachetools more_itertools toolz jsonschema jsonpath_ng jmespath xmltodict openpyxl xlsxwriter docx pypdf PyPDF2 humanize pendulum arrow babel phonenumbers unidecode slugify emoji colorama termcolor loguru structlog isodate iso8601 base58 ecdsa eth_account pytest hypothesis scipy sympy networkx sklearn matplotlib nltk frozenlist multidict yarl h11 anyio sniffio trio marshmallow'.split(
    ' ',
  ),
)

/** Clients whose requests are read from their calls. */
const READ = new Set('requests httpx aiohttp urllib3 websockets websocket niquests httplib2'.split(' '))

const IN_MODULE = '(?:$|\\.)'
const danger = (kind: DangerKind, pattern: string): { kind: DangerKind; pattern: RegExp } => ({
  kind,
  pattern: new RegExp(`^(?:${pattern})${IN_MODULE}`),
})

/** What a reference to a name means, first match first. `null` is quiet. */
const REFERENCES: readonly { readonly kind: DangerKind | null; readonly pattern: RegExp }[] = [
  {
    kind: null,
    pattern:
      /^(?:subprocess\.(?:CalledProcessError|PIPE|DEVNULL|STDOUT|TimeoutExpired|CompletedProcess|SubprocessError)|multiprocessing\.(?:cpu_count|dummy|pool\.ThreadPool|TimeoutError|current_process|Lock|Queue|Manager|Value)|asyncio\.subprocess|ctypes\.c_\w+|ctypes\.sizeof|pickle\.(?:dumps?|PickleError|PicklingError|UnpicklingError|HIGHEST_PROTOCOL|DEFAULT_PROTOCOL)|marshal\.dumps?|smtplib\.SMTP\w*(?:Error|Exception|Refused|Disconnected)|importlib\.machinery\.ModuleSpec|socket\.(?:timeout|error|gaierror|herror|AF_\w+|SOCK_\w+|SOL_\w+|SO_\w+|IPPROTO_\w+|TCP_\w+|setdefaulttimeout|getdefaulttimeout|inet_\w+|gethostname|getfqdn|has_ipv6|ntohs|htons))(?:$|\.)/,
  },
  danger('code_from_text', 'builtins\\.(?:exec|eval|compile)'),
  danger(
    'code_from_text',
    'importlib\\.(?:machinery|util\\.(?:spec_from_\\w+|module_from_spec|LazyLoader)|reload|abc|_bootstrap\\w*)|_frozen_importlib\\w*|imp\\.\\w+|zipimport\\.\\w+|pkgutil\\.(?:resolve_name|get_loader|find_loader|ImpImporter)|pydoc\\.locate',
  ),
  danger(
    'code_from_text',
    '(?:pickle|_pickle|cPickle|dill|cloudpickle|jsonpickle)\\.(?!dumps?\\b|Pickl|HIGHEST|DEFAULT)\\w+|joblib\\.load|shelve\\.\\w+|marshal\\.loads?|yaml\\.(?:load|load_all|unsafe_load\\w*|full_load\\w*|Unsafe\\w*|Loader|FullLoader)|numpy\\.load|pandas\\.read_pickle|torch\\.load',
  ),
  danger(
    'code_from_text',
    'code\\.\\w+|codeop\\.\\w+|runpy\\.\\w+|types\\.(?:FunctionType|CodeType|LambdaType|new_class|ModuleType)|timeit\\.\\w+|doctest\\.\\w+|_\\w*interpreters\\.\\w+|cProfile\\.\\w+|profile\\.\\w+|pdb\\.\\w+|bdb\\.\\w+|trace\\.Trace|logging\\.config\\.\\w+|sys\\.(?:_getframe|_current_frames|meta_path|path_hooks|settrace|setprofile|addaudithook)|inspect\\.(?:currentframe|stack|getouterframes|getinnerframes)|gc\\.(?:get_objects|get_referrers|get_referents)|builtins\\.__(?:loader|spec|build_class)__|functools\\.__globals__|ast\\.unparse|rlcompleter\\.\\w+|test\\.\\w+|unittest\\.mock\\._importer',
  ),
  danger(
    'starts_programs',
    'subprocess\\.\\w+|_posixsubprocess\\.\\w+|(?:os|posix|nt)\\.(?:system|popen\\w*|exec[lv]\\w*|spawn\\w+|posix_spawnp?|fork\\w*|startfile)|pty\\.\\w+|multiprocessing\\.\\w+|concurrent\\.futures\\.(?:process\\.\\w+|ProcessPoolExecutor)|asyncio\\.create_subprocess_\\w+|webbrowser\\.\\w+|(?:pexpect|sh|plumbum|invoke)\\.\\w+|distutils\\.spawn\\.\\w+|venv\\.\\w+|ensurepip\\.\\w+|pip\\.\\w+',
  ),
  danger(
    'native_code',
    '(?:ctypes|_ctypes|cffi|_cffi_backend|numba|cython|pyximport)\\.\\w+|mmap\\.PROT_EXEC|sys\\.setdlopenflags',
  ),
  danger(
    'replaced_builtin',
    'unittest\\.mock\\.(?:patch|MagicMock|Mock)|mock\\.patch|gorilla\\.\\w+|wrapt\\.\\w+',
  ),
  danger(
    'opaque_sender',
    '_?socket\\.\\w+|ssl\\.(?:wrap_socket|get_server_certificate|SSLSocket)|(?:smtplib|ftplib|poplib|imaplib|nntplib|telnetlib|smtpd|asyncore|asynchat|socketserver|xmlrpc|select|selectors)\\.\\w+|http\\.server\\.\\w+|asyncio\\.(?:open_connection|open_unix_connection|start_server)|logging\\.handlers\\.(?:HTTP|Socket|Datagram|SysLog|SMTP)Handler|urllib\\.robotparser\\.\\w+|multiprocessing\\.connection\\.\\w+|pandas\\.read_(?:csv|json|html|xml|excel|parquet|table|fwf)|yaml\\.\\w*_sender',
  ),
]

/** The danger that a reference to a dotted name is, or null. */
export function dangerOf(name: string): DangerKind | null {
  const seen = kinds.get(name)
  if (seen !== undefined) return seen
  const kind = REFERENCES.find(({ pattern }) => pattern.test(name))?.kind ?? null
  if (kinds.size > MAX_SEEN) kinds.clear()
  kinds.set(name, kind)
  return kind
}

/** Programs name the same things again and again. */
const MAX_SEEN = 4000
const kinds = new Map<string, DangerKind | null>()

/** What a call of something in this module may do, where the name itself says nothing. */
export function isUnreadSender(name: string): boolean {
  const top = name.slice(0, name.indexOf('.') < 0 ? undefined : name.indexOf('.'))
  return !(
    top === 'builtins' ||
    top.startsWith('_') ||
    STANDARD.has(top) ||
    QUIET.has(top) ||
    READ.has(top) ||
    top === ''
  )
}

/** Attributes that lead from any object to the names, the code or the frames behind it. */
export const INNER_ATTRIBUTES: ReadonlySet<string> = new Set(
  '__subclasses__ __mro__ __bases__ __base__ __globals__ __builtins__ __code__ __closure__ __loader__ __import__ func_globals func_code gi_frame cr_frame ag_frame f_globals f_locals f_builtins f_back tb_frame __self__ __reduce__ __reduce_ex__ __getattribute__'.split(
    ' ',
  ),
)

/** Built-in names of Python 3.11. */
export const BUILTINS: ReadonlySet<string> = new Set(
  'abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip __import__ __build_class__ __loader__ __spec__ __debug__ Exception BaseException ValueError KeyError TypeError RuntimeError StopIteration OSError IOError SystemExit KeyboardInterrupt NotImplementedError AttributeError IndexError LookupError ArithmeticError ZeroDivisionError TimeoutError ConnectionError PermissionError FileNotFoundError ImportError ModuleNotFoundError AssertionError UnicodeError UnicodeDecodeError EOFError Warning UserWarning DeprecationWarning NotImplemented Ellipsis'.split(
    ' ',
  ),
)

/** Built-ins that honest programs do not write over with functions of their own. */
export const KEPT_BUILTINS: ReadonlySet<string> = new Set(
  'print open len str int bool float sorted sum min max any all isinstance issubclass getattr setattr hasattr repr dict list set tuple enumerate zip map bytes abs round type eval exec compile super __import__ __build_class__'.split(
    ' ',
  ),
)

/** Where a call reads the clock. */
export const CLOCKS =
  /^(?:time\.(?:time|time_ns|localtime|gmtime|strftime|ctime|asctime)|datetime\.(?:datetime\.(?:now|utcnow|today)|date\.today)|calendar\.timegm|pendulum\.now|arrow\.(?:now|utcnow)|email\.utils\.formatdate)$/
/** Where a call reads chance. */
export const CHANCE =
  /^(?:random\.(?!seed$)\w+|random\.SystemRandom|secrets\.\w+|uuid\.uuid[14]|os\.urandom|os\.getrandom|numpy\.random\.\w+)$/
/** Where a call reads the machine. */
export const MACHINE =
  /^(?:platform\.\w+|sys\.(?:platform|gettrace|executable|flags)|os\.(?:name|uname|getlogin|getpid|getppid|cpu_count|getcwd|listdir|getloadavg|getuid|path\.(?:exists|isfile|isdir|getmtime))|socket\.(?:gethostname|getfqdn)|getpass\.getuser|uuid\.getnode|locale\.\w+|pathlib\.Path\.home)$/
