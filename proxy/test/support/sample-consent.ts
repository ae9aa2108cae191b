import type { Consent, ConsentSecret } from '../../src/approvals/consent/index.ts'
import type { Capability } from '../../src/egress/capabilities/index.ts'

/** What the samples send to a host unless a test says else. */
export const sampleCapability = (host: string, change: Partial<Capability> = {}): Capability => ({
  host,
  requests: 100,
  websocket: false,
  graphql: 'query',
  ...change,
  methods: [...(change.methods ?? ['GET'])],
  paths: [...(change.paths ?? ['/v1'])],
})

export type SampleChange = Partial<Omit<Consent, 'network'>> & {
  /** Hosts stand for `sampleCapability` of them. */
  readonly network?: readonly (string | Capability)[]
}

/** A consent of usual size that asks for nothing, and a secret in it; each test says what it is about. */
export const sampleConsent = ({ network = [], ...change }: SampleChange = {}): Consent => ({
  v: 3,
  skill_id: 'demo-skill',
  description: 'demo',
  code: { sha256: 'a'.repeat(64), bytes: 10 },
  source: null,
  agent: { id: 'agt_1', name: 'one' },
  runtime: { name: 'deno', image: 'sha256:1111', isolation: 'docker' },
  secrets: [],
  network: network.map((entry) => (typeof entry === 'string' ? sampleCapability(entry) : entry)),
  dynamic_code: false,
  args: null,
  limits: {
    timeout_ms: 30_000,
    memory_bytes: 268_435_456,
    cpu_millis: 1_000,
    pids: 64,
    tmp_bytes: 67_108_864,
    output_bytes: 262_144,
  },
  imports: null,
  ...change,
})

export const sampleSecret = (change: Partial<ConsentSecret> = {}): ConsentSecret => ({
  name: 'DEMO_KEY',
  mode: 'placeholder',
  hosts: ['a.com'],
  in: ['header'],
  bound_to: null,
  ...change,
})

/** The same in raw mode: the code holds the value, on every surface. */
export const sampleRawSecret = (change: Partial<ConsentSecret> = {}): ConsentSecret =>
  sampleSecret({ mode: 'raw', in: ['body', 'header', 'query'], ...change })
