import { type IncomingMessage, request } from 'node:http'
import type { DaemonKit } from './daemon-kit.ts'

interface SeenEvent {
  readonly event: string
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly data: any
}

/** Server-sent events of the owner's API, as they come. */
export interface FollowedEvents extends AsyncDisposable {
  readonly status: number
  /** The next one that matches, behind those that were taken before; rejects when the stream ends without it. */
  until(matches: (event: SeenEvent) => boolean): Promise<SeenEvent>
  /** Of all events of `text` that were taken. */
  text(): string
}

export async function followEvents(
  { daemon }: Pick<DaemonKit, 'daemon'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FollowedEvents> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(
      { socketPath: daemon.adminSocketPath, path, headers: { host: 'oauth3', ...headers }, agent: false },
      resolve,
    )
      .once('error', reject)
      .end()
  })
  const events = parsed(response)
  let text = ''
  return {
    status: response.statusCode ?? 0,
    async until(matches) {
      for (;;) {
        const { done, value } = await events.next()
        if (done) throw new Error('the stream ended without it')
        if (value.event === 'text') text += value.data.text
        if (matches(value)) return value
      }
    },
    text: () => text,
    [Symbol.asyncDispose]: async () => void response.destroy(),
  }
}

async function* parsed(response: IncomingMessage): AsyncGenerator<SeenEvent> {
  let rest = ''
  for await (const part of response.setEncoding('utf8')) {
    const blocks = (rest + part).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
      )
      const event = fields.get('event')
      if (event !== undefined)
        yield { event, id: fields.get('id'), data: JSON.parse(fields.get('data') ?? '') }
    }
  }
}
