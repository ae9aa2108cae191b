"""What libraries ask of the machine that they run on: they get a plain answer, the same on every host, instead of an error
(there is no netlink and no terminal, and no program can be started) or of the host's own facts (kernel, memory, load, processors; the files of /proc that hold them, where Python opens them). It is
no wall: code can ask the kernel by itself, and what it must not reach is held back by the container.
"""
import builtins
import importlib.abc
import importlib.machinery
import io
import os
import platform
import posix
import socket
import sys
import time

NAME = "sandbox"
MACHINE = platform.machine()
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FORKED_ONLY = "no program can be started in a sandbox: use the start method fork"

BORN = time.monotonic()
OPENED = builtins.open

memory_bytes = 256 * 1_048_576


def set_memory(given):
    """The run's own limit is the machine's memory."""
    global memory_bytes
    if isinstance(given, int) and given > 0:
        memory_bytes = given


def free_bytes():
    with open("/proc/self/statm") as file:
        return max(0, memory_bytes - int(file.read().split()[1]) * PAGE_BYTES)


def answer(module, **answers):
    for name, call in answers.items():
        call.__name__ = call.__qualname__ = name
        setattr(module, name, call)


def answer_for_the_system():
    described = posix.uname_result(("Linux", NAME, "6.1.0", "#1 SMP", MACHINE))
    asked = os.sysconf
    known = {
        "SC_PHYS_PAGES": lambda: memory_bytes // PAGE_BYTES,
        "SC_AVPHYS_PAGES": lambda: free_bytes() // PAGE_BYTES,
        "SC_NPROCESSORS_CONF": lambda: 1,
        "SC_NPROCESSORS_ONLN": lambda: 1,
    }
    numbers = {os.sysconf_names[name]: call for name, call in known.items()}
    for module in (os, posix):
        answer(
            module,
            uname=lambda: described,
            cpu_count=lambda: 1,
            getloadavg=lambda: (0.0, 0.0, 0.0),
            getlogin=lambda: NAME,
            sched_getaffinity=lambda pid: {0},
            sysconf=lambda name: (known.get(name) or numbers.get(name) or (lambda: asked(name)))(),
        )
    if hasattr(os, "process_cpu_count"):
        answer(os, process_cpu_count=lambda: 1)
    # Filled with the true answer by whoever asked before.
    platform._uname_cache = None
    platform._platform_cache.clear()
    answer(socket, if_nameindex=lambda: [(1, "lo")])


def meminfo():
    known = {"MemTotal": memory_bytes, "MemFree": free_bytes(), "MemAvailable": free_bytes()}
    for name in "Buffers Cached Active Inactive Shmem Slab SReclaimable SwapTotal SwapFree".split():
        known[name] = 0
    return "".join(f"{name + ':':<16}{value // 1024:>8} kB\n" for name, value in known.items())


PROC_FILES = {
    "/proc/meminfo": meminfo,
    "/proc/cpuinfo": lambda: f"processor\t: 0\nmodel name\t: {NAME}\ncpu MHz\t\t: 0\ncpu cores\t: 1\n\n",
    "/proc/stat": lambda: "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nctxt 0\nbtime 0\nprocesses 1\n",
    "/proc/loadavg": lambda: "0.00 0.00 0.00 1/1 1\n",
    "/proc/uptime": lambda: f"{time.monotonic() - BORN:.2f} 0.00\n",
}


class Open:
    """`open`, but for what the kernel says of the host below /proc. No function: one that stands in a class is no method of it."""

    __name__ = __qualname__ = "open"
    __module__ = "io"

    def __call__(self, file, mode="r", *args, **named):
        told = PROC_FILES.get(file if isinstance(file, str) else str(file) if isinstance(file, os.PathLike) else None)
        if told is None or mode not in ("r", "rt", "rb"):
            return OPENED(file, mode, *args, **named)
        if mode == "rb":
            return io.BufferedReader(io.BytesIO(told().encode()))
        return io.TextIOWrapper(io.BytesIO(told().encode()), encoding="utf-8")


def answer_tracker(module):
    """The tracker is a program of its own that clears up after processes which died; nothing here outlives the container."""
    for tracker in (module, module._resource_tracker):
        answer(
            tracker,
            ensure_running=lambda: None,
            register=lambda name, rtype: None,
            unregister=lambda name, rtype: None,
            getfd=lambda: 2,
        )


def answer_spawn(module):
    """Else a pool of spawned processes is filled up again and again, for each of them dies at its birth."""

    def spawnv_passfds(path, args, passfds):
        raise PermissionError(FORKED_ONLY)

    answer(module, spawnv_passfds=spawnv_passfds)


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function when its module was loaded. They load slowly, and hardly any code asks for them."""

    def __init__(self, calls):
        self.calls = calls

    def find_spec(self, name, path, target=None):
        call = self.calls.get(name)
        if call is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            call(module)

        spec.loader.exec_module = exec_module
        return spec


answer_for_the_system()
builtins.open = io.open = Open()
sys.meta_path.insert(
    0,
    AfterImport({"multiprocessing.resource_tracker": answer_tracker, "multiprocessing.util": answer_spawn}),
)
