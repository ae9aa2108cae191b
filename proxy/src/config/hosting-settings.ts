import { z } from 'zod'
import { choice, httpUrl, integer, pagesPattern, setting, sleepAfter } from './setting.ts'

const ec2Id = (kind: string) => z.string().regex(new RegExp(`^${kind}-[0-9a-f]{8,17}$`))

/** Of hosted agents: a part of SETTINGS. */
export const HOSTING_SETTINGS = {
  SANDBOX_SLEEP_AFTER: setting(
    sleepAfter,
    'a span (`10m`, `1h`, `2d`) of at least 10 seconds, or `never`',
    'How long a hosted agent is idle until it is paused; `oauth3 host add --sleep-after` says otherwise for one.',
    '10m',
  ),
  OAUTH3_HOST_MAX: setting(
    integer(1, 1_000),
    '1–1000',
    'Hosted agents of a tenant at once, sleeping ones too, where its quota says nothing else (`oauth3 account quota`).',
    '10',
  ),
  OAUTH3_HOST_MEMORY_MIB: setting(
    integer(512, 4_194_304),
    'MiB, 512–4194304',
    'Memory that hosted agents take together while they are awake or paused; who comes then waits for it. Half of the machine’s when left out.',
  ),
  OAUTH3_HOST_AGENT_MEMORY_MIB: setting(
    integer(512, 65_536),
    'MiB, 512–65536',
    'Memory of one hosted agent. OpenClaw takes 750 MB while it is idle and 1,100 MB at work.',
    '1536',
  ),
  OAUTH3_HOST_PAGES: setting(
    pagesPattern,
    'https://*.NAME, or http://*.localhost; the `*` stands for an agent',
    "Origins at which browsers open the page of each hosted agent's own OpenClaw: off when left out. `http://*.localhost` serves this machine's browsers at the daemon's port. An https one is served through the proxy of OAUTH3_TRUSTED_PROXIES, under a name that is not the console's.",
  ),
  OAUTH3_HOST_DRIVER: setting(
    choice(['docker', 'ec2']),
    'docker or ec2',
    'Where hosted agents live: in containers of the engine of this host, or each in an instance of Amazon EC2.',
    'docker',
  ),
  OAUTH3_EC2_REGION: setting(
    z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/),
    'a region, such as eu-central-1',
    'Of EC2; required with OAUTH3_HOST_DRIVER=ec2, as are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  ),
  OAUTH3_EC2_SUBNET: setting(
    ec2Id('subnet'),
    'a subnet, subnet-…',
    'Where the instances are, a private one; required with OAUTH3_HOST_DRIVER=ec2. Their files are volumes of its zone.',
  ),
  OAUTH3_EC2_SECURITY_GROUP: setting(
    ec2Id('sg'),
    'a security group, sg-…',
    'What the instances may reach, and who them; required with OAUTH3_HOST_DRIVER=ec2.',
  ),
  OAUTH3_EC2_IMAGE: setting(
    ec2Id('ami'),
    'an image, ami-…',
    'What the instances are made of; required with OAUTH3_HOST_DRIVER=ec2.',
  ),
  OAUTH3_EC2_INSTANCE_TYPE: setting(
    z.string().regex(/^[a-z][a-z0-9-]{1,15}\.[a-z0-9-]{1,16}$/),
    'a type, such as t3.medium',
    'Of the instances. It decides over their memory and processor.',
    't3.medium',
  ),
  OAUTH3_EC2_VOLUME_GIB: setting(
    integer(1, 16_384),
    'GiB, 1–16384',
    'Of the volume that holds the files of one hosted agent on EC2.',
    '16',
  ),
  OAUTH3_EC2_ENDPOINT: setting(
    httpUrl,
    'an http(s) address',
    'Where the API of EC2 is reached in the place of the region’s own, such as an interface endpoint of a VPC.',
  ),
  OAUTH3_MACHINES_URL: setting(
    z
      .url({ protocol: /^https$/ })
      .refine((value) => {
        const { username, password, pathname, search, hash } = new URL(value)
        return `${username}${password}${search}${hash}` === '' && pathname === '/'
      })
      .transform((value) => new URL(value).origin),
    'an https address without a path',
    'Where instances of EC2 reach the daemon, which ends TLS there itself. Without it somebody has to bring each its sockets.',
  ),
  OAUTH3_MACHINES_LISTEN: setting(
    z.string().regex(/^(?:\[[0-9a-fA-F:]{2,39}\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$/),
    'ADDRESS:PORT',
    'Where the daemon listens for instances of EC2; every address of this host at the port of OAUTH3_MACHINES_URL when left out.',
  ),
} as const
