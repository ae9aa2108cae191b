import { SecretValue } from '../kernel/index.ts'

/** Where hosted agents live that live on Amazon EC2. */
export interface Ec2Config {
  readonly region: string
  readonly subnet: string
  readonly securityGroup: string
  readonly image: string
  readonly instanceType: string
  readonly volumeGib: number
  readonly keyId: string
  readonly secret: SecretValue
  /** In the place of the region's own. */
  readonly endpoint: string | undefined
  /** Null: whoever runs instances brings them their sockets. */
  readonly gate: GateConfig | null
}

interface GateConfig {
  /** An origin, as instances reach it. */
  readonly url: string
  /** `host` undefined: every address. */
  readonly listen: { readonly host: string | undefined; readonly port: number }
}

interface Ec2Values {
  readonly OAUTH3_HOST_DRIVER?: 'docker' | 'ec2'
  readonly OAUTH3_EC2_REGION?: string
  readonly OAUTH3_EC2_SUBNET?: string
  readonly OAUTH3_EC2_SECURITY_GROUP?: string
  readonly OAUTH3_EC2_IMAGE?: string
  readonly OAUTH3_EC2_INSTANCE_TYPE?: string
  readonly OAUTH3_EC2_VOLUME_GIB?: number
  readonly OAUTH3_EC2_ENDPOINT?: string
  readonly OAUTH3_MACHINES_URL?: string
  readonly OAUTH3_MACHINES_LISTEN?: string
  readonly AWS_ACCESS_KEY_ID?: string
  readonly AWS_SECRET_ACCESS_KEY?: string
}

/** Null where they live elsewhere, and where something is missing: then it complains. `isSet`: be it to what is not valid. */
export function ec2Of(
  values: Ec2Values,
  isSet: (name: keyof Ec2Values) => boolean,
  complain: (problem: string) => void,
): Ec2Config | null {
  if (values.OAUTH3_HOST_DRIVER !== 'ec2') return null
  const needs = <N extends keyof Ec2Values>(name: N): NonNullable<Ec2Values[N]> | undefined => {
    if (!isSet(name)) complain(`${name} is required with OAUTH3_HOST_DRIVER=ec2.`)
    return values[name] ?? undefined
  }
  const region = needs('OAUTH3_EC2_REGION')
  const subnet = needs('OAUTH3_EC2_SUBNET')
  const securityGroup = needs('OAUTH3_EC2_SECURITY_GROUP')
  const image = needs('OAUTH3_EC2_IMAGE')
  const keyId = needs('AWS_ACCESS_KEY_ID')
  const secret = needs('AWS_SECRET_ACCESS_KEY')
  const { OAUTH3_EC2_INSTANCE_TYPE: instanceType, OAUTH3_EC2_VOLUME_GIB: volumeGib } = values
  if (!region || !subnet || !securityGroup || !image || !keyId || !secret) return null
  if (instanceType === undefined || volumeGib === undefined) return null
  return {
    ...{ region, subnet, securityGroup, image, instanceType, volumeGib, keyId },
    secret: new SecretValue(secret),
    endpoint: values.OAUTH3_EC2_ENDPOINT,
    gate: gateOf(values),
  }
}

function gateOf({ OAUTH3_MACHINES_URL: url, OAUTH3_MACHINES_LISTEN: listen }: Ec2Values): GateConfig | null {
  if (url === undefined) return null
  const [, host, port = new URL(url).port || '443'] = /^\[?(.*?)\]?:([0-9]+)$/.exec(listen ?? '') ?? []
  return { url, listen: { host, port: Number(port) } }
}
