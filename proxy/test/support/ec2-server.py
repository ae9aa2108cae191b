"""Amazon EC2 at the wire: what machines need of it. Each request is read and validated by AWS's own model of the service, as botocore
carries it, and each answer is written and read again by that model: what the model does not know is no request and no answer.

Arguments: a key's id and a region. Reads the key's secret from standard input; prints its port. Control for tests: POST /control.
"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ec2wire import Refused, answer_of, error_of, model, parsed
from ec2world import ACTIONS, asked, bodies, enter, faults, instances, settings, templates, volumes

key_id, region = sys.argv[1:]
secret = sys.stdin.readline().strip()
lock = threading.Lock()


def verify(handler, body):
    """AWS Signature Version 4, by botocore's own."""
    given = dict(part.strip().split("=", 1) for part in handler.headers.get("Authorization", "").partition(" ")[2].split(","))
    names = given.get("SignedHeaders", "").split(";")
    if given.get("Credential", "").split("/")[0] != key_id or "host" not in names or "x-amz-date" not in names:
        raise Refused("AuthFailure", 401)
    headers = {name: handler.headers[name] for name in names}
    request = AWSRequest(method="POST", url=f"http://{headers['host']}{handler.path}", data=body, headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(key_id, secret), "ec2", region)
    if auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) != given.get("Signature"):
        raise Refused("SignatureDoesNotMatch", 403)


def fault_for(action):
    for each in faults:
        if each["action"] in (action, "*"):
            each["times"] -= 1
            if each["times"] <= 0:
                faults.remove(each)
            return each
    return None


def control(order):
    if order["do"] == "set":
        settings.update(order["settings"])
    elif order["do"] == "faults":
        faults.extend(order["faults"])
    elif order["do"] == "heal":
        faults.clear()
    elif order["do"] == "outside":
        for one in instances.values():
            if one["tags"] and any(tag["Value"] == order["machine"] for tag in one["tags"]):
                enter(one, order["to"])
    return {
        "asked": asked,
        "bodies": bodies,
        "faults": faults,
        "instances": [{"id": one["id"], "state": one["state"], "tags": one["tags"], "data": one["data"]} for one in instances.values()],
        "templates": len(templates),
        "volumes": len(volumes),
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/control":
            with lock:
                return self.reply(200, json.dumps(control(json.loads(body))).encode(), "application/json")
        with lock:
            status, text = self.act(body)
        if status == 0:
            self.close_connection = True
            return self.connection.close()
        self.reply(status, text, "text/xml;charset=UTF-8")

    def act(self, body):
        try:
            verify(self, body)
            pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
            form = dict(pairs)
            action = form.get("Action", "")
            if len(form) != len(pairs) or form.get("Version") != model.api_version or action not in ACTIONS:
                raise Refused("InvalidAction")
            asked.append(action)
            bodies.append(body.decode())
            operation = model.operation_model(action)
            params = parsed(operation, form)
            fault = fault_for(action)
            if fault and not fault.get("done"):
                raise Refused(fault["code"], fault.get("status", 400))
            result = ACTIONS[action](params)
            # It is done, and nobody hears of it.
            return (0, b"") if fault else (200, answer_of(operation, result))
        except Refused as refused:
            return refused.status, error_of(refused.code)

    def reply(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, address):
        # A client that goes away is none.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
