"""Amazon EC2 at the wire: what machines need of it. Each request is read and validated by AWS's own model of the service, as botocore
carries it, and each answer is written and read again by that model: what the model does not know is no request and no answer.

Arguments: a key's id and a region. Reads the key's secret from standard input; prints its port. Control for tests: POST /control.
"""
import base64
import json
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

key_id, region = sys.argv[1:]
secret = sys.stdin.readline().strip()
model = ServiceModel(Loader().load_service_model("ec2", "service-2"), "ec2")
lock = threading.Lock()


class Refused(Exception):
    def __init__(self, code, status=400):
        self.code, self.status = code, status


# Requests: the inverse of botocore's serializer of the protocol "ec2".
def name_in_query(member, name):
    serialization = member.serialization
    if "queryName" in serialization:
        return serialization["queryName"]
    wire = serialization.get("name", name)
    return wire[0].upper() + wire[1:]


def read(shape, prefix, form, used):
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            key = (prefix + "." if prefix else "") + name_in_query(member, name)
            if any(each == key or each.startswith(key + ".") for each in form):
                found[name] = read(member, key, form, used)
        return found
    if shape.type_name == "list":
        items = []
        while any(each == f"{prefix}.{len(items) + 1}" or each.startswith(f"{prefix}.{len(items) + 1}.") for each in form):
            items.append(read(shape.member, f"{prefix}.{len(items) + 1}", form, used))
        return items
    used.add(prefix)
    text = form.get(prefix)
    if text is None:
        raise Refused("MalformedQueryString")
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise Refused("InvalidParameterValue")
        return text == "true"
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name == "blob":
        return base64.b64decode(text, validate=True)
    if getattr(shape, "enum", None) and text not in shape.enum:
        raise Refused("InvalidParameterValue")
    return text


def parsed(operation, form):
    used = {"Action", "Version"}
    params = read(operation.input_shape, "", form, used)
    unknown = set(form) - used
    if unknown:
        raise Refused("UnknownParameter")
    report = ParamValidator().validate(params, operation.input_shape)
    if report.has_errors():
        raise Refused("InvalidParameterValue")
    for each in params.get("TagSpecifications", []):
        for tag in each["Tags"]:
            if len(tag["Key"]) > 127 or len(tag["Value"]) > 255 or tag["Key"].startswith("aws:"):
                raise Refused("InvalidParameterValue")
    if len(params.get("ClientToken", "")) > 64:
        raise Refused("InvalidParameterValue")
    return params


# Answers.
def write(shape, value):
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        if unknown:
            raise AssertionError(f"not of {shape.name}: {unknown}")
        return "".join(
            f"<{tag}>{write(shape.members[name], each)}</{tag}>"
            for name, each in value.items()
            if each is not None
            for tag in [shape.members[name].serialization.get("name", name)]
        )
    if shape.type_name == "list":
        tag = shape.member.serialization.get("name", "item")
        return "".join(f"<{tag}>{write(shape.member, each)}</{tag}>" for each in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if getattr(shape, "enum", None) and value not in shape.enum:
        raise AssertionError(f"not of {shape.name}: {value}")
    return escape(str(value))


def answer_of(operation, value):
    name = operation.name
    inner = write(operation.output_shape, value) if operation.output_shape else "<return>true</return>"
    xmlns = f"http://ec2.amazonaws.com/doc/{model.api_version}/"
    body = f'<?xml version="1.0" encoding="UTF-8"?><{name}Response xmlns="{xmlns}"><requestId>r-1</requestId>{inner}</{name}Response>'.encode()
    if operation.output_shape:
        back = create_parser("ec2").parse({"status_code": 200, "headers": {}, "body": body}, operation.output_shape)
        missing = {each for each in value if value[each] is not None} - set(back)
        if missing:
            raise AssertionError(f"{name} loses {missing}")
    return body


def error_of(code):
    return f"<?xml version='1.0'?><Response><Errors><Error><Code>{code}</Code><Message>as the test says</Message></Error></Errors><RequestID>r-1</RequestID></Response>".encode()


# What there is.
instances, templates, volumes, tokens = {}, {}, {}, {}
asked, bodies = [], []
settings = {"page": 1000, "behind": 0, "slow": 1}
faults = []
counter = [0]


def fresh(prefix):
    counter[0] += 1
    return f"{prefix}-{counter[0]:017x}"


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
THEN = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}


def state(one):
    return {"Code": CODES[one["state"]], "Name": one["state"]}


def enter(one, to):
    one["state"], one["looks"] = to, settings["slow"]
    if to == "terminated":
        for volume in volumes.values():
            if volume["instance"] == one["id"]:
                volume["instance"] = None


def look(one):
    """Time goes by with each look at it."""
    if one["state"] in THEN:
        one["looks"] -= 1
        if one["looks"] < 0:
            enter(one, THEN[one["state"]])


def tags_for(params, kind):
    return [tag for each in params.get("TagSpecifications", []) if each["ResourceType"] == kind for tag in each["Tags"]]


def matches(tags, filters):
    have = {tag["Key"]: tag["Value"] for tag in tags}
    for each in filters:
        if not each["Name"].startswith("tag:"):
            raise Refused("InvalidParameterValue")
        if have.get(each["Name"][4:]) not in each["Values"]:
            return False
    return True


def page_of(params, all_of, low, high):
    most = params.get("MaxResults", high)
    if not low <= most <= high:
        raise Refused("InvalidParameterValue")
    start = int(params.get("NextToken", "0"))
    end = start + min(most, settings["page"])
    return all_of[start:end], str(end) if end < len(all_of) else None


def listed(params, things):
    """Those that lists have by now."""
    found = []
    for one in list(things.values()):
        if matches(one["tags"], params.get("Filters", [])):
            if one["behind"] > 0:
                one["behind"] -= 1
            else:
                found.append(one)
    return found


def once(params, make):
    token = params.get("ClientToken")
    if token is None:
        return make()
    said = json.dumps(params, sort_keys=True)
    if token in tokens:
        before, result = tokens[token]
        if before != said:
            raise Refused("IdempotentParameterMismatch")
        return result
    result = make()
    tokens[token] = (said, result)
    return result


def view(one):
    mapped = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-root", "Status": "attached"}}]
    for volume in volumes.values():
        if volume["instance"] == one["id"]:
            volume["looks"] -= 1
            status = "attached" if volume["looks"] < 0 else "attaching"
            mapped.append({"DeviceName": volume["device"], "Ebs": {"VolumeId": volume["id"], "Status": status}})
    return {
        "InstanceId": one["id"],
        "ImageId": one["image"],
        "InstanceType": one["type"],
        "LaunchTime": one["at"],
        "State": state(one),
        "Tags": one["tags"],
        "BlockDeviceMappings": [] if one["state"] == "terminated" else mapped,
    }


def by_id(ids):
    for each in ids:
        if each not in instances or instances[each]["behind"] > 1:
            raise Refused("InvalidInstanceID.NotFound")
    return [instances[each] for each in ids]


def run_instances(params):
    if params["MinCount"] != 1 or params["MaxCount"] != 1:
        raise Refused("InvalidParameterValue")

    def make():
        name = params["LaunchTemplate"]["LaunchTemplateName"]
        template = next((one for one in templates.values() if one["name"] == name), None)
        if template is None:
            raise Refused("InvalidLaunchTemplateName.NotFoundException")
        data = template["data"]
        one = {
            "id": fresh("i"),
            "image": data["ImageId"],
            "type": data["InstanceType"],
            "tags": tags_for(data, "instance"),
            "at": now(),
            "behind": settings["behind"],
            "data": data,
        }
        enter(one, "pending")
        instances[one["id"]] = one
        return one["id"]

    return {"ReservationId": "r-1", "OwnerId": "1", "Instances": [view(instances[once(params, make)])]}


def describe_instances(params):
    if "InstanceIds" in params and "MaxResults" in params:
        raise Refused("InvalidParameterCombination")
    if "InstanceIds" in params:
        found, after = by_id(params["InstanceIds"]), None
        for one in found:
            one["behind"] = max(0, one["behind"] - 1)
    else:
        found, after = page_of(params, listed(params, instances), 5, 1000)
    for one in found:
        look(one)
    return {"Reservations": [{"Instances": [view(one)]} for one in found], "NextToken": after}


def turn(params, allowed, to, kind):
    found = by_id(params["InstanceIds"])
    changes = []
    for one in found:
        if one["state"] not in allowed and one["state"] not in to:
            raise Refused("IncorrectInstanceState")
    for one in found:
        before = state(one)
        if one["state"] in allowed:
            enter(one, to[0])
        changes.append({"InstanceId": one["id"], "PreviousState": before, "CurrentState": state(one)})
    return {kind: changes}


def stop_instances(params):
    for one in by_id(params["InstanceIds"]):
        # Ends at once what does not end by itself.
        if params.get("Force") and one["state"] == "stopping":
            one["looks"] = 0
    return turn(params, ["running"], ["stopping", "stopped"], "StoppingInstances")


def create_volume(params):
    def make():
        one = {
            "id": fresh("vol"),
            "zone": params["AvailabilityZone"],
            "size": params["Size"],
            "tags": tags_for(params, "volume"),
            "at": now(),
            "behind": settings["behind"],
            "instance": None,
            "device": None,
            "looks": 0,
        }
        volumes[one["id"]] = one
        return one["id"]

    if not params.get("Encrypted") or params["AvailabilityZone"] != region + "a":
        raise Refused("InvalidParameterValue")
    return view_volume(volumes[once(params, make)])


def view_volume(one):
    return {
        "VolumeId": one["id"],
        "AvailabilityZone": one["zone"],
        "Size": one["size"],
        "CreateTime": one["at"],
        "Encrypted": True,
        "State": "available" if one["instance"] is None else "in-use",
        "Tags": one["tags"],
    }


def describe_volumes(params):
    found, after = page_of(params, listed(params, volumes), 5, 1000)
    return {"Volumes": [view_volume(one) for one in found], "NextToken": after}


def attach_volume(params):
    (one,) = by_id([params["InstanceId"]])
    volume = volumes.get(params["VolumeId"])
    if volume is None:
        raise Refused("InvalidVolume.NotFound")
    if volume["instance"] is not None:
        raise Refused("VolumeInUse")
    if one["state"] not in ("running", "stopped"):
        raise Refused("IncorrectState")
    volume["instance"], volume["device"], volume["looks"] = one["id"], params["Device"], settings["slow"]
    return {"InstanceId": one["id"], "VolumeId": volume["id"], "Device": params["Device"], "State": "attaching"}


def delete_volume(params):
    volume = volumes.get(params["VolumeId"])
    if volume is None:
        raise Refused("InvalidVolume.NotFound")
    if volume["instance"] is not None:
        raise Refused("VolumeInUse")
    del volumes[params["VolumeId"]]


def create_template(params):
    def make():
        if any(one["name"] == params["LaunchTemplateName"] for one in templates.values()):
            raise Refused("InvalidLaunchTemplateName.AlreadyExistsException")
        data = params["LaunchTemplateData"]
        if "ImageId" not in data or len(base64.b64decode(data.get("UserData", ""), validate=True)) > 16384:
            raise Refused("InvalidParameterValue")
        one = {
            "id": fresh("lt"),
            "name": params["LaunchTemplateName"],
            "data": data,
            "tags": tags_for(params, "launch-template"),
            "behind": settings["behind"],
        }
        templates[one["id"]] = one
        return dict(one)

    return {"LaunchTemplate": view_template(once(params, make))}


def view_template(one):
    return {"LaunchTemplateId": one["id"], "LaunchTemplateName": one["name"], "DefaultVersionNumber": 1, "Tags": one["tags"]}


def describe_templates(params):
    found, after = page_of(params, listed(params, templates), 1, 200)
    return {"LaunchTemplates": [view_template(one) for one in found], "NextToken": after}


def delete_template(params):
    for one in list(templates.values()):
        if one["name"] == params["LaunchTemplateName"]:
            del templates[one["id"]]
            return {"LaunchTemplate": view_template(one)}
    raise Refused("InvalidLaunchTemplateName.NotFoundException")


def describe_subnets(params):
    return {"Subnets": [{"SubnetId": each, "AvailabilityZone": region + "a"} for each in params["SubnetIds"]]}


ACTIONS = {
    "RunInstances": run_instances,
    "DescribeInstances": describe_instances,
    "StartInstances": lambda params: turn(params, ["stopped"], ["pending", "running"], "StartingInstances"),
    "StopInstances": stop_instances,
    "TerminateInstances": lambda params: turn(
        params, ["pending", "running", "stopping", "stopped"], ["shutting-down", "terminated"], "TerminatingInstances"
    ),
    "CreateVolume": create_volume,
    "DescribeVolumes": describe_volumes,
    "AttachVolume": attach_volume,
    "DeleteVolume": delete_volume,
    "CreateLaunchTemplate": create_template,
    "DescribeLaunchTemplates": describe_templates,
    "DeleteLaunchTemplate": delete_template,
    "DescribeSubnets": describe_subnets,
}


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
