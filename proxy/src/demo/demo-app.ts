import { z } from 'zod'

/** The app's side of the demo: nothing but the port of apps and its token. */
export interface DemoApp {
  run(body: object): Promise<RunAnswer>
  read(id: string): Promise<RunAnswer>
  /** Waits until the run is over. */
  end(id: string): Promise<RunAnswer>
}

const answerSchema = z.looseObject({
  ok: z.boolean(),
  run_id: z.string(),
  state: z.string(),
  code: z.string().nullable(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
  stop_reason: z.string().nullable(),
  duration_ms: z.number().nullable(),
  usage: z.looseObject({ input_tokens: z.number(), output_tokens: z.number(), requests: z.number() }),
  cost_usd: z.number().nullable(),
})
export type RunAnswer = z.output<typeof answerSchema>

export function createDemoApp(url: string, token: string, signal: AbortSignal): DemoApp {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const call = async (path: string, body?: object): Promise<RunAnswer> => {
    const response = await fetch(`${url}${path}`, {
      ...{ headers, signal },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const parsed = answerSchema.safeParse(JSON.parse(text))
    if (!parsed.success) throw new Error(`${path} was answered with ${response.status}: ${text}`)
    return parsed.data
  }
  const read = (id: string): Promise<RunAnswer> => call(`/run/${id}`)
  return {
    run: (body) => call('/run', body),
    read,
    async end(id) {
      const response = await fetch(`${url}/run/${id}/events`, { headers, signal })
      for await (const _piece of response.body ?? []) signal.throwIfAborted()
      return await read(id)
    },
  }
}
