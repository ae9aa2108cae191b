/**
 * The beginning of OpenClaw's protocol (docs/gateway/protocol of its package): a client's first request is `connect`, and what comes back
 * says who it is. The gateway's token is put into the one, and no credential of the gateway's leaves by the other.
 */
import { z } from 'zod'

/** Before it is let in a client says this much at once. */
export const MAX_CONNECT_BYTES = 65_536

const connectRequest = z.looseObject({
  type: z.literal('req'),
  id: z.string().max(256),
  method: z.literal('connect'),
  params: z.looseObject({
    auth: z.looseObject({ token: z.string().optional() }).nullish(),
    device: z.looseObject({}).nullish(),
  }),
})
const connectAnswer = z.looseObject({
  type: z.literal('res'),
  id: z.string(),
  ok: z.literal(true),
  payload: z.looseObject({ auth: z.looseObject({}).optional() }),
})
/** What a device would come by the next time in the place of the token. */
const CREDENTIALS = ['deviceToken', 'deviceTokens', 'token', 'password', 'bootstrapToken']

export function createHandshake(gatewayToken: string) {
  const asked = new Set<string>()
  let isDone = false

  return {
    /** Whether the gateway has let the client in: from there on nothing is read. */
    get isDone(): boolean {
      return isDone
    },
    fromClient(data: Buffer): Buffer {
      const request = read(connectRequest, data)
      if (request === undefined) return data
      asked.add(request.id)
      const { auth, device } = request.params
      // A device has signed the token that it sent, or that it sent none: then the token goes beside, where any mode takes it.
      const own = device == null ? { token: gatewayToken } : auth?.token ? auth : { password: gatewayToken }
      return written({ ...request, params: { ...request.params, auth: own } })
    },
    fromGateway(data: Buffer): Buffer {
      if (isDone) return data
      const answer = read(connectAnswer, data)
      if (answer === undefined || !asked.has(answer.id)) return data
      isDone = true
      const auth = Object.fromEntries(
        Object.entries(answer.payload.auth ?? {}).filter(([name]) => !CREDENTIALS.includes(name)),
      )
      return written({ ...answer, payload: { ...answer.payload, auth } })
    },
  }
}

function read<T>(schema: z.ZodType<T>, data: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(data.toString('utf8'))).data
  } catch {
    return undefined
  }
}
const written = (message: object): Buffer => Buffer.from(JSON.stringify(message))
