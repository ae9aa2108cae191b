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
import selectors
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
GATEWAY = "/run/oauth3/gateway.sock"
LOOPBACK = "127.0.0.1"
RELAY_PORT = 3128
RESOLVER_PORT = 53
# Listened on in any case, so that a port that was not approved is refused with a reason where it is one of these.
USUAL_PORTS = (80, 443)
CHUNK_BYTES = 65_536
MAX_HEAD_BYTES = 1_024
MAX_QUERY_BYTES = 4_096
# Queries that wait for their answers. What comes meanwhile is dropped, as datagrams are.
MAX_WAITING = 256
# Calls into this one keep the interpreter's lock: while they last no line of the code runs, in whatever thread.
LIBC = ctypes.PyDLL(None)


# Behind the container's walls, as far as Python needs none of it: what starts programs, looks into other processes, or
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


def wall_in():
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


class Pump:
    """One direction of a connection: what was read of `source` and is not yet written to `sink`."""

    def __init__(self, source, sink, head=None):
        self.source = source
        self.sink = sink
        self.held = b""
        self.ended = False
        # What has come of the answer to a CONNECT, which the client has not asked for; None once it is off.
        self.head = head

    def read(self):
        piece = self.source.recv(CHUNK_BYTES)
        if not piece:
            if self.head is not None:
                raise OSError("the gateway has closed the connection")
            self.ended = True
            self.sink.shutdown(socket.SHUT_WR)
        elif self.head is None:
            self.held = piece
        else:
            self.take_head(piece)

    def take_head(self, piece):
        self.head += piece
        head, end, rest = self.head.partition(b"\r\n\r\n")
        if not end and len(head) < MAX_HEAD_BYTES:
            return
        if not end or not head.startswith(b"HTTP/1.1 200 "):
            raise OSError("the gateway has refused the tunnel")
        self.head = None
        self.held = rest

    def write(self):
        self.held = self.held[self.sink.send(self.held):]


class WayOut:
    """The way out of a sandbox whose only network is loopback: a port for clients that take a proxy, and for all others a
    resolver and listeners that look like the hosts themselves.

    Nothing is decided here. Whatever comes to 127.0.0.1:3128 goes to the gateway's socket byte by byte. Every other connection
    goes there behind a CONNECT to the very address and port that were dialled, 127.0.0.1:53 among them: that is the gateway's
    resolver, whose answers give each approved name an address of loopback, so the gateway knows which name was meant.
    Queries that come as datagrams take the same way, each with its length in front (RFC 7766, section 8).
    """

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.ports = set()
        # Whose question it was, by the number that it has on its way.
        self.waiting = {}
        self.last_id = 0
        self.tunnel = None
        for port in (RELAY_PORT, RESOLVER_PORT, *USUAL_PORTS):
            self.listen(port)
        try:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind((LOOPBACK, RESOLVER_PORT))
            udp.setblocking(False)
            self.selector.register(udp, selectors.EVENT_READ, self.take_query)
        except OSError:
            pass

    def listen(self, port):
        """On every address of loopback: which of them was dialled is what tells the name."""
        if port in self.ports:
            return
        self.ports.add(port)
        try:
            server = socket.create_server(("0.0.0.0", port), backlog=64)
        except OSError:
            return  # its connections are refused
        server.setblocking(False)
        self.selector.register(server, selectors.EVENT_READ, self.accept)

    def run(self):
        while True:
            for key, events in self.selector.select():
                if key.fileobj.fileno() == -1:
                    continue  # closed by another event of the same round
                try:
                    if callable(key.data):
                        key.data(key.fileobj)
                    else:
                        self.pump(key.data, key.fileobj, events)
                except OSError:
                    pass

    def accept(self, server):
        client, _ = server.accept()
        address, port = client.getsockname()
        head = None
        door = None
        try:
            door = socket.socket(socket.AF_UNIX)
            door.connect(GATEWAY)
            if (address, port) != (LOOPBACK, RELAY_PORT):
                door.sendall(connect_to(address, port))
                head = b""
        except OSError:
            client.close()
            if door is not None:
                door.close()
            return
        for end in (client, door):
            end.setblocking(False)
        self.watch((Pump(client, door), Pump(door, client, head)))

    def watch(self, pumps):
        """Each socket is waited for by what its two directions can do next."""
        for end in {pumps[0].source, pumps[0].sink}:
            events = 0
            for pump in pumps:
                if pump.source is end and not pump.held and not pump.ended:
                    events |= selectors.EVENT_READ
                if pump.sink is end and pump.held:
                    events |= selectors.EVENT_WRITE
            known = self.selector.get_map().get(end)
            if known is None and events:
                self.selector.register(end, events, pumps)
            elif known is not None and not events:
                self.selector.unregister(end)
            elif known is not None and known.events != events:
                self.selector.modify(end, events, pumps)

    def close(self, pumps):
        for end in {pumps[0].source, pumps[0].sink}:
            if end.fileno() in self.selector.get_map():
                self.selector.unregister(end)
            end.close()

    def pump(self, pumps, end, events):
        try:
            for pump in pumps:
                if events & selectors.EVENT_READ and pump.source is end and not pump.held:
                    pump.read()
                if events & selectors.EVENT_WRITE and pump.sink is end and pump.held:
                    pump.write()
        except BlockingIOError:
            pass
        except OSError:
            self.close(pumps)
            return
        if all(pump.ended for pump in pumps):
            self.close(pumps)
        else:
            self.watch(pumps)

    def take_query(self, udp):
        query, client = udp.recvfrom(MAX_QUERY_BYTES)
        if len(query) < 12 or len(self.waiting) >= MAX_WAITING:
            return
        if self.tunnel is None:
            door = socket.socket(socket.AF_UNIX)
            try:
                door.connect(GATEWAY)
                door.sendall(connect_to(LOOPBACK, RESOLVER_PORT))
            except OSError:
                door.close()
                return
            door.setblocking(False)
            self.tunnel = Answers(door, udp, self.waiting)
            self.selector.register(door, selectors.EVENT_READ, self.take_answers)
        while True:
            self.last_id = (self.last_id + 1) & 0xFFFF
            if self.last_id not in self.waiting:
                break
        framed = struct.pack(">HH", len(query), self.last_id) + query[2:]
        self.waiting[self.last_id] = (query, client)
        try:
            # A few hundred small queries are all that can wait, so there is always room for a whole one.
            self.tunnel.source.sendall(framed)
        except OSError:
            self.close_tunnel()

    def take_answers(self, _door):
        try:
            self.tunnel.read()
        except BlockingIOError:
            pass
        except OSError:
            self.close_tunnel()

    def close_tunnel(self):
        self.selector.unregister(self.tunnel.source)
        self.tunnel.source.close()
        udp = self.tunnel.sink
        self.tunnel = None
        # Nobody waits for an answer that cannot come: a response that the server failed (RFC 1035, section 4.1.1).
        unanswered = list(self.waiting.values())
        self.waiting.clear()
        for query, client in unanswered:
            udp.sendto(query[:2] + bytes((query[2] | 0x80, 0x82)) + query[4:], client)


class Answers(Pump):
    """Reads the resolver's answers and sends each to whoever asked."""

    def __init__(self, source, sink, waiting):
        super().__init__(source, sink, b"")
        self.waiting = waiting
        self.rest = b""

    def read(self):
        super().read()
        if self.ended:
            raise OSError("the resolver has closed the connection")
        self.rest += self.held
        self.held = b""
        while len(self.rest) >= 2 and len(self.rest) >= 2 + int.from_bytes(self.rest[:2], "big"):
            length = int.from_bytes(self.rest[:2], "big")
            answer, self.rest = self.rest[2:2 + length], self.rest[2 + length:]
            asked = self.waiting.pop(int.from_bytes(answer[:2], "big"), None)
            if asked is not None:
                self.sink.sendto(asked[0][:2] + answer[2:], asked[1])


def connect_to(address, port):
    return f"CONNECT {address}:{port} HTTP/1.1\r\nHost: {address}:{port}\r\n\r\n".encode()


def open_way_out():
    way_out = WayOut()
    threading.Thread(target=way_out.run, name="oauth3-way-out", daemon=True).start()
    return way_out


def warm_up():
    """What the first request makes Python load and set up: done while nobody waits. The door is shut until there is a run,
    and its refusal is answer enough."""
    if not os.path.exists(GATEWAY):
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
    wall_in()
    # By its path, for an isolated interpreter looks beside its program for nothing.
    machine = importlib.machinery.SourceFileLoader("oauth3_machine", "/machine.py").load_module()
    way_out = open_way_out()
    warm_up()
    os.write(1, b"oauth3-ready 1\n")
    code, marker, memory_bytes = receive(way_out)
    machine.set_memory(memory_bytes)
    own = os.getpid()
    exit_code = finish(run(code))
    # A copy of this process that the code has forked ends quietly.
    end(exit_code, marker if os.getpid() == own else None)


serve()
