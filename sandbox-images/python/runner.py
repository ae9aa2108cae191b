"""The program of every run. It waits for one message on standard input, puts the secrets into the environment, and runs
the approved code as the main program: a fresh `__main__`, whose tracebacks name /tmp/main.py.

Standard input: 4 bytes big-endian length, then that many bytes of JSON:
  { v: 2, code, env: { NAME: value }, ports?: [number], memoryBytes?: number, end?: text }
`ports`: those of the approved hosts, for clients that dial by themselves.
`memoryBytes`: what the run may use, told to code that asks how much there is.
`end`: text that is written to both output streams, followed by the exit code and a line feed, once the code has ended in
good order; it lets the reader know the end before the container engine has noticed it.
"""
import atexit
import base64  # noqa: F401  loaded here and below, while nobody waits, for the code to find
import builtins
import collections  # noqa: F401
import ctypes
import datetime  # noqa: F401
import hashlib  # noqa: F401
import hmac  # noqa: F401
import importlib.machinery
import json
import os
import platform
import re  # noqa: F401
import selectors  # noqa: F401
import signal
import socket
import ssl  # noqa: F401
import struct
import sys
import threading
import traceback
import types
import urllib.parse  # noqa: F401
import urllib.request

MAIN = "/tmp/main.py"
# Calls into this one keep the interpreter's lock: while they last no line of the code runs, in whatever thread.
LIBC = ctypes.PyDLL(None)


# Besides the container's isolation, as far as Python needs none of it: what starts programs, looks into other processes, or
# reaches parts of the kernel in which escapes were found. Engines differ in what their own filter leaves open.
AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED_CALLS = {
    "x86_64": {
        "execve": 59, "execveat": 322, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "unshare": 272,
        "setns": 308, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248,
        "request_key": 249, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    },
    "aarch64": {
        "execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "unshare": 97,
        "setns": 268, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219, "add_key": 217,
        "request_key": 218, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    },
}
SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
# Other families need not heed the network namespace: one of them talks to the machine's hypervisor.
SOCKET_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)


def filter_system_calls():
    """Asks the kernel to refuse those calls from now on, for this process and all that come of it."""
    machine = platform.machine()
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    number_at, architecture_at, first_argument_at = 0, 4, 16
    allow, refuse = 0x7FFF0000, 0x00050001
    step = lambda code, value, if_true=0, if_false=0: struct.pack("HBBI", code, if_true, if_false, value)  # noqa: E731
    # Each test that refuses is followed by its own verdict, so that no jump is longer than two steps.
    program = [
        step(load, architecture_at), step(equal, AUDIT_ARCHITECTURES[machine], 1), step(give, refuse),
        step(load, number_at), step(at_least, 0x40000000, 0, 1), step(give, refuse),
    ]
    for number in REFUSED_CALLS[machine].values():
        program += [step(equal, number, 0, 1), step(give, refuse)]
    program += [step(equal, SOCKET_CALL[machine], 1), step(give, allow), step(load, first_argument_at)]
    for family in SOCKET_FAMILIES:
        program += [step(equal, family, 0, 1), step(give, allow)]
    program.append(step(give, refuse))
    steps = ctypes.create_string_buffer(b"".join(program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(steps))
    set_no_new_privileges, set_filter, filter_mode = 38, 22, 2
    if LIBC.prctl(set_no_new_privileges, 1, 0, 0, 0) != 0 or LIBC.prctl(set_filter, filter_mode, header, 0, 0) != 0:
        raise OSError("the kernel takes no filter of system calls")


def load(name):
    """By its path, for an isolated interpreter looks beside its program for nothing."""
    return importlib.machinery.SourceFileLoader(f"oauth3_{name}", f"/{name}.py").load_module()


def warm_up(gateway):
    """What the first request makes Python load and set up: done while nobody waits. The endpoint is shut until there is a run,
    and its refusal is answer enough."""
    if not os.path.exists(gateway):
        return
    for scheme in ("http", "https"):
        try:
            urllib.request.urlopen(f"{scheme}://warm.invalid/", timeout=1).close()
        except OSError:
            pass  # what cannot be warmed is slow at its first use, no more


def read_fully(length):
    parts = []
    while length > 0:
        part = os.read(0, min(length, 1_048_576))
        if not part:
            os._exit(125)  # the daemon went away: nothing to run
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def fail(text):
    os.write(2, f"error: {text}\n".encode())
    os._exit(1)


def receive(way_out):
    message = json.loads(read_fully(int.from_bytes(read_fully(4), "big")))
    if message["v"] != 2:
        fail("this image is of another version than the daemon: build it anew with npm run images")
    try:
        with open(MAIN, "wb") as file:
            file.write(message["code"].encode())
    except OSError:
        fail("the code does not fit into /tmp")
    for name, value in message["env"].items():
        try:
            os.environ[name] = value
        except ValueError:
            fail(f"{name} cannot be an environment variable")
    for port in message.get("ports", ()):
        way_out.listen(port)
    return message["code"], message.get("end"), message.get("memoryBytes")


def told_by(error):
    """The exit code that an uncaught error stands for; whatever is to be said of it is said."""
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code & 0xFF
        print(error.code, file=sys.stderr)
        return 1
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Exception:
        traceback.print_exception(error)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def run(code):
    main = types.ModuleType("__main__")
    main.__file__ = MAIN
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    sys.argv = [MAIN]
    try:
        # Text, not bytes: a coding line at the top would have Python read other code than a person was shown.
        program = compile(code.removeprefix("\ufeff"), MAIN, "exec", dont_inherit=True)
    except BaseException as error:
        return told_by(error.with_traceback(None))
    try:
        exec(program, main.__dict__)
    except BaseException as error:
        return told_by(error.with_traceback(error.__traceback__.tb_next))
    return 0


def finish(code):
    """What Python does at the end of a program, in its order; code that ends the process in here has its way."""
    try:
        threading._shutdown()
    except BaseException as error:
        code = told_by(error)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError):
            pass  # the code has closed it
        except OSError:
            code = 120
    return code


def end(code, marker):
    """Stops every other process of the sandbox, says the end and is gone, without a line of the code in between."""
    if marker:
        try:
            os.kill(-1, signal.SIGKILL)
        except OSError:
            pass  # there is no other
        line = f"{marker}{code}\n".encode()
        for descriptor in (1, 2):
            LIBC.write(descriptor, line, len(line))
    LIBC._exit(code)


def serve():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    filter_system_calls()
    machine = load("machine")
    network = load("way_out")
    way_out = network.WayOut()
    threading.Thread(target=way_out.run, name="oauth3-way-out", daemon=True).start()
    warm_up(network.GATEWAY)
    os.write(1, b"oauth3-ready 1\n")
    code, marker, memory_bytes = receive(way_out)
    machine.set_memory(memory_bytes)
    own = os.getpid()
    exit_code = finish(run(code))
    # A copy of this process that the code has forked ends quietly.
    end(exit_code, marker if os.getpid() == own else None)


serve()
