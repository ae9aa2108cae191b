"""The way out of a sandbox whose only network is loopback. The container's gateway decides; here bytes are passed on."""
import selectors
import socket
import struct

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
        endpoint = None
        try:
            endpoint = socket.socket(socket.AF_UNIX)
            endpoint.connect(GATEWAY)
            if (address, port) != (LOOPBACK, RELAY_PORT):
                endpoint.sendall(connect_to(address, port))
                head = b""
        except OSError:
            client.close()
            if endpoint is not None:
                endpoint.close()
            return
        for end in (client, endpoint):
            end.setblocking(False)
        self.watch((Pump(client, endpoint), Pump(endpoint, client, head)))

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
            endpoint = socket.socket(socket.AF_UNIX)
            try:
                endpoint.connect(GATEWAY)
                endpoint.sendall(connect_to(LOOPBACK, RESOLVER_PORT))
            except OSError:
                endpoint.close()
                return
            endpoint.setblocking(False)
            self.tunnel = Answers(endpoint, udp, self.waiting)
            self.selector.register(endpoint, selectors.EVENT_READ, self.take_answers)
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

    def take_answers(self, _endpoint):
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
