import { useState } from 'preact/hooks'
import { Copy } from '../ui/copy.tsx'

export interface GivenToken {
  readonly name: string
  readonly token: string
  /** Null: the port is off. */
  readonly url: string | null
}

const WAYS = [
  {
    name: 'curl',
    says: 'A first run, from a shell with the token in CLAWDFORGE_TOKEN:',
    text: (url: string) =>
      [
        `curl -sS ${url}/run -H "Authorization: Bearer $CLAWDFORGE_TOKEN" \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d '{"prompt": "Say hello in one word."}'`,
      ].join('\n'),
  },
  {
    name: 'Python',
    says: 'The same from Python, with the token in CLAWDFORGE_TOKEN:',
    text: (url: string) =>
      [
        'import os, requests',
        '',
        'r = requests.post(',
        `    "${url}/run",`,
        `    headers={"Authorization": f"Bearer {os.environ['CLAWDFORGE_TOKEN']}"},`,
        '    json={"prompt": "Say hello in one word."},',
        '    timeout=120,',
        ')',
        'r.raise_for_status()',
        'print(r.json()["result"])',
      ].join('\n'),
  },
] as const

/** A new token, shown this once, with all that its app needs to use it. */
export function TokenNote({ of, drop }: { readonly of: GivenToken; readonly drop: () => void }) {
  const [way, setWay] = useState<(typeof WAYS)[number]>(WAYS[0])
  const url = of.url ?? 'http://127.0.0.1:8800'
  return (
    <div class="note good steps" role="status">
      <p>
        The token of{' '}
        <strong>
          <bdi>{of.name}</bdi>
        </strong>
        . It is shown this once: put it where the app reads it.
      </p>
      <Copy text={of.token} />
      <p>As the environment of a service, for Docker Compose or a file:</p>
      <Copy text={`CLAWDFORGE_URL=${url}\nCLAWDFORGE_TOKEN=${of.token}`} />
      <fieldset class="tabs">
        <legend class="unseen">Program</legend>
        {WAYS.map((one) => (
          <button
            key={one.name}
            type="button"
            aria-pressed={one === way}
            class={one === way ? 'chosen' : ''}
            onClick={() => setWay(one)}
          >
            {one.name}
          </button>
        ))}
      </fieldset>
      <p>{way.says}</p>
      <Copy key={way.name} text={way.text(url)} />
      <button type="button" class="quiet" onClick={drop}>
        I have it
      </button>
    </div>
  )
}
