"""The protocol "ec2" by AWS's own model of the service: requests read and validated, answers written and read again."""
import base64
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

model = ServiceModel(Loader().load_service_model("ec2", "service-2"), "ec2")


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
