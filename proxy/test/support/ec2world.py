"""What there is at the played Amazon EC2, and what each action does to it."""
import base64
import json
import sys
from datetime import datetime, timezone

from ec2wire import Refused

region = sys.argv[2]

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
