import { z } from 'zod'

/** The agent's side of the demo: nothing but the public HTTP API and its token. */
export interface DemoAgent {
  submit(body: unknown): Promise<AgentAnswer>
  /** Waits until the execution is final. */
  result(requestId: string): Promise<AgentAnswer>
  withdraw(requestId: string): Promise<void>
}

const answerSchema = z.looseObject({
  status: z.string(),
  request_id: z.string(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  exit_code: z.number().nullish(),
  duration: z.number().nullish(),
  trusted: z.boolean().optional(),
})

export type AgentAnswer = z.output<typeof answerSchema> & { readonly httpStatus: number }

export function createDemoAgent(url: string, token: string, signal: AbortSignal): DemoAgent {
  const call = async (method: string, path: string, body?: unknown): Promise<AgentAnswer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`)
    return { ...answerSchema.parse(JSON.parse(text)), httpStatus: response.status }
  }
  return {
    submit: (body) => call('POST', '/execute', body),
    result: (requestId) => call('GET', `/execute/${requestId}?wait=60`),
    async withdraw(requestId) {
      await call('DELETE', `/execute/${requestId}`)
    },
  }
}
